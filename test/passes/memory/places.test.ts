/** Places of tensors: never two live ones over each other, aligned, of one kind an arena, used again when free. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Fusion } from '../../../passes/loop/fuse/fuse.ts'
import type { Buffer } from '../../../passes/loop/ir/cluster.ts'
import { overlaps } from '../../../passes/memory/place-bytes.ts'
import { type MemoryPlan, type Place, planMemory } from '../../../passes/memory/places.ts'
import { build as b, constant } from '../../../src/lang/build.ts'
import { byteSize } from '../../../src/lang/dtype.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { arbGraph } from '../../../src/testing/arb-graph.ts'
import { planOf } from '../../differential.ts'
import { bool, f32, i32, program } from '../graph/programs.ts'

interface Planned {
  readonly graph: Graph
  readonly fusion: Fusion
  readonly memory: MemoryPlan
  readonly placeOf: (n: Node) => Place
}

const planned = (graph: Graph, donated: boolean): Planned => {
  const { fusion } = planOf(graph, portable, donated)
  // Results that a plan copies (an argument given back) are other nodes than the graph's.
  const outputs = graph.outputs.filter((n) => fusion.buffers.has(n))
  const inputs = graph.inputs.map((node) => ({ node, donated }))
  const memory = planMemory({ fusion, inputs, outputs, profile: portable })
  return { graph, fusion, memory, placeOf: (n) => memory.places.get(fusion.buffers.get(n)!)! }
}

interface Life {
  readonly node: Node
  readonly buffer: Buffer
  /** Kernels [from, to]: written before or by `from`, last needed by `to`. */
  readonly from: number
  readonly to: number
}

/** When each tensor holds something that is still needed, read off the kernels alone. */
const livesOf = ({ graph, fusion }: Planned): readonly Life[] => {
  const outputs = new Set(graph.outputs)
  const replaced = new Map(fusion.inPlace.map((d) => [d.input, d.output]))
  const at = (test: (f: Fusion['kernels'][number][number]) => boolean): readonly number[] =>
    fusion.kernels.flatMap((kernel, i) => (kernel.some(test) ? [i] : []))
  return [...fusion.buffers].map(([node, buffer]) => {
    const written = at((f) => f.stored.includes(node))[0] ?? -1
    const read = at((f) => f.reads.has(node)).at(-1) ?? written
    const successor = replaced.get(node)
    // An argument's place belongs to it to the end, or until its successor moves in.
    const stays = !successor && (outputs.has(node) || written < 0)
    return { node, buffer, from: written, to: stays ? fusion.kernels.length : read }
  })
}

const faultsOf = (p: Planned): readonly string[] => {
  const faults: string[] = []
  const successors = new Map(p.fusion.inPlace.map((d) => [d.input, d.output]))
  const lives = livesOf(p)
  for (const { node, buffer } of lives) {
    const place = p.memory.places.get(buffer)
    if (!place) faults.push(`${node.op} has no place`)
    else {
      if (place.offset % portable.offsetAlignment !== 0) faults.push(`${node.op} is not aligned`)
      if (place.bytes % 16 !== 0 || place.bytes < buffer.size * byteSize(buffer.dtype))
        faults.push(`${node.op} has ${place.bytes} bytes`)
      if (place.offset + place.bytes > p.memory.arenas[place.arena]!) faults.push(`${node.op} leaves its arena`)
      const kind = buffer.dtype === 'f32' && buffer.size % 4 === 0 ? 0 : 1
      if (place.arena % 2 !== kind) faults.push(`${node.op} is in arena ${place.arena}`)
    }
  }
  for (const [i, x] of lives.entries()) {
    for (const y of lives.slice(i + 1)) {
      if (!overlaps(p.memory.places.get(x.buffer)!, p.memory.places.get(y.buffer)!)) continue
      const inPlace = successors.get(x.node) === y.node || successors.get(y.node) === x.node
      // In place, the last reader may be the writer; otherwise a kernel needs both.
      const [first, second] = x.from <= y.from ? [x, y] : [y, x]
      if (inPlace ? first.to > second.from : first.to >= second.from)
        faults.push(
          `${first.node.op} of kernels ${first.from}-${first.to} meets ${second.node.op} of ${second.from}-${second.to}`,
        )
    }
  }
  return faults
}

describe('places', () => {
  it.each([
    ['kept', false],
    ['given away', true],
  ])('of random programs are sound, arguments %s', (_, donated) => {
    fc.assert(
      fc.property(arbGraph({ maxNodes: 40, without: ['while', 'cond'] }), ({ graph }) => {
        expect(faultsOf(planned(graph, donated))).toEqual([])
      }),
      { seed: 42, numRuns: 150 },
    )
  })

  const square = (x: Node): Node => b.dot([x, x], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })

  it('are used again: a chain of products needs two, whatever its length', () => {
    const bytes = 4 * 64 * 64
    for (const [length, tensors] of [
      [1, 1],
      [2, 2],
      [9, 2],
    ] as const) {
      const graph = program([f32(64, 64)], (x) => {
        let y = x
        for (let i = 0; i < length; i++) y = square(y)
        return y
      })
      const p = planned(graph, false)
      expect(p.fusion.kernels).toHaveLength(length)
      expect(p.memory.arenas).toEqual([bytes, 0, 0, 0, tensors * bytes, 0])
      expect(faultsOf(p)).toEqual([])
    }
  })

  it('keep arguments, state, what is made, and whole vectors of f32 apart from the rest', () => {
    const table = constant(f32(8), [1, 2, 3, 4, 5, 6, 7, 8])
    const graph = program([f32(8), f32(7), i32(8), bool(5)], (x, odd, n, flags) => [
      b.add([b.mul([x, table], {}), b.cast([n], { dtype: 'f32' })], {}),
      b.exp([odd], {}),
      b.not([flags], {}),
    ])
    const arenas = (donated: boolean): readonly number[] => {
      const p = planned(graph, donated)
      return [...graph.inputs, table, ...graph.outputs].map((n) => p.placeOf(n).arena)
    }
    expect(arenas(false)).toEqual([0, 1, 1, 1, 0, 4, 5, 5])
    // Given away, the results take the arguments' places; the constant stays where it was.
    expect(arenas(true)).toEqual([2, 3, 3, 3, 0, 2, 3, 3])
  })

  it('of state are those of its successors, or the plan copies them there', () => {
    const graph = program([f32(8), f32(8)], (x, y) => [b.add([x, y], {}), b.add([y, b.flip([y], { axes: [0] })], {})])
    const p = planned(graph, true)
    const [sum, other] = graph.outputs
    expect(p.fusion.inPlace.map((d) => d.output)).toEqual([sum])
    expect(p.placeOf(sum!)).toEqual(p.placeOf(graph.inputs[0]!))
    expect(p.placeOf(other!).arena).toBe(4)
    const { plan } = planOf(graph, portable, true)
    expect(plan.steps.filter((s) => s.kind === 'copy')).toEqual([
      { kind: 'copy', from: p.placeOf(other!), to: p.placeOf(graph.inputs[1]!) },
    ])
  })

  it('exist for what is empty, and for one number', () => {
    const graph = program([f32(0, 3), f32()], (x, y) => [b.neg([x], {}), b.neg([y], {})])
    const p = planned(graph, false)
    expect([...graph.inputs, ...graph.outputs].map((n) => p.placeOf(n).bytes)).toEqual([16, 16, 16, 16])
    expect(faultsOf(p)).toEqual([])
  })
})
