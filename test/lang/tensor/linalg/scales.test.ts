/**
 * Factorisations of matrices of any size that f32 holds: what they give for A · 2ᵏ is what they give for A times a power of 2, on
 * the interpreter and on a device. What f32 cannot hold is infinite or 0. NaN, zeros and infinities.
 */
import { expect, it, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import { agreesWithReference } from '../../../../src/testing/index.ts'

type X = T.Tensor

const scales = [-120, -100, -63, -30, 0, 30, 63, 100, 126, 127]
const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const largestFloat = 2 ** 128 - 2 ** 104
const leastFloat = 2 ** -126

/** Numbers in [0, 1) from a seed (mulberry32). */
const dice = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

interface Matrices {
  /** Heavy on the diagonal, its rows reversed. */
  readonly a: X
  readonly symmetric: X
  readonly tall: X
  readonly b: X
}

/** Elements whose smallest is not far below the largest: a device takes numbers below 2⁻¹²⁶ for 0. */
const drawn = (seed: number, rows: number, columns: number, heavy: boolean): number[][] => {
  const next = dice(seed)
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) =>
      heavy && i === j ? 1.5 + 0.4 * next() : (next() < 0.5 ? -1 : 1) * (0.2 + 0.25 * next()),
    ),
  )
}

const drawnAll = (n: number): Readonly<Record<keyof Matrices, number[][]>> => {
  const square = drawn(n, n, n, true)
  return {
    a: drawn(n + 10, n, n, true).reverse(),
    symmetric: square.map((row, i) => row.map((x, j) => (i < j ? square[j]![i]! : x))),
    tall: drawn(n + 20, n + 2, n, true),
    b: drawn(n + 30, n, 2, false),
  }
}

const asTensors = (of: Readonly<Record<keyof Matrices, number[][][]>>): Matrices =>
  Object.fromEntries(
    Object.entries(of).map(([name, m]) => [
      name,
      T.fromArray(Float32Array.from(m.flat(2), Math.fround), [m.length, m[0]!.length, m[0]![0]!.length]),
    ]),
  ) as never

type Results = readonly X[]

/** Functions, and the power of the scale that each of their results has, which may depend on n; `log`: it is added. */
interface Row {
  readonly f: (m: Matrices) => Results
  readonly degrees: (n: number) => readonly (number | 'log')[]
  /** For which scales 2ᵏ; all by default. */
  readonly holds?: (n: number, k: number) => boolean
}
const row = (f: Row['f'], ...degrees: readonly (number | 'log')[]): Row => ({ f, degrees: () => degrees })

/** The slope of a sum of results, with weights that are the same for every scale. */
const slope = (f: (x: X) => X, of: keyof Matrices) => (m: Matrices) => {
  const weighted = (x: X): X => {
    const y = f(x)
    const one = y.shape.slice(1)
    const weights = T.cos(T.reshape(T.arange(one.reduce((size, d) => size * d, 1)), one))
    return T.sum(T.mul(y, weights)) as X
  }
  return [T.grad(weighted)(m[of]) as X]
}

