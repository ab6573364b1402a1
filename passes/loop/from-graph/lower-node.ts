/**
 * Graph → Loop IR for one cluster: views become index expressions, contractions and reductions become reduce over
 * ranges. A node that is a member of the cluster is computed where it is used; any other is loaded from its buffer.
 */

import { typeOf, typesOf } from '../../../src/lang/build.ts'
import { ceilDiv } from '../../../src/lang/dim.ts'
import { invariant } from '../../../src/lang/errors.ts'
import {
  binaryOps,
  type LoopOp,
  type Node,
  type NodeOf,
  type Op,
  type PointwiseOp,
  type RoutineOp,
  unaryOps,
} from '../../../src/lang/ir.ts'
import { stateMonoids } from '../../../src/lang/monoids.ts'
import type { Bound, Buffer, Cluster, Index, LoopValue, Range, Store } from '../ir/cluster.ts'
import {
  addIndex,
  divIndex,
  flatten,
  freeRanges,
  modIndex,
  rangeIndex,
  scaleIndex,
  shiftIndex,
  unflatten,
  valueIndex,
} from '../ir/index-expression.ts'
import { kernelTypeOf } from '../ir/kernel-type.ts'
import { reboundRanges } from '../ir/rebound-ranges.ts'
import type { Values } from '../ir/values.ts'
import { reduceValue } from './lower-reduce.ts'

type Point = readonly Index[]

/** The context of a lowering rule: the value of another node at a point, under bounds that make its loads safe. */
export interface At {
  readonly values: Values
  readonly at: (node: Node, component: number, point: Point, bounds: readonly Bound[]) => LoopValue
}

type Rule<K extends Op> = (c: At, n: NodeOf<K>, component: number, point: Point, bounds: readonly Bound[]) => LoopValue

const shapeOf = (n: Node): readonly number[] => typeOf(n).shape

/** A view reads its operand at another point. */
const view =
  <K extends Op>(map: (n: NodeOf<K>, point: Point) => Point): Rule<K> =>
  (c, n, _component, point, bounds) =>
    c.at(n.args[0]!, 0, map(n, point), bounds)

const pointwise: Rule<Op> = (c, n, _component, point, bounds) =>
  c.values.alu(
    n.op as never,
    kernelTypeOf(n).dtype,
    n.args.map((a) => c.at(a, 0, point, bounds)),
  )

const leaf = (what: string): never => {
  invariant(false, `${what} has a buffer and is never lowered`)
}

/** A sum of terms whose order is that of contractions: what sums meet here become one. */
const sumOf = (c: At, over: readonly Range[], value: LoopValue): LoopValue =>
  c.values.reduce({ monoid: 'terms', order: stateMonoids.terms.order(value.dtype), over, values: [value] })

const notLowered = (op: Op): never => {
  invariant(false, `${op} is gone before graphs are lowered`)
}

const pointwiseRules = Object.fromEntries(
  [...unaryOps, ...binaryOps, 'select', 'cast', 'bitcast'].map((op) => [op, pointwise]),
) as {
  readonly [K in PointwiseOp]: Rule<K>
}

/** The operations that clusters compute; routines and loops are loaded from buffers, and branches have been lowered. */
type LoweredOp = Exclude<Op, RoutineOp | LoopOp | 'cond'>

