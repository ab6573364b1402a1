/** Running the user's function once: its graph, or what is wrong with the function, its arguments and options. */
import * as E from '#fp/Either'
import type { Thrice, Trials } from '../../passes/graph/sizes/trials.ts'
import { typeOf } from '../lang/build.ts'
import { checkedAs, withChecks } from '../lang/checking.ts'
import { type CompileError, raise, showOperand, TensorloomError, type UsageError } from '../lang/errors.ts'
import type { Graph, Node } from '../lang/ir.ts'
import { inheritSite, recordSites } from '../lang/provenance.ts'
import { siteIn } from '../lang/site.ts'
import { topological } from '../lang/topological.ts'
import { type TracedTree, traceTree } from '../lang/trace.ts'
import { watchConditions } from '../lang/unused-conditions.ts'
import { specsAt, trialsIn } from './named-specs.ts'
import { type CompileOptions, demandCompile, demandKept, demandSpecs } from './options.ts'

/**
 * UsageError where a program uses a tensor that another function was given while it was traced. Mistakes come first: what
 * lies below an ill-typed node belongs to whatever function it was made in.
 */
const demandOwnInputs = ({ inputs, outputs }: Graph): void => {
  const own = new Set<Node>(inputs)
  const order = topological(outputs)
  if (order.some((n) => E.isLeft(n.type))) return
  const foreign = order.find((n) => n.op === 'input' && !own.has(n))
  if (foreign)
    raise({
      tag: 'UsageError',
      message: `compile: the program uses a tensor of another function that was traced (${showOperand(typeOf(foreign))})`,
      hint: 'a tensor inside a traced function has no value outside of it: return it there, and give it here as an argument',
    })
}

/** A UsageError that names no line of its own names the user's line in `stack`. */
export const located = (error: CompileError, { stack = '' }: Error): CompileError => {
  if (error.tag !== 'UsageError' || error.site) return error
  const site = siteIn(stack)
  return site ? { ...error, site } : error
}

/** A traced function, and what it did in vain. */
export interface Traced extends TracedTree {
  readonly warnings: readonly UsageError[]
  readonly sized?: SizedTrace
}

/** A function whose arguments have named sizes: its graph in every trial, the first of them that of the program itself. */
export interface SizedTrace {
  readonly trials: Trials
  readonly graphs: Thrice<Graph>
  /** The same once more, with the line of every node: where something is refused. */
  readonly withLines: () => Thrice<Graph>
}

/** With checks of results and gradients where the options ask for them; these name lines. */
const traceAs = (
  f: (...args: never[]) => unknown,
  specs: readonly unknown[],
  { provenance = false, checkNumerics = false }: CompileOptions,
): TracedTree =>
  withChecks(checkNumerics, () => {
    const traced = recordSites(provenance || checkNumerics, () => traceTree(f, specs))
    const { inputs, outputs } = traced.graph
    // Made where no lines are recorded: a check has that of what it looks at.
    const named = outputs.map((n, i) => checkedAs(`the result ${traced.outputPaths[i]}`.trim(), n, inheritSite))
    return { ...traced, graph: { inputs, outputs: named } }
  })

/** `traced`, and the function at the other sizes. */
const sizedTrace = (
  traced: TracedTree,
  f: (...args: never[]) => unknown,
  specs: readonly unknown[],
  trials: Trials,
  options: CompileOptions,
): SizedTrace => {
  const graphAt = (t: 0 | 1 | 2, how: CompileOptions): Graph => {
    const { graph, outputs } = traceAs(f, specsAt(specs, trials.values[t]), how)
    if (JSON.stringify(outputs) !== JSON.stringify(traced.outputs))
      raise({
        tag: 'UsageError',
        message: `compile: the function returns another tree at other sizes of ${trials.names.map(({ dim }) => `'${dim}'`).join(', ')}`,
        hint: 'what it returns must not depend on a size that is known only when the program runs',
      })
    return graph
  }
  const lines = { ...options, provenance: true }
  return {
    trials,
    graphs: [traced.graph, graphAt(1, options), graphAt(2, options)],
    withLines: () => [graphAt(0, lines), graphAt(1, lines), graphAt(2, lines)],
  }
}

/** User code may throw our typed errors (asking an ill-typed node for its shape, say); other exceptions are its own. */
export const traceOrError = (
  f: (...args: never[]) => unknown,
  specs: readonly unknown[],
  options: CompileOptions,
): E.Either<CompileError, Traced> => {
  try {
    demandCompile('compile', f, options)
    demandSpecs(specs, options)
    const trials = trialsIn(specs)
    const [traced, warnings] = watchConditions(() =>
      traceAs(f, trials ? specsAt(specs, trials.values[0]) : specs, options),
    )
    demandOwnInputs(traced.graph)
    demandKept(traced, options)
    return E.right({ ...traced, warnings, ...(trials ? { sized: sizedTrace(traced, f, specs, trials, options) } : {}) })
  } catch (e) {
    if (!(e instanceof TensorloomError)) throw e
    return E.left(located(e.error as CompileError, e))
  }
}