const norms = ['fro', 'nuc', 1, -1, 2, -2, inf, -inf] as const
const table: Readonly<Record<string, Row>> = {
  cholesky: row((m) => [T.cholesky(m.symmetric), T.cholesky(m.symmetric, { upper: true })], 0.5, 0.5),
  lu: row((m) => T.lu(m.a), 0, 0, 1),
  qr: row((m) => [...T.qr(m.tall), ...T.qr(m.tall, { mode: 'complete' })], 0, 1, 0, 1),
  'qr of a wide matrix': row((m) => T.qr(T.matrixTranspose(m.tall) as X), 0, 1),
  eigh: row((m) => [...T.eigh(m.symmetric), T.eigvalsh(m.symmetric)], 1, 0, 1),
  svd: row((m) => [...T.svd(m.tall), T.svdvals(m.a)], 0, 1, 0, 1),
  solve: row((m) => [T.solve(m.a, m.b), T.solve(m.a, T.cos(T.mul(m.b, 0)))], 0, -1),
  solveTriangular: row(
    (m) => [
      T.solveTriangular(m.symmetric, m.b),
      T.solveTriangular(m.symmetric, m.b, { upper: true, transposed: true }),
      T.solveTriangular(T.cos(T.mul(m.a, 0)), m.b, { unitriangular: true }),
    ],
    0,
    0,
    1,
  ),
  inv: row((m) => [T.inv(m.a), T.matrixPower(m.a, -1)], -1, -1),
  det: { f: (m) => [T.det(m.a)], degrees: (n) => [n] },
  slogdet: row((m) => T.slogdet(m.a), 0, 'log'),
  pinv: row((m) => [T.pinv(m.tall)], -1),
  lstsq: row((m) => [T.lstsq(T.matrixTranspose(m.tall) as X, m.b)], 0),
  matrixRank: row((m) => [T.matrixRank(m.tall)], 0),
  matrixNorm: row((m) => norms.map((ord) => T.matrixNorm(m.tall, { ord })), ...norms.map(() => 1)),
}
/** Cotangents of the size of the matrix: of those near 2⁻¹²⁶ little is left. */
const slopes: Readonly<Record<string, Row>> = {
  'the slope of cholesky': row(
    slope((x) => T.cholesky(x), 'symmetric'),
    -0.5,
  ),
  'the slope of qr': row(
    slope((x) => T.qr(x)[0], 'tall'),
    -1,
  ),
  'the slope of eigvalsh': row(
    slope((x) => T.eigvalsh(x), 'symmetric'),
    0,
  ),
  'the slope of eigenvectors': row(
    slope((x) => T.eigh(x)[1], 'symmetric'),
    -1,
  ),
  'the slope of left singular vectors': row(
    slope((x) => T.svd(x, { fullMatrices: false })[0], 'tall'),
    -1,
  ),
  'the slope of inv': row(
    slope((x) => T.inv(x), 'a'),
    -2,
  ),
  // Derivatives multiply by what the determinant is: where that leaves f32, so do they.
  'the slope of det': {
    f: slope((x) => T.det(x), 'a'),
    degrees: (n) => [n - 1],
    holds: (n, k) => Math.abs(n * k) <= 120,
  },
  'the slope of slogdet': row(
    slope((x) => T.slogdet(x)[1], 'a'),
    -1,
  ),
  'the slope of pinv': row(
    slope((x) => T.pinv(x), 'tall'),
    -2,
  ),
  'the slope of the norm': row(
    slope((x) => T.matrixNorm(x), 'tall'),
    0,
  ),
}

const resultsOf = (rows: Readonly<Record<string, Row>>) => (m: Matrices) =>
  Object.values(rows).map(({ f }) => [...f(m)])
type Hosts = readonly (readonly T.HostTensor[])[]

/** One matrix's part of a result for a batch. */
const part = ({ shape, data }: T.HostTensor, i: number): readonly number[] => {
  const size = data.length / shape[0]!
  return Array.from(data.slice(i * size, (i + 1) * size))
}

const unscaled = scales.indexOf(0)
/** Compares every scale with 2⁰ in the interpreter. */
const check = (rows: Readonly<Record<string, Row>>, n: number, got: Hosts, base: Hosts): void =>
  Object.entries(rows).forEach(([name, { degrees, holds = () => true }], r) => {
    degrees(n).forEach((degree, o) => {
      for (const [s, k] of scales.entries()) {
        if (!holds(n, k) || (name in slopes && k < -100)) continue
        const wanted = part(base[r]![o]!, unscaled).map((x) =>
          degree === 'log' ? x + n * k * Math.LN2 : x * 2 ** (degree * k),
        )
        const size = Math.max(...wanted.map(Math.abs))
        part(got[r]![o]!, s).forEach((x, i) => {
          const want = wanted[i]!
          const label = `${name}, result ${o}, element ${i}, n ${n}, 2^${k}`
          expect(x, label).not.toBeNaN()
          if (Math.abs(want) > largestFloat * (1 - 1e-5) && Math.abs(x) === inf)
            expect(Math.sign(x), label).toBe(Math.sign(want))
          else
            expect(Math.abs(x - want), `${label}: ${x} is not ${want}`).toBeLessThanOrEqual(
              1e-5 * size + 2 * leastFloat,
            )
        })
      }
    })
  })

const given = (of: (name: keyof Matrices, m: readonly (readonly number[])[]) => number[][][], n: number): Matrices =>
  asTensors(
    Object.fromEntries(Object.entries(drawnAll(n)).map(([name, m]) => [name, of(name as keyof Matrices, m)])) as never,
  )

test.each([1, 2, 3, 4, 5])('what factorisations of matrices of %i give has their scale', async (n) => {
  const all = n === 3 ? { ...table, ...slopes } : table
  const matrices = given((_, m) => scales.map((k) => m.map((r) => r.map((x) => x * 2 ** k))), n)
  const base = T.reference(resultsOf(all)(matrices)) as Hosts
  check(all, n, base, base)
  check(all, n, (await T.jit(resultsOf(all))(matrices)) as Hosts, base)
})

