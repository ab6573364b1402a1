/**
 * Binds named sizes: of the graphs of one program at three sizes it makes one at the bounds, with the sizes as further
 * arguments. Along an axis of a named size elements past the true size hold anything, and nothing that counts depends on
 * them: sums leave them out, loops go on without them, numbers that come from the size are computed. What follows is an
 * ordinary graph of known shapes.
 */
import * as E from '#fp/Either'
import { build, freshInputs, typesOf } from '../../../src/lang/build.ts'
import { ceilDiv } from '../../../src/lang/dim.ts'
import type { CheckError, Refusal, ShapeError } from '../../../src/lang/errors.ts'
import type { Graph, Node, NodeOf, Op } from '../../../src/lang/ir.ts'
import { callerOf, inheritSite, siteOf } from '../../../src/lang/provenance.ts'
import { sameShape } from '../../../src/lang/shape.ts'
import type { Size } from '../../../src/lang/size.ts'
import { type IndexRange, indexInputs, type Region } from '../index-inputs.ts'
import { aligned } from './align.ts'
import { numbered } from './numbering.ts'
import { sizeRules } from './rule-table.ts'
import type { Inner, Level, SizeContext, SizeRule } from './size-rule.ts'
import { isSame, sizeFrom, type Thrice, type Trials, thrice } from './trials.ts'

/** A program at the bounds. */
export interface BoundSizes {
  /** Its last inputs are the named sizes, u32 scalars. */
  readonly graph: Graph
  /** The axes of the arguments and results. */
  readonly inputs: readonly (readonly Size[])[]
  readonly outputs: readonly (readonly Size[])[]
  /** The least of each named size, in the order of the names. */
  readonly least: readonly number[]
  /** By argument: the ranges that its elements must stay in where they are used as indices. */
  readonly ranges: readonly (readonly IndexRange<Size>[] | undefined)[]
}

/** What a node became: its results, and their axes. */
interface Bound {
  readonly results: readonly Node[]
  readonly sizes: readonly (readonly Size[])[]
}

type Triple = Thrice<Node>

const elsewhere = {
  reason: 'the program is built differently at other sizes, and this size is known only when the program runs',
  hint: 'let what the function builds depend on known sizes alone, or give the size as a number in T.spec',
} as const

const sameData = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [x, y] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  const keys = Object.keys(x)
  return keys.length === Object.keys(y).length && keys.every((k) => sameData(x[k], y[k]))
}

/** Whether the trials agree in all that no rule looks at. */
const areAlike = (nodes: Triple): boolean => {
  const [first, ...others] = nodes
  const sized: ReadonlySet<string> = new Set(sizeRules[first.op].sized as readonly string[])
  return others.every((n) => {
    if (n.op !== first.op || n.args.length !== first.args.length) return false
    if (typesOf(n).length !== typesOf(first).length) return false
    const [p, q] = [first.params, n.params] as unknown as Readonly<Record<string, unknown>>[]
    if (!Object.keys(p!).every((k) => sized.has(k) || sameData(p![k], q![k]))) return false
    if (first.op !== 'data' || n.op !== 'data' || first === n) return true
    const { array } = n.params.payload
    return (
      sameShape(first.params.shape, n.params.shape) &&
      first.params.payload.array.every((v, i) => Object.is(v, array[i]))
    )
  })
}

/** The axes of the results of a node; undefined where one has a size that no rule knows. */
const axesOf = (nodes: Triple, trials: Trials): readonly (readonly Size[])[] | undefined => {
  const types = thrice(nodes, typesOf)
  const found = types[0].map(({ shape }, k) =>
    shape.map((_, axis) =>
      sizeFrom(
        thrice(types, (t) => t[k]?.shape[axis] ?? Number.NaN),
        trials,
      ),
    ),
  )
  return found.every((sizes): sizes is Size[] => sizes.every((s) => s !== undefined)) ? found : undefined
}

/** What a whole program shares. */
interface Shared {
  readonly trials: Trials
  readonly errors: ShapeError[]
  /** Nodes by what they are operands of: that has a line where they have none. */
  readonly users: Map<Node, Node>
  readonly demand: (size: Size) => void
}

