/**
 * The graph of one turn of a loop, as the planner sees it: carries are tensors in memory, a slice is a row of a whole
 * tensor at the turn's number, which is one more carry, and what is stacked is a row of the result.
 */
import { build, freshInputs, typeOf } from '../../../src/lang/build.ts'
import type { Graph, LoopNode, Node, NodeOf } from '../../../src/lang/ir.ts'
import { instantiate } from '../../../src/lang/trace.ts'

/** One turn. Every output is stored, and read by nothing else in the turn. */
export interface Turn {
  readonly graph: Graph
  /** The inputs that change from turn to turn with the outputs that they become, the turn's number last where it is used. */
  readonly carries: readonly { readonly read: Node; readonly write: Node }[]
  /** The number of the turn, from where it starts. */
  readonly counter: { readonly node: Node; readonly start: number } | undefined
  /** The inputs that stay: operand `at` of the loop as a whole. */
  readonly fixed: readonly { readonly read: Node; readonly at: number }[]
  /** Rows of the loop's stacks, in their order. */
  readonly rows: readonly Node[]
}

/** Identities of `nodes`, all different from them and from each other, so that each is stored by itself. */
const apart = (nodes: readonly Node[]): readonly Node[] => {
  const taken = new Set<Node>()
  return nodes.map((n) => {
    let own: Node = build.stopGradient([n], {})
    while (taken.has(own)) own = build.stopGradient([own], {})
    taken.add(own)
    return own
  })
}

const turns = new WeakMap<LoopNode, Turn>()

/** One turn of a loop: asked again, the same nodes. */
export const turnOf = (n: LoopNode): Turn => {
  const turn = turns.get(n) ?? (n.op === 'scan' ? turnOfScan(n) : turnOfWhile(n))
  turns.set(n, turn)
  return turn
}

const turnOfScan = (n: NodeOf<'scan'>): Turn => {
  const { body, carries, slices, length, reverse } = n.params
  const types = n.args.map(typeOf)
  const inputs = freshInputs([...types, { shape: [], dtype: 'i32' }])
  const counter = inputs[inputs.length - 1]!
  const taken = inputs.slice(carries, carries + slices).map((x) => build.gather([x, counter], { batch: 0 }))
  const outputs = instantiate(body, [...inputs.slice(0, carries), ...taken, ...inputs.slice(carries + slices, -1)])
  const stored = apart(outputs)
  const isCounted = slices > 0 || outputs.length > carries
  const step = build.const([], { shape: [], dtype: 'i32', values: [reverse ? -1 : 1] })
  const next: Node = build.add([counter, step], {})
  const own = inputs.slice(0, carries).map((read, i) => ({ read: read as Node, write: stored[i]! }))
  return {
    graph: { inputs, outputs: isCounted ? [...stored, next] : stored },
    carries: isCounted ? [...own, { read: counter, write: next }] : own,
    counter: isCounted ? { node: counter, start: reverse ? length - 1 : 0 } : undefined,
    fixed: inputs.slice(carries, -1).map((read, i) => ({ read, at: carries + i })),
    rows: stored.slice(carries),
  }
}

/** One turn of a while in the form that `mask` gives it: the last carry says whether it goes on. */
const turnOfWhile = (n: NodeOf<'while'>): Turn => {
  const inputs = freshInputs(n.args.map(typeOf))
  const stored = apart(instantiate(n.params.body, inputs))
  return {
    graph: { inputs, outputs: stored },
    carries: stored.map((write, i) => ({ read: inputs[i]!, write })),
    counter: undefined,
    fixed: inputs.slice(stored.length).map((read, i) => ({ read, at: stored.length + i })),
    rows: [],
  }
}
