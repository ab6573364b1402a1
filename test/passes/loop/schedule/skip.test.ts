/** Edges that contractions pass over: where they are, what is saved, and that no bit depends on it. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../../../codegen/kernel/kernel.ts'
import { cpu } from '../../../../codegen/targets/wasm/profile.ts'
import { portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import type { Buffer, Cluster } from '../../../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../../../passes/loop/ir/values.ts'
import * as T from '../../../../src/index.ts'
import type { HostArray } from '../../../../src/lang/dtype.ts'
import type { Graph } from '../../../../src/lang/ir.ts'
import { traceTree } from '../../../../src/lang/trace.ts'
import * as nn from '../../../../src/nn/index.ts'
import { kernelOf, runByHand, statementsOf } from '../../../codegen/hand-made.ts'
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
    }
  })

  it('are passed over by processors alone', () => {
    const { fusion } = planOf(cases[0]![1], portable)
    expect(fusion.kernels.flat().some(({ schedule }) => schedule.skips)).toBe(false)
  })
})
