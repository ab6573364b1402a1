/** A choice by a mask that is true within bounds is one by those bounds, of which only one side is read. */
import { describe, expect, it } from 'vitest'
import type { Bound, Buffer, LoopValue, Range } from '../../../../passes/loop/ir/cluster.ts'
import { rangeIndex, shiftIndex } from '../../../../passes/loop/ir/index-expression.ts'
import { interpretCluster } from '../../../../passes/loop/ir/interpret-cluster.ts'
import { createValues } from '../../../../passes/loop/ir/values.ts'

const values = createValues()
const [i] = values.ranges('store', [8]) as readonly [Range]
const at = rangeIndex(i)
const buffer = (id: number, dtype: 'f32' | 'bool' = 'f32'): Buffer => ({ id, dtype, size: 8 })
const [x, y, z] = [0, 1, 2].map((id) => values.load(buffer(id), at, [])) as [LoopValue, LoopValue, LoopValue]
const within: readonly Bound[] = [{ index: at, low: 2, high: 5 }]
const elsewhere: readonly Bound[] = [{ index: at, low: 2, high: 6 }]
const shifted: readonly Bound[] = [{ index: shiftIndex(at, 1), low: 2, high: 5 }]

const truth = (is: boolean): LoopValue => values.constant('bool', Number(is))
const mask = (bounds: readonly Bound[], inside = true): LoopValue => values.guard(bounds, truth(inside), truth(!inside))
const select = (by: LoopValue, yes: LoopValue, no: LoopValue): LoopValue => values.alu('select', 'f32', [by, yes, no])

/** The value at all points, where tensor n has the elements 10·n to 10·n + 7, and tensor 9 is true at even points. */
const run = (value: LoopValue): readonly number[] => {
  const result = new Float64Array(8)
  const tensors = [0, 1, 2].map((n) => [n, Float64Array.from({ length: 8 }, (_, e) => 10 * n + e)] as const)
  const even = Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0)
  const stores = [{ buffer: buffer(3), index: at, ranges: [i], value }]
  interpretCluster({ stores }, new Map<number, never>([...tensors, [9, even], [3, result]] as never))
  return [...result]
}

describe('a select', () => {
  it('by a mask within bounds is a guard', () => {
    const chosen = select(mask(within), x, y)
    expect(chosen).toBe(values.guard(within, x, y))
    expect(run(chosen)).toEqual([10, 11, 2, 3, 4, 15, 16, 17])
  })

  it('by a mask outside bounds is the guard of the other sides', () => {
    const chosen = select(mask(within, false), x, y)
    expect(chosen).toBe(values.guard(within, y, x))
    expect(run(chosen)).toEqual([0, 1, 12, 13, 14, 5, 6, 7])
  })

  it('by one of a mask that is chosen by another is one guard in the other', () => {
    const chosen = select(mask(within), x, select(mask(elsewhere), y, z))
    expect(chosen).toBe(values.guard(within, x, values.guard(elsewhere, y, z)))
    expect(run(chosen)).toEqual([20, 21, 2, 3, 4, 15, 26, 27])
  })

  it.each<[string, () => LoopValue, () => LoopValue]>([
    ['the inner one inside', () => values.guard(within, x, z), () => y],
    ['the inner one outside', () => x, () => values.guard(within, z, y)],
    ['one on both sides', () => values.guard(within, x, z), () => values.guard(within, z, y)],
  ])('of what is guarded by the same bounds reads neither twice: %s', (_, yes, no) => {
    expect(select(mask(within), yes(), no())).toBe(values.guard(within, x, y))
    expect(select(mask(within, false), no(), yes())).toBe(values.guard(within, x, y))
  })

  it.each([
    ['another end', elsewhere],
    ['another index', shifted],
    ['another bound beside it', [...within, { index: shiftIndex(at, 3), low: 0, high: 7 }]],
  ] as const)('of what is guarded by other bounds keeps both: %s', (_, bounds) => {
    const inner = values.guard(bounds, x, z)
    const chosen = select(mask(within), inner, y)
    expect(chosen).toBe(values.guard(within, inner, y))
    const want = [...run(y)]
    for (const e of [2, 3, 4]) want[e] = run(inner)[e]!
    expect(run(chosen)).toEqual(want)
  })

  it('by any other mask stays one', () => {
    const loaded = values.load(buffer(9, 'bool'), at, [])
    const partly = values.guard(within, loaded, truth(false))
    for (const by of [loaded, partly]) expect(select(by, x, y).kind).toBe('alu')
    expect(run(select(partly, x, y))).toEqual([10, 11, 2, 13, 4, 15, 16, 17])
  })
})
