/**
 * Routines: operations that are not fused because they have hand-written kernels. What the planner must know before
 * those kernels are emitted: which nodes are routines, what they store, and the scratch memory they need.
 */

import { build, typeOf, typesOf } from '../../../src/lang/build.ts'
import { ceilDiv, ceilLog2, type Shape, sizeOf } from '../../../src/lang/dim.ts'
import {
  type LoopNode,
  loopOps,
  type Node,
  type NodeOf,
  type Op,
  type RoutineOp,
  routineOps,
} from '../../../src/lang/ir.ts'
import { prefixRow, treeRun } from '../../../src/lang/monoids.ts'
import { matrixSizes } from '../../../src/lang/ops/matrix.ts'
import type { Profile } from '../../profile.ts'
import { type KernelType, kernelTypeOf } from '../ir/kernel-type.ts'

const routines: ReadonlySet<Op> = new Set<Op>([...routineOps, ...loopOps])
const loops: ReadonlySet<Op> = new Set<Op>(loopOps)

/** Whether `n` is a loop, whose kernels are those of a nested graph. */
export const isLoop = (n: Node): n is LoopNode => loops.has(n.op)

/** Operations with hand-written kernels: used always, or above a size. */
export type AuthoredOp = RoutineOp | 'scatterAdd'

/** Whether `n` runs in kernels of its own and is not fused. */
export const isRoutine = (n: Node): boolean => routines.has(n.op) || isLargeScatter(n)

/** The routine that stores `n`: `n` itself, or the node that `n` is an output of. */
export const routineOf = (n: Node): Node | undefined => {
  const source = n.op === 'get' ? n.args[0]! : n
  return isRoutine(source) ? source : undefined
}

/** The nodes of a routine's outputs, live or not. */
export const routineOutputs = (n: Node): readonly Node[] => {
  const types = typesOf(n)
  return types.length === 1 ? [n] : types.map((_, index) => build.get([n], { index }))
}

/** Elements that a prefix reduction takes in at a time: runs, four and sixteen of them. */
export const cumulateBlock: number = treeRun * 16

/** The schedule of `cumulate`: number of lines, their length, and blocks per line that have threads of their own (1: none). */
export const cumulateSplit = (
  n: NodeOf<'cumulate'>,
): { readonly lines: number; readonly length: number; readonly blocks: number } => {
  const { shape } = typesOf(n)[0]!
  const length = shape[n.params.axis]!
  const lines = length === 0 ? 0 : sizeOf(shape) / length
  const isLong = length > 4096 && lines < 64
  return { lines, length, blocks: isLong ? ceilDiv(length, cumulateBlock) : 1 }
}

/** The most elements that one workgroup sorts: two copies of their keys and indices take 16 KiB of workgroup memory. */
export const sortBlock = 1024

/** Lines up to this length are sorted by rank counting: every thread reads the whole line. */
export const countedLength = 32

/**
 * The schedule of a sort: lines along an axis, each of `blocks` blocks that one workgroup sorts, and the merge passes
 * after them.
 */
export const sortSplit = (
  shape: Shape,
  axis: number,
): { readonly lines: number; readonly length: number; readonly blocks: number; readonly merges: number } => {
  const length = shape[axis]!
  const blocks = ceilDiv(length, sortBlock)
  return {
    lines: length === 0 ? 0 : sizeOf(shape) / length,
    length,
    blocks,
    merges: blocks <= 1 ? 0 : ceilLog2(blocks),
  }
}

/**
 * Scratch for keys and indices of sorted runs; double-buffered where merges go from one copy to the other: between
 * dispatches, and within a workgroup that does not use workgroup memory.
 */
export const sortScratch = (shape: Shape, axis: number, profile: Profile): readonly KernelType[] => {
  const { lines, length, merges } = sortSplit(shape, axis)
  const inside = length > countedLength && profile.schedule !== 'cooperative'
  const copies = inside ? 2 : Math.min(2, merges)
  const words: KernelType = { shape: [copies, lines, length], dtype: 'u32' }
  return copies === 0 ? [] : [words, words]
}

/**
 * The sizes of a scatterAdd: lines of `positions` indices, each of which places `row` elements in one of `size` rows.
 */
export const scatterSizes = (
  n: NodeOf<'scatterAdd'>,
): { readonly lines: number; readonly positions: number; readonly size: number; readonly row: number } => {
  const { batch, size } = n.params
  const index = typeOf(n.args[0]!).shape
  return {
    lines: sizeOf(index.slice(0, batch)),
    positions: sizeOf(index.slice(batch)),
    size,
    row: sizeOf(typeOf(n.args[1]!).shape.slice(index.length)),
  }
}

/**
 * A fused scatterAdd compares every element of its result with every index; above this many comparisons it is sorted
 * instead.
 */
const fusedScatter = 2 ** 22

const isLargeScatter = (n: Node): boolean => {
  if (n.op !== 'scatterAdd') return false
  const { lines, positions, size, row } = scatterSizes(n)
  return positions > 16 && lines * size * row * positions > fusedScatter
}

/** The number of lines that Jacobi rotations pair: `n`, padded to an even number. */
export const jacobiSize = (n: number): number => n + (n % 2)

/** The number of Jacobi sweeps: convergence is quadratic after the first few. */
export const jacobiSweeps = (n: number): number => 5 + ceilLog2(Math.max(1, n))

const none = (): readonly KernelType[] => []

/** Scratch tensors that a routine writes and reads between its own dispatches. */
const scratch: { readonly [K in AuthoredOp]: (n: NodeOf<K>, profile: Profile) => readonly KernelType[] } = {
  cumulate: (n) => {
    const { lines, blocks } = cumulateSplit(n)
    const { dtype } = kernelTypeOf(n.args[0]!)
    const components = prefixRow(n.params.monoid).components(dtype === 'f16' ? 'f32' : dtype)
    return blocks === 1 ? [] : components.map((d) => ({ shape: [lines, blocks], dtype: d }))
  },
  sort: (n, profile) => sortScratch(typesOf(n as Node)[0]!.shape, n.params.axis, profile),
  // The sorted indices, the position each comes from, the first position of every row; then the scratch of the sort.
  scatterAdd: (n, profile) => {
    const { lines, positions, size } = scatterSizes(n)
    return [
      { shape: [lines, positions], dtype: kernelTypeOf(n.args[0]!).dtype },
      { shape: [lines, positions], dtype: 'i32' },
      { shape: [lines, size + 1], dtype: 'u32' },
      ...sortScratch([lines, positions], 1, profile),
    ]
  },
  kernel: () => [],
  triangularSolve: none,
  cholesky: none,
  lu: none,
  qr: none,
  // The matrix being diagonalised, the rotations of a round, and their product.
  eigh: (n) => {
    const { rows, matrices } = matrixSizes(typeOf(n.args[0]!).shape)
    const size = jacobiSize(rows)
    return [size * size, size, size * size].map((length) => ({ shape: [matrices, length], dtype: 'f32' }))
  },
  // The matrix whose columns are orthogonalised, the product of the rotations, and the column norms.
  svd: (n) => {
    const { rows, columns, matrices } = matrixSizes(typeOf(n.args[0]!).shape)
    const size = jacobiSize(columns)
    return [rows * size, columns * size, columns].map((length) => ({ shape: [matrices, length], dtype: 'f32' }))
  },
}

/** The scratch memory that `n` needs beside its operands and outputs. */
export const scratchOf = (n: NodeOf<AuthoredOp>, profile: Profile): readonly KernelType[] =>
  (scratch[n.op] as (n: NodeOf<AuthoredOp>, profile: Profile) => readonly KernelType[])(n, profile)
