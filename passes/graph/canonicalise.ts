/**
 * Canonicalisation: of several equivalent forms one remains, so that equal values are equal nodes and later rules match
 * one form.
 */

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

/** Operand order, composed movement operations, signs moved outwards. Every rule is exact. */
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
