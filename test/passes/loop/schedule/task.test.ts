/** Tasks: which contractions get them, what they pack, and that no bit depends on them. */
import { describe, expect, it } from 'vitest'
import { portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import { verifyNest } from '../../../../passes/loop/ir/verify-cluster.ts'
import { chooseGrid } from '../../../../passes/loop/schedule/cost.ts'
import type { Profile } from '../../../../passes/profile.ts'
import { build as b } from '../../../../src/lang/build.ts'
import type { Graph, Node } from '../../../../src/lang/ir.ts'
import { interpretPlan, planOf } from '../../../differential.ts'
import { f32, program } from '../../graph/programs.ts'
import { arbitraryInputs, clusterOf, outline } from '../clusters.ts'

const costs = { ...portable.costs, threads: 1, dispatch: 2e-6 }
const serial: Profile = { ...portable, workgroupThreads: 1, costs }
const task: Profile = { ...serial, schedule: 'task' }

const matmul = (x: Node, y: Node): Node => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
/** The right operand is transposed: its rows are contracted. */
const linear = (x: Node, w: Node): Node => b.dot([x, w], { lhs: [0, 1], rhs: [2, 1], out: [0, 2] })

const doubled = (x: Node, times: number): Node => (times === 0 ? x : doubled(b.add([x, x], {}), times - 1))

const packs = (graph: Graph): boolean => {
  const { cluster } = clusterOf(graph.outputs[0]!)
  const { nest, task: found } = chooseGrid(cluster, task).schedule
  expect(verifyNest(cluster, nest)).toEqual([])
  expect(outline(nest).some((line) => line.includes('keep'))).toBe(found !== undefined)
  return found !== undefined
}

const cases: readonly (readonly [string, Graph, boolean])[] = [
  ['a matrix product', program([f32(64, 24), f32(24, 32)], matmul), true],
  ['one with a transposed operand', program([f32(64, 24), f32(32, 24)], linear), true],
  ['an operand that is computed', program([f32(64, 24), f32(24, 32)], (x, y) => matmul(x, b.exp([y], {}))), true],
  // Forty values, and a trillion ways through them.
  ['rows that are computed in steps', program([f32(64, 24), f32(24, 32)], (x, y) => matmul(doubled(x, 40), y)), true],
  ['edges in all three ranges', program([f32(67, 259), f32(259, 61)], matmul), true],
  ['few rows', program([f32(3, 24), f32(24, 32)], matmul), false],
  ['a map', program([f32(64, 32)], (x) => b.exp([x], {})), false],
  ['a sum', program([f32(64, 32)], (x) => b.reduce([x], { monoid: 'sum', axes: [1] })), false],
]

describe('tasks', () => {
  it.each(cases)('%s', (_, graph, expected) => {
    expect(packs(graph)).toBe(expected)
  })

  it.each(cases)('%s has the bits of a plan without tasks', (_, graph) => {
    const inputs = arbitraryInputs(graph)
    const [got, want] = [task, serial].map((p) => interpretPlan(planOf(graph, p).plan, inputs))
    expect(got!.map((v) => [...v.data])).toEqual(want!.map((v) => [...v.data]))
  })

  it('share the tiles of long columns', () => {
    const { cluster } = clusterOf(program([f32(1024, 16), f32(16, 8)], matmul).outputs[0]!)
    const { schedule } = chooseGrid(cluster, task)
    expect(schedule.nest.grid.map((r) => r.size)).toEqual([8])
    expect(schedule.task!.run).toBeLessThan(16)
  })
})