/** The node itself, or the nearest that it is an operand of, of which the line is known. */
const placed = (users: ReadonlyMap<Node, Node>, n: Node): Node => {
  let at: Node | undefined = n
  while (at && !siteOf(at)) at = users.get(at)
  return at ?? n
}

/** Notes a mistake; what is made for one line is refused once for a reason. */
const refusedAt = ({ errors, users }: Shared, [n]: Triple, refusal: Refusal): undefined => {
  const named = placed(users, n)
  const site = siteOf(named)
  if (errors.some((e) => e.reason === refusal.reason && sameData(e.site, site))) return undefined
  const operands = n.args.flatMap((a) => (E.isRight(a.type) ? [a.type.right[0]!] : []))
  errors.push({ tag: 'ShapeError', op: callerOf(named), operands, ...refusal, ...(site ? { site } : {}) })
  return undefined
}

/** The results of a node on bound operands. */
const bindNode = (shared: Shared, level: Level, nodes: Triple, args: readonly Bound[]): Bound | undefined => {
  const [n] = nodes
  if (n.op === 'input' || !areAlike(nodes)) return refusedAt(shared, nodes, elsewhere)
  const sizes = axesOf(nodes, shared.trials)
  if (!sizes)
    return refusedAt(shared, nodes, {
      reason: `the size of an axis of the result is no multiple of a named size and a constant`,
      hint: "say how many there are at least, T.dim('batch', { min: 3, max: 512 }), pad to a known size, or give the size as a number",
    })
  for (const size of sizes.flat()) shared.demand(size)
  const { rule } = sizeRules[n.op] as unknown as { readonly rule: SizeRule<Op> }
  const found = rule({
    ...level,
    nodes: nodes as unknown as Thrice<NodeOf<Op>>,
    params: n.params,
    args: args.map((a) => a.results[0]!),
    sizes: args.map((a) => a.sizes[0]!),
    results: sizes,
  } as SizeContext<Op>)
  if (E.isLeft(found)) return refusedAt(shared, nodes, found.left)
  for (const result of found.right) inheritSite(result, n)
  return { results: found.right, sizes }
}

const keyOf = (nodes: Triple): string => nodes.map((n) => n.id).join()

/** The bound forms of `roots` where those of the inputs are `known`; undefined where something is refused. */
const bindAll = (
  shared: Shared,
  level: Level,
  roots: readonly Triple[],
  known: Map<string, Bound | undefined>,
): readonly (Bound | undefined)[] => {
  const operandsOf = (nodes: Triple): readonly Triple[] =>
    nodes[0].args.map((_, i) => thrice(nodes, (n) => n.args[i] ?? nodes[0].args[i]!))
  const stack = roots.toReversed()
  while (stack.length > 0) {
    const given = stack.at(-1)!
    const key = keyOf(given)
    if (known.has(key)) {
      stack.pop()
      continue
    }
    const nodes = numbered(aligned(given))
    const operands = operandsOf(nodes)
    const missing = operands.filter((o) => !known.has(keyOf(o)))
    if (missing.length > 0) {
      for (const [operand] of missing) if (!shared.users.has(operand)) shared.users.set(operand, nodes[0])
      stack.push(...missing.toReversed())
      continue
    }
    const args = operands.map((o) => known.get(keyOf(o)))
    if (!args.every((a) => a !== undefined)) known.set(key, undefined)
    else if (nodes[0].op === 'get' && areAlike(nodes)) known.set(key, outputOf(nodes[0], args[0]!))
    else known.set(key, bindNode(shared, level, nodes, args))
  }
  return roots.map((nodes) => known.get(keyOf(nodes)))
}

const outputOf = ({ params: { index } }: NodeOf<'get'>, { results, sizes }: Bound): Bound => ({
  results: [results[index]!],
  sizes: [sizes[index]!],
})

const lengthType = { shape: [], dtype: 'i32' } as const

