/** Random programs of bf16, i8 and u8: the interpreters and WGSL agree on them as they do on wider dtypes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { showSample, united } from '../../src/testing/sample.ts'
import { difference, type Expectation } from '../../src/testing/tolerance.ts'
import { runDevice } from '../differential.ts'
import { disagreement, makeTally, runs, stagesOf } from './harness.ts'

const minutes = 60_000
const dtypes = ['bf16', 'i8', 'u8', 'f32', 'i32', 'bool'] as const

describe('random programs of packed dtypes', () => {
  test('on every interpreter', { timeout: 60 * minutes }, () => {
    const tally = makeTally()
    const numRuns = runs(120, 3000)
    fc.assert(
      fc.property(arbGraph({ maxNodes: 20, dtypes }), (sample) => {
        const expected = tally.judge(sample)
        const found = expected && disagreement(sample, expected)
        if (found) throw new Error(found)
      }),
      { seed: 44, numRuns },
    )
    console.log(`packed: ${tally.judged()} judged, discarded ${JSON.stringify(tally.discarded)}`)
    expect(tally.judged()).toBeGreaterThan(numRuns / 3)
  })

  test('in WGSL', { timeout: 60 * minutes }, async () => {
    const tally = makeTally()
    const drawn = fc.sample(arbGraph({ maxNodes: 20, dtypes }), { seed: 45, numRuns: runs(24, 400) })
    const judged = drawn.flatMap((sample) => {
      const expected = tally.judge(sample)
      return expected ? [{ sample, expected }] : []
    })
    // One program for several samples: pipelines are dear.
    for (let i = 0; i < judged.length; i += 8) {
      const batch = judged.slice(i, i + 8)
      const whole = united(batch.map((j) => j.sample))
      const { graph } = stagesOf(whole.graph).at(-1)!
      const actual = await runDevice(graph, whole.inputs)
      const expected: Expectation = {
        values: batch.flatMap((j) => j.expected.values),
        allowed: batch.flatMap((j) => j.expected.allowed),
      }
      expect(difference(expected, actual, graph), showSample(whole)).toBeUndefined()
    }
    expect(judged.length).toBeGreaterThan(drawn.length / 2)
  })
})
