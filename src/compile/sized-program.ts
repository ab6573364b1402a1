/** A program with named sizes, from its graphs in three trials: one graph at the bounds, and what the planner is told. */

import * as E from '#fp/Either'
import type { NamedSizes } from '../../codegen/plan/make-plan.ts'
import { inlineCalls } from '../../passes/graph/inline.ts'
import { type Observation, observationsOf } from '../../passes/graph/observe.ts'
import { bindSizes } from '../../passes/graph/sizes/bind-sizes.ts'
import { sizeFrom, type Thrice, type Trials, thrice } from '../../passes/graph/sizes/trials.ts'
import { legality, runPipeline } from '../../passes/pipeline.ts'
import type { CompileError, ShapeError } from '../lang/errors.ts'
import type { Graph } from '../lang/ir.ts'
import { areKnown, type NamedSize, type Size } from '../lang/size.ts'
import type { SizedTrace } from './trace-program.ts'

/** The graph at the bounds, whose last inputs are the sizes. */
export interface Bound {
  readonly graph: Graph
  readonly sizes: NamedSizes
  readonly observations: readonly Observation[]
}

/** What a mistake is that only shows at another size than the bounds: a size that was taken for a known one. */
const atAnotherSize = (error: CompileError, trials: Trials, trial: 1 | 2): CompileError => {
  const sizes = trials.names.map(({ dim }) => `'${dim}' was ${trials.values[trial].get(dim)} here`).join(', ')
  const [{ dim, max }] = trials.names as readonly [NamedSize]
  const least = `T.dim('${dim}', { min: 4, max: ${max} })`
  const told = (e: ShapeError): ShapeError => ({
    ...e,
    reason: `${e.reason}; ${sizes}, which stands for any size`,
    hint: e.hint ?? `axes that must agree have the same name, or the same known size; a least size is said as ${least}`,
  })
  if (error.tag === 'CheckError') return { ...error, errors: error.errors.map(told) }
  return error.tag === 'ShapeError' ? told(error) : error
}

/** The graph of a trial without calls, branches and observations. */
const opened = (graph: Graph, trials: Trials, trial: 0 | 1 | 2): E.Either<CompileError, Graph> => {
  const result = runPipeline([...legality, inlineCalls], graph)
  return E.isLeft(result) && trial > 0 ? E.left(atAnotherSize(result.left, trials, trial as 1 | 2)) : result
}

/** The observations of all trials as one list, with the sizes of what they look at. */
const sizedObservations = (graphs: Thrice<Graph>, trials: Trials): readonly Observation[] => {
  const all = thrice(graphs, observationsOf)
  return all[0].map((o, i): Observation => {
    const axes = o.shape.map(
      (size, axis): Size =>
        sizeFrom(
          thrice(all, (t) => t[i]?.shape[axis] ?? size),
          trials,
        ) ?? size,
    )
    return areKnown(axes) ? o : { ...o, axes }
  })
}

/** CheckError where the program needs a size that is not known, with lines. */
export const boundProgram = ({ trials, graphs, withLines }: SizedTrace): E.Either<CompileError, Bound> => {
  const bound = boundGraphs(graphs, trials)
  return E.isLeft(bound) ? boundGraphs(withLines(), trials) : bound
}

const boundGraphs = (graphs: Thrice<Graph>, trials: Trials): E.Either<CompileError, Bound> => {
  const found = thrice(graphs, (graph, t) => opened(graph, trials, t))
  for (const result of found) if (E.isLeft(result)) return result
  const bound = bindSizes(
    thrice(found, (result) => (result as E.Right<Graph>).right),
    trials,
  )
  if (E.isLeft(bound)) return bound
  const { graph, inputs, outputs, least, ranges } = bound.right
  const names = trials.names.map(({ dim, min, max }, i) => ({ name: dim, least: Math.max(min, least[i]!), max }))
  return E.right({ graph, sizes: { names, inputs, outputs, ranges }, observations: sizedObservations(graphs, trials) })
}
