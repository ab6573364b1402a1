/**
 * Observations leave the graph: what T.debug and T.checkNumerics look at becomes further results of the program, so that
 * kernels know nothing of them and whoever runs the program can tell. Values inside loops come out stacked.
 */
import * as E from '#fp/Either'
import { build, typeOf, typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { invariant, type Site, type UsageError } from '../../src/lang/errors.ts'
import type { Graph, Node, NodeOf, TensorType } from '../../src/lang/ir.ts'
import { outputsOf } from '../../src/lang/ops/closed-graphs.ts'
import { chooseBranch } from '../../src/lang/ops/cond.ts'
import { fill, zeros } from '../../src/lang/ops/rule-parts.ts'
import { siteOf } from '../../src/lang/provenance.ts'
import { argmax, isinf, isnan, logicalOr, reshape, stack, sum } from '../../src/lang/tensor/index.ts'
import { topological } from '../../src/lang/topological.ts'
import { graphKit, instantiate, rebuild } from '../../src/lang/trace.ts'
import { nodeOf, type Tensor, tensorOf } from '../../src/lang/types/tensor.ts'
import type { Pass } from '../pass.ts'
import { graphsOf } from './inner-graphs.ts'

/** What is told at every run: of which kind, under which label, of a tensor of which type, asked for where. */
export interface Observation {
  readonly kind: 'print' | 'finite'
  readonly label: string
  readonly shape: readonly number[]
  readonly dtype: TensorType['dtype']
  readonly site?: Site
}

/** A value that is looked at. */
interface Seen {
  readonly value: Node
  readonly by: NodeOf<'observe'>
}

/** Results of a graph whose observations are gone, and what they saw, in order. */
interface Freed {
  readonly outputs: readonly Node[]
  readonly seen: readonly Seen[]
}

/** An observation of the graph or of one inside it. */
const observerIn = ({ outputs }: Graph): Node | undefined => {
  for (const n of topological(outputs)) {
    const found = n.op === 'observe' ? n : observerOf(n)
    if (found) return found
  }
  return undefined
}

const observerOf = (n: Node): Node | undefined => {
  for (const graph of graphsOf(n)) {
    const found = observerIn(graph)
    if (found) return found
  }
  return undefined
}

/** The graphs of a node whose observations can leave it; none for a loop without a known end. */
const openGraphs = (n: Node): readonly Graph[] | undefined => {
  if (n.op === 'scan') return [n.params.body]
  if (n.op === 'customCall') return [n.params.call]
  return n.op === 'cond' ? n.params.branches : undefined
}

/** The refusal of an observation inside a loop without a known end. */
const unboundedIn = ({ outputs }: Graph): UsageError | undefined => {
  for (const n of topological(outputs)) {
    const observer = observerOf(n)
    if (!observer) continue
    const graphs = openGraphs(n)
    if (!graphs) return inLoop(observer)
    for (const graph of graphs) {
      const found = unboundedIn(graph)
      if (found) return found
    }
  }
  return undefined
}

const inLoop = (observer: Node): UsageError => {
  const site = siteOf(observer)
  return {
    tag: 'UsageError',
    message: 'T.debug and T.checkNumerics cannot look into a whileLoop: only the device knows how many turns it has',
    hint: 'carry the value out of the loop, or use foriLoop or scan',
    ...(site ? { site } : {}),
  }
}

/** `graph` as a closed graph whose further outputs are what its observations see. */
const widened = (graph: Graph): { readonly graph: Graph; readonly seen: readonly Seen[] } => {
  const { outputs, seen } = free(graph)
  return { graph: { inputs: graph.inputs, outputs: [...outputs, ...seen.map((s) => s.value)] }, seen }
}

/** The outputs of a widened graph: its own, and what is seen in the others. */
const parted = (all: readonly Node[], seen: readonly Seen[]): Freed => {
  const count = all.length - seen.length
  return { outputs: all.slice(0, count), seen: seen.map((s, i) => ({ ...s, value: all[count + i]! })) }
}

/** Results and sights of a node that holds graphs with observations, on `args`. */
const open = (n: Node, args: readonly Node[]): Freed => {
  if (n.op === 'scan') {
    const { graph, seen } = widened(n.params.body)
    const made = build.scan(args, { ...n.params, body: graphKit.close(graph) })
    return parted(outputsOf(build, made, graph.outputs.length), seen)
  }
  if (n.op === 'customCall') {
    const { graph, seen } = widened(n.params.call)
    return parted(instantiate(graph, args), seen)
  }
  invariant(n.op === 'cond', `an observation inside ${n.op}`)
  const [index, ...operands] = args
  const branches = n.params.branches.map(widened)
  const results = branches.map(({ graph }) => instantiate(graph, operands))
  const count = typesOf(n).length
  const seen = branches.flatMap((branch, k) => {
    const taken = chooseBranch(
      build,
      index!,
      branches.map((_, j) => [fill(build, { shape: [], dtype: 'bool' }, j === k ? 1 : 0)]),
    )[0]!
    return branch.seen.map((s, i): Seen => ({ ...s, value: whereTaken(s, taken, results[k]![count + i]!) }))
  })
  return {
    outputs: chooseBranch(
      build,
      index!,
      results.map((r) => r.slice(0, count)),
    ),
    seen,
  }
}

/** What a branch that is not taken computes is not held against it. */
const whereTaken = ({ by }: Seen, taken: Node, value: Node): Node => {
  if (by.params.kind === 'print') return value
  const type = typeOf(value)
  const axes = type.shape.map((_, i) => i)
  const everywhere = axes.length === 0 ? taken : build.broadcast([taken], { shape: type.shape, axes })
  return build.select([everywhere, value, zeros(build, type)], {})
}

const free = (graph: Graph): Freed => {
  const placed = new Map<Node, Node>()
  const opened = new Map<Node, readonly Node[]>()
  const seen: Seen[] = []
  const at = (n: Node): Node => placed.get(n) ?? n
  for (const n of topological(graph.outputs)) {
    if (E.isLeft(n.type)) continue
    const args = n.args.map(at)
    const source = n.op === 'get' ? opened.get(n.args[0]!) : undefined
    if (source && n.op === 'get') placed.set(n, source[n.params.index]!)
    else if (n.op === 'observe') {
      placed.set(n, args[0]!)
      seen.push({ value: args[0]!, by: n })
    } else if (observerOf(n)) {
      const inner = open(n, args)
      opened.set(n, inner.outputs)
      placed.set(n, inner.outputs[0]!)
      seen.push(...inner.seen)
    } else placed.set(n, rebuild(n, args))
  }
  return { outputs: graph.outputs.map(at), seen }
}

/** How many elements are NaN, how many infinite, and which is the first of them: three integers. */
const census = (n: Node): Node => {
  const x: Tensor = reshape(tensorOf(n), [-1])
  const [nan, infinite] = [isnan(x), isinf(x)]
  return nodeOf(stack([sum(nan), sum(infinite), argmax(logicalOr(nan, infinite))]))
}

/** `graph` without observations, and what they saw, each as it is told. */
const told = (graph: Graph): Freed => {
  const { outputs, seen } = free(graph)
  return {
    outputs,
    seen: seen.filter(({ value, by }) => by.params.kind === 'print' || sizeOf(typeOf(value).shape) > 0),
  }
}

/** What each of the further outputs that `observe` gives `graph` is for, in order. */
export const observationsOf = (graph: Graph): readonly Observation[] => {
  if (!observerIn(graph)) return []
  return told(graph).seen.map(({ value, by }): Observation => {
    const { shape, dtype } = typeOf(value)
    const site = siteOf(by)
    return { ...by.params, shape, dtype, ...(site ? { site } : {}) }
  })
}

/**
 * The graph without observations, each a further output: the value itself where it is printed, the census of what is not
 * finite where it is checked. The graph as it is when there are none. UsageError for one inside a whileLoop.
 */
export const observe: Pass<Graph, Graph, UsageError> = {
  name: 'observe',
  run: (graph) => {
    if (!observerIn(graph)) return E.right(graph)
    const refused = unboundedIn(graph)
    if (refused) return E.left(refused)
    const { outputs, seen } = told(graph)
    const further = seen.map(({ value, by }) => (by.params.kind === 'print' ? value : census(value)))
    return E.right({ inputs: graph.inputs, outputs: [...outputs, ...further] })
  },
}
