/** Linear algebra as users call it: equations that define it, both forms, derivatives, edges, and what is refused. */
import { describe, expect, it, test } from 'vitest'
import { software } from '../../../../codegen/targets/wgsl/profiles.ts'
import { grad } from '../../../../passes/transform/gradient.ts'
import { vmap } from '../../../../passes/transform/vmap.ts'
import { freshInputs } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/check-grad.ts'
import { runDevice, runKernelInterp } from '../../../differential.ts'
import { noise } from '../../ops/rules.ts'
import { evaluated, flat, mistakeOf, nested } from '../run.ts'

const f32 = { dtype: 'f32' } as const
const random = (shape: readonly number[], seed: number): Tensor =>
  T.fromArray(Float32Array.from(noise('f32', shape, seed).data), shape) as Tensor
const definite = (n: number, seed = 1): Tensor => {
  const x = random([n, n], seed)
  return T.add(T.matmul(x, T.matrixTranspose(x)), T.eye(n)) as Tensor
}
const product = (...xs: readonly Tensor[]): Tensor => xs.reduce((a, b) => T.matmul(a, b) as Tensor)
const close = (got: Tensor, want: Tensor, digits = 4): void => {
  expect(got.shape).toEqual(want.shape)
  const expected = flat(want)
  flat(got).forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i]!, digits)
  })
}

