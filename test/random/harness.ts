/** What the random tests share: every layer a sample goes through on the CPU, and the count of discarded samples. */
import fc from 'fast-check'
import { expect } from 'vitest'
import * as E from '#fp/Either'
import { hardware, portable, software } from '../../codegen/targets/wgsl/profiles.ts'
import { graphsOf } from '../../passes/graph/inner-graphs.ts'
import { graphPipeline, keepsSignature, runPipeline, type Stage } from '../../passes/pipeline.ts'
import type { Profile } from '../../passes/profile.ts'
import { verifyGraph } from '../../passes/verify-graph.ts'
import { showError, TensorloomError } from '../../src/lang/errors.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Graph, Op } from '../../src/lang/ir.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { showGraph } from '../../src/lang/print/graph-text.ts'
import { topological } from '../../src/lang/topological.ts'
import { arbGraph, type GraphOptions } from '../../src/testing/arb-graph.ts'
import type { Sample } from '../../src/testing/sample.ts'
import { type Discarded, difference, type Expectation, expectation } from '../../src/testing/tolerance.ts'
import { runKernelInterp, runLoop } from '../differential.ts'

/** Whether this is the long form of the tests (`npm run test:long`). */
const long = process.env['TL_LONG'] === '1'

/** How many samples a test draws: `short` in `npm test`. */
export const runs = (short: number, whenLong: number): number => (long ? whenLong : short)

/** The graph after every pass that keeps its arguments and results, the given one first. */
export const stagesOf = (graph: Graph): readonly Stage[] => {
  const stages: Stage[] = [{ name: 'traced', graph }]
  const result = runPipeline(graphPipeline().filter(keepsSignature), graph, (s) => stages.push(s))
  if (E.isLeft(result)) throw new Error(showError(result.left))
  return stages
}

/** One layer that can run a graph, planned for one target. */
export interface Layer {
  readonly name: string
  readonly run: (graph: Graph, inputs: readonly Value[]) => readonly Value[]
}

const loop = (profile: Profile): Layer => ({
  name: `Loop interpreter (${profile.name})`,
  run: (g, xs) => runLoop(g, xs, profile),
})
const kernel = (profile: Profile): Layer => ({
  name: `Kernel interpreter (${profile.name})`,
  run: (g, xs) => runKernelInterp(g, xs, profile),
})

const donating = (profile: Profile): Layer => ({
  name: `Kernel interpreter (${profile.name}, arguments given away)`,
  run: (g, xs) => runKernelInterp(g, xs, profile, true),
})

/** What runs a graph as it was built, and what runs it after the passes: different targets, so that all are seen. */
const asBuilt: readonly Layer[] = [loop(portable), kernel(portable)]
const simplified: readonly Layer[] = [kernel(hardware), donating(software)]

/** Ops that no layer below the graph knows: the pipeline takes them away, in the graphs of loops too. */
const passing: ReadonlySet<Op> = new Set<Op>(['customCall', 'customLinear', 'while', 'cond'])

const holdsPassing = (graph: Graph): boolean =>
  topological(graph.outputs).some((n) => passing.has(n.op) || graphsOf(n).some(holdsPassing))

const isSame = (a: Graph, b: Graph): boolean =>
  [
    [a.inputs, b.inputs],
    [a.outputs, b.outputs],
  ].every(([xs, ys]) => xs!.length === ys!.length && xs!.every((x, i) => x === ys![i]))

/**
 * Every CPU layer's first disagreement with the reference on this sample; undefined when all agree. Layers below the graph
 * see it as it was built where they can, and as the passes leave it.
 */
