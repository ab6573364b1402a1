/** One form for what can be written in several: fewer distinct nodes, and fewer shapes for later passes to know. */

import { right } from '#fp/Either'
import type { Graph } from '../../src/lang/ir.ts'
import type { Pass } from '../pass.ts'
import { type Rule, rewrite } from '../rewrite.ts'
import { addNeg, mulMinusOne, mulNeg, negNeg, subNeg } from './rules/arithmetic.ts'
import { dotLabels, permuteDot, reduceSorted } from './rules/contract.ts'
import { concatFlat, padCrop, padTwice, sliceTwice, sliceWhole } from './rules/crop.ts'
import { castSame, notNot } from './rules/logic.ts'
import { movementRules } from './rules/movement.ts'
import { orderRules } from './rules/operand-order.ts'

/** Order of operands, composed movements, signs pulled together. All exact. */
export const canonicalRules: readonly Rule[] = [
  ...orderRules,
  ...movementRules,
  sliceWhole,
  sliceTwice,
  padCrop,
  padTwice,
  concatFlat,
  reduceSorted,
  dotLabels,
  permuteDot,
  castSame,
  notNot,
  negNeg,
  addNeg,
  subNeg,
  mulMinusOne,
  mulNeg,
]

/** The canonical form alone. Idempotent; `simplify` includes it. */
export const canonicalise: Pass<Graph, Graph> = {
  name: 'canonicalise',
  run: (graph) => right(rewrite(canonicalRules)(graph)),
}
