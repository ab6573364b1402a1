/**
 * The passes are for speed: with any one of them left out that is not needed for a legal program, and with no clusters
 * joined, the kernels of a random program give the same results.
 */
import { describe, expect, test } from 'vitest'
import * as E from '#fp/Either'
import { hardware } from '../../codegen/targets/wgsl/profiles.ts'
import { graphsOf } from '../../passes/graph/inner-graphs.ts'
import { graphPipeline, keepsSignature, runPipeline } from '../../passes/pipeline.ts'
import type { Profile } from '../../passes/profile.ts'
import { build, typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { showError } from '../../src/lang/errors.ts'
import type { Graph, Node, Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import { showGraph } from '../../src/lang/print/graph-text.ts'
import { topological } from '../../src/lang/topological.ts'
import { gradientOf } from '../../src/testing/derivative.ts'
import type { Sample } from '../../src/testing/sample.ts'
import { difference, type Expectation } from '../../src/testing/tolerance.ts'
import { runKernelInterp } from '../differential.ts'
import { agrees, plain, runs } from './harness.ts'

const minutes = 60_000

/** Nothing is worth joining. */
const apart: Profile = { ...hardware, name: 'apart', costs: { ...hardware.costs, statements: 0 } }

/** The passes without which some graphs have no kernels: where a graph has one of these ops. */
const needed: Readonly<Record<string, readonly Op[]>> = {
  'inline calls': ['customCall', 'customLinear', 'cond'],
  'mask loops': ['while'],
}

const holds = (graph: Graph, ops: readonly Op[]): boolean =>
  topological(graph.outputs).some((n) => ops.includes(n.op) || graphsOf(n).some((g) => holds(g, ops)))

const passes = graphPipeline().filter(keepsSignature)
const names: readonly string[] = [...new Set(passes.map((p) => p.name))]

/** What the passes make of `graph`, those of these names left out. */
const optimised = (graph: Graph, left: readonly string[]): Graph => {
  const result = runPipeline(
    passes.filter((p) => !left.includes(p.name)),
    graph,
  )
  if (E.isLeft(result)) throw new Error(showError(result.left))
  return result.right
}

/** The float results of a sample, each spread over thousands of elements and reduced again. */
const lengthened = ({ graph, inputs }: Sample): Sample | undefined => {
  const outputs = graph.outputs.flatMap((n, i): readonly Node[] => {
    const { shape, dtype } = typeOf(n)
    if (!isFloat(dtype) || sizeOf(shape) === 0) return []
    const length = Math.ceil(5000 / sizeOf(shape)) + i
    const wide = { shape: [...shape, length], dtype }
    const steps = build.iota([], { ...wide, axis: shape.length })
    const spread = build.broadcast([build.tanh([n], {})], { shape: wide.shape, axes: [shape.length] })
    const monoid = (['sum', 'max', 'logSumExp'] as const)[i % 3]!
    return [
      build.reduce([build.sin([build.mul([spread, steps], {})], {})], { monoid, axes: wide.shape.map((_, a) => a) }),
    ]
  })
  return outputs.length === 0 ? undefined : { graph: { inputs: graph.inputs, outputs }, inputs }
}

const sameOutputs = (a: Graph, b: Graph): boolean => a.outputs.every((n, i) => n === b.outputs[i])

/** How often leaving a pass out made another program. */
const used = new Map<string, number>()

const judge = ({ graph, inputs }: Sample, expected: Expectation): string | undefined => {
  const whole = optimised(graph, [])
  const attempt = (name: string, g: Graph, profile: Profile): string | undefined => {
    used.set(name, (used.get(name) ?? 0) + 1)
    try {
      const found = difference(expected, runKernelInterp(g, inputs, profile), g)
      return found && `${name}: ${found}\n${showGraph(g)}`
    } catch (error) {
      return `${name}: ${error instanceof Error ? error.stack : String(error)}\n${showGraph(g)}`
    }
  }
  const optional = names.filter((name) => !holds(graph, needed[name] ?? []))
  for (const left of [...optional.map((name) => [name]), optional]) {
    const rest = optimised(graph, left)
    const name = left.length === 1 ? left[0]! : 'any pass'
    const found = sameOutputs(rest, whole) ? undefined : attempt(`without ${name}`, rest, hardware)
    if (found) return found
  }
  return attempt('without joining', whole, apart)
}

describe('random programs with one pass left out', () => {
  const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => op !== 'customLinear')

  test('values', { timeout: 60 * minutes }, () => {
    agrees(
      'values',
      runs(200, 4000),
      plain((s) => s),
      { maxNodes: 25 },
      judge,
    )
  })

  test('values of every primitive', { timeout: 60 * minutes }, () => {
    agrees(
      'every primitive',
      runs(60, 1000),
      plain((s) => s),
      { maxNodes: 20, ops },
      judge,
      44,
    )
  })

  test('gradients', { timeout: 60 * minutes }, () => {
    const some = { maxNodes: 20, ops: ops.filter((op) => op !== 'while') }
    agrees(
      'gradients',
      runs(150, 3000),
      plain((s) => gradientOf(s)?.sample),
      some,
      judge,
      43,
    )
  })

  test('long reductions', { timeout: 60 * minutes }, () => {
    agrees('long', runs(24, 400), plain(lengthened), { maxNodes: 8, maxElements: 64 }, judge, 46)
  })

  test('every pass made a difference to some program', () => {
    console.log(Object.fromEntries(used))
    // What is needed changes what no kernel can run, checks change nothing; what fold does alone, simplify has mostly done.
    const idle = names.filter((name) => !(name in needed) && !name.startsWith('check') && name !== 'fold')
    expect(idle.filter((name) => !used.has(`without ${name}`))).toEqual([])
  })
})
