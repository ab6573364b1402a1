/** Lazy pipelines: nothing before it is asked for, the same again in every loop, rows and sequences put together. */
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as data from '../../src/data/index.ts'
import * as T from '../../src/index.ts'
import * as random from '../../src/random/index.ts'

const points = {
  x: { shape: [5, 2], data: Float32Array.from({ length: 10 }, (_, i) => i) },
  y: { shape: [5], data: Int32Array.of(0, 1, 2, 3, 4) },
}

describe('map, filter, shuffle', () => {
  test('compute nothing before a loop, and the same in every loop', () => {
    const seen: number[] = []
    const numbers = T.pipe(
      [1, 2, 3, 4, 5, 6],
      data.map((n, i) => {
        seen.push(n)
        return n * 10 + i
      }),
      data.filter((n, i) => n > 20 && i !== 5),
      data.shuffle(random.key(1)),
    )
    expectTypeOf(numbers).toEqualTypeOf<Iterable<number>>()
    expect(seen).toEqual([])
    const first = [...numbers]
    expect(seen).toEqual([1, 2, 3, 4, 5, 6])
    expect([...numbers]).toEqual(first)
    expect([...first].sort()).toEqual([21, 32, 43, 54])
    expect([
      ...data.shuffle(
        data.map([1, 2, 3, 4, 5, 6], (n) => n),
        random.key(2),
      ),
    ]).not.toEqual([1, 2, 3, 4, 5, 6])
  })

  test('ask for no more than is taken', () => {
    let made = 0
    const all = data.map(
      data.filter(points.y.data, (n) => n % 2 === 0),
      (n) => {
        made++
        return n
      },
    )
    for (const n of all) if (n === 2) break
    expect(made).toBe(2)
  })

  test('mistakes', () => {
    expect(() => data.map([1], 2 as never)).toThrow('map: what is applied is 2, not a function')
    expect(() => data.map(3 as never, (n) => n)).toThrow('map: the source is 3, which no loop can go over')
    expect(() => data.filter(points as never, () => true)).toThrow('hint: data.rows(dataset) gives the rows')
    expect(() => data.shuffle([1], 42 as never)).toThrow('shuffle: the key is 42\n  hint: random.key(42) makes one')
  })
})

describe('mapAsync', () => {
  test('keeps the order, as many at once as asked for, and fails in its turn', async () => {
    let [now, most] = [0, 0]
    const slow = async (n: number): Promise<number> => {
      most = Math.max(most, ++now)
      await pause(n === 0 ? 12 : 2)
      now--
      if (n === 4) throw new Error('four')
      return n
    }
    const seen: number[] = []
    const loop = async (): Promise<void> => {
      for await (const n of data.mapAsync(points.y.data, slow, { concurrency: 3 })) seen.push(n)
    }
    await expect(loop()).rejects.toThrow('four')
    expect([seen, most]).toEqual([[0, 1, 2, 3], 3])
    expect(() => data.mapAsync([], slow, { concurrency: 0 })).toThrow("mapAsync: the option 'concurrency' is 0")
  })
})

describe('rows and batch', () => {
  test('are inverse, whatever the size', () => {
    for (const size of [1, 2, 3, 5, 9]) {
      const found = [...data.batch(data.rows(points), { size })]
      expect(found).toEqual([...data.batches(points, { size, rest: 'keep' })])
    }
    expect([...data.rows(points)][3]).toEqual({
      x: { shape: [2], data: Float32Array.of(6, 7) },
      y: { shape: [], data: Int32Array.of(3) },
    })
  })

  test('numbers and flat arrays become columns', () => {
    const made = T.pipe(
      data.rows(points),
      data.map(({ y }) => ({ n: y.data[0]! / 2, pair: Uint8Array.of(y.data[0]!, 9) })),
      data.batch({ size: 2 }),
    )
    expectTypeOf(made).toEqualTypeOf<Iterable<data.BatchOf<{ n: number; pair: Uint8Array<ArrayBuffer> }>>>()
    expect([...made].at(-1)).toEqual({
      n: { shape: [1], data: Float32Array.of(2) },
      pair: { shape: [1, 2], data: Uint8Array.of(4, 9) },
    })
    expect([...data.batch(data.rows(points), { size: 2, rest: 'drop' })]).toHaveLength(2)
    expect([...data.batch([], { size: 2 })]).toEqual([])
  })

  test('mistakes', () => {
    const uneven = [{ x: Float32Array.of(1, 2) }, { x: Float32Array.of(1) }]
    expect(() => [...data.batch(uneven, { size: 2 })]).toThrow(
      "batch: 'x' is Float32Array[1] in row 1 of a batch, Float32Array[2] in its first\n  hint: data.padSequences",
    )
    expect(() => [...data.batch([{ x: 'text' }] as never, { size: 2 })]).toThrow(
      "batch: 'x' of a row is 'text', neither",
    )
    // Where the first row lacks a part, the batch would be without it.
    expect(() => [...data.batch([{ x: 1 }, { x: 2, y: 3 }] as never, { size: 2 })]).toThrow(
      "batch: row 1 of a batch has 'y', which its first does not have",
    )
    expect(() => data.batch([], { size: 2, rest: 'pad' as never })).toThrow("batch: the rest is 'pad'")
    expect(() => data.batch({} as never)).toThrow("batch: the option 'size' is missing")
  })
})

