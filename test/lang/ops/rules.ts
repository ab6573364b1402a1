/** Drives single rows of the primitive table: evaluates graphs by the `eval` column, checks jvp, transpose and batch. */
import fc from 'fast-check'
import { expect } from 'vitest'
import * as E from '#fp/Either'
import { jvpGraph } from '../../../passes/transform/jvp.ts'
import { transpose } from '../../../passes/transform/transpose.ts'
import { build, freshInputs, typesOf } from '../../../src/lang/build.ts'
import { allocate, type DType, type HostArray, isFloat, isUnsigned } from '../../../src/lang/dtype.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import type { Build, Node, Op, ParamsOf, TensorType } from '../../../src/lang/ir.ts'
import { primitives } from '../../../src/lang/ops/primitive-table.ts'
import type { BatchWalk, GraphKit, Linear, Primitive, TransposeWalk, Value } from '../../../src/lang/primitive.ts'
import { topological } from '../../../src/lang/topological.ts'
import { graphKit } from '../../../src/lang/trace.ts'

/** Fixed seed and size for every property here. */
export const runs: { seed: number; numRuns: number } = { seed: 42, numRuns: 60 }

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** All indices of `shape` in row-major order. */
export const indices = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>((all, n) => all.flatMap((i) => Array.from({ length: n }, (_, k) => [...i, k])), [[]])

/** A value from numbers in row-major order. */
export const value = (dtype: DType, shape: readonly number[], data: ArrayLike<number>): Value => {
  const array = allocate(dtype, count(shape))
  array.set(data)
  return { shape, dtype, data: array }
}

/** A value whose element at each index is `f(index)`. */
export const tabulate = (dtype: DType, shape: readonly number[], f: (index: readonly number[]) => number): Value =>
  value(dtype, shape, indices(shape).map(f))

/** The element at an index, by Horner's rule. */
export const at = (x: Value, index: readonly number[]): number =>
  x.data[index.reduce((offset, i, a) => offset * x.shape[a]! + i, 0)]!

/** Deterministic numbers in (-2, 2), or small integers for integer dtypes. */
export const noise = (dtype: DType, shape: readonly number[], seed: number): Value => {
  let state = (seed ^ 0x9e3779b9) >>> 0
  const next = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0
    return (((state ^ (state >>> 13)) >>> 0) / 2 ** 32) * 4 - 2
  }
  const one = {
    bool: () => (next() > 0 ? 1 : 0),
    i32: () => Math.floor(next() * 5),
    u32: () => Math.floor(next() * 5) + 10,
  }
  const draw = isFloat(dtype) ? next : dtype === 'bool' ? one.bool : isUnsigned(dtype) ? one.u32 : one.i32
  return tabulate(dtype, shape, draw)
}

const row = <K extends Op>(op: K): Primitive<ParamsOf[K]> => primitives[op] as Primitive<ParamsOf[K]>

/** Output types, failing on a refusal. */
export const inferred = <K extends Op>(op: K, p: ParamsOf[K], xs: readonly TensorType[]): readonly TensorType[] => {
  const types = row(op).infer(xs, p)
  if (E.isLeft(types)) throw new Error(`${op} refused: ${types.left.reason}`)
  return types.right
}

/** The refusal of `infer` as `axis A: reason (hint)`, or the shape it wrongly accepted. */
export const refusal = <K extends Op>(op: K, p: ParamsOf[K], ...xs: readonly TensorType[]): string => {
  const r = row(op).infer(xs, p)
  if (E.isRight(r)) return `accepted: ${JSON.stringify(r.right)}`
  const { axis, reason, hint } = r.left
  return `${axis === undefined ? '' : `axis ${axis}: `}${reason}${hint === undefined ? '' : ` (${hint})`}`
}

/** A type for `infer`. */
export const type = (shape: readonly number[], dtype: DType = 'f32'): TensorType => ({ shape, dtype })

/** The `eval` column on values: one value an output, each checked to have the inferred length. */
export const evalOp = <K extends Op>(op: K, p: ParamsOf[K], ...xs: readonly Value[]): readonly Value[] => {
  const types = inferred(op, p, xs)
  return evaluateRow(op, xs, p, types).map((data, i) => {
    expect(data.length).toBe(count(types[i]!.shape))
    return { ...types[i]!, data }
  })
}

/** The numbers of every output, or of the only one. */
export const numbers = (x: Value | undefined): number[] => Array.from(x!.data)

