/** Factorisations of matrices: their defining equations, derivatives, batches, what is degenerate, refusals. */
import { describe, expect, it } from 'vitest'
import type { Op, ParamsOf } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import {
  checkBatch,
  checkJvp,
  checkTranspose,
  evalOp,
  noise,
  numbers,
  refusal,
  tabulate,
  type,
  value,
} from './rules.ts'

const times = (a: Value, b: Value): Value => {
  const [m, inner, n] = [a.shape[0]!, a.shape[1]!, b.shape[1]!]
  return tabulate('f32', [m, n], ([i, j]) => {
    let sum = 0
    for (let l = 0; l < inner; l++) sum += a.data[i! * inner + l]! * b.data[l * n + j!]!
    return sum
  })
}
const flipped = (a: Value): Value =>
  tabulate('f32', [a.shape[1]!, a.shape[0]!], ([i, j]) => a.data[j! * a.shape[1]! + i!]!)
const identity = (n: number): Value => tabulate('f32', [n, n], ([i, j]) => (i === j ? 1 : 0))
const close = (got: Value, want: Value, digits = 10): void => {
  expect(got.shape).toEqual(want.shape)
  numbers(got).forEach((x, i) => {
    expect(x).toBeCloseTo(want.data[i]!, digits)
  })
}
const definite = (n: number): Value => {
  const x = noise('f32', [n, n], 5)
  const square = times(x, flipped(x))
  return tabulate('f32', [n, n], ([i, j]) => square.data[i! * n + j!]! + (i === j ? 1 : 0))
}
const isUpper = (r: Value): boolean => r.data.every((x, i) => Math.floor(i / r.shape[1]!) <= i % r.shape[1]! || x === 0)
const diagonal = (v: Value): Value =>
  tabulate('f32', [v.data.length, v.data.length], ([i, j]) => (i === j ? v.data[i!]! : 0))
const stacked = (xs: readonly Value[]): Value =>
  value(
    'f32',
    [xs.length, ...xs[0]!.shape],
    xs.flatMap((x) => numbers(x)),
  )

describe('triangularSolve', () => {
  const n = 4
  const a = tabulate('f32', [n, n], ([i, j]) => (i === j ? i! + 2 : Math.sin(i! * 5 + j! * 3)))
  const b = noise('f32', [n, 3], 2)
  const forms = [false, true].flatMap((lower) =>
    [false, true].flatMap((transposed) => [false, true].map((unit) => ({ lower, transposed, unit }))),
  )
  it.each(forms)('solves, moves and turns around: %o', (p) => {
    const [x] = evalOp('triangularSolve', p, a, b)
    const part = tabulate('f32', [n, n], ([i, j]) =>
      i === j ? (p.unit ? 1 : a.data[i! * n + j!]!) : i! > j! === p.lower ? a.data[i! * n + j!]! : 0,
    )
    close(times(p.transposed ? flipped(part) : part, x!), b)
    checkJvp('triangularSolve', p, [a, b])
    checkTranspose('triangularSolve', p, [a, b], 1)
    checkBatch('triangularSolve', p, [stacked([a, identity(n)]), b], 2, [true, false])
  })
})

describe('cholesky', () => {
  it('gives the factor of the symmetric part', () => {
    for (const n of [0, 1, 2, 5, 64]) {
      const [l] = evalOp('cholesky', {}, definite(n))
      close(times(l!, flipped(l!)), definite(n), 8)
    }
    checkJvp('cholesky', {}, [definite(4)], 5)
    checkBatch('cholesky', {}, [stacked([definite(3), identity(3)])], 2)
  })
  it('is NaN where there is none', () => {
    const [l] = evalOp('cholesky', {}, value('f32', [2, 2], [1, 2, 2, 1]))
    expect(numbers(l)).toEqual([Number.NaN, 0, Number.NaN, Number.NaN])
  })
})

describe('lu', () => {
  const parts = (f: Value): readonly [Value, Value] => {
    const [m, n] = [f.shape[0]!, f.shape[1]!]
    const k = Math.min(m, n)
    const at = (i: number, j: number): number => f.data[i * n + j]!
    return [
      tabulate('f32', [m, k], ([i, j]) => (i! > j! ? at(i!, j!) : i === j ? 1 : 0)),
      tabulate('f32', [k, n], ([i, j]) => (i! <= j! ? at(i!, j!) : 0)),
    ]
  }
  it('gives L U of the rows permuted', () => {
    for (const shape of [
      [0, 0],
      [1, 1],
      [4, 4],
      [5, 3],
      [3, 5],
      [2, 0],
      [64, 64],
    ] as const) {
      const a = noise('f32', shape, 3)
      const [f, pivots, order] = evalOp('lu', {}, a)
      const [l, u] = parts(f!)
      close(
        times(l, u),
        tabulate('f32', shape, ([i, j]) => a.data[order!.data[i!]! * shape[1] + j!]!),
      )
      const rows = Array.from({ length: shape[0] }, (_, i) => i)
      numbers(pivots).forEach((p, i) => {
        ;[rows[i], rows[p]] = [rows[p]!, rows[i]!]
      })
      expect(rows).toEqual(numbers(order))
      expect(l.data.every((x) => Math.abs(x) <= 1)).toBe(true)
    }
  })
  it('leaves a column without a pivot as it is', () => {
    expect(numbers(evalOp('lu', {}, value('f32', [2, 2], [0, 1, 0, 2]))[0])).toEqual([0, 1, 0, 2])
  })
  it.each([
    [4, 4],
    [5, 3],
    [3, 5],
  ])('derivatives of %i by %i', (m, n) => {
    checkJvp('lu', {}, [noise('f32', [m, n], 3)], 4)
    checkBatch('lu', {}, [noise('f32', [2, m, n], 4)], 2)
  })
})

