/**
 * Algebraic simplification: all rules of `rules/` and constant folding, applied together to a fixed point. By default
 * the rules are bit-exact, NaN, infinities and signed zeros included, except for the sign of a zero sum.
 */
import { right } from '#fp/Either'
import type { Graph } from '../../src/lang/ir.ts'
import type { Pass } from '../pass.ts'
import { type Rule, rewrite, rule } from '../rewrite.ts'
import { foldRules } from './fold.ts'
import { arithmeticRules } from './rules/arithmetic.ts'
import { contractRules } from './rules/contract.ts'
import { cropRules } from './rules/crop.ts'
import { fastRules } from './rules/fast.ts'
import { logicRules } from './rules/logic.ts'
import { movementRules } from './rules/movement.ts'
import { orderRules } from './rules/operand-order.ts'
import { sinkRules } from './rules/sink.ts'

/** What simplification may assume. */
export interface SimplifyOptions {
  /** Enables rules that hold for real numbers only (x·0 = 0, x - x = 0, reassociation). Default false. */
  readonly fastMath?: boolean | undefined
}

/**
 * The rules in the order in which they are tried: folding first, so that the others see constants; operand order before
 * identities.
 */
export const exactRules: readonly Rule[] = [
  ...foldRules,
  ...orderRules,
  ...arithmeticRules,
  ...logicRules,
  ...movementRules,
  ...cropRules,
  ...contractRules,
  ...sinkRules,
]

/** A simplifying pass. Idempotent, linear in the graph. */
export const simplifyWith = ({ fastMath = false }: SimplifyOptions): Pass<Graph, Graph> => {
  const run = rewrite(fastMath ? [...exactRules, ...fastRules] : exactRules)
  return { name: fastMath ? 'simplify (fast math)' : 'simplify', run: (graph) => right(run(graph)) }
}

/** The default: exact rules only. */
export const simplify: Pass<Graph, Graph> = simplifyWith({})

/** stopGradient(x) = x, once all derivatives have been taken. */
export const stopNothing: Rule = rule('stopNothing', ['stopGradient'], ({ args: [x] }) => x)

/** Removes `stopGradient`; runs after differentiation. */
export const dropStopGradient: Pass<Graph, Graph> = {
  name: 'drop stopGradient',
  run: (graph) => right(rewrite([stopNothing])(graph)),
}
