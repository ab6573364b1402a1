/** Named sizes where rows are picked or added by index: what is not there reads and adds at 0. */
import * as E from '#fp/Either'
import { build } from '../../../src/lang/build.ts'
import { constantValue } from '../../../src/lang/evaluate.ts'
import { masked, type SizeRule, unknownAxes } from './size-rule.ts'

export const gather: SizeRule<'gather'> = (c) => {
  const [x, index] = c.args
  const { batch } = c.params
  const size = c.sizes[0]![batch]!
  const known = typeof size === 'number' ? undefined : constantValue(index!)
  // What arguments index with is checked when they are given.
  if (known && typeof size !== 'number') c.demand({ ...size, plus: size.plus - 1 - Math.max(-1, ...known.data) })
  return E.right([build.gather([x!, masked(c, index!, c.sizes[1]!, unknownAxes(c.sizes[1]!), 0)], c.params)])
}

export const scatterAdd: SizeRule<'scatterAdd'> = (c) => {
  const [index, updates] = c.args
  const axes = unknownAxes(c.sizes[0]!)
  const kept = [masked(c, index!, c.sizes[0]!, axes, 0), masked(c, updates!, c.sizes[1]!, axes, 0)]
  return E.right([build.scatterAdd(kept, c.params)])
}