export const disagreement = (sample: Sample, expected: Expectation): string | undefined => {
  const { graph, inputs } = sample
  const stages = stagesOf(graph)
  const last = stages[stages.length - 1]!.graph
  const compare = (name: string, g: Graph, run: () => readonly Value[]): string | undefined => {
    try {
      const found = difference(expected, run(), g)
      return found && `${name}: ${found}`
    } catch (error) {
      return `${name}: ${error instanceof Error ? error.stack : String(error)}`
    }
  }
  for (const [i, s] of stages.entries()) {
    // Nodes are interned: what a pass left as it was is the very same graph.
    if (i > 0 && isSame(s.graph, stages[i - 1]!.graph)) continue
    const wrong = verifyGraph(s.graph, s === stages[0] ? 'traced' : 'checked')
    if (wrong.length > 0) return `after ${s.name}: ${wrong.join('; ')}`
    const found = compare(`after ${s.name}`, s.graph, () => evaluate(s.graph, inputs))
    if (found) return `${found}\n${showGraph(s.graph)}`
  }
  for (const [kind, g, layers] of [
    ['as built', graph, holdsPassing(graph) ? [] : asBuilt],
    ['simplified', last, simplified],
  ] as const) {
    for (const layer of layers) {
      const found = compare(`${layer.name}, ${kind}`, g, () => layer.run(g, inputs))
      if (found) return `${found}\n${showGraph(g)}`
    }
  }
  return undefined
}

/** Counts samples that could not be judged. */
export interface Tally {
  readonly judge: (sample: Sample) => Expectation | undefined
  readonly discarded: Record<Discarded['discarded'], number>
  readonly judged: () => number
  readonly rate: () => number
}

export const makeTally = (): Tally => {
  const discarded = { discrete: 0, overflow: 0, special: 0 }
  let judged = 0
  return {
    discarded,
    judged: () => judged,
    rate: () => {
      const lost = discarded.discrete + discarded.overflow + discarded.special
      return lost / Math.max(1, lost + judged)
    },
    judge: (sample) => {
      const e = expectation(sample)
      if ('discarded' in e) {
        discarded[e.discarded]++
        return undefined
      }
      judged++
      return e
    },
  }
}

/** What a property judges: a sample made from the drawn one, and what it must give. */
export interface Subject {
  readonly sample: Sample
  readonly expected: Expectation
}

/**
 * Fails with the shrunk sample where `judge` finds a disagreement; prints how many samples were judged. `subject` makes
 * what is judged of what is drawn, or nothing.
 */
export const agrees = (
  name: string,
  numRuns: number,
  subject: (s: Sample, tally: Tally) => Subject | 'discarded' | 'without',
  options: GraphOptions = { maxNodes: 30 },
  judge: (sample: Sample, expected: Expectation) => string | undefined = disagreement,
  seed = 42,
): void => {
  const tally = makeTally()
  let without = 0
  fc.assert(
    fc.property(arbGraph(options), (drawn) => {
      const made = inRange(() => subject(drawn, tally))
      if (made === 'without') without++
      if (typeof made === 'string') return
      const found = judge(made.sample, made.expected)
      if (found) throw new Error(found)
    }),
    { seed, numRuns },
  )
  console.log(`${name}: ${tally.judged()} judged, discarded ${JSON.stringify(tally.discarded)}, ${without} without`)
  expect(tally.judged()).toBeGreaterThan(numRuns / 3)
  expect(tally.rate()).toBeLessThan(0.2)
}

/** What `make` gives, or nothing where an index that other numbers would compute leaves its axis: that sample has no value. */
export const inRange = <A>(make: () => A): A | 'without' => {
  try {
    return make()
  } catch (e) {
    if (e instanceof TensorloomError && e.error.tag === 'IndexError') return 'without'
    throw e
  }
}

/** A subject that is a sample like any other. */
export const plain =
  (of: (s: Sample) => Sample | undefined) =>
  (drawn: Sample, tally: Tally): Subject | 'discarded' | 'without' => {
    const sample = of(drawn)
    if (!sample) return 'without'
    const expected = tally.judge(sample)
    return expected ? { sample, expected } : 'discarded'
  }
