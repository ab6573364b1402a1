/** What a rule for named sizes sees, and the few things that rules build: lengths, masks, elements picked along an axis. */
import * as E from '#fp/Either'
import { build, typeOf, typesOf } from '../../../src/lang/build.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import type { Refusal } from '../../../src/lang/errors.ts'
import type { Graph, Node, NodeOf, Op, ParamsOf } from '../../../src/lang/ir.ts'
import { outputsOf } from '../../../src/lang/ops/closed-graphs.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import type { Size } from '../../../src/lang/size.ts'
import { rebuild } from '../../../src/lang/trace.ts'
import { lineFrom, type Thrice, type Trials, thrice } from './trials.ts'

/** A graph inside a node, bound: its own inputs, one for each named size, and its outputs. */
export interface Inner {
  readonly inputs: readonly NodeOf<'input'>[]
  readonly lengths: readonly NodeOf<'input'>[]
  readonly outputs: readonly Node[]
  readonly level: Level
}

/** The graph that a rule builds in. */
export interface Level {
  readonly trials: Trials
  /** The named sizes as scalars, i32. */
  readonly lengths: ReadonlyMap<string, Node>
  /** Notes that a size must not be negative. */
  readonly demand: (size: Size) => void
  /** Binds the sizes in a nested graph whose inputs have these; refusals are noted. */
  readonly enter: (graphs: Thrice<Graph>, sizes: readonly (readonly Size[])[]) => Inner
}

/** A node in each trial, and its operands as they are bound. */
export interface SizeContext<K extends Op> extends Level {
  readonly nodes: Thrice<NodeOf<K>>
  /** The parameters of the trial at the bounds. */
  readonly params: ParamsOf[K]
  readonly args: readonly Node[]
  /** The true sizes of the operands' axes, and of the axes of each result. */
  readonly sizes: readonly (readonly Size[])[]
  readonly results: readonly (readonly Size[])[]
}

/**
 * The results of a node at the bounds, whose first elements along each axis are those of the program of the true sizes;
 * what comes after is anything. Left where the operation needs to know a size.
 */
export type SizeRule<K extends Op> = (c: SizeContext<K>) => E.Either<Refusal, readonly Node[]>

/** All results of a node. */
export const resultsOf = (n: Node): readonly Node[] => outputsOf(build, n, typesOf(n).length)

/** The same operation at the bounds: for those in which an element depends on elements of its own position, or before it. */
export const asItIs = <K extends Op>({ nodes, args }: SizeContext<K>): ReturnType<SizeRule<K>> =>
  E.right(resultsOf(rebuild(nodes[0] as unknown as Node, args)))

/** What a parameter is in terms of the named sizes, which it may go down with; undefined where it depends on them in another way. */
export const parameter = <K extends Op>(
  { nodes, trials }: SizeContext<K>,
  of: (params: ParamsOf[K]) => number,
): Size | undefined =>
  lineFrom(
    thrice(nodes, (n) => of(n.params)),
    trials,
  )

/** Notes that `end` must not be past `size`. */
export const demandWithin = ({ demand }: Pick<Level, 'demand'>, end: Size, size: Size): void => {
  if (typeof size === 'number') return
  if (typeof end === 'number') demand({ ...size, plus: size.plus - end })
  else if (end.name === size.name && end.times <= size.times)
    demand({ ...size, times: size.times - end.times, plus: size.plus - end.plus })
}

const scalar = (value: number, dtype: DType): Node => build.const([], { shape: [], dtype, values: [value] })

/** A size as a scalar, i32. */
export const lengthNode = ({ lengths }: Pick<Level, 'lengths'>, size: Size): Node => {
  if (typeof size === 'number') return scalar(size, 'i32')
  const n = lengths.get(size.name)!
  const times = size.times === 1 ? n : build.mul([n, scalar(size.times, 'i32')], {})
  return size.plus === 0 ? times : build.add([times, scalar(size.plus, 'i32')], {})
}

/** A scalar at every element of `shape`. */
export const spread = (n: Node, shape: readonly number[]): Node =>
  shape.length === 0 ? n : build.broadcast([n], { shape, axes: shape.map((_, i) => i) })

/** Positions along `axis`, i32. */
export const positions = (shape: readonly number[], axis: number): Node => build.iota([], { shape, dtype: 'i32', axis })

/** Whether an element of `shape` comes before `end` along `axis`. */
export const before = (shape: readonly number[], axis: number, end: Node): Node =>
  build.lt([positions(shape, axis), spread(end, shape)], {})

/** `x` with `value` in the place of the elements along `axes` that are not there. */
export const masked = (
  level: Pick<Level, 'lengths'>,
  x: Node,
  sizes: readonly Size[],
  axes: readonly number[],
  value: number,
): Node => {
  const type = typeOf(x)
  return axes.reduce(
    (kept, axis) =>
      typeof sizes[axis] === 'number'
        ? kept
        : build.select([before(type.shape, axis, lengthNode(level, sizes[axis]!)), kept, fill(build, type, value)], {}),
    x,
  )
}

/** The elements of `x` at `index` along `axis`: those outside are taken from its ends. */
export const pickAlong = (x: Node, axis: number, index: Node): Node => {
  const { shape } = typeOf(x)
  const axes = shape.map((_, i) => i)
  const last = typeOf(index).shape
  const clamped = build.max(
    [build.min([index, spread(scalar(shape[axis]! - 1, 'i32'), last)], {}), spread(scalar(0, 'i32'), last)],
    {},
  )
  const front = build.permute([x], { axes: [axis, ...axes.filter((a) => a !== axis)] })
  const picked = build.gather([front, clamped], { batch: 0 })
  const back = axes.map((a) => (a === axis ? 0 : a < axis ? a + 1 : a))
  return build.permute([picked], { axes: back })
}

/** The axes of `sizes` that are not known. */
export const unknownAxes = (sizes: readonly Size[]): readonly number[] =>
  sizes.flatMap((s, i) => (typeof s === 'number' ? [] : [i]))

/** The refusal of `what`, which needs to know a size. */
export const needsSize = (what: string, axis?: number, hint?: string): E.Either<Refusal, never> =>
  E.left({
    reason: `${what}, and its size is known only when the program runs`,
    ...(axis === undefined ? {} : { axis }),
    hint: hint ?? 'give this size as a number in T.spec, or do it on the host',
  })

/** A rule for operations along some axes: as it is where their sizes are known. */
export const knownAlong =
  <K extends Op>(what: string, axes: (c: SizeContext<K>) => readonly number[]): SizeRule<K> =>
  (c) => {
    const axis = axes(c).find((a) => typeof c.sizes[0]![a] !== 'number')
    return axis === undefined ? asItIs(c) : needsSize(`${what} axis ${axis}`, axis)
  }
