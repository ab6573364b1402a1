/** Lowering of `reduce`: composite monoids become several plain reductions over the same ranges, in one cluster. */
import type { NodeOf } from '../../src/lang/ir.ts'
import { freeRanges, rangeIndex } from './index.ts'
import type { Bound, Index, LoopValue } from './ir.ts'
import { kernelTypeOf } from './kernel-type.ts'
import type { At } from './lower.ts'

/** The value of component `component` of a reduction at `point` (the kept axes). */
export const reduceValue = (
  c: At,
  n: NodeOf<'reduce'>,
  component: number,
  point: readonly Index[],
  bounds: readonly Bound[],
): LoopValue => {
  const { monoid, axes } = n.params
  const x = n.args[0]!
  const { shape, dtype } = kernelTypeOf(x)
  const reduced = shape.map((_, i) => i).filter((i) => axes.includes(i))
  const over = c.values.ranges(
    'reduce',
    reduced.map((i) => shape[i]!),
    freeRanges(point, bounds),
  )
  let kept = 0
  const inner = shape.map((_, i) => (axes.includes(i) ? rangeIndex(over[reduced.indexOf(i)]!) : point[kept++]!))
  const count = reduced.reduce((k, i) => k * shape[i]!, 1)
  const v = c.values
  if (count === 0) return v.constant(dtype, emptyResult(monoid))
  const value = c.at(x, 0, inner, bounds)
  switch (monoid) {
    case 'sum':
    case 'prod':
    case 'max':
    case 'min':
    case 'all':
    case 'any':
      return over.length === 0 ? value : v.reduce(monoid, over, value)
    case 'argmax':
    case 'argmin':
      return v.reduce(monoid, over, value, component, rangeIndex(over[0]!))
    case 'meanVar': {
      const scale = v.constant(dtype, 1 / count)
      const mean = v.alu('mul', dtype, [v.reduce('sum', over, value), scale])
      if (component === 0) return mean
      const deviation = v.alu('sub', dtype, [value, mean])
      return v.alu('mul', dtype, [v.reduce('sum', over, v.alu('mul', dtype, [deviation, deviation])), scale])
    }
    case 'logSumExp': {
      const top = v.reduce('max', over, value)
      // An infinite maximum is not subtracted: inf - inf would be NaN where the result is that infinity.
      const shift = v.alu('select', dtype, [v.alu('isInf', 'bool', [top]), v.constant(dtype, 0), top])
      const sum = v.reduce('sum', over, v.alu('exp', dtype, [v.alu('sub', dtype, [value, shift])]))
      return v.alu('add', dtype, [v.alu('log', dtype, [sum]), shift])
    }
  }
}

/** What a reduction of no elements gives, where it is defined; `infer` refuses the others. */
const emptyResult = (monoid: NodeOf<'reduce'>['params']['monoid']): number => {
  switch (monoid) {
    case 'prod':
    case 'all':
      return 1
    case 'logSumExp':
      return Number.NEGATIVE_INFINITY
    case 'meanVar':
    case 'max':
    case 'min':
    case 'argmax':
    case 'argmin':
      return Number.NaN
    case 'sum':
    case 'any':
      return 0
  }
}
