/** Graph → Plan: fuse, place, lower, print. Pure: needs a profile, never a device. */
import * as E from '#fp/Either'
import { halve } from '../../passes/graph/halve.ts'
import { type IndexRange, indexInputs } from '../../passes/graph/index-inputs.ts'
import type { Observation } from '../../passes/graph/observe.ts'
import { reducingOps } from '../../passes/loop/from-graph/lower-node.ts'
import { type Fusion, fuse } from '../../passes/loop/fuse/fuse.ts'
import type { Fused, InPlace } from '../../passes/loop/fuse/fusion.ts'
import { isBufferLeaf } from '../../passes/loop/fuse/stored-nodes.ts'
import { type Leaf, matchDonations } from '../../passes/memory/donation.ts'
import { planMemory } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { build, typeOf, typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { invariant, type LimitError, type UsageError } from '../../src/lang/errors.ts'
import type { Graph, Node, Op } from '../../src/lang/ir.ts'
import { located } from '../../src/lang/provenance.ts'
import { areKnown, type Size } from '../../src/lang/size.ts'
import { substitute } from '../../src/lang/trace.ts'
import type { TreeShape } from '../../src/lang/tree.ts'
import { overText } from '../kernel/text-limits.ts'
import type { BoundKernel } from '../lower/assemble.ts'
import { overTarget } from './fit-profile.ts'
import { isRefusal, kernelsOf, type Refusal, type Run, runsOf } from './kernel-order.ts'
import { limited } from './loop-limits.ts'
import type { DataSlot, InputSlot, OutputSlot, Plan, PlannedSize, PrintCode, Slot, Step, Subnormals } from './plan.ts'
import { type PlanFault, showFault } from './plan-fault.ts'
import { predict } from './predict.ts'
import { type Shared, shareKernels } from './share-kernels.ts'
import { verifyPlan } from './verify-plan.ts'

/** A graph, and what the caller specified about its arguments and results. */
export interface Request {
  readonly name: string
  /** The result of the last graph pass: without packed dtypes. */
  readonly graph: Graph
  /** The same program with the caller's dtypes in arguments and results; defaults to `graph`. */
  readonly given?: Graph
  readonly inputs: readonly { readonly path: string; readonly donated: boolean }[]
  readonly outputs: readonly { readonly path: string; readonly keep: boolean }[]
  readonly inputTree: TreeShape
  readonly outputTree: TreeShape
  /** The observations that the last outputs belong to. */
  readonly observations?: readonly Observation[]
  /** Defaults to `'device'`. */
  readonly subnormals?: Subnormals
  readonly sizes?: NamedSizes
}

/** What the planner is told of named sizes, which are the last inputs: the axes of arguments and results, and what indexes. */
export interface NamedSizes {
  readonly names: readonly PlannedSize[]
  readonly inputs: readonly (readonly Size[])[]
  readonly outputs: readonly (readonly Size[])[]
  readonly ranges: readonly (readonly IndexRange<Size>[] | undefined)[]
}

/** The sizes of a slot's axes, where there is something to say. */
const axesIn = (axes: readonly Size[] | undefined): Pick<Slot, 'axes'> => (axes && !areKnown(axes) ? { axes } : {})

/** A Plan with the decisions that led to it, for `explain`. */
export interface Planned {
  readonly plan: Plan
  /** The graph that was fused. */
  readonly graph: Graph
  readonly fusion: Fusion
  readonly kernels: readonly BoundKernel[]
}

/**
 * The Plan of a graph for a profile, its kernels printed by that profile's target. UsageError where it is not clear which result replaces an argument that is given away
 * (`matchDonations`), LimitError where the target is too small. A result takes a donated argument's place only where
 * `verifyPlan` can see from the kernels alone that no other read is lost: where it cannot, that result is double-buffered.
 * What a cluster computes that binds too much even in parts is stored by clusters of its own: reductions first, then all of
 * it; and what alone binds too much is done in halves. `tell` hears of each phase that begins.
 */
export const makePlan = (
  request: Request,
  profile: Profile,
  print: PrintCode,
  tell: (doing: string) => void = () => {},
): E.Either<LimitError | UsageError, Planned> => {
  const apart = new Set<Node>()
  let alone: ReadonlySet<Node> = new Set()
  let { graph } = request
  for (;;) {
    const planned = planWith(request, graph, profile, print, apart, alone, tell)
    if (E.isLeft(planned)) {
      if ('tag' in planned.left) return E.left(planned.left)
      const { clusters, error } = planned.left
      const smaller = inParts(graph, clusters, alone)
      if (!smaller) return E.left(error)
      graph = smaller.graph
      alone = smaller.alone
      continue
    }
    tell('verifying the plan')
    const faults = verifyPlan(planned.right.plan)
    if (faults.length === 0) return planned
    const known = apart.size
    for (const n of disputed(faults, planned.right.fusion)) apart.add(n)
    invariant(apart.size > known, `an unsound plan: ${faults.map(showFault).join('; ')}`)
  }
}

/** The donated arguments that are overwritten while they may still be live; none where the plan has other faults. */
const disputed = (faults: readonly PlanFault[], { inPlace, buffers }: Fusion): readonly Node[] => {
  const values = new Set(faults.map((f) => (f.rule === 'in place' ? f.value : undefined)))
  if (values.has(undefined)) return []
  return inPlace.flatMap(({ input }) => (values.has(buffers.get(input)!.id) ? [input] : []))
}

/** What is never better stored: it costs nothing where it is used. */
const views: ReadonlySet<Op> = new Set<Op>(['const', 'iota', 'slice', 'reshape', 'permute', 'broadcast', 'flip'])

/** What a cluster computes that should be stored by itself instead: reductions, if there are any; else all. */
const toStore = ({ members }: Fused, alone: ReadonlySet<Node>): readonly Node[] => {
  const missing = members.filter((n) => !alone.has(n) && typesOf(n).length === 1 && !views.has(n.op))
  const reductions = missing.filter((n) => reducingOps.has(n.op))
  return reductions.length > 0 ? reductions : missing
}

/**
 * `graph` with less in each of these clusters: what they compute is stored by itself, and where it is, done in halves.
 * Nothing where neither can be.
 */
const inParts = (
  graph: Graph,
  clusters: readonly Fused[],
  alone: ReadonlySet<Node>,
): { readonly graph: Graph; readonly alone: ReadonlySet<Node> } | undefined => {
  const stored = new Set(alone)
  const whole: (readonly Node[])[] = []
  for (const f of clusters) {
    const missing = toStore(f, alone)
    for (const n of missing) stored.add(n)
    if (missing.length === 0) whole.push(f.stored)
  }
  // Results, what is stored, and what is still to be halved, each as the halves before it leave it: in order of execution.
  let nodes: readonly Node[] = [...graph.outputs, ...stored, ...whole.flat()]
  let at = graph.outputs.length + stored.size
  const halves: Node[] = []
  for (const { length } of whole) {
    const results = nodes.slice(at, at + length)
    at += length
    const [first] = results
    const halved = halve(first!.op === 'get' ? first!.args[0]! : first!)
    if (!halved) continue
    halves.push(...halved.halves)
    nodes = substitute(nodes, results, halved.outputs)
  }
  const outputs = nodes.slice(0, graph.outputs.length)
  const parts = [...nodes.slice(outputs.length, outputs.length + stored.size), ...halves]
  // The halves of what lies in a loop are known, and of no use.
  if (outputs.every((n, i) => n === graph.outputs[i]) && parts.every((n) => alone.has(n))) return undefined
  return { graph: { ...graph, outputs }, alone: new Set(parts) }
}

/**
 * A Plan that is not yet verified, in which the arguments of `apart` are not updated in place and the nodes of `alone` are
 * stored by themselves.
 */
const planWith = (
  request: Request,
  graph: Graph,
  profile: Profile,
  print: PrintCode,
  apart: ReadonlySet<Node>,
  alone: ReadonlySet<Node>,
  tell: (doing: string) => void,
): E.Either<Refusal | UsageError, Planned> => {
  // Slots have the caller's types; everything between sees packed words.
  const { given = request.graph } = request
  const over = overTarget(graph, profile)
  if (over) return E.left({ error: over, clusters: [] })
  const inputs = request.inputs.map((x, i) => ({ ...x, node: graph.inputs[i]! as Node }))
  const asked: readonly Leaf[] = request.outputs.map((x, i) => ({ path: x.path, node: graph.outputs[i]! }))
  // What is observed goes to whoever looks, and replaces nothing.
  const results = asked.slice(0, asked.length - (request.observations?.length ?? 0))
  const matched = matchDonations(
    inputs.map((x, i) => ({ ...x, node: given.inputs[i]! as Node })),
    results.map((x, i) => ({ ...x, node: given.outputs[i]! })),
  )
  if (E.isLeft(matched)) return matched
  const donations = matched.right
  // A donated argument that is also a result is copied before its place is overwritten.
  const outputs = asked.map((leaf, o) => {
    const i = inputs.findIndex((x) => x.donated && x.node === leaf.node)
    return i < 0 || donations.get(i) === o ? leaf : { ...leaf, node: build.stopGradient([leaf.node], {}) as Node }
  })
  const nodes = outputs.map((o) => o.node)
  const pairs: InPlace[] = [...donations]
    .map(([i, o]) => ({ input: inputs[i]!.node, output: nodes[o]! }))
    .filter((p) => !apart.has(p.input))
  const computed: Graph = { inputs: graph.inputs, outputs: [...new Set(nodes)].filter((n) => !isBufferLeaf(n)) }
  tell('fusing')
  const fusion = limited(fuse(computed, nodes, pairs, profile, alone), graph, request.sizes)
  tell('placing tensors')
  const memory = planMemory({ fusion, inputs, outputs: nodes, profile })
  tell('writing kernels')
  const runs = runsOf(fusion, memory, profile)
  if (isRefusal(runs)) return E.left(runs)
  const kernels = kernelsOf(runs)
  const long = tooLong(kernels)
  if (long) return E.left(long)
  const shared = shareKernels(kernels.map((b) => b.kernel))
  const placeOf = (n: Node) => memory.places.get(fusion.buffers.get(n)!)!
  const numberOf = (n: Node): number => fusion.buffers.get(n)!.id
  const numbers = new Map(kernels.map((b, i) => [b, shared.of[i]!]))
  const steps: Step[] = [...stepsOf(runs, numbers)]
  const replaced = new Map([...donations].map(([i, o]) => [o, i]))
  const outputSlots = outputs.map(({ path, node }, o): OutputSlot => {
    const { shape, dtype } = typeOf(given.outputs[o]!)
    const i = replaced.get(o)
    const own = placeOf(node)
    const keep = request.outputs[o]!.keep || i !== undefined
    const type = { shape, dtype, ...axesIn(request.sizes?.outputs[o]) }
    if (i === undefined) return { path, ...type, place: own, value: numberOf(node), keep }
    const home = placeOf(inputs[i]!.node)
    if (own !== home && sizeOf(shape) > 0) steps.push({ kind: 'copy', from: own, to: home })
    return { path, ...type, place: home, value: numberOf(node), keep, inPlaceOf: i }
  })
  const checked = indexInputs(given)
  const inputSlots = inputs.map(({ path, donated, node }, i): InputSlot => {
    const { shape, dtype } = typeOf(given.inputs[i]!)
    const indexOfAxis = request.sizes ? request.sizes.ranges[i] : checked.get(given.inputs[i]!)
    return {
      path,
      shape,
      ...axesIn(request.sizes?.inputs[i]),
      dtype,
      place: placeOf(node),
      value: numberOf(node),
      donated,
      ...(indexOfAxis ? { indexOf: indexOfAxis } : {}),
    }
  })
  const data = [...fusion.buffers.keys()].flatMap((n): readonly DataSlot[] => {
    if (n.op !== 'const' && n.op !== 'data') return []
    const values = n.op === 'const' ? n.params.values : n.params.payload.array
    return isBufferLeaf(n) ? [{ place: placeOf(n), value: numberOf(n), dtype: n.params.dtype, values }] : []
  })
  const starts = [...fusion.constants].map(
    ([b, value]): DataSlot => ({ place: memory.places.get(b)!, value: b.id, dtype: b.dtype, values: [value] }),
  )
  const { subnormals = 'device' } = request
  tell('printing kernels')
  const plan: Plan = {
    version: 1,
    name: request.name,
    profile,
    subnormals,
    arenas: memory.arenas,
    kernels: shared.kernels.map((kernel) => ({ kernel, ...print(kernel, subnormals) })),
    steps,
    inputs: inputSlots,
    ...(request.sizes ? { sizes: request.sizes.names } : {}),
    outputs: outputSlots,
    data: [...data, ...starts],
    observations: request.observations ?? [],
    inputTree: request.inputTree,
    outputTree: request.outputTree,
    prediction: predict(runs, memory),
  }
  return E.right({ plan, graph, fusion, kernels })
}

/** The first kernel whose text no compiler is sure to accept; what it computes is then stored in parts. */
const tooLong = (kernels: readonly BoundKernel[]): Refusal | undefined => {
  for (const { kernel, fused, routine } of kernels) {
    const over = overText(kernel)
    if (!over) continue
    const hint = 'compute it in parts, with T.barrier between them'
    const error = located(
      { tag: 'LimitError', ...over, hint } as const,
      fused.flatMap((f) => f.stored),
    )
    return { error, clusters: routine ? [] : fused }
  }
  return undefined
}

/** Runs as the steps of a plan; `numbers` are those of the kernels. */
const stepsOf = (runs: readonly Run[], numbers: ReadonlyMap<BoundKernel, Shared>): readonly Step[] =>
  runs.map((r): Step => {
    if (r.kind === 'repeat') return { kind: 'repeat', times: r.times, steps: stepsOf(r.runs, numbers) }
    if (r.kind === 'while') return { kind: 'while', flag: r.flag, steps: stepsOf(r.runs, numbers) }
    const { workgroups, places, reads, writes, routine, fused, limits } = r.bound
    const inParts = routine || r.bound.inParts || fused.some((f) => f.isPartial)
    return {
      kind: 'dispatch',
      ...numbers.get(r.bound)!,
      ...(limits ? { limits, words: limits.map(({ most }) => most) } : {}),
      workgroups,
      bindings: places,
      reads,
      writes,
      ...(inParts ? { inParts } : {}),
    }
  })
