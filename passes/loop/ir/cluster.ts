/**
 * The Loop IR: values over named ranges. There are no views: the address of a load is an index expression. A cluster is
 * a DAG of values with one or more stores; a kernel is a list of horizontally fused clusters.
 */
import type { KernelDType } from '../../../src/lang/dtype.ts'
import type { ParamsOf, PointwiseOp } from '../../../src/lang/ir.ts'
import type { Order, StateMonoid } from '../../../src/lang/monoids.ts'

/** A range: a loop variable that takes every value in [0, size). */
export interface Range {
  readonly id: number
  readonly size: number
}

/** The atoms of an index expression, in which it is linear. */
export type Atom =
  | { readonly kind: 'range'; readonly range: Range; readonly key: string }
  /** floor(of / by) */
  | { readonly kind: 'div'; readonly of: Index; readonly by: number; readonly key: string }
  /** of - by·floor(of / by) */
  | { readonly kind: 'mod'; readonly of: Index; readonly by: number; readonly key: string }
  /**
   * A data-dependent index (gather) in [0, size); it is clamped, since it may be out of range where a guard discards
   * the load.
   */
  | { readonly kind: 'value'; readonly value: LoopValue; readonly size: number; readonly key: string }

/** An index expression in normal form: constant + Σ coefficient·atom, with bounds over all points of its ranges. */
export interface Index {
  readonly terms: readonly { readonly atom: Atom; readonly coefficient: number }[]
  readonly constant: number
  readonly min: number
  readonly max: number
  /** Equal keys mean equal expressions. */
  readonly key: string
}

/** low <= index < high. */
export interface Bound {
  readonly index: Index
  readonly low: number
  readonly high: number
}

/** A tensor in memory, as the Loop IR sees it. */
export interface Buffer {
  readonly id: number
  readonly dtype: KernelDType
  readonly size: number
}

/**
 * A reduction over `over`, whose last range runs fastest. `values` is an element, whose `position` argmax and argmin report,
 * or the components of a state.
 */
export interface Reduction {
  readonly monoid: StateMonoid
  readonly order: Order
  readonly over: readonly Range[]
  /** Of a part of a tree: the runs that its order begins with, for each range. */
  readonly runs?: readonly number[]
  readonly values: readonly LoopValue[]
  readonly position?: Index
}

/**
 * A value, computed once for each point of its free `ranges`. Hash-consed per cluster, so equal values are one object.
 */
export type LoopValue = {
  readonly id: number
  readonly dtype: KernelDType
  readonly ranges: ReadonlySet<Range>
} & (
  | { readonly kind: 'const'; readonly value: number }
  | { readonly kind: 'index'; readonly index: Index }
  /**
   * The element at `index`; loaded only where all `bounds` hold, and unspecified elsewhere, where a guard discards it.
   */
  | { readonly kind: 'load'; readonly buffer: Buffer; readonly index: Index; readonly bounds: readonly Bound[] }
  | { readonly kind: 'alu'; readonly op: PointwiseOp; readonly args: readonly LoopValue[] }
  /** `inside` where all bounds hold, else `outside`. */
  | {
      readonly kind: 'guard'
      readonly bounds: readonly Bound[]
      readonly inside: LoopValue
      readonly outside: LoopValue
    }
  /** Component `component` of the state that a reduction leaves; `group` is equal for the components of one. */
  | (Reduction & { readonly kind: 'reduce'; readonly component: number; readonly group: string })
  | { readonly kind: 'threefry'; readonly word: 0 | 1; readonly args: readonly LoopValue[] }
  /** A call of a user-defined function. */
  | { readonly kind: 'call'; readonly callee: ParamsOf['elementwise']; readonly args: readonly LoopValue[] }
)

/** Writes `value` at `index` of `buffer`, for every point of `ranges`. */
export interface Store {
  readonly buffer: Buffer
  readonly index: Index
  readonly ranges: readonly Range[]
  readonly value: LoopValue
}

/** Stores that share ranges and values. */
export interface Cluster {
  readonly stores: readonly Store[]
}
