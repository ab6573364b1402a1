/**
 * The kernels of a loop: those of one iteration, and the places of its loop-carried, loop-invariant and stacked values.
 */
import type { Graph, LoopNode, Node, NodeOf } from '../../../src/lang/ir.ts'
import { turnOf } from '../from-graph/loop-turn.ts'
import type { Buffer } from '../ir/cluster.ts'
import type { Fusion, LoopKernels } from './fusion.ts'
import { isBufferLeaf } from './stored-nodes.ts'

/** Numbers buffers, with one counter for a program and all its nested graphs. */
export interface BufferNumbers {
  next: number
}

/** Nodes stored as one row of a larger tensor of `length` rows: row `counter`. */
export type RowTargets = ReadonlyMap<Node, { readonly buffer: Buffer; readonly counter: Node; readonly length: number }>

/** The context of a loop: the enclosing program's buffers and constants, and how the graph of an iteration is fused. */
interface Around {
  readonly numbers: BufferNumbers
  readonly constants: Map<Buffer, number>
  readonly bufferOf: (n: Node) => Buffer
  readonly fuseTurn: (turn: Graph, rows: RowTargets) => Fusion
}

/** The kernels of a loop, the memory they need between them, and the constants that they read. */
export const loopKernels = (
  n: LoopNode,
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  { numbers, constants, bufferOf, fuseTurn }: Around,
): { readonly kernels: LoopKernels; readonly scratch: readonly Buffer[]; readonly leaves: readonly Node[] } => {
  const turn = turnOf(n)
  const count = turn.carries.length - (turn.counter ? 1 : 0)
  const targets: RowTargets = new Map(
    turn.rows.map((row, i) => [
      row,
      { buffer: outputs[count + i]!, counter: turn.counter!.node, length: (n as NodeOf<'scan'>).params.length },
    ]),
  )
  const fusion = fuseTurn(turn.graph, targets)
  const inner = (node: Node): Buffer => fusion.buffers.get(node)!
  const spare = (b: Buffer): Buffer => ({ ...b, id: numbers.next++ })
  const scratch: Buffer[] = []
  const carries = turn.carries.map(({ read, write }, i) => {
    const start = i < count ? inputs[i]! : spare(inner(read))
    if (i >= count) constants.set(start, turn.counter!.start)
    const places = [outputs[i] && i < count ? outputs[i]! : spare(start), spare(start)] as const
    scratch.push(places[1], ...(i < count ? [] : [places[0]]))
    return { read: inner(read), write: inner(write), start, places }
  })
  const fixed = new Map(turn.fixed.map(({ read, at }) => [inner(read), inputs[at]!]))
  const leaves = [...fusion.buffers.keys()].filter((x) => isBufferLeaf(x) && x.op !== 'input')
  for (const leaf of leaves) fixed.set(inner(leaf), bufferOf(leaf))
  for (const [b, value] of fusion.constants) constants.set(b, value)
  const named = new Set([...fixed.keys(), ...carries.flatMap((c) => [c.read, c.write]), ...outputs])
  scratch.push(
    ...[...fusion.buffers.values()].filter((b) => !named.has(b)),
    ...fusion.kernels.flat().flatMap((f) => f.routine?.scratch ?? []),
  )
  const turns =
    n.op === 'scan' ? n.params.length : { chunk: n.params.chunk, flag: carries[carries.length - 1]!.places[0] }
  const own = new Set(scratch)
  const spans = new Map([...turnSpans(fusion)].filter(([b]) => own.has(b) && !named.has(b)))
  return { kernels: { fusion, carries, fixed, spans, turns }, scratch, leaves }
}

/** The live range of each tensor within an iteration, as fractions of it. */
const turnSpans = ({ kernels, buffers }: Fusion): ReadonlyMap<Buffer, readonly [number, number]> => {
  const spans = new Map<Buffer, readonly [number, number]>()
  kernels.forEach((kernel, i) => {
    const now = (i + 1) / (kernels.length + 2)
    const use = (b: Buffer): void => {
      spans.set(b, [spans.get(b)?.[0] ?? now, now])
    }
    for (const f of kernel) {
      for (const n of [...f.reads, ...f.stored]) use(buffers.get(n)!)
      for (const b of f.routine?.scratch ?? []) use(b)
    }
  })
  return spans
}
