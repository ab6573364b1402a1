/** Which tensors a kernel binds as vectors of four. */
import { describe, expect, it } from 'vitest'
import { vectorBuffers, vectorOf } from '../../../codegen/lower/access.ts'
import { portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Buffer, Cluster } from '../../../passes/loop/ir/cluster.ts'
import { chooseGrid } from '../../../passes/loop/schedule/cost.ts'
import type { Profile } from '../../../passes/profile.ts'
import { build as b, typeOf } from '../../../src/lang/build.ts'
import type { Node, TensorType } from '../../../src/lang/ir.ts'
import { f32, i32, program } from '../../passes/graph/programs.ts'
import { clusterOf } from '../../passes/loop/clusters.ts'
import { placesOf } from '../hand-made.ts'

/** The buffers of a cluster that stand for themselves. */
const own = (cluster: Cluster): ReadonlyMap<Buffer, Buffer> => new Map([...placesOf(cluster).keys()].map((b) => [b, b]))

/** Whether the result and each argument are bound as vectors. */
const vectors = (
  types: readonly TensorType[],
  f: (...xs: Node[]) => Node,
  profile: Profile = portable,
): readonly boolean[] => {
  const graph = program(types, f)
  const [output] = graph.outputs
  const { cluster, bufferOf } = clusterOf(output!)
  const four = vectorBuffers([{ cluster, schedule: chooseGrid(cluster, profile).schedule, tensors: own(cluster) }])
  return [output!, ...graph.inputs].map((n) => four.has(bufferOf(n)))
}

const matmul = (x: Node, y: Node): Node => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
const cut = (x: Node, from: number): Node =>
  b.slice([x], { start: [0, from], stop: [typeOf(x).shape[0]!, from + 8], step: [1, 1] })

describe('tensors bound as vectors', () => {
  it.each<[string, readonly boolean[], readonly boolean[]]>([
    ['aligned loads and stores', vectors([f32(3, 8)], (x) => b.neg([x], {})), [true, true]],
    ['nothing of odd size', vectors([f32(7)], (x) => b.neg([x], {})), [false, false]],
    ['a part that begins at a vector', vectors([f32(3, 16)], (x) => b.neg([cut(x, 4)], {})), [true, true]],
    ['not one that begins inside a vector', vectors([f32(3, 16)], (x) => b.neg([cut(x, 2)], {})), [true, false]],
    ['not rows that begin inside a vector', vectors([f32(3, 9)], (x) => b.neg([cut(x, 0)], {})), [true, false]],
    [
      'not what is read across',
      vectors([f32(8, 12), f32(12, 8)], (x, y) => b.add([x, b.permute([y], { axes: [1, 0] })], {})),
      [true, true, false],
    ],
    [
      'not what is guarded lane by lane',
      vectors([f32(3, 7)], (x) => b.pad([x], { low: [0, 1], high: [0, 0], interior: [0, 0], value: 0 })),
      [true, false],
    ],
    [
      'what is guarded by rows',
      vectors([f32(3, 8)], (x) => b.pad([x], { low: [1, 0], high: [0, 0], interior: [0, 0], value: 0 })),
      [true, true],
    ],
    [
      'a sum of rows: the rows',
      vectors([f32(3, 8)], (x) => b.reduce([x], { monoid: 'sum', axes: [1] })),
      [false, true],
    ],
    ['integers too', vectors([i32(8), i32(8)], (x, y) => b.add([x, y], {})), [true, true, true]],
    [
      'a tile that steps through rows by four',
      vectors([f32(128, 64), f32(64, 128)], matmul, { ...software, costs: { ...software.costs, vectorLoad: 1 } }),
      [true, true, true],
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected)
  })

  it('not where another cluster of the kernel stores one by one', () => {
    const { cluster } = clusterOf(program([f32(8)], (x) => b.neg([x], {})).outputs[0]!)
    const { schedule } = chooseGrid(cluster, portable)
    const { buffer } = cluster.stores[0]!
    const wide = { cluster, schedule, tensors: own(cluster) }
    expect(vectorBuffers([wide]).has(buffer)).toBe(true)
    const singly = { ...wide, schedule: { ...schedule, roles: new Map() } }
    expect(vectorBuffers([wide, singly]).has(buffer)).toBe(false)
  })
})

describe('the vector range', () => {
  it('is the one among the ranges that has the role, or none', () => {
    const { cluster } = clusterOf(program([f32(3, 8)], (x) => b.neg([x], {})).outputs[0]!)
    const { schedule } = chooseGrid(cluster, portable)
    const [rows, columns] = cluster.stores[0]!.ranges
    expect(vectorOf([rows!, columns!], schedule)).toBe(columns)
    expect(vectorOf([rows!], schedule)).toBeUndefined()
    expect(vectorOf([], schedule)).toBeUndefined()
  })
})
