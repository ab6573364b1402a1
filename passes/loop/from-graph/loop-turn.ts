/**
 * The graph of one iteration (turn) of a loop as the planner sees it: loop-carried values are tensors in memory, a
 * slice is a row of the whole tensor at the iteration number, which is carried too, and a stacked output is a row of
 * the result.
 */
import { build, freshInputs, typeOf } from '../../../src/lang/build.ts'
import type { Graph, LoopNode, Node, NodeOf } from '../../../src/lang/ir.ts'
import { instantiate } from '../../../src/lang/trace.ts'

/** One iteration. Every output is stored, and not read by anything else in the iteration. */
export interface Turn {
  readonly graph: Graph
  /**
   * Loop-carried values: each input with the output that replaces it. The iteration number comes last, where it is
   * used.
   */
  readonly carries: readonly { readonly read: Node; readonly write: Node }[]
  /** The iteration number and its start value. */
  readonly counter: { readonly node: Node; readonly start: number } | undefined
  /** Loop-invariant inputs: operand `at` of the loop. */
  readonly fixed: readonly { readonly read: Node; readonly at: number }[]
  /** The rows of the stacked outputs, in order. */
  readonly rows: readonly Node[]
}

/**
 * Copies of `nodes`, distinct from them and from each other, so that each is stored separately. None is made from another:
 * what is stored as a row is no tensor that the iteration could read.
 */
const apart = (nodes: readonly Node[]): readonly Node[] => {
  const taken = new Set<Node>()
  return nodes.map((n) => {
    let from = n
    let own: Node = build.stopGradient([from], {})
    while (taken.has(own)) {
      from = build.reshape([from], { shape: typeOf(n).shape })
      own = build.stopGradient([from], {})
    }
    taken.add(own)
    return own
  })
}

const turns = new WeakMap<LoopNode, Turn>()

/** One iteration of a loop: asked again, the same nodes. */
export const turnOf = (n: LoopNode): Turn => {
  const turn = turns.get(n) ?? (n.op === 'scan' ? turnOfScan(n) : turnOfWhile(n))
  turns.set(n, turn)
  return turn
}

/** One iteration of a scan. */
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

/**
 * One iteration of a `while` in the form that `mask-loops.ts` gives it: the last loop-carried value says whether it
 * continues.
 */
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
