/** From a traced function to its plan: looked up where it was made before, else by the graph passes and the planner. */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import { makePlan, type Planned, type Request } from '../../codegen/plan/make-plan.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import { graphsOf } from '../../passes/graph/inner-graphs.ts'
import { observationsOf } from '../../passes/graph/observe.ts'
import { beforeWidening, graphPipeline, legality, runPipeline, type Stage } from '../../passes/pipeline.ts'
import type { Profile } from '../../passes/profile.ts'
import { type CompileError, raise } from '../lang/errors.ts'
import type { Graph } from '../lang/ir.ts'
import { callerOf, siteOf } from '../lang/provenance.ts'
import { topological } from '../lang/topological.ts'
import { type CompileOptions, covers } from './options.ts'
import { recall } from './plan-cache.ts'
import type { Tell } from './progress.ts'
import { type Bound, boundProgram } from './sized-program.ts'
import { printerFor } from './targets.ts'
import { located, type Traced } from './trace-program.ts'

/** A plan's decisions, and the graph on the way to it. */
export interface Made {
  readonly planned: Planned
  readonly stages: readonly Stage[]
}

/** The profile as it is now: what the caller does with its own afterwards does not reach plans. */
const ownCopy = (profile: Profile): Profile => ({
  ...profile,
  features: [...profile.features],
  costs: { ...profile.costs },
})

const once = <T>(f: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: f() }
    return made.value
  }
}

/** What the planner is asked for: the graph as it was traced, and what the options say of arguments and results. */
const requestOf = (
  { graph, inputPaths, outputPaths, inputs, outputs }: Traced,
  name: string,
  options: CompileOptions,
  bound: Bound | undefined,
): Request => {
  const observations = bound?.observations ?? observationsOf(graph)
  const donated = new Set(options.donate ?? [])
  const { keep = [] } = options
  return {
    name,
    graph: bound?.graph ?? graph,
    ...(bound ? { sizes: bound.sizes } : {}),
    inputs: [
      ...inputPaths.map((path) => ({ path, donated: donated.has(Number(/^\[(\d+)\]/.exec(path)?.[1])) })),
      ...(bound?.sizes.names.map(({ name }) => ({ path: `size of '${name}'`, donated: false })) ?? []),
    ],
    outputs: [
      ...outputPaths.map((path) => ({ path, keep: keep === true || keep.some((k) => covers(k, path)) })),
      ...observations.map(({ label }) => ({ path: label, keep: false })),
    ],
    observations,
    inputTree: inputs,
    outputTree: outputs,
    subnormals: options.subnormals ?? 'device',
  }
}

/** The graph passes after those of `legal`, then the planner. */
const makeAll = (
  request: Request,
  legal: readonly Stage[],
  profile: Profile,
  options: CompileOptions,
  tell: Tell,
): E.Either<CompileError, Made> => {
  const stages = [...legal]
  const rest = graphPipeline(options).slice(legality.length)
  return pipe(
    runPipeline(rest, stages[stages.length - 1]!.graph, (s) => stages.push(s), tell),
    E.mapLeft((error) => located(error, new Error())),
    E.flatMap(
      (graph): E.Either<CompileError, Planned> =>
        makePlan({ ...request, graph, given: beforeWidening(stages) }, profile, printerFor(profile), tell),
    ),
    E.map((planned) => ({ planned, stages })),
  )
}

/** Who indexes and where: plans say so in errors, so one is not another's. */
const indexingOf = (graph: Graph): readonly unknown[] =>
  topological(graph.outputs).flatMap((n) => {
    const inner = graphsOf(n).flatMap(indexingOf)
    return n.op === 'gather' || n.op === 'scatterAdd' ? [callerOf(n), siteOf(n) ?? null, ...inner] : inner
  })

/** The plan of `traced`, called `name`, and the decisions that led to it, which are made when they are asked for. */
export const planProgram = (
  traced: Traced,
  name: string,
  options: CompileOptions,
  tell: Tell = () => {},
): E.Either<CompileError, { readonly plan: Plan; readonly made: () => Made }> => {
  const stages: Stage[] = [{ name: 'trace', graph: traced.graph }]
  const legal = runPipeline(legality, traced.graph, (s) => stages.push(s), tell)
  if (E.isLeft(legal)) return E.left(located(legal.left, new Error()))
  const bound = traced.sized ? boundProgram(traced.sized) : undefined
  if (bound && E.isLeft(bound)) return E.left(located(bound.left, new Error()))
  if (bound) stages.push({ name: 'bind sizes', graph: bound.right.graph })
  const request = requestOf(traced, name, options, bound?.right)
  const profile = ownCopy(options.profile ?? portable)
  const make = (): E.Either<CompileError, Made> => makeAll(request, stages, profile, options, tell)
  const isLookedUp = options.cache !== false && !options.provenance
  const { name: _name, graph, ...said } = request
  const rest = { ...said, profile, fastMath: options.fastMath ?? false, indexing: indexingOf(graph) }
  const memory = isLookedUp ? recall({ graph, rest }, name, options.cache || undefined) : undefined
  if (memory?.plan) {
    const { plan } = memory
    const again = once((): Made => {
      const result = make()
      if (E.isLeft(result)) return raise(result.left)
      const { planned, stages } = result.right
      return { planned: { ...planned, plan }, stages }
    })
    return E.right({ plan, made: again })
  }
  return pipe(
    make(),
    E.map((made) => ({ plan: memory?.remember(made.planned.plan) ?? made.planned.plan, made: () => made })),
  )
}
