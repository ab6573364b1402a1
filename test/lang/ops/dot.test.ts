/** dot against a brute-force einsum over random labels; transposes and batches of either operand. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ParamsOf } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import {
  at,
  checkBatch,
  checkJvp,
  checkTranspose,
  evalOp,
  indices,
  noise,
  numbers,
  refusal,
  runs,
  type,
  value,
} from './rules.ts'

type Dot = ParamsOf['dot']
const matmul: Dot = { lhs: [0, 1], rhs: [1, 2], out: [0, 2] }

/** Einsum by enumerating every assignment of indices to labels. */
const einsum = ({ lhs, rhs, out }: Dot, x: Value, y: Value): Map<string, number> => {
  const labels = [...new Set([...lhs, ...rhs])]
  const sizes = labels.map((l) => (lhs.includes(l) ? x.shape[lhs.indexOf(l)]! : y.shape[rhs.indexOf(l)]!))
  const sums = new Map<string, number>()
  for (const i of indices(sizes)) {
    const pick = (of: readonly number[]): number[] => of.map((l) => i[labels.indexOf(l)]!)
    const key = pick(out).join()
    sums.set(key, (sums.get(key) ?? 0) + at(x, pick(lhs)) * at(y, pick(rhs)))
  }
  return sums
}

/** Random labellings: up to five labels, each contracted, batch, or free on one side, in any order on every side. */
const cases = fc
  .array(
    fc.record({ kind: fc.constantFrom('contract', 'batch', 'left', 'right'), size: fc.integer({ min: 0, max: 4 }) }),
    { maxLength: 5 },
  )
  .chain((labels) => {
    const among = (kinds: readonly string[]): fc.Arbitrary<number[]> => {
      const own = labels.flatMap((l, i) => (kinds.includes(l.kind) ? [i] : []))
      return fc.shuffledSubarray(own, { minLength: own.length, maxLength: own.length })
    }
    return fc.record({
      sizes: fc.constant(labels.map((l) => l.size)),
      lhs: among(['contract', 'batch', 'left']),
      rhs: among(['contract', 'batch', 'right']),
      out: among(['batch', 'left', 'right']),
      seed: fc.integer(),
    })
  })

describe('dot', () => {
  it('is a matrix product', () => {
    const x = value('f32', [2, 3], [1, 2, 3, 4, 5, 6])
    const y = value('f32', [3, 2], [7, 8, 9, 10, 11, 12])
    expect(numbers(evalOp('dot', matmul, x, y)[0])).toEqual([58, 64, 139, 154])
  })
  it('is an einsum, with every column, for any labels', () => {
    fc.assert(
      fc.property(cases, ({ sizes, lhs, rhs, out, seed }) => {
        const p = { lhs, rhs, out }
        const [x, y] = [lhs, rhs].map((ls, i) =>
          noise(
            'f32',
            ls.map((l) => sizes[l]!),
            seed + i,
          ),
        ) as [Value, Value]
        const [z] = evalOp('dot', p, x, y)
        expect(z!.shape).toEqual(out.map((l) => sizes[l]))
        const want = einsum(p, x, y)
        for (const i of indices(z!.shape)) expect(at(z!, i)).toBeCloseTo(want.get(i.join()) ?? 0, 10)
        checkJvp('dot', p, [x, y])
        checkTranspose('dot', p, [x, y], 0)
        checkTranspose('dot', p, [x, y], 1)
        for (const batched of [
          [true, true],
          [true, false],
          [false, true],
        ]) {
          const stacked = [x, y].map((v, i) => (batched[i] ? noise('f32', [2, ...v.shape], seed + i) : v))
          checkBatch('dot', p, stacked, 2, batched)
        }
      }),
      runs,
    )
  })
  it('gives zeros for an empty contraction', () => {
    const [z] = evalOp('dot', matmul, value('f32', [2, 0], []), value('f32', [0, 3], []))
    expect(numbers(z)).toEqual([0, 0, 0, 0, 0, 0])
  })
  it('wraps integers', () => {
    const p: Dot = { lhs: [0], rhs: [0], out: [] }
    const big = 0x7fffffff
    expect(numbers(evalOp('dot', p, value('i32', [2], [big, 1]), value('i32', [2], [big, big]))[0])).toEqual([
      Number(BigInt.asIntN(32, BigInt(big) * BigInt(big) + BigInt(big))),
    ])
    expect(
      numbers(evalOp('dot', p, value('u32', [2], [2 ** 32 - 1, 7]), value('u32', [2], [2 ** 32 - 3, 5]))[0]),
    ).toEqual([Number(BigInt.asUintN(32, (2n ** 32n - 1n) * (2n ** 32n - 3n) + 35n))])
  })
  it('carries NaN and infinities', () => {
    const p: Dot = { lhs: [0], rhs: [0], out: [] }
    expect(numbers(evalOp('dot', p, value('f32', [2], [Infinity, 1]), value('f32', [2], [0, 1]))[0])).toEqual([NaN])
    expect(numbers(evalOp('dot', p, value('f32', [2], [Infinity, 1]), value('f32', [2], [2, 1]))[0])).toEqual([
      Infinity,
    ])
  })
  it('says which axes and sizes differ', () => {
    expect(refusal('dot', matmul, type([2, 3]), type([4, 5]))).toBe(
      'axis 1: contracted axes differ: 3 and 4 (axis 1 of the left operand goes with axis 0 of the right)',
    )
    expect(refusal('dot', { lhs: [0, 1], rhs: [0, 1], out: [0] }, type([2, 3]), type([4, 3]))).toBe(
      'axis 0: batch axes differ: 2 and 4 (axis 0 of the left operand goes with axis 0 of the right)',
    )
  })
  it('refuses dtypes and labels', () => {
    expect(refusal('dot', matmul, type([2, 3]), type([3, 2], 'i32'))).toBe(
      'dtypes differ: f32 and i32 (cast one operand to the dtype of the other)',
    )
    expect(refusal('dot', matmul, type([2, 3], 'bool'), type([3, 2], 'bool'))).toBe(
      'cannot multiply bool (cast to i32 or f32 first)',
    )
    expect(refusal('dot', matmul, type([2]), type([3, 2]))).toBe('2 labels for a left operand of rank 1')
    expect(refusal('dot', { lhs: [0, 0], rhs: [0], out: [] }, type([2, 2]), type([2]))).toBe(
      'axis 1: label 0 repeats inside the left operand',
    )
    const lonely = ' (sum over the axis before, or broadcast the result after)'
    expect(refusal('dot', { lhs: [0, 1], rhs: [0], out: [] }, type([2, 2]), type([2]))).toBe(
      `axis 1: label 1 is only in the left operand${lonely}`,
    )
    expect(refusal('dot', { lhs: [0], rhs: [0], out: [5] }, type([2]), type([2]))).toBe(
      `axis 0: label 5 is only in the result${lonely}`,
    )
    expect(refusal('dot', matmul, type([2, 3]))).toBe('takes 2 operands, got 1')
  })
})
