/**
 * Observations become outputs: what T.debug and T.checkNumerics observe is returned as further results of the program,
 * so that lowering knows nothing of them and the runtime reports them. Values inside loops are stacked over the
 * iterations.
 */
import * as E from '#fp/Either'
import { build, typeOf, typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { lastCount } from '../../src/lang/dtype.ts'
import { invariant, type Site, type UsageError } from '../../src/lang/errors.ts'
import type { Graph, Node, NodeOf, TensorType } from '../../src/lang/ir.ts'
import { outputsOf } from '../../src/lang/ops/closed-graphs.ts'
import { chooseBranch } from '../../src/lang/ops/cond.ts'
import { fill, zeros } from '../../src/lang/ops/rule-parts.ts'
import { siteOf } from '../../src/lang/provenance.ts'
import type { Size } from '../../src/lang/size.ts'
import {
  add,
  arange,
  equal,
  isinf,
  isnan,
  logicalOr,
  min,
  reshape,
  stack,
  sum,
  where,
} from '../../src/lang/tensor/index.ts'
import { topological } from '../../src/lang/topological.ts'
import { graphKit, instantiate, rebuild } from '../../src/lang/trace.ts'
import { nodeOf, type Tensor, tensorOf } from '../../src/lang/types/tensor.ts'
import type { Pass } from '../pass.ts'
import { graphsOf } from './inner-graphs.ts'

/** What the runtime reports at every run: kind, label, type of the tensor, and the user's line. */
export interface Observation {
  readonly kind: 'print' | 'finite'
  readonly label: string
  readonly shape: readonly number[]
  /** The sizes of its axes where not all are known before a run. */
  readonly axes?: readonly Size[]
  readonly dtype: TensorType['dtype']
  readonly site?: Site
}

/** An observed value. */
interface Seen {
  readonly value: Node
  readonly by: NodeOf<'observe'>
}

/** The outputs of a graph without its observations, and the observed values in order. */
interface Freed {
  readonly outputs: readonly Node[]
  readonly seen: readonly Seen[]
}

/** An observation in the graph or in a graph nested in it. */
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

/** The nested graphs of a node that can return observed values; undefined for a data-dependent loop, which cannot. */
const openGraphs = (n: Node): readonly Graph[] | undefined => {
  if (n.op === 'scan') return [n.params.body]
  if (n.op === 'customCall') return [n.params.call]
  return n.op === 'cond' ? n.params.branches : undefined
}

/** The error for an observation inside a data-dependent loop. */
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

/** `graph` with its observed values as additional outputs. */
const widened = (graph: Graph): { readonly graph: Graph; readonly seen: readonly Seen[] } => {
  const { outputs, seen } = free(graph)
  return { graph: { inputs: graph.inputs, outputs: [...outputs, ...seen.map((s) => s.value)] }, seen }
}

/** Splits the outputs of a graph made by `widened` into its own and the observed values. */
const parted = (all: readonly Node[], seen: readonly Seen[]): Freed => {
  const count = all.length - seen.length
  return { outputs: all.slice(0, count), seen: seen.map((s, i) => ({ ...s, value: all[count + i]! })) }
}

/** The outputs and observed values of a node with nested observations, on `args`. */
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

/** A numeric check sees zeros where its branch is not taken. */
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

/** Three integers: the number of NaNs, the number of infinities, and the position of the first non-finite element. */
const census = (n: Node): Node => {
  const x: Tensor = tensorOf(n)
  const [nan, infinite] = [isnan(x), isinf(x)]
  const [nans, infinities] = [sum(nan), sum(infinite)]
  const number = reshape(arange(sizeOf(x.shape)), x.shape)
  const first = min(where(logicalOr(nan, infinite), number, lastCount))
  return nodeOf(stack([nans, infinities, where(equal(add(nans, infinities), 0), 0, first)]))
}

/** `graph` without observations, and the observed values that are reported: checks of empty tensors are not. */
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
 * The graph without observations, each a further output: the value itself where it is printed, the census of what is
 * not finite where it is checked. The graph as it is when there are none. UsageError for one inside a whileLoop.
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