describe('equations', () => {
  test.each([1, 2, 5, 16])('of matrices of %i', (n) => {
    const [a, b, eye] = [T.add(random([n, n], 2), T.mul(T.eye(n), 3)) as Tensor, random([n, 2], 3), T.eye(n) as Tensor]
    close(product(a, T.solve(a, b)), b)
    close(product(a, T.inv(a)), eye)
    const [p, l, u] = T.lu(a)
    close(product(p, l, u), a)
    const [sign, size] = T.slogdet(a)
    const det = flat(T.det(a))[0]!
    expect((flat(sign)[0]! * Math.exp(flat(size)[0]!)) / det).toBeCloseTo(1, 4)
    const upper = T.cholesky(definite(n), { upper: true })
    close(product(T.matrixTranspose(upper), upper), definite(n))
    const [w, v] = T.eigh(definite(n))
    close(product(definite(n), v), T.mul(v, w) as Tensor, 3)
    close(T.eigvalsh(definite(n)), w)
  })
  test.each([
    [5, 3],
    [3, 5],
    [4, 4],
  ] as const)('of matrices of %i by %i', (m, n) => {
    const a = random([2, m, n], 4)
    for (const mode of ['reduced', 'complete'] as const) {
      const [q, r] = T.qr(a, { mode })
      close(product(q, r), a)
      close(
        product(T.matrixTranspose(q), q),
        T.broadcastTo(T.eye(q.shape.at(-1)!), [2, q.shape.at(-1)!, q.shape.at(-1)!]),
      )
    }
    const [p, l, u] = T.lu(a)
    close(product(p, l, u), a)
    const [left, s, right] = T.svd(a, { fullMatrices: false })
    close(product(T.mul(left, T.expandDims(s, 1)) as Tensor, right), a)
    const [whole, , other] = T.svd(a)
    expect([whole.shape, other.shape]).toEqual([
      [2, m, m],
      [2, n, n],
    ])
    close(product(whole, T.matrixTranspose(whole)), T.broadcastTo(T.eye(m), [2, m, m]))
    close(T.svdvals(a), s)
    close(product(a, T.pinv(a), a), a)
    expect(flat(T.matrixRank(a))).toEqual([Math.min(m, n), Math.min(m, n)])
  })
  it('solves with vectors, matrices and batches', () => {
    const a = T.tensor(
      [
        [
          [2, 0],
          [0, 4],
        ],
        [
          [1, 1],
          [0, 1],
        ],
      ],
      f32,
    )
    expect(nested(T.solve(a, T.tensor([2, 4])))).toEqual([
      [1, 1],
      [-2, 4],
    ])
    expect(nested(T.solve(T.select(a, 0), T.ones([2, 2, 1])))).toEqual([
      [[0.5], [0.25]],
      [[0.5], [0.25]],
    ])
    expect(nested(T.solveTriangular(T.select(a, 1), T.tensor([3, 1]), { upper: true }))).toEqual([2, 1])
    expect(nested(T.solveTriangular(T.select(a, 1), T.tensor([3, 1]), { upper: true, transposed: true }))).toEqual([
      3, -2,
    ])
    expect(
      nested(
        T.matrixPower(
          T.tensor([
            [2, 0],
            [0, 4],
          ]),
          -1,
        ),
      ),
    ).toEqual([
      [0.5, 0],
      [0, 0.25],
    ])
  })
  it('finds the shortest of the best solutions', () => {
    const a = T.tensor(
      [
        [1, 1],
        [1, 1],
        [0, 0],
      ],
      f32,
    )
    close(T.lstsq(a, T.tensor([2, 4, 9], f32)), T.tensor([1.5, 1.5]))
    expect(flat(T.matrixRank(a))).toEqual([1])
    expect(
      flat(
        T.matrixRank(
          T.tensor([
            [1, 0],
            [0, 0.01],
          ]),
          { rtol: 0.1 },
        ),
      ),
    ).toEqual([1])
  })
  it('measures matrices', () => {
    const a = T.tensor(
      [
        [1, -2],
        [3, 4],
      ],
      f32,
    )
    const norm = (ord: number | 'fro' | 'nuc'): number => flat(T.matrixNorm(a, { ord: ord as 1 }))[0]!
    expect([1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(norm)).toEqual([6, 4, 7, 3])
    expect(norm('fro')).toBeCloseTo(Math.sqrt(30), 5)
    expect(norm(2) * norm(-2)).toBeCloseTo(10, 4)
    expect(norm('nuc')).toBeCloseTo(norm(2) + norm(-2), 5)
    expect(T.matrixNorm(a, { keepdims: true }).shape).toEqual([1, 1])
  })
  it('computes integers in f32, and halves in f32 too', () => {
    expect(T.inv(T.tensor([[2]])).dtype).toBe('f32')
    const half = T.cast(
      T.tensor([
        [2, 1],
        [1, 2],
      ]),
      'f16',
    )
    expect(evaluated(T.cholesky(half)).dtype).toBe('f16')
    expect(T.matrixRank(half).dtype).toBe('i32')
  })
})

describe('derivatives', () => {
  const a = T.add(random([3, 3], 6), T.mul(T.eye(3), 3)) as Tensor
  const symmetric = (x: Tensor): Tensor => T.add(x, T.matrixTranspose(x)) as Tensor
  const cases: Readonly<Record<string, readonly [f: (...xs: Tensor[]) => unknown, args: readonly Tensor[]]>> = {
    solve: [T.solve as never, [a, random([3, 2], 7)]],
    'solve a vector': [T.solve as never, [a, random([3], 7)]],
    inv: [T.inv as never, [a]],
    det: [T.det as never, [a]],
    slogdet: [(x) => T.slogdet(x!)[1], [a]],
    cholesky: [(x) => T.cholesky(x!), [definite(3)]],
    lu: [(x) => T.lu(x!).slice(1), [a]],
    qr: [(x) => T.qr(x!), [random([4, 3], 8)]],
    'qr, wide': [(x) => T.qr(x!), [random([3, 5], 9)]],
    eigh: [(x) => T.eigh(symmetric(x!)), [a]],
    svd: [(x) => T.svd(x!, { fullMatrices: false }), [random([3, 4], 11)]],
    pinv: [(x) => T.pinv(x!), [random([4, 2], 12)]],
    lstsq: [T.lstsq as never, [random([4, 2], 13), random([4], 14)]],
    'the nuclear norm': [(x) => T.matrixNorm(x!, { ord: 'nuc' }), [a]],
  }
  test.each(Object.keys(cases))('of %s', (name) => {
    const [f, args] = cases[name]!
    checkGrad(f as (...xs: Tensor[]) => unknown, args as Tensor[])
  })
  it('of det where it is 0', () => {
    const adjugate = (rows: readonly (readonly number[])[]): void => {
      const x = T.tensor(rows, f32)
      expect(flat(T.det(x))[0]! === 0).toBe(true)
      const [[p, q], [r, s]] = rows as [[number, number], [number, number]]
      close(
        grad(T.det as (x: Tensor) => Tensor)(x) as Tensor,
        T.tensor(
          [
            [s, -r],
            [-q, p],
          ],
          f32,
        ),
      )
    }
    adjugate([
      [1, 2],
      [2, 4],
    ])
    adjugate([
      [0, 1],
      [0, 2],
    ])
    adjugate([
      [0, 0],
      [0, 3],
    ])
    adjugate([
      [0, 0],
      [0, 0],
    ])
    const rank1 = grad(T.det as (x: Tensor) => Tensor)(T.ones([3, 3])) as Tensor
    close(rank1, T.zeros([3, 3]))
  })
  it('of pinv where singular values are equal', () => {
    const weight = random([3, 3], 15)
    const f = (x: Tensor): Tensor => T.sum(T.mul(weight, T.pinv(x))) as Tensor
    close(grad(f)(T.eye(3)) as Tensor, T.neg(weight))
  })
  it('of a symmetric matrix are symmetric', () => {
    const g = grad((x: Tensor) => T.sum(T.mul(random([3, 3], 2), T.cholesky(x))) as Tensor)(definite(3)) as Tensor
    close(g, T.matrixTranspose(g))
  })
})

describe('edges', () => {
  it('maps over a batch as it loops over it', () => {
    const batch = T.stack([definite(3), definite(3, 4)])
    close(vmap(T.cholesky)(batch as never) as Tensor, T.cholesky(batch))
    close(vmap(T.det)(batch as never) as Tensor, T.det(batch))
  })
  it('takes matrices without elements', async () => {
    const [none, tall] = [T.zeros([0, 0]), T.zeros([3, 0])]
    const inputs = freshInputs([
      { shape: [0, 0], dtype: 'f32' },
      { shape: [3, 0], dtype: 'f32' },
      { shape: [0, 2, 2], dtype: 'f32' },
    ])
    const [x, y, z] = inputs.map((n) => tensorOf(n) as Tensor)
    const outputs = [
      T.det(x!),
      T.inv(x!),
      T.solve(x!, T.zeros([0, 2])),
      T.cholesky(x!),
      ...T.eigh(x!),
      ...T.slogdet(x!),
      ...T.qr(y!, { mode: 'complete' }),
      ...T.lu(y!),
      ...T.svd(y!),
      T.pinv(y!),
      T.matrixRank(y!),
      T.det(z!),
      T.inv(z!),
      ...T.eigh(z!),
      ...T.svd(z!),
      ...T.qr(z!),
    ].map(nodeOf)
    const given = [evaluated(none), evaluated(tall), evaluated(T.zeros([0, 2, 2]))]
    const want = evaluate({ inputs, outputs }, given).map((v) => [v.shape, Array.from(v.data)])
    expect(want.slice(0, 2)).toEqual([
      [[], [1]],
      [[0, 0], []],
    ])
    expect(runKernelInterp({ inputs, outputs }, given).map((v) => [v.shape, Array.from(v.data)])).toEqual(want)
    const device = await runDevice({ inputs, outputs }, given, software)
    expect(device.map((v) => [v.shape, Array.from(v.data)])).toEqual(want)
  })
  it('gives NaN or infinities for what has no answer', () => {
    expect(
      flat(
        T.cholesky(
          T.tensor(
            [
              [1, 2],
              [2, 1],
            ],
            f32,
          ),
        ),
      ),
    ).toEqual([Number.NaN, 0, Number.NaN, Number.NaN])
    expect(flat(T.inv(T.zeros([2, 2]))).some(Number.isFinite)).toBe(false)
    expect(T.slogdet(T.ones([2, 2])).map(flat)).toEqual([[0], [Number.NEGATIVE_INFINITY]])
  })
  it('refuses what is no matrix', () => {
    expect(mistakeOf(T.det(T.ones([2, 3]))).reason).toBe('[2, 3] is not a square matrix')
    expect(mistakeOf(T.qr(T.ones([3]))[0]).reason).toBe('rank 1 is not a matrix')
    expect(mistakeOf(T.solve(T.eye(3), T.ones([2]))).reason).toBe('the matrix has 3 rows, the right-hand side 2')
    expect(mistakeOf(T.solve(T.ones([2, 3, 3]), T.ones([4, 3, 1]))).reason).toMatch(/do not broadcast/)
    expect(mistakeOf(T.matrixNorm(T.eye(2), { ord: 3 as never })).reason).toBe('there is no norm 3 of matrices')
  })
})