describe('qr', () => {
  it.each([false, true])('gives orthonormal columns and a triangle, complete: %s', (complete) => {
    for (const shape of [
      [0, 0],
      [1, 1],
      [4, 4],
      [5, 3],
      [3, 0],
      [64, 64],
    ] as const) {
      const a = noise('f32', shape, 3)
      const [q, r] = evalOp('qr', { complete }, a)
      close(times(flipped(q!), q!), identity(complete ? shape[0] : shape[1]))
      close(times(q!, r!), a)
      expect(isUpper(r!)).toBe(true)
    }
  })
  it('has derivatives', () => {
    checkJvp('qr', { complete: false }, [noise('f32', [5, 3], 3)], 5)
    checkJvp('qr', { complete: true }, [noise('f32', [4, 4], 3)], 5)
    checkBatch('qr', { complete: true }, [noise('f32', [2, 4, 3], 3)], 2)
  })
})

describe('eigh and svd', () => {
  it('diagonalise', () => {
    for (const n of [0, 1, 2, 5, 64]) {
      const x = noise('f32', [n, n], 3)
      const a = tabulate('f32', [n, n], ([i, j]) => x.data[i! * n + j!]! + x.data[j! * n + i!]!)
      const [w, v] = evalOp('eigh', {}, a)
      close(times(flipped(v!), v!), identity(n))
      close(times(v!, times(diagonal(w!), flipped(v!))), a, 9)
      expect(numbers(w)).toEqual(numbers(w).toSorted((p, q) => p - q))
    }
    for (const shape of [
      [0, 0],
      [1, 1],
      [3, 3],
      [6, 4],
      [4, 0],
      [64, 64],
    ] as const) {
      const a = noise('f32', shape, 7)
      const [u, s, v] = evalOp('svd', {}, a)
      close(times(flipped(u!), u!), identity(shape[1]))
      close(times(flipped(v!), v!), identity(shape[1]))
      close(times(u!, times(diagonal(s!), flipped(v!))), a, 9)
      expect(numbers(s)).toEqual(numbers(s).toSorted((p, q) => q - p))
    }
  })
  it('keep bases whole where values are equal or vanish', () => {
    const ones = tabulate('f32', [4, 3], () => 1)
    const [u, s, v] = evalOp('svd', {}, ones)
    close(times(flipped(u!), u!), identity(3))
    close(times(u!, times(diagonal(s!), flipped(v!))), ones)
    expect(numbers(evalOp('eigh', {}, identity(3))[0])).toEqual([1, 1, 1])
    const finite = [
      evalOp(
        'svd',
        {},
        tabulate('f32', [3, 2], () => 0),
      ),
      evalOp(
        'eigh',
        {},
        tabulate('f32', [2, 2], () => 0),
      ),
    ]
    for (const x of finite.flat()) expect(x.data.every(Number.isFinite)).toBe(true)
  })
  it('have derivatives', () => {
    checkJvp('eigh', {}, [definite(4)], 4)
    checkJvp('svd', {}, [noise('f32', [5, 3], 3)], 4)
    checkJvp('svd', {}, [noise('f32', [3, 3], 8)], 4)
    checkBatch('eigh', {}, [stacked([definite(3), identity(3)])], 2)
    checkBatch('svd', {}, [noise('f32', [2, 4, 3], 3)], 2)
  })
})

describe('refusals', () => {
  const refused = <K extends Op>(op: K, p: ParamsOf[K], ...shapes: readonly (readonly number[])[]): string =>
    refusal(op, p, ...shapes.map((s) => type(s)))
  const solve = { lower: true, transposed: false, unit: false }
  it('say what is wrong', () => {
    expect(refused('cholesky', {}, [3])).toBe('rank 1 is not a matrix')
    expect(refused('eigh', {}, [3, 2])).toBe('a matrix of 3 rows and 2 columns is not square')
    expect(refusal('lu', {}, type([3, 3], 'i32'))).toBe(
      "is defined on f32, not on i32 (convert it with T.cast(x, 'f32'))",
    )
    expect(refused('qr', { complete: false }, [2, 3])).toBe('a matrix of 2 rows has more columns: 3')
    expect(refused('triangularSolve', solve, [3, 3], [2, 1])).toBe(
      'axis 0: a matrix of 3 rows and a right-hand side of 2',
    )
    expect(refused('triangularSolve', solve, [2, 3, 3], [3, 1])).toBe(
      'the leading axes of the matrix and of the right-hand side differ',
    )
  })
})