/** The lowering of every operation to index maps and reductions. */
const rules: { readonly [K in LoweredOp]: Rule<K> } = {
  ...pointwiseRules,
  input: () => leaf('an input'),
  data: () => leaf('a data leaf'),
  const: (c, n) => c.values.constant(kernelTypeOf(n).dtype, n.params.values[0]!),
  iota: (c, n, _component, point) => c.values.index(kernelTypeOf(n).dtype, point[n.params.axis]!),
  reshape: view((n, p) => unflatten(flatten(p, n.params.shape), shapeOf(n.args[0]!))),
  permute: view((n, p) => n.params.axes.map((_, i) => p[n.params.axes.indexOf(i)]!)),
  broadcast: view((n, p) => p.filter((_, i) => !n.params.axes.includes(i))),
  slice: view((n, p) => p.map((x, i) => shiftIndex(scaleIndex(x, n.params.step[i]!), n.params.start[i]!))),
  flip: view((n, p) =>
    p.map((x, i) => (n.params.axes.includes(i) ? shiftIndex(scaleIndex(x, -1), shapeOf(n.args[0]!)[i]! - 1) : x)),
  ),
  window: view((n, p) =>
    p
      .slice(0, -1)
      .map((x, i) =>
        i === n.params.axis
          ? addIndex(scaleIndex(x, n.params.stride), scaleIndex(p[p.length - 1]!, n.params.dilation))
          : x,
      ),
  ),
  get: (c, n, _component, point, bounds) => c.at(n.args[0]!, n.params.index, point, bounds),
  stopGradient: view((_n, p) => p),
  observe: view((_n, p) => p),
  barrier: view((_n, p) => p),
  customCall: () => notLowered('customCall'),
  customLinear: () => notLowered('customLinear'),
  pad: (c, n, _component, point, bounds) => {
    const { low, interior, value } = n.params
    const shape = shapeOf(n.args[0]!)
    const own: Bound[] = []
    const inner = point.map((p, i) => {
      const q = shiftIndex(p, -low[i]!)
      const step = interior[i]! + 1
      own.push({ index: q, low: 0, high: (shape[i]! - 1) * step + 1 })
      if (step > 1) own.push({ index: modIndex(q, step), low: 0, high: 1 })
      return divIndex(q, step)
    })
    const outside = c.values.constant(kernelTypeOf(n).dtype, value)
    if (shape.includes(0)) return outside
    return c.values.guard(own, c.at(n.args[0]!, 0, inner, [...bounds, ...own]), outside)
  },
  concat: (c, n, _component, point, bounds) => {
    const { axis } = n.params
    let offset = 0
    const parts = n.args
      .map((arg) => {
        const size = shapeOf(arg)[axis]!
        const part = { arg, offset, size }
        offset += size
        return part
      })
      .filter((p) => p.size > 0)
    if (parts.length === 0) return c.values.constant(kernelTypeOf(n).dtype, 0)
    /** Halves, so that a point finds its part in few comparisons. */
    const among = (from: number, to: number): LoopValue => {
      if (to - from === 1) {
        const { arg, offset: start, size } = parts[from]!
        const own: Bound = { index: point[axis]!, low: start, high: start + size }
        const inner = point.map((p, i) => (i === axis ? shiftIndex(p, -start) : p))
        return c.at(arg, 0, inner, [...bounds, own])
      }
      const half = ceilDiv(from + to, 2)
      const before: Bound = { index: point[axis]!, low: 0, high: parts[half]!.offset }
      return c.values.guard([before], among(from, half), among(half, to))
    }
    return among(0, parts.length)
  },
  fold: (c, n, _component, point, bounds) => {
    const { axis, stride, dilation } = n.params
    const inShape = shapeOf(n.args[0]!)
    const [k] = c.values.ranges('reduce', [inShape[inShape.length - 1]!], freeRanges(point, bounds))
    const q = addIndex(point[axis]!, scaleIndex(rangeIndex(k!), -dilation))
    const own: Bound[] = [{ index: q, low: 0, high: (inShape[axis]! - 1) * stride + 1 }]
    if (stride > 1) own.push({ index: modIndex(q, stride), low: 0, high: 1 })
    const inner = [...point.map((p, i) => (i === axis ? divIndex(q, stride) : p)), rangeIndex(k!)]
    const zero = c.values.constant(kernelTypeOf(n).dtype, 0)
    if (inShape.includes(0)) return zero
    const inside = c.at(n.args[0]!, 0, inner, [...bounds, ...own])
    // The guard moves inside the sum, so that nested sums merge.
    const term =
      inside.kind === 'reduce' && (inside.monoid === 'sum' || inside.monoid === 'terms')
        ? sumOf(c, inside.over, c.values.guard(own, inside.values[0]!, zero))
        : c.values.guard(own, inside, zero)
    return sumOf(c, [k!], term)
  },
  reduce: reduceValue,
  dot: (c, n, _component, point, bounds) => {
    const { lhs, rhs, out } = n.params
    const sizes = new Map<number, number>()
    for (const [i, l] of lhs.entries()) sizes.set(l, shapeOf(n.args[0]!)[i]!)
    for (const [i, l] of rhs.entries()) sizes.set(l, shapeOf(n.args[1]!)[i]!)
    const contracted = lhs.filter((l) => !out.includes(l))
    const over = c.values.ranges(
      'reduce',
      contracted.map((l) => sizes.get(l)!),
      freeRanges(point, bounds),
    )
    const where = (l: number): Index =>
      out.includes(l) ? point[out.indexOf(l)]! : rangeIndex(over[contracted.indexOf(l)]!)
    const dtype = kernelTypeOf(n).dtype
    if (contracted.some((l) => sizes.get(l) === 0)) return c.values.constant(dtype, 0)
    const product = c.values.alu('mul', dtype, [
      c.at(n.args[0]!, 0, lhs.map(where), bounds),
      c.at(n.args[1]!, 0, rhs.map(where), bounds),
    ])
    return sumOf(c, over, product)
  },
  gather: (c, n, _component, point, bounds) => {
    const [x, index] = [n.args[0]!, n.args[1]!]
    const rank = shapeOf(index).length
    const which = c.at(index, 0, point.slice(0, rank), bounds)
    const inner = [
      ...point.slice(0, n.params.batch),
      valueIndex(which, shapeOf(x)[n.params.batch]!),
      ...point.slice(rank),
    ]
    return c.at(x, 0, inner, bounds)
  },
  scatterAdd: (c, n, _component, point, bounds) => {
    const [index, updates] = [n.args[0]!, n.args[1]!]
    const { batch } = n.params
    const extents = shapeOf(index).slice(batch)
    const dtype = kernelTypeOf(n).dtype
    const zero = c.values.constant(dtype, 0)
    if (extents.includes(0)) return zero
    const over = c.values.ranges('reduce', extents, freeRanges(point, bounds))
    const at = [...point.slice(0, batch), ...over.map(rangeIndex)]
    const hit = c.values.alu('eq', 'bool', [
      c.at(index, 0, at, bounds),
      c.values.index(kernelTypeOf(index).dtype, point[batch]!),
    ])
    const update = c.at(updates, 0, [...at, ...point.slice(batch + 1)], bounds)
    return sumOf(c, over, c.values.alu('select', dtype, [hit, update, zero]))
  },
  elementwise: (c, n, _component, point, bounds) =>
    c.values.call(
      n.params,
      n.args.map((a) => c.at(a, 0, point, bounds)),
    ),
  threefry: (c, n, component, point, bounds) =>
    c.values.threefry(
      component === 0 ? 0 : 1,
      n.args.map((a) => c.at(a, 0, point, bounds)),
    ),
}

