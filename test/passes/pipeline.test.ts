/** The list of graph passes: its order, why the order matters, and that the whole of it changes no result. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { observationsOf } from '../../passes/graph/observe.ts'
import {
  beforeWidening,
  graphPipeline,
  keepsSignature,
  type PipelineOptions,
  runPipeline,
  type Stage,
} from '../../passes/pipeline.ts'
import { verifyGraph } from '../../passes/verify-graph.ts'
import { build as b, constant, typeOf } from '../../src/lang/build.ts'
import { showOperand } from '../../src/lang/errors.ts'
import type { Graph, Node, TensorType } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/topological.ts'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { comparable, f32, program, results } from './graph/programs.ts'

const optimised = (graph: Graph, options: PipelineOptions = {}, watch: (s: Stage) => void = () => {}): Graph => {
  const result = runPipeline(graphPipeline(options), graph, watch)
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const opsOf = (graph: Graph): readonly string[] => topological(graph.outputs).map((n) => n.op)
const fill = (value: number): Node => b.broadcast([constant(f32(), [value])], { shape: [4], axes: [0] })

describe('the pipeline', () => {
  it('checks first, and ends in canonical form, of words', () => {
    const names = graphPipeline().map((p) => p.name)
    expect(names).toEqual([
      'check',
      'observe',
      'inline calls',
      'evaluate constants',
      'merge scans',
      'prune scans',
      'mask loops',
      'drop stopGradient',
      'canonicalise',
      'simplify',
      'fold',
      'canonicalise',
      'split reductions',
      'check indices',
      'widen',
    ])
    expect(Object.isFrozen(graphPipeline())).toBe(true)
  })

  it('shows the graph after every pass', () => {
    const graph = program([f32(4)], (x) => b.stopGradient([b.add([fill(0), x], {})], {}))
    const stages: Stage[] = []
    const last = optimised(graph, {}, (s) => stages.push(s))
    expect(stages.map((s) => s.name)).toEqual(graphPipeline().map((p) => p.name))
    expect(opsOf(stages[6]!.graph)).toContain('stopGradient')
    expect(opsOf(stages[7]!.graph)).not.toContain('stopGradient')
    expect(stages.at(-1)!.graph === last).toBe(true)
  })

  it('stops at a mistake, before any pass that takes types for granted', () => {
    const graph = program([f32(4), f32(5)], (x, y) => b.neg([b.add([x, y], {})], {}))
    const stages: Stage[] = []
    const result = runPipeline(graphPipeline(), graph, (s) => stages.push(s))
    expect(E.isLeft(result) && result.left.tag).toBe('CheckError')
    expect(stages).toEqual([])
  })

  it('turns observations into results before calls go, and packed dtypes into words at the end', () => {
    const bf16: TensorType = { shape: [5], dtype: 'bf16' }
    const graph = program([bf16], (x) => b.exp([b.observe([x], { kind: 'print', label: 'x' })], {}))
    const stages: Stage[] = []
    const last = optimised(graph, {}, (s) => stages.push(s))
    const types = (g: Graph): readonly string[] => [...g.inputs, ...g.outputs].map((n) => showOperand(typeOf(n)))
    const byName = new Map(stages.map((s) => [s.name, s.graph]))
    expect(types(byName.get('check')!)).toEqual(['bf16[5]', 'bf16[5]'])
    expect(opsOf(byName.get('observe')!)).not.toContain('observe')
    expect(types(byName.get('check indices')!)).toEqual(['bf16[5]', 'bf16[5]', 'bf16[5]'])
    expect(types(last)).toEqual(['u32[3]', 'u32[3]', 'u32[3]'])
    expect(beforeWidening(stages) === byName.get('check indices')).toBe(true)
    expect(observationsOf(graph).map(({ label, dtype }) => [label, dtype])).toEqual([['x', 'bf16']])
    const changing = graphPipeline().filter((p) => !keepsSignature(p))
    expect(changing.map((p) => p.name)).toEqual(['observe', 'widen'])
  })

  it('finds an index that only folding makes a constant', () => {
    const graph = program([f32(4)], (x) => {
      const index = b.add(
        [constant({ shape: [1], dtype: 'i32' }, [3]), constant({ shape: [1], dtype: 'i32' }, [2])],
        {},
      )
      return b.gather([x, index], { batch: 0 })
    })
    const stages: Stage[] = []
    const result = runPipeline(graphPipeline(), graph, (s) => stages.push(s))
    expect(E.isLeft(result) && result.left).toMatchObject({ tag: 'IndexError', index: 5, size: 4, position: [0] })
    expect(stages.at(-1)!.name).toBe('split reductions')
  })

  it.each<[string, PipelineOptions, (x: Node) => Node, readonly string[]]>([
    ['simplifies what canonical order reveals', {}, (x) => b.mul([fill(1), x], {}), ['input']],
    [
      'folds what simplifying gathers',
      {},
      (x) => b.add([b.add([x, fill(1)], {}), fill(2)], {}),
      ['input', 'const', 'broadcast', 'add', 'const', 'broadcast', 'add'],
    ],
    [
      'keeps what only NaN and infinities tell apart',
      {},
      (x) => b.mul([x, fill(0)], {}),
      ['input', 'const', 'broadcast', 'mul'],
    ],
    ['unless told that there are none', { fastMath: true }, (x) => b.mul([x, fill(0)], {}), ['const', 'broadcast']],
  ])('%s', (_, options, f, ops) => {
    expect(opsOf(optimised(program([f32(4)], f), options))).toEqual(ops)
  })

  it('changes no result and no type, and running it again changes nothing', () => {
    fc.assert(
      fc.property(arbGraph({ maxNodes: 25, ops: exactOps }), ({ graph }) => {
        const once = optimised(graph)
        expect(verifyGraph(once, 'checked')).toEqual([])
        expect(once.outputs.map(typeOf)).toEqual(graph.outputs.map(typeOf))
        // Nodes are interned: an equal graph has the very same ones.
        expect(once.inputs.every((n, i) => n === graph.inputs[i])).toBe(true)
        expect(optimised(once).outputs.every((n, i) => n === once.outputs[i])).toBe(true)
        expect(comparable(results(once, 0), false)).toEqual(comparable(results(graph, 0), false))
      }),
      { seed: 42, numRuns: 150 },
    )
  })
})

/** Ops whose results do not depend on the order of rounding. */
const exactOps = [
  'input', 'const', 'iota', 'neg', 'abs', 'sign', 'floor', 'not', 'isNan', 'max', 'min', 'eq', 'lt', 'and', 'or', 'xor',
  'select', 'reshape', 'permute', 'broadcast', 'slice', 'pad', 'flip', 'concat', 'window', 'stopGradient',
] as const // biome-ignore format: a list
