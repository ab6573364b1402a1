/** The cost model on clusters small enough to count by hand, and the choice of what goes on the grid. */
import { describe, expect, it } from 'vitest'
import { cpu } from '../../../../codegen/targets/wasm/profile.ts'
import { hardware, portable, software } from '../../../../codegen/targets/wgsl/profiles.ts'
import { chooseGrid, costOf } from '../../../../passes/loop/schedule/cost.ts'
import { placeCluster } from '../../../../passes/loop/schedule/nest.ts'
import { type Schedule, scheduleCluster } from '../../../../passes/loop/schedule/roles.ts'
import { inWorkgroups } from '../../../../passes/loop/schedule/workgroup.ts'
import type { Profile } from '../../../../passes/profile.ts'
import { build as b } from '../../../../src/lang/build.ts'
import type { Node, TensorType } from '../../../../src/lang/ir.ts'
import { f32, program } from '../../graph/programs.ts'
import { clusterOf } from '../clusters.ts'

const node = (types: readonly TensorType[], f: (...xs: Node[]) => Node): Node => program(types, f).outputs[0]!
const costed = (n: Node, profile: Profile = portable) => chooseGrid(clusterOf(n).cluster, profile)
const spread = (x: Node, columns: number, rows: number): Node => b.broadcast([x], { shape: [rows, columns], axes: [1] })

const sum = (x: Node): Node => b.reduce([x], { monoid: 'sum', axes: [1] })

/** x / Σ exp(x) by rows. */
const normalised = (rows: number, columns: number): Node =>
  node([f32(rows, columns)], (x) => b.div([x, spread(sum(b.exp([x], {})), columns, rows)], {}))

describe('costs', () => {
  it('are those of four lanes for a processor where an operation has none', () => {
    const { cluster } = clusterOf(node([f32(1024), f32(1024)], (x, y) => b.mul([b.add([x, y], {}), x], {})))
    const nest = placeCluster(cluster, cluster.stores[0]!.ranges)
    const seconds = (profile: Profile, roles: Schedule['roles']): number => {
      const { dispatch, bandwidth } = profile.costs
      const cost = costOf({ nest, roles }, profile)
      return cost.seconds - dispatch - cost.bytes / bandwidth
    }
    const [range] = nest.grid
    const [lanes, alone] = [new Map([[range!, { unroll: 1, vector: true }]]), new Map()]
    expect(seconds(cpu, alone) / seconds(cpu, lanes)).toBeCloseTo(4)
    expect(seconds(portable, alone)).toBeCloseTo(seconds(portable, lanes), 12)
  })

  const cases: readonly {
    readonly name: string
    readonly of: Node
    readonly flops: number
    readonly bytes: number
    readonly statements: number
  }[] = [
    {
      name: 'a sum of two vectors: two loads, an addition, a store',
      of: node([f32(1003), f32(1003)], (x, y) => b.add([x, y], {})),
      flops: 1003,
      bytes: 3 * 4 * 1003,
      statements: 4,
    },
    {
      name: 'a function costs what its guarded form does',
      of: node([f32(1003)], (x) => b.exp([x], {})),
      flops: 20 * 1003,
      bytes: 2 * 4 * 1003,
      statements: 3,
    },
    {
      name: 'a product of matrices reads each tensor once, however often its elements are used',
      of: node([f32(7, 11), f32(11, 13)], (x, y) => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })),
      flops: 2 * 7 * 11 * 13,
      bytes: 4 * (7 * 11 + 11 * 13 + 7 * 13),
      statements: 5,
    },
    {
      name: 'a broadcast vector is read as often as it has elements',
      of: node([f32(7), f32(7, 13)], (w, x) => b.mul([x, spread(w, 13, 7)], {})),
      flops: 7 * 13,
      bytes: 4 * (7 + 2 * 7 * 13),
      statements: 4,
    },
    {
      name: 'what does not move along a vector is computed once for its four elements',
      of: node([f32(7), f32(7, 16)], (w, x) => b.mul([x, spread(b.exp([w], {}), 16, 7)], {})),
      flops: 7 * 16 + (20 * 7 * 16) / 4,
      bytes: 4 * (7 + 2 * 7 * 16),
      statements: 5,
    },
  ]
  it.each(cases)('$name', ({ of, flops, bytes, statements }) => {
    const { cluster } = clusterOf(of)
    const nest = placeCluster(cluster, cluster.stores[0]!.ranges)
    const cost = costOf(scheduleCluster(cluster, nest, portable), portable)
    expect({ flops: cost.flops, bytes: cost.bytes, statements: cost.statements }).toEqual({ flops, bytes, statements })
  })

  it('add up to a dispatch, the bytes and the operations', () => {
    const { cost } = costed(node([f32(8, 1024)], (x) => b.exp([x], {})))
    const { dispatch, bandwidth, flops } = portable.costs
    expect(cost.threads).toBe(8192)
    expect(cost.seconds).toBeCloseTo(dispatch + (2 * 4 * 8192) / bandwidth + (20 * 8192) / flops, 12)
  })

  it('count operations for more where too few invocations share them', () => {
    const { cost } = costed(node([f32(128)], (x) => b.reduce([x], { monoid: 'sum', axes: [0] })))
    const { dispatch, bandwidth, flops, threads } = portable.costs
    expect(cost.seconds).toBeCloseTo(dispatch + (4 * 128 + 4) / bandwidth + (128 * threads) / flops, 12)
  })
})

describe('the grid', () => {
  const gridOf = (n: Node, profile: Profile): readonly number[] =>
    costed(n, profile).schedule.nest.grid.map((r) => r.size)

  it.each([
    ['rows, where there are enough of them', portable, [4096, 64], [4096]],
    ['rows, where invocations are few', software, [64, 100], [64]],
    ['elements, where rows would leave most of the machine idle', portable, [16, 8], [16, 8]],
    ['elements, where the machine is wide', hardware, [256, 16], [256, 16]],
  ] as const)('takes %s', (_, profile, [rows, columns], grid) => {
    expect(gridOf(normalised(rows, columns), profile)).toEqual(grid)
  })

  it.each([portable, software, hardware])('is the cheapest of its choices on $name', (profile) => {
    for (const [rows, columns] of [
      [1, 64],
      [64, 64],
      [2048, 8],
    ] as const) {
      const { cluster } = clusterOf(normalised(rows, columns))
      const { ranges } = cluster.stores[0]!
      const choices = [ranges, ranges.slice(0, 1), ...(rows === 1 ? [[]] : [])].flatMap((grid) => {
        const alone = scheduleCluster(cluster, placeCluster(cluster, grid), profile)
        const together = inWorkgroups(alone, profile)
        return [alone, ...(together ? [together] : [])].map((s) => costOf(s, profile).seconds)
      })
      const chosen = chooseGrid(cluster, profile)
      // A workgroup that shares its work must gain by it.
      expect(chosen.cost.seconds).toBeLessThanOrEqual(Math.min(...choices) + profile.costs.dispatch / 10)
      if (chosen.schedule.workgroup) expect(chosen.cost.seconds).toBe(Math.min(...choices))
    }
  })
})
