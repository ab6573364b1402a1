/** Lowering of `reduce`: composite monoids become several primitive reductions over the same ranges, in one cluster. */
import { sizeOf } from '../../../src/lang/dim.ts'
import { isFloat } from '../../../src/lang/dtype.ts'
import type { NodeOf } from '../../../src/lang/ir.ts'
import type { Bound, Index, LoopMonoid, LoopValue } from '../ir/cluster.ts'
import { addIndex, constantIndex, freeRanges, rangeIndex, scaleIndex } from '../ir/index-expression.ts'
import { kernelTypeOf } from '../ir/kernel-type.ts'
import type { At } from './lower-node.ts'
import { blockAxes, levelsOf } from './summation-blocks.ts'

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
  const sizes = reduced.map((i) => shape[i]!)
  const count = sizeOf(sizes)
  const v = c.values
  if (count === 0) return v.constant(dtype, emptyResult(monoid))
  const blocked = isFloat(dtype) && monoid !== 'argmax' && monoid !== 'argmin'
  const blocks = blocked ? blockAxes(sizes) : sizes.map((d) => [d])
  const over = v.ranges('reduce', blocks.flat(), freeRanges(point, bounds))
  let next = 0
  const positions = blocks.map((parts) =>
    parts.reduce((at, size) => addIndex(scaleIndex(at, size), rangeIndex(over[next++]!)), constantIndex(0)),
  )
  let kept = 0
  const inner = shape.map((_, i) => (axes.includes(i) ? positions[reduced.indexOf(i)]! : point[kept++]!))
  const value = c.at(x, 0, inner, bounds)
  const levels = blocked ? levelsOf(over) : [over]
  const folded = (m: LoopMonoid, of: LoopValue): LoopValue => v.reduceInLevels(m, levels, of)
  switch (monoid) {
    case 'sum':
    case 'prod':
    case 'max':
    case 'min':
    case 'all':
    case 'any':
      return folded(monoid, value)
    case 'argmax':
    case 'argmin':
      return v.reduce(monoid, over, value, component, rangeIndex(over[0]!))
    case 'meanVar': {
      const scale = v.constant(dtype, 1 / count)
      const mean = v.alu('mul', dtype, [folded('sum', value), scale])
      if (component === 0) return mean
      const deviation = v.alu('sub', dtype, [value, mean])
      return v.alu('mul', dtype, [folded('sum', v.alu('mul', dtype, [deviation, deviation])), scale])
    }
    case 'logSumExp': {
      const top = folded('max', value)
      // An infinite maximum is not subtracted: inf - inf would be NaN where the result is that infinity.
      const shift = v.alu('select', dtype, [v.alu('isInf', 'bool', [top]), v.constant(dtype, 0), top])
      const sum = folded('sum', v.alu('exp', dtype, [v.alu('sub', dtype, [value, shift])]))
      return v.alu('add', dtype, [v.alu('log', dtype, [sum]), shift])
    }
  }
}

/** The value of an empty reduction, where it is defined; type inference refuses the others. */
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