/** What is NaN all over for a matrix that holds one; triangles keep their zeros, and elimination does not reach all places. */
const poisoned = ['eigh', 'svd', 'solve', 'inv', 'det', 'slogdet', 'pinv', 'lstsq', 'matrixNorm']

it('NaN makes all NaN; zeros have the factors that LAPACK gives them', async () => {
  const n = 3
  const spoiled = [
    [0, 0],
    [2, 0],
    [1, 1],
    [0, 2],
  ]
  const matrices = given(
    (name, m) => [
      ...spoiled.map(([i, j]) =>
        m.map((r, row) => r.map((x, column) => (name !== 'b' && row === i && column === j ? nan : x))),
      ),
      m.map((r) => r.map((x) => (name === 'b' ? x : 0))),
    ],
    n,
  )
  const names = Object.keys(table)
  const onReference = T.reference(resultsOf(table)(matrices)) as Hosts
  const onDevice = (await T.jit(resultsOf(table))(matrices)) as Hosts
  for (const results of [onReference, onDevice]) {
    const of = (name: string, matrix: number): readonly (readonly number[])[] =>
      results[names.indexOf(name)]!.map((x) => part(x, matrix))
    for (const matrix of spoiled.keys()) {
      for (const name of poisoned)
        for (const [o, x] of of(name, matrix).entries())
          expect(x.every(Number.isNaN), `result ${o} of ${name}, NaN at ${spoiled[matrix]}: ${x}`).toBe(true)
      expect(of('cholesky', matrix)[0]).toEqual([nan, 0, 0, nan, nan, 0, nan, nan, nan])
      for (const [name, columns] of [
        ['qr', n],
        ['qr of a wide matrix', n + 2],
      ] as const) {
        const [q, r] = of(name, matrix)
        expect(q!.every(Number.isNaN)).toBe(true)
        expect(r).toEqual(r!.map((_, i) => (i % columns < Math.floor(i / columns) ? 0 : nan)))
      }
    }
    const zero = (name: string): readonly (readonly number[])[] =>
      of(name, spoiled.length).map((list) => list.map((x) => x + 0))
    const eye = (size: number): readonly number[] =>
      Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
    const none = (size: number): readonly number[] => Array(size).fill(0)
    expect(zero('eigh')).toEqual([none(3), eye(3), none(3)])
    expect(zero('svd').slice(1)).toEqual([none(3), eye(3), none(3)])
    expect(zero('qr')[3]).toEqual(none(15))
    expect(zero('det')).toEqual([[0]])
    expect(zero('slogdet')).toEqual([[0], [-inf]])
    expect(zero('pinv')).toEqual([none(15)])
    expect(zero('matrixRank')).toEqual([[0]])
    expect(zero('matrixNorm')).toEqual(norms.map(() => [0]))
    expect(zero('inv').flat().some(Number.isFinite)).toBe(false)
  }
})

it('infinities are carried where the arithmetic has them', () => {
  const a = T.tensor(
    [
      [inf, 0],
      [0, 2],
    ],
    { dtype: 'f32' },
  ) as X
  const of = (x: unknown): readonly (readonly number[])[] =>
    (T.reference(x) as T.HostTensor[]).map((t) => Array.from(t.data))
  expect(of([T.det(a), T.slogdet(a)[1], T.matrixNorm(a), T.matrixNorm(a, { ord: 1 })])).toEqual([
    [inf],
    [inf],
    [inf],
    [inf],
  ])
  expect(
    of([...T.eigh(a), T.svdvals(a)])
      .flat()
      .every(Number.isNaN),
  ).toBe(true)
})

it('rounding of what a matrix is computed from does not decide how it is scaled', async () => {
  const a = T.tensor([0.5, 0.25, 0, 0.125, 1, 0.25, 0.75, 0, 2]) as X
  const b = T.tensor([1, 2, 4], { dtype: 'f32' }) as X
  const f = (x: X, y: X): unknown => {
    const matrix = T.reshape(T.exp(x), [3, 3]) as X
    const definite = T.add(T.matmul(matrix, T.matrixTranspose(matrix)), T.eye(3)) as X
    return [
      [T.solve(matrix, y), T.inv(matrix), T.det(matrix), T.slogdet(matrix)[1], T.lu(matrix)[2]],
      [T.svdvals(matrix), T.pinv(matrix), T.lstsq(matrix, y), T.matrixNorm(matrix), T.qr(matrix)[1]],
      [T.cholesky(definite), T.eigvalsh(definite), T.solveTriangular(definite, y)],
    ]
  }
  expect(await agreesWithReference(f, [a, b])).toBe(true)
})
