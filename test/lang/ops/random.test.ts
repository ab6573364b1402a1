/** threefry against the published known-answer vectors of Random123, elementwise, batched, refused. */
import { describe, expect, it } from 'vitest'
import { checkBatch, evalOp, noise, numbers, refusal, type, value } from './rules.ts'

// kat_vectors of Random123 1.14, threefry2x32 with 20 rounds: key, counter, expected block.
const vectors = [
  { key: [0, 0], count: [0, 0], want: [0x6b200159, 0x99ba4efe] },
  { key: [0xffffffff, 0xffffffff], count: [0xffffffff, 0xffffffff], want: [0x1cb996fc, 0xbb002be7] },
  { key: [0x13198a2e, 0x03707344], count: [0x243f6a88, 0x85a308d3], want: [0xc4923a9c, 0x483df7a0] },
]

describe('threefry', () => {
  it('gives the published blocks, each element by itself', () => {
    const column = (f: (v: (typeof vectors)[number]) => number | undefined): number[] => vectors.map((v) => f(v)!)
    const operands = [
      column((v) => v.key[0]),
      column((v) => v.key[1]),
      column((v) => v.count[0]),
      column((v) => v.count[1]),
    ]
    const [first, second] = evalOp('threefry', {}, ...operands.map((xs) => value('u32', [3], xs)))
    expect(numbers(first)).toEqual(column((v) => v.want[0]))
    expect(numbers(second)).toEqual(column((v) => v.want[1]))
    expect([first!.dtype, second!.dtype]).toEqual(['u32', 'u32'])
  })
  it('batches every combination of operands', () => {
    for (const batched of [
      [true, true, true, true],
      [true, false, false, false],
      [false, true, true, false],
    ])
      for (const size of [0, 1, 3])
        checkBatch(
          'threefry',
          {},
          batched.map((is, i) => noise('u32', is ? [size, 2] : [2], i)),
          size,
          batched,
        )
  })
  it('refuses other dtypes, shapes and counts', () => {
    const u = type([2], 'u32')
    expect(refusal('threefry', {}, u, u, u, type([2], 'i32'))).toContain('needs u32 operands, got i32')
    expect(refusal('threefry', {}, u, u, u, type([3], 'u32'))).toContain('different shapes [2] and [3]')
    expect(refusal('threefry', {}, u, u)).toBe('takes 4 operands, got 2')
  })
})
