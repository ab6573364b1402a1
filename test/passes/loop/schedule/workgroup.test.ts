/** Which loops a workgroup deals out, how, and when it pays to compute a point of the grid together. */
import { describe, expect, it } from 'vitest'
import { hardware, portable, software } from '../../../../codegen/targets/wgsl/profiles.ts'
import { valuesBelow } from '../../../../passes/loop/ir/values.ts'
import { chooseGrid } from '../../../../passes/loop/schedule/cost.ts'
import type { ReduceValue } from '../../../../passes/loop/schedule/nest.ts'
import type { Role } from '../../../../passes/loop/schedule/roles.ts'
import { dealOfLoop, dealOfReduce } from '../../../../passes/loop/schedule/workgroup.ts'
import type { Profile } from '../../../../passes/profile.ts'
import * as T from '../../../../src/index.ts'
import { build as b } from '../../../../src/lang/build.ts'
import type { Monoid } from '../../../../src/lang/ir.ts'
import * as nn from '../../../../src/nn/index.ts'
import { f32, program } from '../../graph/programs.ts'
import { clusterOf } from '../clusters.ts'

const threads = 256
const reductionOf = (monoid: Monoid, shape: readonly number[], axes: readonly number[]): ReduceValue => {
  const n = program([f32(...shape)], (x) => {
    const r = b.reduce([x!], { monoid, axes })
    return monoid === 'argmax' ? b.cast([r], { dtype: 'f32' }) : r
  }).outputs[0]!
  const { cluster } = clusterOf(n)
  return valuesBelow(cluster.stores.map((s) => s.value)).find((v): v is ReduceValue => v.kind === 'reduce')!
}
const dealt = (monoid: Monoid, shape: readonly number[], axes: readonly number[], role?: Role) => {
  const reduce = reductionOf(monoid, shape, axes)
  const roles = new Map(role ? reduce.over.map((r) => [r, role]) : [])
  const deal = dealOfReduce([{ group: reduce.group, reduce }], roles, threads)
  return deal && [deal.range.size, deal.form, deal.share, deal.active]
}
const vector: Role = { unroll: 1, vector: true }

describe('loops dealt out', () => {
  it.each([
    ['a sum, by runs of eight', 'sum', [3, 64], [1], undefined, [64, 'runs', 1, 8]],
    ['as many runs as invocations', 'sum', [3, 2048], [1], undefined, [2048, 'runs', 1, 256]],
    ['four runs each, from there on', 'sum', [3, 2049], [1], undefined, [2049, 'runs', 4, 65]],
    ['runs of vectors', 'sum', [3, 65536], [1], vector, [65536, 'runs', 64, 128]],
    ['a single run: by nobody', 'sum', [3, 8], [1], undefined, undefined],
    ['the outermost of two ranges', 'sum', [3, 64, 100], [1, 2], undefined, [64, 'runs', 1, 8]],
    ['an extreme, in turns', 'max', [3, 100], [1], undefined, [100, 'turns', 1, 100]],
    ['an extreme over the longest range', 'max', [3, 4, 100], [1, 2], undefined, [100, 'turns', 1, 100]],
    ['a position, by stretches', 'argmax', [3, 1000], [1], undefined, [1000, 'steps', 4, 250]],
  ] as const)('%s', (_, monoid, shape, axes, role, want) => {
    expect(dealt(monoid, shape, axes, role)).toEqual(want)
  })

  it('a map, in turns, unless it is one step', () => {
    const range = { id: 1, size: 12 }
    expect(dealOfLoop(range, new Map(), threads)).toEqual({ range, form: 'turns', share: 1, active: 12 })
    expect(dealOfLoop({ id: 1, size: 4 }, new Map([[{ id: 1, size: 4 }, vector]]), threads)).toBeDefined()
    const four = { id: 2, size: 4 }
    expect(dealOfLoop(four, new Map([[four, vector]]), threads)).toBeUndefined()
  })
})

describe('points that a workgroup computes together', () => {
  const dispatchesOf = (f: (x: T.Tensor) => unknown, shape: readonly number[], profile: Profile) => {
    const { plan } = T.orThrow(T.compile(f as never, [T.spec(shape)] as never, { profile }))
    return plan.steps.map((s) => (s.kind === 'dispatch' ? s.workgroups : s.kind))
  }
  it.each([
    ['softmax', (x: T.Tensor) => nn.softmax(x), [64, 1024]],
    ['softmax', (x: T.Tensor) => nn.softmax(x), [8, 65536]],
    ['layerNorm', (x: T.Tensor) => nn.layerNorm(x), [64, 1024]],
    ['layerNorm', (x: T.Tensor) => nn.layerNorm(x), [8, 65536]],
  ] as const)('%s of few long rows is one dispatch, a workgroup a row', (_, f, shape) => {
    for (const profile of [portable, hardware]) expect(dispatchesOf(f, shape, profile)).toEqual([shape[0]])
  })

  it('are not on a device where barriers are dear, nor where rows are short', () => {
    const scheduleOf = (rows: number, columns: number, profile: Profile) =>
      chooseGrid(
        clusterOf(program([f32(rows, columns)], (x) => b.reduce([x!], { monoid: 'sum', axes: [1] })).outputs[0]!)
          .cluster,
        profile,
      ).schedule
    expect(scheduleOf(8, 65536, hardware).workgroup).toEqual({ threads })
    expect(scheduleOf(8, 65536, { ...hardware, workgroupThreads: 128 }).workgroup).toEqual({ threads: 64 })
    expect(scheduleOf(8, 65536, software).workgroup).toBeUndefined()
    expect(scheduleOf(1 << 16, 8, hardware).workgroup).toBeUndefined()
    expect(scheduleOf(8, 65536, { ...hardware, costs: { ...hardware.costs, barrier: 1 } }).workgroup).toBeUndefined()
  })

  it('need workgroup memory for each component of a state', () => {
    const bytes = (f: (x: T.Tensor) => unknown): number => {
      const graph = T.orThrow(T.compile(f as never, [T.spec([8, 65536])] as never, { profile: hardware }))
      return Math.max(0, ...graph.plan.kernels.map((k) => k.kernel.arrays.reduce((n, a) => n + a.size * 4, 0)))
    }
    expect(bytes((x) => T.sum(x, { axis: 1 }))).toBe(threads * 4)
    // A maximum and a sum meet one after the other, in the same array.
    expect(bytes((x) => nn.softmax(x))).toBe(threads * 4)
    expect(bytes((x) => T.variance(x, { axis: 1 }))).toBeLessThanOrEqual(4 * threads * 4)
  })
})
