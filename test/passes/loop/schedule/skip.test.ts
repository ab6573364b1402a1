/** Edges that contractions pass over: where they are, what is saved, and that no bit depends on it. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../../../codegen/kernel/kernel.ts'
import { cpu } from '../../../../codegen/targets/wasm/profile.ts'
import { portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import type { Bound, Buffer, Cluster, LoopValue, Range, Store } from '../../../../passes/loop/ir/cluster.ts'
import {
  addIndex,
  rangeIndex,
  scaleIndex,
  shiftIndex,
  valueIndex,
} from '../../../../passes/loop/ir/index-expression.ts'
import { createValues, valuesBelow } from '../../../../passes/loop/ir/values.ts'
import { placeCluster } from '../../../../passes/loop/schedule/nest.ts'
import type { Role, Schedule } from '../../../../passes/loop/schedule/roles.ts'
import { skipping } from '../../../../passes/loop/schedule/skip.ts'
import * as T from '../../../../src/index.ts'
import type { HostArray } from '../../../../src/lang/dtype.ts'
import type { Graph } from '../../../../src/lang/ir.ts'
import type { Order } from '../../../../src/lang/monoids.ts'
import { traceTree } from '../../../../src/lang/trace.ts'
import * as nn from '../../../../src/nn/index.ts'
import { expressionsOf, kernelOf, runByHand, statementsOf } from '../../../codegen/hand-made.ts'
import { planOf } from '../../../differential.ts'
import { arbitraryValue } from '../clusters.ts'

const buffersOf = ({ stores }: Cluster): readonly Buffer[] => [
  ...new Set(valuesBelow(stores.map((s) => s.value)).flatMap((v) => (v.kind === 'load' ? [v.buffer] : []))),
]

/** Numbers of both signs, some of them special. */
const arbitrary = ({ dtype, size, id }: Buffer): HostArray => {
  const { data } = arbitraryValue({ shape: [size], dtype } as never, id)
  for (const [i, x] of [-0, Number.NaN, 0, Number.NEGATIVE_INFINITY].entries()) if (11 * i < size) data[11 * i] = x
  return data
}

/** The slope of a convolution in its input, for images of 7 x 7 in `channels` maps. */
const slope = (images: number, channels: number, options: nn.ConvOptions): Graph =>
  traceTree(
    (g: T.Tensor, weight: T.Tensor) => {
      const score = (x: T.Tensor) => T.sum(T.mul(nn.conv2d(x, { weight }, options), g))
      return T.grad(score)(T.zeros([images, 3, 7, 7]))
    },
    [
      T.spec(nn.conv2d(T.zeros([images, 3, 7, 7]), { weight: T.zeros([channels, 3, 3, 3]) }, options).shape),
      T.spec([channels, 3, 3, 3]),
    ],
  ).graph

const cases: readonly (readonly [string, Graph])[] = [
  ['a padded convolution', slope(8, 16, { padding: 1 })],
  ['without padding', slope(8, 16, {})],
  ['dilated', slope(4, 8, { padding: 2, dilation: 2 })],
  ['one image', slope(1, 4, { padding: 1 })],
]

describe('edges of a slope', () => {
  it.each(cases)('%s: contractions pass over them, and no bit depends on it', (_, graph) => {
    const fused = planOf(graph, cpu).fusion.kernels.flat()
    const skipping = fused.filter(({ schedule }) => schedule.skips)
    expect(skipping.flatMap(({ schedule }) => [...schedule.skips!.keys()])).toHaveLength(2)
    for (const { cluster, schedule } of skipping) {
      const whole = { ...schedule, skips: new Map() }
      const memory = new Map(buffersOf(cluster).map((b) => [b.id, arbitrary(b)]))
      const [got, want] = [schedule, whole].map((s) => runByHand(cluster, memory, cpu, s))
      expect(got).toEqual(want)
      const [own, all] = [schedule, whole].map((s) => kernelOf(cluster, cpu, s).kernel)
      const branches = (kernel: Kernel): number => statementsOf(kernel.body).filter((x) => x.kind === 'if').length
      expect(own).not.toEqual(all)
      expect(branches(own!)).toBeGreaterThanOrEqual(2)
      // What holds there is not asked again.
      const choices = (kernel: Kernel): number => expressionsOf(kernel.body).filter((x) => x.kind === 'select').length
      expect(choices(own!)).toBeLessThan(choices(all!))
    }
  })

  it('are passed over by processors alone', () => {
    const { fusion } = planOf(cases[0]![1], portable)
    expect(fusion.kernels.flat().some(({ schedule }) => schedule.skips)).toBe(false)
  })
})

