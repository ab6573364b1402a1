/**
 * Every primitive through every column of the coverage table: on the interpreters all of it, on the devices a sample. The
 * table that stands in test/coverage.md is the one that comes out; after a change on purpose: `npm run --silent coverage`.
 */
import { describe, expect, it } from 'vitest'
import { cpu } from '../../../codegen/targets/wasm/profile.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Op } from '../../../src/lang/ir.ts'
import { type Sample, showSample, united } from '../../../src/testing/sample.ts'
import { difference, type Expectation, expectation } from '../../../src/testing/tolerance.ts'
import { sharedDevice, sharedProcessor } from '../../device.ts'
import { runOn, type Way } from '../../differential.ts'
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

type Target = 'WGSL' | 'WebAssembly'

const wayTo: { readonly [T in Target]: () => Promise<Way> } = {
  WGSL: async () => ({ device: await sharedDevice(), profile: portable, donate: false, subnormals: 'device' }),
  WebAssembly: async () => ({ device: await sharedProcessor(), profile: cpu, donate: false, subnormals: 'device' }),
}

const onDevice = async (list: readonly Judged[], target: Target): Promise<string | undefined> => {
  const whole = united(list.map((j) => j.sample))
  const { graph } = stagesOf(whole.graph).at(-1)!
  const expected = {
    values: list.flatMap((j) => j.expected.values),
    allowed: list.flatMap((j) => j.expected.allowed),
  }
  return difference(expected, await runOn(await wayTo[target](), graph, whole.inputs), graph)
}

const batches = Array.from({ length: Math.ceil(ops.length / 12) }, (_, i) => ops.slice(12 * i, 12 * (i + 1)))
const judgements = new Map<readonly Op[], readonly Judged[]>()
/** The samples of some ops with what is expected of them, once for all devices. */
const judgedOf = (list: readonly Op[]): readonly Judged[] => {
  const known = judgements.get(list) ?? list.flatMap((op) => deviceSamples(op).flatMap(judge))
  judgements.set(list, known)
  return known
}

describe.each(['WGSL', 'WebAssembly'] as const)('in %s', (target) => {
  it.each(batches.map((list) => [`${list[0]} to ${list.at(-1)}`, list] as const))('%s', async (_, list) => {
    const judged = judgedOf(list)
    expect(judged.length).toBeGreaterThan(list.length)
    if ((await onDevice(judged, target)) === undefined) return
    for (const one of judged) {
      const wrong = await onDevice([one], target)
      if (wrong) throw new Error(`${wrong}\n${showSample(one.sample)}`)
    }
    throw new Error('wrong only together')
  })
})