/** How a cluster sees the nodes around it. */
export interface Surroundings {
  /** Computed inside the cluster at every point where it is used. */
  readonly isMember: (n: Node) => boolean
  /** The buffer of a node that is not a member. */
  readonly bufferOf: (n: Node) => Buffer
}

/** The operations that lower to reductions. */
export const reducingOps: ReadonlySet<Op> = new Set<Op>(['reduce', 'dot', 'fold', 'scatterAdd'])

/** Whether a node is a reduction over anything at all: an outer product is none. */
export const lowersToReduction = (n: Node): boolean => {
  if (n.op === 'reduce') return n.params.axes.length > 0
  if (n.op === 'dot') return n.params.lhs.some((l) => !n.params.out.includes(l))
  return reducingOps.has(n.op)
}

/** `values` whose ranges are none of `avoided`. */
const avoiding = (values: Values, avoided: ReadonlySet<Range>): Values => ({
  ...values,
  ranges: (family, sizes, avoid = new Set()) => values.ranges(family, sizes, new Set([...avoid, ...avoided])),
})

/** A function that lowers nodes to values of `values`, memoised by node and point. */
export const lowering = (values: Values, around: Surroundings): At['at'] => {
  const memo = new Map<string, LoopValue>()
  const at: At['at'] = (node, component, point, bounds) => {
    if (!around.isMember(node)) {
      const type = typesOf(node)[component]!
      return values.load(around.bufferOf(node), flatten(point, type.shape), bounds)
    }
    const key = `${node.id}.${component}@${point.map((p) => p.key).join()}?${bounds.map((b) => `${b.index.key}:${b.low}:${b.high}`).join()}`
    const seen = memo.get(key)
    if (seen) return seen
    const rule = rules[node.op as LoweredOp] as Rule<Op>
    const lower = (v: Values): LoopValue => rule({ values: v, at }, node as never, component, point, bounds)
    let made = lower(values)
    if (reducingOps.has(node.op)) {
      const avoided = new Set<Range>()
      for (let again = reboundRanges(made); again.size > 0; again = reboundRanges(made)) {
        const known = avoided.size
        for (const r of again) avoided.add(r)
        invariant(avoided.size > known, `${node.op} binds a range that it was told to avoid`)
        made = lower(avoiding(values, avoided))
      }
    }
    memo.set(key, made)
    return made
  }
  return at
}

/** The store of a whole node over `ranges`, which the caller chose for its axes (or one flat range). */
export const storeOf = (at: At['at'], node: Node, buffer: Buffer, ranges: readonly Range[]): Store => {
  const { shape } = typeOf(node)
  const flat = ranges.length === 1 && shape.length !== 1
  const point = flat ? unflatten(rangeIndex(ranges[0]!), shape) : ranges.map(rangeIndex)
  return { buffer, index: flatten(point, shape), ranges, value: at(node, 0, point, []) }
}

/** A cluster of one store, for tests and for single nodes. */
export const singleStore = (values: Values, around: Surroundings, node: Node, buffer: Buffer): Cluster => {
  const { shape } = typeOf(node)
  return { stores: [storeOf(lowering(values, around), node, buffer, values.ranges('store', shape))] }
}
