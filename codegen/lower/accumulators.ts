/** Accumulators of reductions: initial values, one step, and the horizontal reduction of four lanes. */
import type { LoopMonoid } from '../../passes/loop/ir/cluster.ts'
import type { KernelDType } from '../../src/lang/dtype.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr } from '../kernel/kernel.ts'

const lowest = (d: KernelDType): number =>
  d === 'i32' ? -(2 ** 31) : d === 'u32' || d === 'bool' ? 0 : Number.NEGATIVE_INFINITY
const highest = (d: KernelDType): number =>
  d === 'i32' ? 2 ** 31 - 1 : d === 'u32' ? 2 ** 32 - 1 : d === 'bool' ? 1 : Number.POSITIVE_INFINITY

/** The initial accumulators: (value), or (value, index) for argmax and argmin. */
export const identityOf = (monoid: LoopMonoid, dtype: KernelDType, width: 1 | 4): readonly KExpr[] => {
  const wide = (e: KExpr): KExpr => (width === 4 ? k.splat(e, 4) : e)
  switch (monoid) {
    case 'sum':
      return [wide(k.lit(0, dtype))]
    case 'prod':
      return [wide(k.lit(1, dtype))]
    case 'max':
      return [wide(k.lit(lowest(dtype), dtype))]
    case 'min':
      return [wide(k.lit(highest(dtype), dtype))]
    case 'all':
      return [wide(k.bool(true))]
    case 'any':
      return [wide(k.bool(false))]
    case 'argmax':
      return [wide(k.lit(lowest(dtype), dtype)), wide(k.lit(0, 'i32'))]
    case 'argmin':
      return [wide(k.lit(highest(dtype), dtype)), wide(k.lit(0, 'i32'))]
  }
}

/**
 * The accumulators after one more element, at `position` for argmax and argmin. The first extreme wins; NaN is extreme.
 */
export const combine = (
  monoid: LoopMonoid,
  state: readonly KExpr[],
  value: KExpr,
  position: KExpr | undefined,
): readonly KExpr[] => {
  const [acc, at] = state
  switch (monoid) {
    case 'sum':
      return [k.add(acc!, value)]
    case 'prod':
      return [k.mul(acc!, value)]
    case 'max':
      return [k.max(acc!, value)]
    case 'min':
      return [k.min(acc!, value)]
    case 'all':
      return [k.and(acc!, value)]
    case 'any':
      return [k.or(acc!, value)]
    case 'argmax':
    case 'argmin': {
      const beats = monoid === 'argmax' ? k.lt(acc!, value) : k.lt(value, acc!)
      const isFloat = value.type.scalar === 'f32' || value.type.scalar === 'f16'
      const better = isFloat ? k.or(beats, k.and(k.unary('isNan', value), k.not(k.unary('isNan', acc!)))) : beats
      const here = k.cast(position!, 'i32')
      return [k.select(better, value, acc!), k.select(better, at!.type.width === 4 ? k.splat(here, 4) : here, at!)]
    }
  }
}

/** Reduces four lanes to one accumulator, in a fixed order. */
export const foldLanes = (monoid: LoopMonoid, state: readonly KExpr[]): readonly KExpr[] => {
  const lanes = [0, 1, 2, 3].map((l) => k.lane(state[0]!, l))
  const both = (a: KExpr, b: KExpr): KExpr => combine(monoid, [a], b, undefined)[0]!
  return [both(both(lanes[0]!, lanes[1]!), both(lanes[2]!, lanes[3]!))]
}