test.each<[string, (source: never) => unknown]>([
  ['map', (source) => data.map(source, (x) => x)],
  ['mapAsync', (source) => data.mapAsync(source, async (x) => x)],
  ['batch', (source) => data.batch(source, { size: 2 })],
  ['bucket', (source) => data.bucket(source, { size: 2, edges: [1] })],
  ['prefetch', (source) => data.prefetch(source)],
])('%s says that no loop can go over its source', (name, over) => {
  for (const source of [3, null, { x: 1 }])
    expect(() => over(source as never)).toThrow(new RegExp(`^${name}: the source is .*, which no loop can go over`))
})

describe('windows', () => {
  test('lie side by side, or overlap, of elements of any shape', () => {
    const ids = Int16Array.of(1, 2, 3, 4, 5, 6, 7)
    const rows = data.windows(ids, { size: 3 })
    expectTypeOf(rows.data[Symbol.toStringTag]).toEqualTypeOf<'Int16Array'>()
    expect(rows).toEqual({ shape: [2, 3], data: Int16Array.of(1, 2, 3, 4, 5, 6) })
    expect(data.windows([1, 2, 3, 4], { size: 2, stride: 1 }).data).toEqual(Float32Array.of(1, 2, 2, 3, 3, 4))
    expect([...data.windows(ids, { size: 2, stride: 4 }).data]).toEqual([1, 2, 5, 6])
    const pairs = { shape: [3, 2], data: Uint8Array.of(1, 2, 3, 4, 5, 6) }
    expect(data.windows(pairs, { size: 2, stride: 1 })).toEqual({
      shape: [2, 2, 2],
      data: Uint8Array.of(1, 2, 3, 4, 3, 4, 5, 6),
    })
  })

  test('are none of what is too short, or empty', () => {
    for (const sequence of [Int32Array.of(1, 2), new Int32Array(0)])
      expect(data.windows(sequence, { size: 3 })).toEqual({ shape: [0, 3], data: new Int32Array(0) })
    expect(() => data.windows([1], {} as never)).toThrow("windows: the option 'size' is missing")
  })
})

describe('sequences', () => {
  test('padded on either side, cut where asked, columns of any rank', () => {
    const { values, lengths } = data.padSequences([Int32Array.of(5, 6, 7), Int32Array.of(), Int32Array.of(8)], {
      value: -1,
    })
    expectTypeOf(values).toEqualTypeOf<data.Column<Int32Array<ArrayBuffer>>>()
    expect(values).toEqual({ shape: [3, 3], data: Int32Array.of(5, 6, 7, -1, -1, -1, 8, -1, -1) })
    expect(lengths).toEqual({ shape: [3], data: Int32Array.of(3, 0, 1) })
    const left = data.padSequences([[1, 2, 3], [4]], { length: 2, side: 'left', truncate: true })
    expect([left.values.data, left.lengths.data]).toEqual([Float32Array.of(2, 3, 0, 4), Int32Array.of(2, 1)])
    const right = data.padSequences([[1, 2, 3], [4]], { length: 2, truncate: true })
    expect(right.values.data).toEqual(Float32Array.of(1, 2, 4, 0))
    const pairs = [
      { shape: [1, 2], data: Uint8Array.of(1, 2) },
      { shape: [2, 2], data: Uint8Array.of(3, 4, 5, 6) },
    ]
    expect(data.padSequences(pairs, { side: 'left' }).values).toEqual({
      shape: [2, 2, 2],
      data: Uint8Array.of(0, 0, 1, 2, 3, 4, 5, 6),
    })
    expect(data.padSequences([]).values.shape).toEqual([0, 0])
  })

  test('grouped by length: all of them once, none longer than its edge', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 12 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (words, size) => {
          const groups = [...data.bucket(words, { size, edges: [2, 5, 9] })]
          expect(groups.flat().sort()).toEqual([...words].sort())
          for (const group of groups) {
            const buckets = new Set(group.map((w) => [2, 5, 9].findIndex((e) => w.length <= e)))
            expect([buckets.size, group.length <= size]).toEqual([1, true])
          }
          expect(
            [...data.bucket(words, { size, edges: [2, 5, 9], rest: 'drop' })].every((g) => g.length === size),
          ).toBe(true)
        },
      ),
      { seed: 4, numRuns: 50 },
    )
    const rows = [{ t: [1, 2] }, { t: [1] }]
    const bucketed = T.pipe(rows, data.bucket({ size: 1, edges: [1], length: (row: { t: number[] }) => row.t.length }))
    expect([...bucketed, ...bucketed]).toHaveLength(4)
  })

  test('mistakes', () => {
    expect(() => data.padSequences([[1, 2], [1]], { length: 1 })).toThrow(
      'padSequences: sequence 0 has 2 elements, more than the length 1\n  hint: truncate: true cuts it',
    )
    expect(() => data.padSequences([Int32Array.of(1), Uint8Array.of(1)] as never)).toThrow(
      'padSequences: sequence 1 is Uint8Array[n], the first is Int32Array[n]',
    )
    expect(() => data.bucket([], { size: 1, edges: [3, 3] })).toThrow('bucket: edge 1 is 3, which does not rise')
    expect(() => [...data.bucket([3], { size: 1, edges: [3] })]).toThrow('bucket: 3 has no length')
  })
})