/** Evaluates nodes given values of their inputs. */
export const evalNodes = (roots: readonly Node[], bound: ReadonlyMap<Node, Value>): readonly Value[] => {
  const results = new Map<Node, readonly HostArray[]>()
  for (const n of topological(roots)) {
    const given = bound.get(n)
    if (given) results.set(n, [given.data])
    else if (n.op === 'get') results.set(n, [results.get(n.args[0]!)![n.params.index]!])
    else {
      const xs = n.args.map((a) => ({ ...typesOf(a)[0]!, data: results.get(a)![0]! }))
      results.set(n, evaluateRow(n.op, xs, n.params, typesOf(n)))
    }
  }
  return roots.map((n) => ({ ...typesOf(n)[0]!, data: results.get(n)![0]! }))
}

/** What a transpose rule is given beside its node. */
export const walking: { b: Build; kit: GraphKit; walk: TransposeWalk } = { b: build, kit: graphKit, walk: transpose }

/** For batch rules of primitives that hold no graph. */
export const noGraphs: BatchWalk = () => {
  throw new Error('there is no graph in this primitive')
}

/** Tangents of `roots` along `tangents` of the inputs: the jvp column applied node by node. */
export const forward = (roots: readonly Node[], tangents: ReadonlyMap<Node, Node>): readonly Linear[] => {
  const known = new Map<Node, readonly Linear[]>()
  for (const n of topological(roots)) {
    const seed = tangents.get(n)
    const args = n.args.map((a) => known.get(a)?.[0])
    if (seed) known.set(n, [seed])
    else if (n.op === 'get') known.set(n, [known.get(n.args[0]!)?.[n.params.index]])
    else if (args.some((t) => t !== undefined)) {
      const rule = row(n.op as Op).jvp
      known.set(
        n,
        rule({
          b: build,
          args: n.args,
          tangents: args,
          params: n.params,
          out: n,
          kit: graphKit,
          walk: jvpGraph,
          mode: 'forward',
        }),
      )
    }
  }
  return roots.map((n) => known.get(n)?.[0])
}

/** The cotangent of `input` for the cotangent `ct` of `root`, which is linear in it: the transpose column, backwards. */
export const backward = (root: Node, input: Node, ct: Node): Linear => {
  const order = topological([root])
  const linear = new Set<Node>([input])
  for (const n of order) if (n.args.some((a) => linear.has(a))) linear.add(n)
  const cts = new Map<Node, Node>([[root, ct]])
  for (const n of order.toReversed()) {
    const given = cts.get(n)
    if (!given || !linear.has(n) || n === input) continue
    const { transpose: rule } = row(n.op as Op)
    if (rule === 'nonlinear') throw new Error(`${n.op} has no transpose`)
    const flags = n.args.map((a) => linear.has(a))
    const back = rule({ ...walking, ct: given, cts: [given], args: n.args, linear: flags, params: n.params })
    n.args.forEach((a, i) => {
      const [sum, part] = [cts.get(a), back[i]]
      if (part) cts.set(a, sum ? build.add([sum, part], {}) : part)
    })
  }
  return cts.get(input)
}

/** Fresh inputs of the values' types, and the binding of one to the other. */
export const bind = (xs: readonly Value[]): { nodes: readonly Node[]; bound: Map<Node, Value> } => {
  const nodes = freshInputs(xs.map(({ shape, dtype }) => ({ shape, dtype })))
  return { nodes, bound: new Map(nodes.map((n, i) => [n, xs[i]!])) }
}

const make = <K extends Op>(op: K, p: ParamsOf[K], args: readonly Node[]): Node => build[op](args, p)

/** The tangent of every float output of `op` at `xs` along `dxs`, by the jvp column (zeros where it is symbolic). */
export const tangentOf = <K extends Op>(
  op: K,
  p: ParamsOf[K],
  xs: readonly Value[],
  dxs: readonly (Value | undefined)[],
): readonly number[][] => {
  const { nodes, bound } = bind(xs)
  const d = bind(dxs.filter((v) => v !== undefined))
  let next = 0
  const tangents = dxs.map((v) => (v === undefined ? undefined : d.nodes[next++]))
  const out = make(op, p, nodes)
  const result = row(op).jvp({
    b: build,
    args: nodes,
    tangents,
    params: p,
    out,
    kit: graphKit,
    walk: jvpGraph,
    mode: 'forward',
  })
  const types = typesOf(out)
  expect(result.length).toBe(types.length)
  return result.map((t, i) => {
    if (t === undefined) return new Array<number>(count(types[i]!.shape)).fill(0)
    expect(typesOf(t)[0]).toEqual(types[i])
    return numbers(evalNodes([t], new Map([...bound, ...d.bound]))[0])
  })
}

