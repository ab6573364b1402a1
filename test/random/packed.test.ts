/** Random programs of bf16, i8 and u8: the interpreters agree on them as they do on wider dtypes. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arbGraph } from '../../src/testing/arb-graph.ts'
import { disagreement, makeTally, runs } from './harness.ts'

const minutes = 60_000

test('packed dtypes on every interpreter', { timeout: 60 * minutes }, () => {
  const tally = makeTally()
  const numRuns = runs(120, 3000)
  const graphs = arbGraph({ maxNodes: 20, dtypes: ['bf16', 'i8', 'u8', 'f32', 'i32', 'bool'] })
  fc.assert(
    fc.property(graphs, (sample) => {
      const expected = tally.judge(sample)
      const found = expected && disagreement(sample, expected)
      if (found) throw new Error(found)
    }),
    { seed: 44, numRuns },
  )
  console.log(`packed: ${tally.judged()} judged, discarded ${JSON.stringify(tally.discarded)}`)
  expect(tally.judged()).toBeGreaterThan(numRuns / 3)
})
