/** Named sizes where rows are picked or added by index: what is not there reads and adds at 0. */
import * as E from '#fp/Either'
import { build } from '../../../src/lang/build.ts'
import { constantValue } from '../../../src/lang/evaluate.ts'
import { demandWithin, masked, type SizeContext, type SizeRule, unknownAxes } from './size-rule.ts'
import { sizeFrom, thrice } from './trials.ts'

/** How many rows indices need that are known: one more than the greatest. */
const rowsNeeded = (indices: ArrayLike<number>): number => {
  let end = 0
  for (let i = 0; i < indices.length; i++) end = Math.max(end, indices[i]! + 1)
  return end
}

/** Notes how many rows indices need that are known while the program is built. What arguments index with is checked when they are given. */
const demandRows = (c: SizeContext<'gather'>): void => {
  const found = thrice(c.nodes, (n) => constantValue(n.args[1]!)?.data)
  const end = sizeFrom(
    thrice(found, (data) => (data ? rowsNeeded(data) : Number.NaN)),
    c.trials,
  )
  if (end !== undefined && !Number.isNaN(end)) demandWithin(c, end, c.sizes[0]![c.params.batch]!)
}

export const gather: SizeRule<'gather'> = (c) => {
  const [x, index] = c.args
  demandRows(c)
  return E.right([build.gather([x!, masked(c, index!, c.sizes[1]!, unknownAxes(c.sizes[1]!), 0)], c.params)])
}

export const scatterAdd: SizeRule<'scatterAdd'> = (c) => {
  const [index, updates] = c.args
  const axes = unknownAxes(c.sizes[0]!)
  const kept = [masked(c, index!, c.sizes[0]!, axes, 0), masked(c, updates!, c.sizes[1]!, axes, 0)]
  return E.right([build.scatterAdd(kept, c.params)])
}
