/** Random programs and gradients in WGSL on the shared device (Dawn) agree with the reference interpreter. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Subnormals } from '../../codegen/plan/plan.ts'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../../passes/profile.ts'
import type { Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import { profileOf } from '../../src/runtime/open-device.ts'
import { arbGraph, type GraphOptions } from '../../src/testing/arb-graph.ts'
import { descentOf } from '../../src/testing/derivative.ts'
import { type Sample, showSample, united } from '../../src/testing/sample.ts'
import { smallest } from '../../src/testing/shrink.ts'
import { difference, type Expectation, expectation } from '../../src/testing/tolerance.ts'
import { sharedDevice } from '../device.ts'
import { runDevice } from '../differential.ts'
import { makeTally, runs, stagesOf } from './harness.ts'

const minutes = 60_000
const seed = 43

interface Judged {
  readonly sample: Sample
  readonly expected: Expectation
}

/**
 * Runs samples as one program, a pipeline being dear; the first disagreement in words. Once as any device can, arguments
 * kept, and once as this one can, arguments given away, now and then with subnormal numbers kept.
 */
const onDevice = async (list: readonly Judged[], subnormals: Subnormals): Promise<string | undefined> => {
  const own = profileOf(await sharedDevice())
  return (await onTarget(list, portable, 'device')) ?? (await onTarget(list, own, subnormals))
}

const onTarget = async (
  list: readonly Judged[],
  profile: Profile,
  subnormals: Subnormals,
): Promise<string | undefined> => {
  const whole = united(list.map((j) => j.sample))
  const stages = stagesOf(whole.graph)
  const { graph } = stages[stages.length - 1]!
  const expected: Expectation = {
    values: list.flatMap((j) => j.expected.values),
    allowed: list.flatMap((j) => j.expected.allowed),
  }
  try {
    return difference(expected, await runDevice(graph, whole.inputs, profile, profile !== portable, subnormals), graph)
  } catch (error) {
    return error instanceof Error ? error.stack : String(error)
  }
}

const alone = async (sample: Sample, subnormals: Subnormals): Promise<string | undefined> => {
  const expected = expectation(sample)
  return 'discarded' in expected ? undefined : onDevice([{ sample, expected }], subnormals)
}

/** Who of a failed batch is to blame: the shrunk sample, or the batch itself where each member is right alone. */
const blame = async (batch: readonly Judged[], subnormals: Subnormals, what: string): Promise<string> => {
  const fault = (s: Sample): Promise<string | undefined> => alone(s, subnormals)
  for (const { sample } of batch) {
    if ((await fault(sample)) === undefined) continue
    const small = await smallest(sample, async (s) => (await fault(s)) !== undefined, 150)
    return `${await fault(small)}\n${showSample(small)}`
  }
  return `only together: ${what}\n${showSample(united(batch.map((j) => j.sample)))}`
}

const agreesOnDevice = async (
  name: string,
  numRuns: number,
  subject: (s: Sample) => Sample | undefined,
  options: GraphOptions = { maxNodes: 30 },
): Promise<void> => {
  const tally = makeTally()
  const judged: Judged[] = []
  for (const drawn of fc.sample(arbGraph(options), { seed, numRuns })) {
    const sample = subject(drawn)
    const expected = sample && tally.judge(sample)
    if (expected) judged.push({ sample, expected })
  }
  for (let i = 0; i < judged.length; i += 8) {
    const batch = judged.slice(i, i + 8)
    const subnormals = i % 32 === 0 ? 'keep' : 'device'
    const wrong = await onDevice(batch, subnormals)
    if (wrong) throw new Error(`seed ${seed}: ${await blame(batch, subnormals, wrong)}`)
  }
  console.log(`${name}: ${judged.length} judged, discarded ${JSON.stringify(tally.discarded)}`)
  expect(judged.length).toBeGreaterThan(numRuns / 3)
  expect(tally.rate()).toBeLessThan(0.2)
}

describe('random programs in WGSL', () => {
  test('values', { timeout: 60 * minutes }, () => agreesOnDevice('values', runs(240, 2000), (s) => s))
  test('steps of descent', { timeout: 60 * minutes }, () =>
    agreesOnDevice('steps of descent', runs(200, 1000), descentOf, { maxNodes: 30, without: ['while'] }),
  )
  // Only derivatives bring customLinear about, and they transpose it away.
  const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => op !== 'customLinear')
  test('values of every primitive', { timeout: 60 * minutes }, () =>
    agreesOnDevice('every primitive', runs(96, 1000), (s) => s, { maxNodes: 25, ops }),
  )
  test('steps of descent through loops and branches', { timeout: 60 * minutes }, () => {
    const some = { maxNodes: 15, ops: ops.filter((op) => op !== 'while') }
    return agreesOnDevice('through loops', runs(100, 500), descentOf, some)
  })
})
