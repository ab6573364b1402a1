/**
 * The one list of graph passes, in order, from what was traced to what is planned. Scheduling, memory and code generation
 * follow in `codegen/plan/make-plan.ts`: they turn the last graph into something else than a graph, and need a target.
 */
import * as E from '#fp/Either'
import { type CheckError, type IndexError, invariant, type UsageError } from '../src/lang/errors.ts'
import type { Graph } from '../src/lang/ir.ts'
import { canonicalise } from './graph/canonicalise.ts'
import { check } from './graph/check.ts'
import { checkIndices } from './graph/check-indices.ts'
import { evaluateConstants } from './graph/evaluate-constants.ts'
import { fold } from './graph/fold.ts'
import { inlineCalls } from './graph/inline.ts'
import { everywhere } from './graph/inner-graphs.ts'
import { maskLoops } from './graph/mask-loops.ts'
import { observe } from './graph/observe.ts'
import { mergeScans } from './graph/scan-merge.ts'
import { pruneScans } from './graph/scan-prune.ts'
import { dropStopGradient, simplifyWith } from './graph/simplify.ts'
import { splitReductions } from './graph/split-reduce.ts'
import { widenPacked } from './graph/widen.ts'
import type { Pass } from './pass.ts'

export interface PipelineOptions {
  /** Allow rewrites that do not keep NaN and Inf (x*0 = 0, x-x = 0, x/x = 1). Default false. */
  readonly fastMath?: boolean | undefined
}

/** One stage's name and result, for `explain`. */
export interface Stage {
  readonly name: string
  readonly graph: Graph
}

/** What a pass may refuse a program for. */
export type PipelineError = CheckError | UsageError | IndexError

export type GraphPass = Pass<Graph, Graph, PipelineError>

/** The first passes: they refuse what is no program. Observations can be listed (`observationsOf`) once these have passed. */
export const legality: readonly GraphPass[] = Object.freeze([check, observe])

/**
 * The passes in order. Those that are not about a whole program also run on the graphs inside loops (`everywhere`).
 *
 * 1. `check` comes first: later passes may assume well-typed nodes.
 * 2. `observe` turns observations into further results while loops, calls and branches are still nodes: a check must see
 *    only the branch that is taken, and later passes need not know of observations.
 * 3. `inline calls`: custom derivatives have served their purpose once derivatives are taken, which happens while the
 *    user's function runs; so have branches, which become selects here.
 *    `evaluate constants` follows: it computes what no argument reaches, and only what the program itself still needs.
 * 4. `merge scans`, `prune scans`: loops with the same loop-carried values are fused, then dead parts of loops eliminated.
 * 5. `mask loops` brings data-dependent loops into the form that the planner knows.
 * 6. `drop stopGradient`: it has no meaning once derivatives are taken.
 * 7. `canonicalise`, `simplify`, `fold`, `canonicalise`: canonical forms let each rule of `simplify` match one spelling;
 *    folding comes after, on the constants that `simplify` has gathered, and what it leaves is made canonical once more.
 * 8. `split reductions` after `simplify`, which would join the two stages of a long reduction again.
 * 9. `check indices` sees the constants that folding has made, and still the caller's dtypes.
 * 10. `widen` is last: it replaces packed dtypes by words and adds the code that packs and unpacks them, of which no
 *     earlier pass has to know.
 *
 * One analysis of the same kind is not in the list: `indexInputs`, which finds the arguments that are used as indices. It
 * leaves the graph alone and gives a table for the slots of the Plan, so `makePlan` asks for it, of the graph before
 * `widen` (`beforeWidening`), in which an index is still an element and no part of a word.
 */
export const graphPipeline = (options: PipelineOptions = {}): readonly GraphPass[] =>
  Object.freeze([
    ...legality,
    inlineCalls,
    evaluateConstants,
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
    checkIndices,
    widenPacked,
  ])

/** Whether a pass leaves the types of arguments and results, and their number, as they are. */
export const keepsSignature = (pass: GraphPass): boolean => pass !== observe && pass !== widenPacked

/** Runs the list; `watch` sees the graph after every stage, `tell` the name of each that begins. */
export const runPipeline = (
  passes: readonly GraphPass[],
  graph: Graph,
  watch: (stage: Stage) => void = () => {},
  tell: (name: string) => void = () => {},
): E.Either<PipelineError, Graph> => {
  let current = graph
  for (const pass of passes) {
    tell(pass.name)
    const next = pass.run(current)
    if (E.isLeft(next)) return next
    current = next.right
    watch({ name: pass.name, graph: current })
  }
  return E.right(current)
}

/** The last of the stages in which arguments and results have the caller's dtypes. */
export const beforeWidening = (stages: readonly Stage[]): Graph => {
  const last = stages.findLast(({ name }) => name !== widenPacked.name)
  invariant(last, 'no stage before widening')
  return last.graph
}
