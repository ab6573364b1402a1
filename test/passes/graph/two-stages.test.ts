/** Where long reductions are cut: on levels of their order of summation, about √n partial results. */
import { describe, expect, it } from 'vitest'
import { cutOf, inWide, isLong } from '../../../passes/graph/two-stages.ts'
import { build as b, freshInputs, typeOf } from '../../../src/lang/build.ts'

const tree = (...sizes: readonly number[]) => cutOf(sizes.map((size) => ({ size, run: 8 })))

describe('two stages', () => {
  it('pay for many elements and few results', () => {
    expect([isLong(4096, 1), isLong(4097, 1), isLong(4097, 7), isLong(4097, 8), isLong(4097, 0)]).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
  })
  it('cut one axis into runs, or four, 16, 64 of them', () => {
    expect(tree(5000)).toEqual({ axis: 0, outer: 40, block: 128 })
    expect(tree(1_000_000)).toEqual({ axis: 0, outer: 1954, block: 512 })
    expect(tree(100_000_000)).toEqual({ axis: 0, outer: 12208, block: 8192 })
  })
  it('take whole inner axes into the first', () => {
    expect(tree(5000, 3)).toEqual({ axis: 0, outer: 157, block: 32 })
    expect(tree(3, 5000)).toEqual({ axis: 1, outer: 40, block: 128 })
    expect(tree(4096)).toEqual({ axis: 0, outer: 32, block: 128 })
    expect(tree(100, 100)).toEqual({ axis: 0, outer: 100, block: 1 })
    expect(tree(1000, 13)).toEqual({ axis: 0, outer: 125, block: 8 })
    expect(tree(1024, 768)).toEqual({ axis: 0, outer: 1024, block: 1 })
    expect(tree(8, 8, 8, 16)).toEqual({ axis: 2, outer: 8, block: 1 })
  })
  it('never cut within a run', () => {
    const axes = [
      { size: 50, run: 2, isOneRun: true },
      { size: 100, run: 256, isOneRun: true },
    ]
    expect(cutOf(axes)).toEqual({ axis: 0, outer: 25, block: 2 })
    const full = [
      { size: 40, run: 1, isOneRun: true },
      { size: 256, run: 256, isOneRun: true },
    ]
    expect(cutOf(full)).toEqual({ axis: 0, outer: 40, block: 1 })
  })
  it('compute in the dtype of kernels', () => {
    const dtypes = (['f16', 'bf16', 'i8', 'i32', 'f32'] as const).map((dtype) => {
      const [x] = freshInputs([{ shape: [2], dtype }])
      const inside: string[] = []
      const result = inWide(b, [x!], ([y]) => {
        inside.push(typeOf(y!).dtype)
        return y!
      })
      if (dtype === 'f32') expect(result).toBe(x)
      return [inside[0], typeOf(result).dtype]
    })
    expect(dtypes).toEqual([
      ['f32', 'f16'],
      ['f32', 'bf16'],
      ['i32', 'i8'],
      ['i32', 'i32'],
      ['f32', 'f32'],
    ])
  })
})
