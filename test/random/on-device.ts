/** Random programs on a device: batches against the reference interpreter, and the shrunk sample where they disagree. */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Subnormals } from '../../codegen/plan/plan.ts'
import { arbGraph, type GraphOptions } from '../../src/testing/arb-graph.ts'
import { type Sample, showSample, united } from '../../src/testing/sample.ts'
import { smallest } from '../../src/testing/shrink.ts'
import { difference, type Expectation, expectation } from '../../src/testing/tolerance.ts'
import { runOn, type Way } from '../differential.ts'
import { makeTally, stagesOf } from './harness.ts'

/** A sample and what is expected of it. */
export interface Judged {
  readonly sample: Sample
  readonly expected: Expectation
}

/** The first disagreement of samples, in words. */
export type OnDevice = (list: readonly Judged[], subnormals: Subnormals) => Promise<string | undefined>

/** Runs samples as one program, a pipeline being dear. */
export const disagreementOn = async (list: readonly Judged[], way: Way): Promise<string | undefined> => {
  const whole = united(list.map((j) => j.sample))
  const stages = stagesOf(whole.graph)
  const { graph } = stages[stages.length - 1]!
  const expected: Expectation = {
    values: list.flatMap((j) => j.expected.values),
    allowed: list.flatMap((j) => j.expected.allowed),
  }
  try {
    return difference(expected, await runOn(way, graph, whole.inputs), graph)
  } catch (error) {
    return error instanceof Error ? error.stack : String(error)
  }
}

const alone = async (run: OnDevice, sample: Sample, subnormals: Subnormals): Promise<string | undefined> => {
  const expected = expectation(sample)
  return 'discarded' in expected ? undefined : run([{ sample, expected }], subnormals)
}

/** Who of a failed batch is to blame: the shrunk sample, or the batch itself where each member is right alone. */
const blame = async (
  run: OnDevice,
  batch: readonly Judged[],
  subnormals: Subnormals,
  what: string,
): Promise<string> => {
  const fault = (s: Sample): Promise<string | undefined> => alone(run, s, subnormals)
  for (const { sample } of batch) {
    if ((await fault(sample)) === undefined) continue
    const small = await smallest(sample, async (s) => (await fault(s)) !== undefined, 150)
    return `${await fault(small)}\n${showSample(small)}`
  }
  return `only together: ${what}\n${showSample(united(batch.map((j) => j.sample)))}`
}

/** What is drawn: how many programs of which kind, from a seed. */
export interface Draw {
  readonly name: string
  readonly seed: number
  readonly count: number
  readonly subject: (s: Sample) => Sample | undefined
  readonly options?: GraphOptions
}

/** Fails where a program drawn disagrees with the reference; now and then with subnormal numbers kept. */
export const agreesOn = async (run: OnDevice, draw: Draw): Promise<void> => {
  const { name, seed, count, subject, options = { maxNodes: 30 } } = draw
  const tally = makeTally()
  const judged: Judged[] = []
  for (const drawn of fc.sample(arbGraph(options), { seed, numRuns: count })) {
    const sample = subject(drawn)
    const expected = sample && tally.judge(sample)
    if (expected) judged.push({ sample, expected })
  }
  for (let i = 0; i < judged.length; i += 8) {
    const batch = judged.slice(i, i + 8)
    const subnormals = i % 32 === 0 ? 'keep' : 'device'
    const wrong = await run(batch, subnormals)
    if (wrong) throw new Error(`seed ${seed}: ${await blame(run, batch, subnormals, wrong)}`)
  }
  console.log(`${name}: ${judged.length} judged, discarded ${JSON.stringify(tally.discarded)}`)
  expect(judged.length).toBeGreaterThan(count / 3)
  expect(tally.rate()).toBeLessThan(0.2)
}