/** jvp against central differences of `eval` along a random direction of every operand. */
export const checkJvp = <K extends Op>(op: K, p: ParamsOf[K], xs: readonly Value[], precision = 6): void => {
  const dxs = xs.map((x, i) => noise(x.dtype, x.shape, 77 + i))
  const step = 1e-5
  const move = (h: number): readonly Value[] =>
    evalOp(
      op,
      p,
      ...xs.map((x, i) =>
        value(
          x.dtype,
          x.shape,
          numbers(x).map((v, k) => v + h * dxs[i]!.data[k]!),
        ),
      ),
    )
  const [up, down] = [move(step), move(-step)]
  tangentOf(op, p, xs, dxs).forEach((got, o) => {
    if (up[o]!.dtype !== 'f32') return
    got.forEach((g, k) => {
      expect(g).toBeCloseTo((up[o]!.data[k]! - down[o]!.data[k]!) / (2 * step), precision)
    })
  })
  // One operand at a time, the others symbolic zeros: the parts add up to the whole.
  if (xs.length > 1) {
    const parts = xs.map(
      (_, i) =>
        tangentOf(
          op,
          p,
          xs,
          dxs.map((d, j) => (i === j ? d : undefined)),
        )[0]!,
    )
    const whole = tangentOf(op, p, xs, dxs)[0]!
    whole.forEach((w, k) => {
      expect(parts.reduce((s, part) => s + part[k]!, 0)).toBeCloseTo(w, 9)
    })
  }
}

const inner = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((s, v, i) => s + v * b[i]!, 0)

/** <ct, f(v)> = <fᵀ(ct), v> with the operand `which` linear and the others held at `xs`. */
export const checkTranspose = <K extends Op>(op: K, p: ParamsOf[K], xs: readonly Value[], which = 0): void => {
  const [y] = evalOp(op, p, ...xs)
  const ct = noise('f32', y!.shape, 1234)
  const { nodes, bound } = bind([...xs, ct])
  const { transpose: rule } = row(op)
  if (rule === 'nonlinear') throw new Error(`${op} has no transpose`)
  const linear = xs.map((_, i) => i === which)
  const args = nodes.slice(0, -1)
  const cts = rule({ ...walking, ct: nodes.at(-1)!, cts: [nodes.at(-1)!], args, linear, params: p })
  expect(cts.map((c) => c !== undefined)).toEqual(linear)
  // The rule may read nonlinear operands only.
  bound.delete(nodes[which]!)
  const [back] = evalNodes([cts[which]!], bound)
  expect(back!.shape).toEqual(xs[which]!.shape)
  expect(inner(numbers(back), numbers(xs[which]))).toBeCloseTo(inner(numbers(ct), numbers(y)), 8)
}

const sliceOf = (x: Value, i: number): Value => {
  const shape = x.shape.slice(1)
  return value(x.dtype, shape, x.data.subarray(i * count(shape), (i + 1) * count(shape)))
}

/** The batch column against a stack of unbatched evaluations; `xs` carry the batch axis at 0 where `batched`. */
export const checkBatch = <K extends Op>(
  op: K,
  p: ParamsOf[K],
  xs: readonly Value[],
  size: number,
  batched: readonly boolean[] = xs.map(() => true),
): void => {
  const { nodes, bound } = bind(xs)
  const results = row(op).batch({ b: build, args: nodes, batched, size, params: p, kit: graphKit, walk: noGraphs })
  const single = inferred(
    op,
    p,
    xs.map((x, i) => type(batched[i] ? x.shape.slice(1) : x.shape, x.dtype)),
  )
  expect(results.map((r) => typesOf(r)[0])).toEqual(single.map((t) => ({ ...t, shape: [size, ...t.shape] })))
  const got = evalNodes(results, bound)
  for (let i = 0; i < size; i++) {
    const want = evalOp(op, p, ...xs.map((x, k) => (batched[k] ? sliceOf(x, i) : x)))
    want.forEach((w, o) => {
      expect(numbers(sliceOf(got[o]!, i))).toEqual(numbers(w))
    })
  }
}

/** All four columns of an op with one linear operand. */
export const checkLinear = <K extends Op>(op: K, p: ParamsOf[K], shape: readonly number[], seed = 1): void => {
  const x = noise('f32', shape, seed)
  checkJvp(op, p, [x])
  checkTranspose(op, p, [x])
  for (const size of [0, 1, 3]) checkBatch(op, p, [noise('f32', [size, ...shape], seed)], size)
}

/** Shapes of rank 0 to 3 with sizes 0 to 4. */
export const shapes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
