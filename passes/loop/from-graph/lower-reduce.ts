/** Lowering of `reduce`: the state of its monoid over the reduced ranges, and what is read from it. */
import { sizeOf } from '../../../src/lang/dim.ts'
import type { KernelDType } from '../../../src/lang/dtype.ts'
import type { Monoid, NodeOf } from '../../../src/lang/ir.ts'
import { isPositional, type StateMonoid, stateMonoids } from '../../../src/lang/monoids.ts'
import type { Bound, Index, LoopValue, Range } from '../ir/cluster.ts'
import { freeRanges, rangeIndex } from '../ir/index-expression.ts'
import { kernelTypeOf } from '../ir/kernel-type.ts'
import { valueArithmetic } from '../ir/value-arithmetic.ts'
import type { At } from './lower-node.ts'

/** The value of output `output` of a reduction at `point` (the kept axes). */
export const reduceValue = (
  c: At,
  n: NodeOf<'reduce'>,
  output: number,
  point: readonly Index[],
  bounds: readonly Bound[],
): LoopValue => {
  const { monoid, axes, states } = n.params
  const { shape, dtype } = kernelTypeOf(n.args[0]!)
  const reduced = shape.map((_, i) => i).filter((i) => axes.includes(i))
  const sizes = reduced.map((i) => shape[i]!)
  const v = c.values
  if (sizes.includes(0)) return v.constant(dtype, emptyResult(monoid))
  const over = v.ranges('reduce', sizes, freeRanges(point, bounds))
  let kept = 0
  const inner = shape.map((_, i) => (axes.includes(i) ? rangeIndex(over[reduced.indexOf(i)]!) : point[kept++]!))
  const elements = n.args.map((x) => c.at(x, 0, inner, bounds))
  const a = valueArithmetic(v)
  const runs = states && reduced.map((axis) => states[axes.indexOf(axis)]!)
  const state = (of: StateMonoid): readonly LoopValue[] => stateOver(c, of, over, runs, elements, dtype)
  if (states) return state(monoid === 'meanVar' ? 'moments' : monoid)[output]!
  if (monoid !== 'meanVar') return stateMonoids[monoid].finish(a, state(monoid), dtype)[output]!
  if (output === 1) return stateMonoids.moments.finish(a, state('moments'), dtype)[0]!
  return v.alu('div', dtype, [state('sum')[0]!, v.constant(dtype, sizeOf(sizes))])
}

/** The components of a monoid's state over ranges. */
const stateOver = (
  { values }: At,
  monoid: StateMonoid,
  over: readonly Range[],
  runs: readonly number[] | undefined,
  of: readonly LoopValue[],
  dtype: KernelDType,
): readonly LoopValue[] => {
  const row = stateMonoids[monoid]
  if (over.length === 0) return of.length > 1 ? of : row.lift(valueArithmetic(values), of[0]!, dtype, undefined)
  const components = row.components(dtype)
  const position = isPositional(monoid) && of.length === 1 ? rangeIndex(over[0]!) : undefined
  const order = row.order(dtype)
  return components.map((_, i) =>
    values.reduce(
      {
        monoid,
        order,
        over,
        values: of,
        ...(runs && order === 'tree' ? { runs } : {}),
        ...(position ? { position } : {}),
      },
      i,
    ),
  )
}

/** The value of an empty reduction, where it is defined; type inference refuses the others. */
const emptyResult = (monoid: Monoid): number => {
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
