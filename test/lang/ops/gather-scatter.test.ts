/** gather and scatterAdd against index loops, as transposes of each other, batched in every combination, out of range. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TensorloomError } from '../../../src/lang/errors.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import {
  at,
  checkBatch,
  checkTranspose,
  evalOp,
  indices,
  noise,
  numbers,
  refusal,
  runs,
  tabulate,
  tangentOf,
  type,
  value,
} from './rules.ts'

/** An index of `shape` with entries in 0 … n-1, dense enough to collide. */
const pick = (shape: readonly number[], n: number, seed: number, dtype: 'i32' | 'u32' = 'i32'): Value => {
  const raw = noise('f32', shape, seed)
  return value(
    dtype,
    shape,
    numbers(raw).map((v) => Math.min(n - 1, Math.floor(((v + 2) / 4) * n))),
  )
}

const dims = (maxLength: number): fc.Arbitrary<number[]> => fc.array(fc.integer({ min: 0, max: 3 }), { maxLength })
const layouts = fc.record({
  batch: dims(2),
  index: dims(2),
  cell: dims(2),
  n: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer(),
})

describe('gather', () => {
  it('reads the row each index names', () => {
    fc.assert(
      fc.property(layouts, ({ batch, index, cell, n, seed }) => {
        const x = noise('f32', [...batch, n, ...cell], seed)
        const i = pick([...batch, ...index], n, seed + 1)
        const want = tabulate('f32', [...batch, ...index, ...cell], (p) => {
          const lead = p.slice(0, batch.length)
          const row = at(i, p.slice(0, batch.length + index.length))
          return at(x, [...lead, row, ...p.slice(batch.length + index.length)])
        })
        const [got] = evalOp('gather', { batch: batch.length }, x, i)
        expect(got!.shape).toEqual(want.shape)
        expect(numbers(got)).toEqual(numbers(want))
      }),
      runs,
    )
  })
  it('takes u32 indices, scalar indices and any dtype of operand', () => {
    const x = value('bool', [3, 2], [0, 1, 1, 1, 0, 0])
    expect(numbers(evalOp('gather', { batch: 0 }, x, value('u32', [2], [2, 0]))[0])).toEqual([0, 0, 0, 1])
    expect(evalOp('gather', { batch: 0 }, x, value('i32', [], [1]))[0]).toMatchObject({
      shape: [2],
      data: Uint8Array.of(1, 1),
    })
  })
  it('is linear in its operand, and scatterAdd is its transpose', () => {
    const [x, i] = [noise('f32', [2, 4, 3], 1), pick([2, 5], 4, 2)]
    const dx = noise('f32', [2, 4, 3], 3)
    expect(tangentOf('gather', { batch: 1 }, [x, i], [dx, undefined])[0]).toEqual(
      numbers(evalOp('gather', { batch: 1 }, dx, i)[0]),
    )
    checkTranspose('gather', { batch: 1 }, [x, i])
    checkTranspose('gather', { batch: 0 }, [noise('f32', [4, 2], 1), pick([], 4, 1)])
    checkTranspose('gather', { batch: 0 }, [noise('f32', [4], 1), pick([0, 2], 4, 1)])
  })
  it('batches the operand, the index, or both', () => {
    for (const batch of [[], [2], [2, 3]])
      for (const batched of [
        [true, true],
        [true, false],
        [false, true],
      ])
        for (const size of [0, 1, 3]) {
          const lead = (k: number): number[] => (batched[k] ? [size] : [])
          const xs = [noise('f32', [...lead(0), ...batch, 4, 2], 1), pick([...lead(1), ...batch, 5], 4, 2)]
          checkBatch('gather', { batch: batch.length }, xs, size, batched)
        }
  })
  it('refuses what does not fit', () => {
    expect(refusal('gather', { batch: 0 }, type([3]), type([2]))).toContain('the index is f32, not an integer')
    expect(refusal('gather', { batch: 1 }, type([3]), type([3], 'i32'))).toContain(
      'the operand has rank 1, needs at least 2',
    )
    expect(refusal('gather', { batch: 1 }, type([3, 2]), type([], 'i32'))).toContain(
      'the index has rank 0, needs at least 1',
    )
    expect(refusal('gather', { batch: 1 }, type([3, 2]), type([4], 'i32'))).toContain(
      'axis 0: leading axes differ: [3] and [4]',
    )
    expect(refusal('gather', { batch: 0 }, type([3]))).toBe('takes 2 operands, got 1')
  })
})

