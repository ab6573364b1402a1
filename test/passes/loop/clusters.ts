/** What the tests of the Loop IR share: numbers without a pattern, single clusters of a node, fusions told as text. */
import { expect } from 'vitest'
import { lowering, singleStore, storeOf } from '../../../passes/loop/from-graph/lower-node.ts'
import { storeRanges } from '../../../passes/loop/from-graph/store-ranges.ts'
import type { Fusion } from '../../../passes/loop/fuse/fuse.ts'
import { isBufferLeaf } from '../../../passes/loop/fuse/stored-nodes.ts'
import type { Buffer, Cluster, LoopValue, Range } from '../../../passes/loop/ir/cluster.ts'
import { interpretCluster } from '../../../passes/loop/ir/interpret-cluster.ts'
import { kernelTypeOf } from '../../../passes/loop/ir/kernel-type.ts'
import { createValues, type Values } from '../../../passes/loop/ir/values.ts'
import type { Item, Nest, Scope } from '../../../passes/loop/schedule/nest.ts'
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { allocate, type HostArray } from '../../../src/lang/dtype.ts'
import type { Graph, Node, TensorType } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { topological } from '../../../src/lang/topological.ts'

/** Numbers without a pattern in [-1, 1); integers from -9 to 9 or 0 to 9; bools. */
export const arbitraryValue = (type: TensorType, salt: number): Value => {
  const data = allocate(type.dtype, sizeOf(type.shape))
  for (let i = 0; i < data.length; i++) {
    const x = Math.fround(Math.sin(12.9898 * (i + 1) + 78.233 * salt))
    const integer = Math.round(9 * x)
    data[i] =
      type.dtype === 'bool'
        ? Number(x > 0)
        : type.dtype === 'u32'
          ? Math.abs(integer)
          : type.dtype === 'i32'
            ? integer
            : x
  }
  return { ...type, data }
}

/** `arbitraryValue` for every input. */
export const arbitraryInputs = ({ inputs }: Graph): readonly Value[] =>
  inputs.map((n, i) => arbitraryValue(n.params, i))

export interface Single {
  readonly cluster: Cluster
  readonly values: Values
  readonly bufferOf: (n: Node) => Buffer
}

const surroundings = (): { readonly isMember: (n: Node) => boolean; readonly bufferOf: Single['bufferOf'] } => {
  const buffers = new Map<Node, Buffer>()
  return {
    isMember: (n) => !isBufferLeaf(n),
    bufferOf: (n) => {
      const { dtype, shape } = kernelTypeOf(n)
      const buffer = buffers.get(n) ?? { id: buffers.size, dtype, size: sizeOf(shape) }
      buffers.set(n, buffer)
      return buffer
    },
  }
}

/** One cluster that computes `node` from leaves, over the node's own axes. */
export const clusterOf = (node: Node): Single => {
  const values = createValues()
  const around = surroundings()
  return { cluster: singleStore(values, around, node, around.bufferOf(node)), values, bufferOf: around.bufferOf }
}

/** One cluster that computes all of `nodes`, over ranges chosen as fusion does. */
export const jointCluster = (nodes: readonly Node[]): Single => {
  const values = createValues()
  const around = surroundings()
  const at = lowering(values, around)
  const ranges = storeRanges(nodes, topological(nodes), values, at)
  const stores = nodes.map((n, i) => storeOf(at, n, around.bufferOf(n), ranges[i]!))
  return { cluster: { stores }, values, bufferOf: around.bufferOf }
}

/** The value of `graph`'s only output by the Loop interpreter, from one cluster without any fusion. */
export const runCluster = (graph: Graph, inputs: readonly Value[]): Value => {
  const node = graph.outputs[0]!
  const { cluster, bufferOf } = clusterOf(node)
  const memory = new Map<number, HostArray>(graph.inputs.map((n, i) => [bufferOf(n).id, inputs[i]!.data]))
  for (const n of topological(graph.outputs)) {
    if (n.op === 'const') memory.set(bufferOf(n).id, Float64Array.from(n.params.values))
    if (n.op === 'data') memory.set(bufferOf(n).id, n.params.payload.array)
  }
  const type = typeOf(node)
  const data = allocate(type.dtype, sizeOf(type.shape))
  interpretCluster(cluster, memory.set(bufferOf(node).id, data))
  return { ...type, data }
}

/** The sum of `value` over ranges, in the order of `reduce`. */
export const sumOver = (values: Values, over: readonly Range[], value: LoopValue): LoopValue =>
  values.reduce({ monoid: 'sum', order: 'tree', over, values: [value] })

/** Clusters by the ops they store, `,` between the clusters of one kernel: a fusion in a line. */
export const kernelsOf = (fusion: Fusion): readonly string[] =>
  fusion.kernels.map((kernel) => kernel.map((f) => f.stored.map((n) => n.op).join('+')).join(', '))

/** The items of a nest in order, loops by the sizes of their ranges. */
export const outline = (nest: Nest): readonly string[] => {
  const lines: string[] = []
  const walk = (scope: Scope, depth: number): void => {
    for (const item of scope.items) {
      lines.push(`${'  '.repeat(depth)}${describe(item)}`)
      if ('body' in item) walk(item.body, depth + 1)
    }
  }
  walk(nest.body, 0)
  return lines
}

const describe = (item: Item): string => {
  switch (item.kind) {
    case 'value':
      return item.value.kind === 'alu' ? item.value.op : item.value.kind
    case 'reduce':
      return `reduce ${item.accumulations.map((a) => a.reduce.monoid).join()} over ${item.body.range!.size}`
    case 'loop':
      return `loop ${item.body.range!.size}`
    case 'first':
      return `first of ${item.first.map((r) => r.size).join()}`
    case 'accumulate':
      return `accumulate ${item.accumulations.map((a) => a.reduce.monoid).join()}`
    case 'keep':
      return `keep over ${item.packed.over.map((r) => r.size).join()}`
    case 'stage':
      return `stage ${item.values.map((v) => v.kind).join()}`
    case 'store':
      return `store ${item.store.buffer.id}`
  }
}

/** Equal shapes and elements; NaN and infinities exactly, floats within a few roundings of 32 bits. */
export const expectClose = (got: readonly Value[], want: readonly Value[], label = ''): void => {
  expect(got.map((v) => v.shape)).toEqual(want.map((v) => v.shape))
  for (const [k, { data }] of want.entries()) {
    for (const [i, x] of data.entries()) {
      const y = got[k]!.data[i]!
      const isClose = Object.is(x + 0, y + 0) || Math.abs(x - y) <= 1e-5 + 1e-4 * Math.abs(x)
      if (!isClose) expect(y, `${label} result ${k}, element ${i}`).toBe(x)
    }
  }
}
