/**
 * Every primitive through every column of the coverage table: on the interpreters all of it, on the device a sample. The
 * table that stands in test/coverage.md is the one that comes out; after a change on purpose: `npm run --silent coverage`.
 */
import { describe, expect, it } from 'vitest'
import type { Op } from '../../../src/lang/ir.ts'
import { type Sample, showSample, united } from '../../../src/testing/sample.ts'
import { difference, type Expectation, expectation } from '../../../src/testing/tolerance.ts'
import { runDevice } from '../../differential.ts'
import { stagesOf } from '../../random/harness.ts'
import {
  deviceSamples,
  holesOf,
  impossible,
  linear,
  ops,
  type Row,
  render,
  rowOf,
  withoutDerivative,
} from './coverage/table.ts'

const rows: Row[] = []

describe('every primitive', () => {
  it.each(ops)('%s is right in every column', (op) => {
    const row = rowOf(op)
    rows.push(row)
    expect(holesOf(row)).toEqual([])
  })

  it('has a row in the table, which is the one in test/coverage.md', async () => {
    expect(rows.map((r) => r.op)).toEqual(ops)
    await expect(render(rows)).toMatchFileSnapshot('../../coverage.md')
  })
})

it('a hole is seen', () => {
  const row = rowOf('tanh')
  expect(holesOf({ ...row, right: { ...row.right, prime: 0, second: 0 } })).toEqual([
    'tanh: prime: 0 programs, some expected',
    'tanh: second: 0 programs, some expected',
  ])
  expect(holesOf({ ...row, missing: ['i8'] })).toEqual(['tanh: accepts i8, which nothing exercises'])
  const named: readonly Op[] = [...withoutDerivative, ...linear, ...impossible.keys()]
  expect(named.filter((op) => !ops.includes(op))).toEqual([])
})

interface Judged {
  readonly sample: Sample
  readonly expected: Expectation
}

const judge = (sample: Sample): readonly Judged[] => {
  const expected = expectation(sample)
  return 'discarded' in expected ? [] : [{ sample, expected }]
}

const onDevice = async (list: readonly Judged[]): Promise<string | undefined> => {
  const whole = united(list.map((j) => j.sample))
  const { graph } = stagesOf(whole.graph).at(-1)!
  const expected = {
    values: list.flatMap((j) => j.expected.values),
    allowed: list.flatMap((j) => j.expected.allowed),
  }
  return difference(expected, await runDevice(graph, whole.inputs), graph)
}

describe('in WGSL', () => {
  const batches = Array.from({ length: Math.ceil(ops.length / 12) }, (_, i) => ops.slice(12 * i, 12 * (i + 1)))

  it.each(batches.map((list) => [`${list[0]} to ${list.at(-1)}`, list] as const))('%s', async (_, list) => {
    const judged = list.flatMap((op) => deviceSamples(op).flatMap(judge))
    expect(judged.length).toBeGreaterThan(list.length)
    if ((await onDevice(judged)) === undefined) return
    for (const one of judged) {
      const wrong = await onDevice([one])
      if (wrong) throw new Error(`${wrong}\n${showSample(one.sample)}`)
    }
    throw new Error('wrong only together')
  })
})
