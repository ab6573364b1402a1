/** Which ranges several stores run over: one flat range, or the axes of the largest, shared as far as they agree. */
import { describe, expect, it } from 'vitest'
import type { Range } from '../../../../passes/loop/ir/cluster.ts'
import { build as b } from '../../../../src/lang/build.ts'
import type { Node, TensorType } from '../../../../src/lang/ir.ts'
import { f32, program } from '../../graph/programs.ts'
import { jointCluster } from '../clusters.ts'

const rangesOf = (types: readonly TensorType[], f: (...xs: Node[]) => readonly Node[]): readonly (readonly Range[])[] =>
  jointCluster(program(types, f).outputs).cluster.stores.map((s) => s.ranges)

const sizes = (ranges: readonly (readonly Range[])[]): readonly (readonly number[])[] =>
  ranges.map((rs) => rs.map((r) => r.size))

const sum = (x: Node, axis: number): Node => b.reduce([x], { monoid: 'sum', axes: [axis] })

describe('ranges of stores', () => {
  it('are one flat range where nothing is reduced and all have the same number of elements', () => {
    const ranges = rangesOf([f32(3, 5)], (x) => [b.neg([x], {}), b.reshape([b.exp([x], {})], { shape: [5, 3] })])
    expect(sizes(ranges)).toEqual([[15], [15]])
    expect(ranges[0]).toBe(ranges[1])
  })

  it('are the axes where something is reduced', () => {
    expect(sizes(rangesOf([f32(3, 5, 7)], (x) => [sum(x, 2)]))).toEqual([[3, 5]])
  })

  it('of a smaller store are those of the largest that it shares', () => {
    const [row, full] = rangesOf([f32(3, 5), f32(3)], (x, w) => [
      b.neg([w], {}),
      b.mul([x, b.broadcast([w], { shape: [3, 5], axes: [1] })], {}),
    ])
    expect(row).toEqual([full![0]])
    expect(row![0]).toBe(full![0])
  })

  it('of equal sizes are chosen so that most values are shared', () => {
    // Both axes have 4 elements; the sum over the first lies along the second.
    for (const axis of [0, 1]) {
      const [part, full] = rangesOf([f32(4, 4)], (x) => {
        const s = sum(x, axis)
        return [s, b.sub([x, b.broadcast([s], { shape: [4, 4], axes: [axis] })], {})]
      })
      expect(part![0]).toBe(full![1 - axis])
    }
  })

  it('are fresh where the largest store has no such axis', () => {
    const [full, other] = rangesOf([f32(3, 5), f32(2)], (x, y) => [b.neg([x], {}), b.neg([y], {})])
    expect(sizes([full!, other!])).toEqual([[3, 5], [2]])
    expect(full).not.toContain(other![0])
  })

  it('of a scalar are none', () => {
    expect(sizes(rangesOf([f32(3), f32()], (x, y) => [b.neg([x], {}), b.neg([y], {})]))).toEqual([[3], []])
  })
})