/** A level for a nested graph, and its lengths, which are inputs of that graph. */
const levelOf = (shared: Shared, lengths: ReadonlyMap<string, Node>): Level => ({
  trials: shared.trials,
  lengths,
  demand: shared.demand,
  enter: (graphs, sizes): Inner => {
    const inputs = freshInputs(graphs[0].inputs.map((n) => n.params))
    const names = [...lengths.keys()]
    const own = freshInputs(names.map(() => lengthType))
    const level = levelOf(shared, new Map(names.map((name, i) => [name, own[i]! as Node])))
    const known = new Map<string, Bound | undefined>(
      inputs.map((n, i) => [
        keyOf(thrice(graphs, (g) => g.inputs[i]! as Node)),
        { results: [n as Node], sizes: [sizes[i]!] },
      ]),
    )
    const roots = graphs[0].outputs.map((_, i) => thrice(graphs, (g) => g.outputs[i]!))
    const outputs = bindAll(shared, level, roots, known).map((b, i) => b?.results[0] ?? graphs[0].outputs[i]!)
    return { inputs, lengths: own, outputs, level }
  },
})

/** The range of `found` in terms of the named sizes. */
const rangeOf = (found: Thrice<IndexRange>, trials: Trials): IndexRange<Size> => {
  const sizeOf = (part: (r: IndexRange) => number | undefined): Size =>
    sizeFrom(
      thrice(found, (r) => part(r) as number),
      trials,
    ) ?? part(found[0])!
  const { region, ...range } = found[0]
  const side = (name: keyof Region): readonly Size[] => region![name].map((_, i) => sizeOf((r) => r.region?.[name][i]))
  return {
    ...range,
    size: sizeOf((r) => r.size),
    ...(region ? { region: { start: side('start'), stop: side('stop'), step: side('step') } } : {}),
  }
}

/** The three graphs of one program, in the order of the trials, as one. */
export const bindSizes = (graphs: Thrice<Graph>, trials: Trials): E.Either<CheckError, BoundSizes> => {
  const least = new Map<string, number>()
  const errors: ShapeError[] = []
  const demand = (size: Size): void => {
    // What falls is least at the bound, where it was tried.
    if (typeof size === 'number' || size.times <= 0) return
    const { name, times, plus } = size
    least.set(name, Math.max(least.get(name) ?? 0, ceilDiv(-plus, times)))
  }
  const shared: Shared = { trials, errors, users: new Map(), demand }
  const inputs = graphs[0].inputs.map((n, i) => ({
    n,
    sizes: n.params.shape.map(
      (_, axis) =>
        sizeFrom(
          thrice(graphs, (g) => g.inputs[i]!.params.shape[axis]!),
          trials,
        )!,
    ),
  }))
  const words = freshInputs(trials.names.map(() => ({ shape: [], dtype: 'u32' }) as const))
  const lengths = new Map(
    trials.names.map(({ dim }, i): readonly [string, Node] => [dim, build.cast([words[i]!], { dtype: 'i32' })]),
  )
  const level = levelOf(shared, lengths)
  const known = new Map<string, Bound | undefined>(
    inputs.map(({ n, sizes }, i) => [
      keyOf(thrice(graphs, (g) => g.inputs[i]! as Node)),
      { results: [n as Node], sizes: [sizes] },
    ]),
  )
  if (!isSame(thrice(graphs, (g) => g.outputs.length)))
    return E.left({ tag: 'CheckError', errors: [{ tag: 'ShapeError', op: 'compile', operands: [], ...elsewhere }] })
  const roots = graphs[0].outputs.map((_, i) => thrice(graphs, (g) => g.outputs[i]!))
  const outputs = bindAll(shared, level, roots, known)
  if (errors.length > 0) return E.left({ tag: 'CheckError', errors })
  const indexed = thrice(graphs, indexInputs)
  return E.right({
    graph: { inputs: [...graphs[0].inputs, ...words], outputs: outputs.map((b) => b!.results[0]!) },
    inputs: inputs.map(({ sizes }) => sizes),
    outputs: outputs.map((b) => b!.sizes[0]!),
    least: trials.names.map(({ dim }) => least.get(dim) ?? 0),
    ranges: graphs[0].inputs.map((_, i) => {
      const found = thrice(graphs, (g, t) => indexed[t].get(g.inputs[i]!))
      return found[0]?.map((range, k) => rangeOf([range, found[1]?.[k] ?? range, found[2]?.[k] ?? range], trials))
    }),
  })
}
