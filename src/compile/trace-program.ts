/** Running the user's function once: its graph, or what is wrong with the function, its arguments and options. */
import * as E from '#fp/Either'
import { takeObservations } from '../../passes/graph/observe.ts'
import { typeOf } from '../lang/build.ts'
import { type CompileError, raise, showOperand, TensorloomError } from '../lang/errors.ts'
import type { Graph, Node } from '../lang/ir.ts'
import { recordSites } from '../lang/provenance.ts'
import { siteIn } from '../lang/site.ts'
import { topological } from '../lang/topological.ts'
import { type TracedTree, traceTree } from '../lang/trace.ts'
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

/** A traced function; what it observes are further outputs. */
export type Traced = TracedTree & ReturnType<typeof takeObservations>

/** User code may throw our typed errors (asking an ill-typed node for its shape, say); other exceptions are its own. */
export const traceOrError = (
  f: (...args: never[]) => unknown,
  specs: readonly unknown[],
  options: CompileOptions,
): E.Either<CompileError, Traced> => {
  try {
    demandCompile('compile', f, options)
    demandSpecs(specs, options)
    const traced = recordSites(options.provenance ?? false, () => traceTree(f, specs))
    demandOwnInputs(traced.graph)
    demandKept(traced, options)
    return E.right({ ...traced, ...takeObservations(traced.graph) })
  } catch (e) {
    if (!(e instanceof TensorloomError)) throw e
    const error = e.error as CompileError
    const site = error.tag === 'UsageError' && !error.site ? siteIn(e.stack ?? '') : undefined
    return E.left(site ? { ...error, site } : error)
  }
}
