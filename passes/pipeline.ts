/** The one list of graph passes, in order. Loop passes follow in `codegen/plan/make-plan.ts`, which needs a target. */
import * as E from '#fp/Either'
import type { CheckError } from '../src/lang/errors.ts'
import type { Graph } from '../src/lang/ir.ts'
import { canonicalise } from './graph/canonicalise.ts'
import { check } from './graph/check.ts'
import { fold } from './graph/fold.ts'
import { inlineCalls } from './graph/inline.ts'
import { everywhere } from './graph/inner-graphs.ts'
import { maskLoops } from './graph/mask-loops.ts'
import { mergeScans } from './graph/scan-merge.ts'
import { pruneScans } from './graph/scan-prune.ts'
import { dropStopGradient, simplifyWith } from './graph/simplify.ts'
import { splitReductions } from './graph/split-reduce.ts'
import type { Pass } from './pass.ts'

export interface PipelineOptions {
  /** Allow rewrites that do not keep NaN and Inf (x*0 = 0, x-x = 0, x/x = 1). Default false. */
  readonly fastMath?: boolean
}

/** One stage's name and result, for `explain`. */
export interface Stage {
  readonly name: string
  readonly graph: Graph
}

/**
 * The order and its reasons. Checking comes first: later passes may assume well-typed nodes. Functions with derivatives of
 * their own and stopGradient have done their work once derivatives are taken, which happens while the user's function
 * runs; so have branches, which are computed side by side from then on. Loops over the same values become one, and
 * lose what nobody uses. Loops without a known end get the form that a
 * device can run. Canonical forms let each rule of simplify match one spelling; folding comes after, on the constants that
 * simplify has gathered, and what it leaves is brought into canonical form once more. Long reductions are split last:
 * simplify would join the stages again. All but the first two go into the graphs of loops as well.
 */
export const graphPipeline = (options: PipelineOptions = {}): readonly Pass<Graph, Graph, CheckError>[] =>
  Object.freeze([
    check,
    inlineCalls,
    ...[
      mergeScans,
      pruneScans,
      maskLoops,
      dropStopGradient,
      canonicalise,
      simplifyWith({ fastMath: options.fastMath ?? false }),
      fold,
      canonicalise,
      splitReductions,
    ].map(everywhere),
  ])

/** Runs the list; `watch` sees the graph after every stage. */
export const runPipeline = (
  passes: readonly Pass<Graph, Graph, CheckError>[],
  graph: Graph,
  watch: (stage: Stage) => void = () => {},
): E.Either<CheckError, Graph> => {
  let current = graph
  for (const pass of passes) {
    const next = pass.run(current)
    if (E.isLeft(next)) return next
    current = next.right
    watch({ name: pass.name, graph: current })
  }
  return E.right(current)
}
