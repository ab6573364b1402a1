/**
 * Dead-code elimination in loops: unused outputs, loop-carried values that only feed themselves, operands that are not
 * read.
 */
import { right } from '#fp/Either'
import { build } from '../../src/lang/build.ts'
import type { Graph, Node, NodeOf } from '../../src/lang/ir.ts'
import { outputsOf } from '../../src/lang/ops/closed-graphs.ts'
import { topological } from '../../src/lang/topological.ts'
import { graphKit, rebuild } from '../../src/lang/trace.ts'
import type { Pass } from '../pass.ts'

type Scan = NodeOf<'scan'>

/** The live outputs of the body: those used outside, and the next value of every loop-carried value that is read. */
const neededOutputs = ({ params: { body, carries } }: Scan, used: ReadonlySet<number>): readonly number[] => {
  const needed = new Set(used)
  for (;;) {
    const read = new Set(topological([...needed].map((i) => body.outputs[i]!)))
    const before = needed.size
    for (let i = 0; i < carries; i++) if (read.has(body.inputs[i]!)) needed.add(i)
    if (needed.size === before) return [...needed].sort((a, b) => a - b)
  }
}

/** The loop reduced to the outputs in `needed`, or undefined when all of its outputs are live. */
const pruned = (n: Scan, needed: readonly number[]): readonly Node[] | undefined => {
  const { body, carries, slices } = n.params
  const read = new Set(topological(needed.map((i) => body.outputs[i]!)))
  const kept = n.args.flatMap((_, i) => ((i < carries ? needed.includes(i) : read.has(body.inputs[i]!)) ? [i] : []))
  if (kept.length === n.args.length && needed.length === body.outputs.length) return undefined
  const own = graphKit.close({
    inputs: kept.map((i) => body.inputs[i]!),
    outputs: needed.map((i) => body.outputs[i]!),
  })
  const made = build.scan(
    kept.map((i) => n.args[i]!),
    {
      ...n.params,
      body: own,
      carries: kept.filter((i) => i < carries).length,
      slices: kept.filter((i) => i >= carries && i < carries + slices).length,
    },
  )
  return outputsOf(build, made, needed.length)
}

/** One walk. Pruning a loop may leave another one dead, which the next walk finds. */
const pruneOnce = (graph: Graph): Graph => {
  const order = topological(graph.outputs)
  const used = new Map<Node, Set<number>>()
  const use = (n: Node, index: number): void => {
    if (n.op === 'scan') used.set(n, (used.get(n) ?? new Set()).add(index))
  }
  for (const n of graph.outputs) use(n, 0)
  for (const n of order) for (const a of n.args) use(a, n.op === 'get' ? n.params.index : 0)
  const placed = new Map<Node, Node>()
  const at = (n: Node): Node => placed.get(n) ?? n
  const outputs = new Map<Node, ReadonlyMap<number, Node>>()
  for (const n of order) {
    const source = n.op === 'get' ? outputs.get(n.args[0]!) : undefined
    const own = rebuild(n, n.args.map(at))
    placed.set(n, (source && n.op === 'get' && source.get(n.params.index)) || own)
    if (own.op !== 'scan') continue
    const needed = neededOutputs(own, used.get(n)!)
    const made = pruned(own, needed)
    if (!made) continue
    outputs.set(n, new Map(needed.map((i, k) => [i, made[k]!])))
    placed.set(n, outputs.get(n)!.get(0) ?? own)
  }
  return { inputs: graph.inputs, outputs: graph.outputs.map(at) }
}

/** Removes dead parts of all loops. Idempotent. */
export const pruneScans: Pass<Graph, Graph> = {
  name: 'prune scans',
  run: (graph) => {
    let current = graph
    for (;;) {
      const next = pruneOnce(current)
      if (next.outputs.every((n, i) => n === current.outputs[i])) return right(current)
      current = next
    }
  },
}