/** A contraction of 3 x 16 terms at each of 8 points, built by hand; terms are zero at the edges. */
describe('a loop passes over steps', () => {
  const v = createValues()
  const [point] = v.ranges('store', [8]) as [Range]
  const [tap, channel] = v.ranges('reduce', [3, 16], new Set([point])) as [Range, Range]
  const buffer = (id: number, size: number): Buffer => ({ id, dtype: 'f32', size })
  const place = addIndex(rangeIndex(point), rangeIndex(tap))
  const edge: Bound = { index: place, low: 1, high: 9 }
  const lhs = v.load(buffer(0, 8 * 16), addIndex(scaleIndex(shiftIndex(place, -1), 16), rangeIndex(channel)), [edge])
  const rhs = v.load(buffer(1, 3 * 16), addIndex(scaleIndex(rangeIndex(tap), 16), rangeIndex(channel)), [])
  const product = v.alu('mul', 'f32', [lhs, rhs])
  const number = (x: number): LoopValue => v.constant('f32', x)
  const padded = v.guard([edge], product, number(0))
  const row = v.load(buffer(2, 8), rangeIndex(point), [])
  const found = valueIndex(v.alu('cast', 'u32', [row]), 8)
  const terms = (value: LoopValue, order: Order = 'blocks', monoid: 'terms' | 'sum' | 'max' = 'terms'): LoopValue =>
    v.reduce({ monoid, order, over: [tap, channel], values: [value] })
  const storing = (value: LoopValue, id = 9): Store => ({
    buffer: buffer(id, 8),
    index: rangeIndex(point),
    ranges: [point],
    value,
  })
  const whole = scaleIndex(rangeIndex(point), 3)
  const overTaps: Store = {
    ...storing(v.index('f32', rangeIndex(tap)), 8),
    buffer: buffer(8, 24),
    index: addIndex(whole, rangeIndex(tap)),
    ranges: [point, tap],
  }
  const roles = (range: Range, role: Role): Schedule['roles'] => new Map([[range, role]])
  const skipped = (
    stores: readonly Store[],
    given: Schedule['roles'] = new Map(),
    grid = [point],
  ): readonly Range[] => {
    const { skips } = skipping({ stores }, { nest: placeCluster({ stores }, grid), roles: given })
    return [...(skips?.keys() ?? [])]
  }

  it.each([
    ['at which all terms are zero', skipped([storing(terms(padded))]), [tap]],
    [
      'that two contractions have in common',
      skipped([storing(terms(padded)), storing(terms(v.guard([edge], rhs, number(0))), 7)]),
      [tap],
    ],
    ['none of which the other contraction needs', skipped([storing(terms(padded)), storing(terms(product), 7)]), []],
    ['where something else is added', skipped([storing(terms(v.guard([edge], product, number(1))))]), []],
    [
      'where a factor is zero: the other may be infinite',
      skipped([storing(terms(v.alu('mul', 'f32', [v.guard([edge], lhs, number(0)), rhs])))]),
      [],
    ],
    ['of a maximum', skipped([storing(terms(padded, 'any', 'max'))]), []],
    ['of a sum in another order', skipped([storing(terms(padded, 'tree', 'sum'))]), []],
    ['where register copies differ', skipped([storing(terms(padded))], roles(point, { unroll: 2, vector: false })), []],
    ['where lanes differ', skipped([storing(terms(padded))], roles(point, { unroll: 1, vector: true })), []],
    ['whose range no loop around it binds', skipped([storing(terms(padded))], new Map(), []), []],
    ['of which a store needs each', skipped([storing(terms(padded)), overTaps]), []],
    [
      'that depend on what is computed',
      skipped([storing(terms(v.guard([{ ...edge, index: addIndex(found, rangeIndex(tap)) }], product, number(0))))]),
      [],
    ],
  ])('%s', (_, got, want) => {
    expect(got).toEqual(want)
  })
})
