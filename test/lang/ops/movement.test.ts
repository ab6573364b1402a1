/** reshape, permute, broadcast and flip against index loops; their linear columns by finite differences and the dot test. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  at,
  checkBatch,
  checkLinear,
  evalOp,
  indices,
  noise,
  numbers,
  refusal,
  runs,
  shapes,
  type,
  value,
} from './rules.ts'

const shuffled = (n: number): fc.Arbitrary<number[]> => {
  const all = Array.from({ length: n }, (_, i) => i)
  return fc.shuffledSubarray(all, { minLength: n, maxLength: n })
}

describe('reshape', () => {
  it('keeps the row-major elements', () => {
    const x = value('i32', [2, 3], [1, 2, 3, 4, 5, 6])
    const [y] = evalOp('reshape', { shape: [3, 1, 2] }, x)
    expect(y!.shape).toEqual([3, 1, 2])
    expect(numbers(y)).toEqual([1, 2, 3, 4, 5, 6])
    expect(y!.data).not.toBe(x.data)
  })
  it.each([
    [[6], [2, 3]],
    [[], [1, 1]],
    [[1], []],
    [
      [0, 3],
      [5, 0],
    ],
    [[7], [7, 1]],
  ])('has all columns for %j → %j', (from, to) => {
    checkLinear('reshape', { shape: to }, from)
  })
  it('refuses another number of elements', () => {
    expect(refusal('reshape', { shape: [4, 2] }, type([2, 3]))).toBe(
      'cannot reshape 6 elements [2, 3] into [4, 2] (8 elements) (the product of the sizes must stay the same; ' +
        'broadcast repeats elements, slice and pad change their number)',
    )
    expect(refusal('reshape', { shape: [0] }, type([]))).toContain('cannot reshape 1 element [] into [0] (0 elements)')
    expect(refusal('reshape', { shape: [2, -3] }, type([6]))).toBe(
      'axis 1: size -3 of axis 1 is not a whole number of elements',
    )
    expect(refusal('reshape', { shape: [] }, type([]), type([]))).toBe('takes 1 operand, got 2')
  })
})

describe('permute', () => {
  it('takes axis i from axes[i], for any shape and permutation', () => {
    const cases = shapes.chain((shape) => fc.tuple(fc.constant(shape), shuffled(shape.length), fc.integer()))
    fc.assert(
      fc.property(cases, ([shape, axes, seed]) => {
        const x = noise('f32', shape, seed)
        const [y] = evalOp('permute', { axes }, x)
        expect(y!.shape).toEqual(axes.map((a) => shape[a]))
        for (const i of indices(y!.shape)) {
          const source = new Array<number>(shape.length)
          axes.forEach((a, k) => {
            source[a] = i[k]!
          })
          expect(at(y!, i)).toBe(at(x, source))
        }
        checkLinear('permute', { axes }, shape, seed)
      }),
      runs,
    )
  })
  it('refuses what is no permutation', () => {
    expect(refusal('permute', { axes: [0, 2] }, type([2, 3]))).toBe('axis 2: axis 2 is out of range for rank 2')
    expect(refusal('permute', { axes: [1, 1] }, type([2, 3]))).toBe('axis 1: axis 1 is listed twice')
    expect(refusal('permute', { axes: [1] }, type([2, 3]))).toBe(
      'axes [1] name 1 of 2 axes (list every axis exactly once)',
    )
  })
})

describe('broadcast', () => {
  it('repeats along the new axes, for any shape', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)), fc.integer()),
    )
    fc.assert(
      fc.property(cases, ([shape, axes, seed]) => {
        const old = shape.map((_, i) => i).filter((i) => !axes.includes(i))
        const x = noise(
          'f32',
          old.map((a) => shape[a]!),
          seed,
        )
        const [y] = evalOp('broadcast', { shape, axes }, x)
        expect(y!.shape).toEqual(shape)
        for (const i of indices(shape))
          expect(at(y!, i)).toBe(
            at(
              x,
              old.map((a) => i[a]!),
            ),
          )
        checkLinear('broadcast', { shape, axes }, x.shape, seed)
      }),
      runs,
    )
  })
  it('refuses stretched, missing and reordered axes', () => {
    const hint = ' (the axes of the result that are not new must be those of the operand, in order)'
    expect(refusal('broadcast', { shape: [4, 3], axes: [0] }, type([2]))).toBe(
      `axis 1: cannot broadcast [2] to [4, 3] with new axes [0]${hint}`,
    )
    expect(refusal('broadcast', { shape: [3, 4], axes: [] }, type([1, 4]))).toBe(
      `axis 0: cannot broadcast [1, 4] to [3, 4] with new axes []${hint}`,
    )
    expect(refusal('broadcast', { shape: [3], axes: [] }, type([3, 3]))).toContain('cannot broadcast [3, 3] to [3]')
    expect(refusal('broadcast', { shape: [3], axes: [1] }, type([]))).toBe('axis 1: axis 1 is out of range for rank 1')
    expect(refusal('broadcast', { shape: [2.5], axes: [0] }, type([]))).toContain('size 2.5 of axis 0')
  })
})

describe('flip', () => {
  it('reverses the listed axes, for any shape', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)), fc.integer()),
    )
    fc.assert(
      fc.property(cases, ([shape, axes, seed]) => {
        const x = noise('f32', shape, seed)
        const [y] = evalOp('flip', { axes }, x)
        for (const i of indices(shape)) {
          expect(at(y!, i)).toBe(
            at(
              x,
              i.map((k, a) => (axes.includes(a) ? shape[a]! - 1 - k : k)),
            ),
          )
        }
        checkLinear('flip', { axes }, shape, seed)
      }),
      runs,
    )
  })
  it('refuses axes out of range', () => {
    expect(refusal('flip', { axes: [-1] }, type([2]))).toBe('axis -1: axis -1 is out of range for rank 1')
  })
})

describe('dtypes', () => {
  it.each(['i32', 'u32', 'bool', 'f16'] as const)('%s moves and batches', (dtype) => {
    const x = noise(dtype, [2, 2, 3], 5)
    checkBatch('reshape', { shape: [6] }, [x], 2)
    checkBatch('permute', { axes: [1, 0] }, [x], 2)
    checkBatch('broadcast', { shape: [2, 4, 3], axes: [1] }, [x], 2)
    checkBatch('flip', { axes: [0] }, [x], 2)
    expect(evalOp('flip', { axes: [2] }, x)[0]!.dtype).toBe(dtype)
  })
})