/** The data of the error `f` throws. */
const thrown = (f: () => unknown): unknown => {
  try {
    f()
  } catch (e) {
    if (e instanceof TensorloomError) return e.error
    throw e
  }
  return 'nothing was thrown'
}

describe('an index out of range', () => {
  it('is an error with its place', () => {
    const index = value('i32', [2, 3], [0, 1, 2, 0, 3, 1])
    const wanted = { tag: 'IndexError', index: 3, size: 3, position: [1, 1] }
    expect(thrown(() => evalOp('gather', { batch: 0 }, noise('f32', [3, 2], 1), index))).toMatchObject({
      ...wanted,
      op: 'gather',
    })
    expect(thrown(() => evalOp('scatterAdd', { batch: 0, size: 3 }, index, noise('f32', [2, 3], 1)))).toMatchObject({
      ...wanted,
      op: 'scatterAdd',
    })
    const negative = value('i32', [], [-1])
    expect(thrown(() => evalOp('gather', { batch: 0 }, noise('f32', [3], 1), negative))).toMatchObject({
      index: -1,
      position: [],
    })
    expect(thrown(() => evalOp('gather', { batch: 0 }, value('f32', [0], []), value('i32', [1], [0])))).toMatchObject({
      size: 0,
    })
  })
})

describe('scatterAdd', () => {
  it('adds every update at its index', () => {
    fc.assert(
      fc.property(layouts, ({ batch, index, cell, n, seed }) => {
        const i = pick([...batch, ...index], n, seed)
        const updates = noise('i32', [...batch, ...index, ...cell], seed + 1)
        const want = tabulate('i32', [...batch, n, ...cell], (p) => {
          const [lead, row, rest] = [p.slice(0, batch.length), p[batch.length]!, p.slice(batch.length + 1)]
          return indices(index)
            .filter((k) => at(i, [...lead, ...k]) === row)
            .reduce((s, k) => s + at(updates, [...lead, ...k, ...rest]), 0)
        })
        const [got] = evalOp('scatterAdd', { batch: batch.length, size: n }, i, updates)
        expect(got!.shape).toEqual(want.shape)
        expect(numbers(got)).toEqual(numbers(want))
      }),
      runs,
    )
  })
  it('leaves zeros where no index points, and wraps integers', () => {
    const [out] = evalOp(
      'scatterAdd',
      { batch: 0, size: 3 },
      value('u32', [2], [1, 1]),
      value('i32', [2], [2 ** 31 - 1, 1]),
    )
    expect(numbers(out)).toEqual([0, -(2 ** 31), 0])
  })
  it('is linear in the updates, and gather is its transpose', () => {
    const [i, x, dx] = [pick([2, 5], 4, 2), noise('f32', [2, 5, 3], 1), noise('f32', [2, 5, 3], 4)]
    const p = { batch: 1, size: 4 }
    expect(tangentOf('scatterAdd', p, [i, x], [undefined, dx])[0]).toEqual(numbers(evalOp('scatterAdd', p, i, dx)[0]))
    checkTranspose('scatterAdd', p, [i, x], 1)
  })
  it('batches the index, the updates, or both', () => {
    for (const batch of [[], [2]])
      for (const batched of [
        [true, true],
        [true, false],
        [false, true],
      ])
        for (const size of [0, 1, 3]) {
          const lead = (k: number): number[] => (batched[k] ? [size] : [])
          const xs = [pick([...lead(0), ...batch, 5], 4, 2), noise('i32', [...lead(1), ...batch, 5, 2], 1)]
          checkBatch('scatterAdd', { batch: batch.length, size: 4 }, xs, size, batched)
        }
  })
  it('refuses what does not fit', () => {
    expect(refusal('scatterAdd', { batch: 0, size: 3 }, type([2], 'i32'), type([2], 'bool'))).toContain(
      'cannot add bool updates',
    )
    expect(refusal('scatterAdd', { batch: 0, size: 3 }, type([2], 'i32'), type([]))).toContain(
      'the updates have rank 0, the index 1',
    )
    expect(refusal('scatterAdd', { batch: 0, size: 3 }, type([2], 'i32'), type([3]))).toContain(
      'axis 0: leading axes differ',
    )
    expect(refusal('scatterAdd', { batch: 0, size: -1 }, type([2], 'i32'), type([2]))).toContain('size -1')
    expect(refusal('scatterAdd', { batch: 2, size: 1 }, type([2], 'i32'), type([2]))).toContain('the index has rank 1')
    expect(refusal('scatterAdd', { batch: 0, size: 1 }, type([2]), type([2]))).toContain('not an integer')
  })
})
