/** What the bench says of times, and what it takes: medians, ratios, arguments; that its rows are programs, and what agreeing means. */
import { describe, expect, test } from 'vitest'
import { beyondPeak, timedRows } from './bench.ts'
import { compileTable } from './compile/measure.ts'
import { compilePrograms } from './compile/programs.ts'
import { parseOptions } from './options.ts'
import { hostArguments } from './peers/arguments.ts'
import { agree, signatureOf } from './peers/library.ts'
import type { PeerRow } from './peers/measure.ts'
import { peakOfThread, rateOf } from './peers/peak.ts'
import { timesPicture } from './picture.ts'
import { programs, timedPrograms } from './programs.ts'
import { against, columns, figure, median } from './statistics.ts'

describe('statistics', () => {
  test('the median is the middle, or between the two in the middle', () => {
    expect(median([5, 1, 9])).toBe(5)
    expect(median([4, 1, 9, 2])).toBe(3)
    expect(median([])).toBeNaN()
  })

  test('ratios are against the better of those that there are', () => {
    expect(against(6, { jax: 12, tfjs: 24 })).toEqual({ ratio: 0.5, better: 'jax' })
    expect(against(6, { jax: undefined, tfjs: 3 })).toEqual({ ratio: 2, better: 'tfjs' })
    expect(against(6, { jax: undefined })).toBeUndefined()
  })

  test('figures and columns', () => {
    expect([0.123, 1.234, 12.34, 1234.5].map(figure)).toEqual(['0.12', '1.23', '12.3', '1235'])
    expect(
      columns([
        ['name', 'ms'],
        ['a', '10'],
      ]),
    ).toBe('name  ms\na     10')
  })

  test('a refused program keeps its line', () => {
    const outcome = { refused: 'LimitError: too large', total: 1500, peakRss: 2e8 }
    expect(compileTable([{ program: 'huge', outcome, totals: [1500] }]).split('\n')).toEqual([
      'program    ms  trace  passes  plan  cpu  nodes  dispatches  kernels  WGSL bytes  rss MB',
      'huge     1500      -       -     -    -      -           -        -           -     200',
      'huge: LimitError: too large',
    ])
  })
})

describe('the peak of a thread', () => {
  test('is measured, and what products of matrices reach', () => {
    expect(peakOfThread()).toBeGreaterThan(0.1)
    expect(rateOf('matmul512', 10)).toBeCloseTo(26.84, 1)
    expect(rateOf('softmax', 10)).toBeUndefined()
  })

  const times = (ms: number) => ({ first: ms, warm: ms, firsts: [ms], warms: [ms] })
  const row = (program: string): PeerRow => ({
    program,
    times: { ours: times(2), one: times(3.5), tfjs: times(40) },
    failures: { jax: 'not in this library' },
    ...{ warm: undefined, first: undefined, one: undefined, difference: 0, agrees: true },
  })

  test('is wrong where a product of matrices is faster', () => {
    expect(beyondPeak([row('matmul512')], 1e6)).toEqual([])
    // 2·512³ operations in 2, 3.5 and 40 ms: 134, 77 and 6.7 GFLOP/s.
    expect(beyondPeak([row('matmul512')], 7)).toHaveLength(2)
    expect(beyondPeak([row('matmul512')], 1)).toHaveLength(3)
    expect(beyondPeak([row('softmax')], 1e-6)).toEqual([])
  })

  test('times as a picture: a bar for each library that has the program', () => {
    const svg = timesPicture([row('matmul512'), row('softmax')], 'Warm calls')
    expect(svg.match(/<rect x=/g)).toHaveLength(6)
    expect(svg.match(/>matmul512<|>softmax</g)).toHaveLength(2)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    const lengths = [...svg.matchAll(/<rect x="110" y="\d+" width="([\d.]+)"/g)].map(([, w]) => Number(w))
    expect(lengths[0]).toBeLessThan(lengths[1]!)
    expect(lengths[1]).toBeLessThan(lengths[2]!)
  })
})

describe('arguments', () => {
  const known = ['chain', 'softmax']

  test('all rows by default, on the software adapter', () => {
    const { rows, ...rest } = parseOptions([], known)
    expect(rows).toBeUndefined()
    expect(rest).toMatchObject({ device: 'software', json: false, compileOnly: false, peersOnly: false })
  })

  test('what is asked for', () => {
    const args = ['--device', 'hardware', '--json', '--rows', 'softmax,chain', '--runs', '3', '--compile-only']
    expect(parseOptions(args, known)).toMatchObject({
      device: 'hardware',
      json: true,
      rows: ['softmax', 'chain'],
      runs: 3,
      compileOnly: true,
    })
  })
})

describe('programs', () => {
  test('every row is a program, and every program has one name', () => {
    expect(timedRows.filter((name) => !timedPrograms.some((p) => p.name === name))).toEqual([])
    const names = compilePrograms.map((p) => p.name)
    expect(new Set(names).size).toBe(names.length)
  })

  test('arguments are the same every time, and an optimiser starts at zero', () => {
    const { specs } = programs.find((p) => p.name === 'mlp_train')!
    const [state, x, y] = hostArguments(specs)
    expect(state).toMatchObject({ optimiser: { step: { shape: [], data: new Int32Array(1) } } })
    expect(x).toMatchObject({ shape: [64, 784], dtype: 'f32' })
    expect(hostArguments(specs)[2]).toEqual(y)
  })

  test('results agree where they are close, and only there', () => {
    const a = signatureOf([0.5, -1, 2])
    expect(agree(a, signatureOf([0.5, -1, 2.00001]))).toBe(true)
    expect(agree(a, signatureOf([0.5, -1, 2.01]))).toBe(false)
    expect(agree(a, signatureOf([0.5, Number.NaN, 2]))).toBe(false)
    expect(agree([2.3, 2.2], [2.3])).toBe(false)
  })
})