describe('parts', () => {
  const many = (count: number, classes: number) => ({
    n: { shape: [count], data: Int32Array.from({ length: count }, (_, i) => i) },
    y: { shape: [count], data: Uint8Array.from({ length: count }, (_, i) => (i * i) % classes) },
  })
  const sharesOf = (y: data.Column, c: number): number => [...y.data].filter((v) => v === c).length

  test('a stratified split has of every class its share, up to a row, and every row once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(9),
        (count, classes, seed) => {
          const all = many(count, classes)
          const fractions = [0.6, 0.3, 0.1] as const
          const options = { stratify: 'y', ...(seed > 4 ? { key: random.key(seed) } : {}) }
          const parts = data.split(all, fractions, options)
          expect(parts.flatMap(({ n }) => [...n.data]).sort((a, b) => a - b)).toEqual([...all.n.data])
          expect(parts.map(({ n }) => n.data.length)).toEqual(data.split(all, fractions).map(({ n }) => n.data.length))
          for (let c = 0; c < classes; c++) {
            const total = sharesOf(all.y, c)
            parts.forEach(({ y }, i) => {
              expect(Math.abs(sharesOf(y, c) - fractions[i]! * total)).toBeLessThanOrEqual(2)
            })
          }
          if (seed <= 4) for (const { n } of parts) expect([...n.data]).toEqual([...n.data].sort((a, b) => a - b))
        },
      ),
      { seed: 42, numRuns: 60 },
    )
  })

  test('a class with a row for each fold is in every one', () => {
    for (const count of [10, 23, 57])
      for (const folds of [2, 3, 5, 10]) {
        const y = Int32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 1 : i % 7 === 0 ? 2 : 0))
        const all = { y: { shape: [count], data: y } }
        for (const { test } of data.kFold(all, folds, { stratify: 'y', key: random.key(count) }))
          for (const c of [0, 1, 2]) expect(Math.abs(sharesOf(test.y, c) - sharesOf(all.y, c) / folds)).toBeLessThan(1)
      }
  })

  test('folds: every row is tested once, and trained on in all others', () => {
    for (const options of [{}, { key: random.key(3) }, { stratify: 'y' }, { key: random.key(3), stratify: 'y' }]) {
      const all = many(23, 3)
      const folds = data.kFold(all, 4, options)
      const found = [...folds]
      expect([...folds]).toEqual(found)
      expect(found.map(({ test }) => test.n.data.length)).toEqual([6, 6, 6, 5])
      expect(found.flatMap(({ test }) => [...test.n.data]).sort((a, b) => a - b)).toEqual([...all.n.data])
      for (const { train, test } of found) {
        expect([...train.n.data, ...test.n.data].sort((a, b) => a - b)).toEqual([...all.n.data])
        for (const part of [train, test]) expect([...part.y.data]).toEqual([...part.n.data].map((i) => (i * i) % 3))
        if ('stratify' in options)
          for (const c of [0, 1]) expect(Math.abs(sharesOf(test.y, c) - sharesOf(all.y, c) / 4)).toBeLessThan(1)
      }
    }
  })

  test('mistakes', () => {
    expect(() => data.split(points, [1], { stratify: 'z' })).toThrow(
      "split: there is no column 'z' to stratify by\n  hint: the columns are x, y",
    )
    expect(() => data.split(points, [1], { stratify: 'x' })).toThrow(
      "split: a row of 'x' has shape [2], which is no class",
    )
    expect(() => data.kFold(points, 6)).toThrow('kFold: 6 folds of 5 rows')
    expect(() => data.kFold(points, 1)).toThrow('kFold: 1 folds of 5 rows')
    expect(() => data.kFold(points, 2, { stratify: 'z' })).toThrow("kFold: there is no column 'z'")
  })
})

test('columns of every kind as tensors', () => {
  const all = data.asTensors({
    a: { shape: [1], data: Float64Array.of(0.5) },
    b: { shape: [1, 1], data: Uint8Array.of(255) },
    c: { shape: [], data: Int16Array.of(-3) },
  })
  expectTypeOf(all.b).toEqualTypeOf<T.Tensor<T.Shape, 'u8'>>()
  expect(T.reference(all)).toEqual({
    a: { shape: [1], dtype: 'f32', data: Float32Array.of(0.5) },
    b: { shape: [1, 1], dtype: 'u8', data: Uint8Array.of(255) },
    c: { shape: [], dtype: 'i32', data: Int32Array.of(-3) },
  })
  expect(() => data.asTensors({ a: { shape: [2], data: Float32Array.of(1) } })).toThrow('asTensors: a has 1 elements')
})
