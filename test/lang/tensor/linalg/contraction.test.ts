/** Products against sums written out by hand. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat, nested } from '../run.ts'

const counting = (shape: readonly number[], from = 1): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return T.reshape(T.arange(from, from + size), shape)
}

const indices = (shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<readonly (readonly number[])[]>(
    (all, d) => all.flatMap((i) => Array.from({ length: d }, (_, k) => [...i, k])),
    [[]],
  )

const elementAt = (x: readonly number[], shape: readonly number[], index: readonly number[]): number =>
  x[shape.reduce((o, d, k) => o * d + (d === 1 ? 0 : index[k]!), 0)]!

/** Einsum by the definition: every assignment of all labels, summed where the output says so. */
const bySum = (inputs: readonly string[], out: string, xs: readonly Tensor[]): readonly number[] => {
  const labels = [...new Set(inputs.join(''))]
  const sizes = labels.map((l) =>
    Math.max(...inputs.flatMap((t, i) => [...t].flatMap((c, k) => (c === l ? [xs[i]!.shape[k]!] : [])))),
  )
  const data = xs.map(flat)
  const outSizes = [...out].map((l) => sizes[labels.indexOf(l)]!)
  const result = new Array<number>(outSizes.reduce((a, b) => a * b, 1)).fill(0)
  for (const at of indices(sizes)) {
    const value = (l: string): number => at[labels.indexOf(l)]!
    const product = inputs.reduce((p, t, i) => p * elementAt(data[i]!, xs[i]!.shape, [...t].map(value)), 1)
    const place = [...out].reduce((o, l, k) => o * outSizes[k]! + value(l), 0)
    result[place] = result[place]! + product
  }
  return result
}

describe('einsum', () => {
  test.each([
    [
      'ij,jk->ik',
      [
        [2, 3],
        [3, 4],
      ],
    ],
    ['ij->ji', [[2, 3]]],
    ['ij->', [[2, 3]]],
    ['ii->i', [[3, 3]]],
    ['ii->', [[3, 3]]],
    ['iij,j->i', [[2, 2, 3], [3]]],
    ['ij,j,jk->ik', [[2, 3], [3], [3, 4]]],
    [
      'ij,kj,li->lk',
      [
        [2, 3],
        [4, 3],
        [5, 2],
      ],
    ],
    [
      'bij,bjk->bik',
      [
        [2, 3, 2],
        [2, 2, 4],
      ],
    ],
    ['i,j->ij', [[2], [3]]],
    ['i,j->ji', [[2], [3]]],
    [
      'ij,ij->ij',
      [
        [2, 3],
        [1, 3],
      ],
    ],
    [
      'ij,ij->',
      [
        [2, 1],
        [2, 3],
      ],
    ],
    ['ij,k->i', [[2, 3], [4]]],
    [
      'ij,jk->ik',
      [
        [2, 0],
        [0, 4],
      ],
    ],
  ])('%s of %j', (equation, shapes) => {
    const xs = shapes.map((s, i) => counting(s, i + 1))
    const [left, out] = equation.split('->') as [string, string]
    expect(flat(T.einsum(equation, ...xs))).toEqual(bySum(left.split(','), out, xs))
  })

  test('implicit outputs are in alphabetical order, the ellipsis broadcasts', () => {
    expect(nested(T.einsum('ba', counting([2, 3])))).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
    expect(nested(T.einsum('ij,jh', counting([2, 2]), counting([2, 2])))).toEqual(
      nested(T.matrixTranspose(T.matmul(counting([2, 2]), counting([2, 2])))),
    )
    const [a, b] = [counting([2, 1, 2, 3]), counting([4, 3, 2])]
    expect(T.einsum('...ij,...jk->...ik', a, b)).toBeTypeOf('object')
    expect(nested(T.einsum('...ij,...jk->...ik', a, b))).toEqual(nested(T.matmul(a, b)))
  })
})

describe('matmul', () => {
  const size = fc.integer({ min: 0, max: 3 })
  const batch = fc.array(fc.constantFrom(1, 2), { maxLength: 2 })
  test("NumPy's rules, by the definition", () => {
    fc.assert(
      fc.property(
        size,
        size,
        size,
        batch,
        batch,
        fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
        (m, k, n, p0, q0, thin) => {
          const [p, q] = [thin[0] ? [] : p0, thin[1] ? [] : q0]
          const rank = Math.max(p.length, q.length)
          const lead = (s: readonly number[]): readonly number[] => [
            ...Array.from({ length: rank - s.length }, () => 1),
            ...s,
          ]
          const [a, b] = [counting([...p, m, k]), counting([...q, k, n], 2)]
          const joint = lead(p).map((d, i) => Math.max(d, lead(q)[i]!))
          const [fa, fb] = [T.broadcastTo(a, [...joint, m, k]), T.broadcastTo(b, [...joint, k, n])]
          const [da, db] = [flat(fa), flat(fb)]
          const expected = indices(joint).flatMap((_, t) =>
            indices([m, n]).map(([r, c]) =>
              Array.from({ length: k }, (_x, j) => da[(t * m + r!) * k + j]! * db[(t * k + j) * n + c!]!).reduce(
                (x, y) => x + y,
                0,
              ),
            ),
          )
          const y = T.matmul(a, b)
          expect(y.shape).toEqual([...joint, m, n])
          expect(flat(y)).toEqual(expected)
        },
      ),
      { seed: 42, numRuns: 150 },
    )
  })

  test('vectors are rows on the left, columns on the right', () => {
    const [a, v] = [counting([2, 3]), counting([3])]
    expect(nested(T.matmul(a, v))).toEqual([14, 32])
    expect(nested(T.matmul(v, T.matrixTranspose(a)))).toEqual([14, 32])
    expect(nested(T.matmul(v, v))).toEqual(14)
  })
})

describe('other products', () => {
  const [a, b, v] = [counting([2, 2]), counting([2, 2], 5), counting([2])]
  test.each([
    [
      'outer',
      T.outer(v, counting([3])),
      [
        [1, 2, 3],
        [2, 4, 6],
      ],
    ],
    [
      'kron',
      T.kron(v, a),
      [
        [1, 2, 2, 4],
        [3, 4, 6, 8],
      ],
    ],
    ['tensordot over all', T.tensordot(a, b), 70],
    ['tensordot as listed', T.tensordot(a, b, { axes: [[0], [1]] }), nested(T.einsum('ij,ki->jk', a, b))],
    [
      'tensordot over none',
      T.tensordot(v, v, { axes: 0 }),
      [
        [1, 2],
        [2, 4],
      ],
    ],
    [
      'addmm',
      T.addmm(a, a, b, { beta: 2, alpha: 3 }),
      [
        [59, 70],
        [135, 158],
      ],
    ],
    [
      'matrixPower',
      T.matrixPower(
        T.tensor([
          [1, 1],
          [1, 0],
        ]),
        10,
      ),
      [
        [89, 55],
        [55, 34],
      ],
    ],
    [
      'matrixPower 0',
      T.matrixPower(a, 0),
      [
        [1, 0],
        [0, 1],
      ],
    ],
    ['vecdot', T.vecdot(a, b), [17, 53]],
    ['trace', T.trace(counting([2, 3])), 6],
  ])('%s', (_, x, expected) => {
    expect(nested(x as Tensor)).toEqual(expected)
  })
})
