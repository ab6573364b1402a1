/**
 * The kernels of sort, all stable. Short lines: rank counting, one thread per element. Lines of up to one block: merge
 * sort within a workgroup. Longer lines: sorted blocks, then one merge dispatch per doubling of the run length, O(n
 * log² n).
 */

import { countedLength, sortBlock, sortSplit } from '../../passes/loop/from-graph/routine-nodes.ts'
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import { alignUp, ceilDiv, ceilLog2, floorDiv, type Shape, sizeOf } from '../../src/lang/dim.ts'
import type { NodeOf } from '../../src/lang/ir.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt, LocalArray } from '../kernel/kernel.ts'
import { hold, lineAddress, perThread, type RoutineDispatch, type Tensors } from './dispatch.ts'
import { keyOf, mergedPlace } from './sort-parts.ts'

/** A sort: its operand, results and scratch memory. */
export interface SortTask {
  readonly x: Buffer
  readonly shape: Shape
  readonly axis: number
  readonly descending: boolean
  readonly values: Buffer
  readonly indices: Buffer
  /** Scratch for keys and indices between rounds and between dispatches. */
  readonly scratch: readonly Buffer[]
}

/** Stores element `from` of its line, and the index `from`, at position `to`. */
const storeResult = (s: SortTask, t: Tensors, line: KExpr, from: KExpr, to: KExpr): readonly KStmt[] => {
  const address = lineAddress(s.shape, s.axis)
  const place = hold(t, address(line, to))
  // The bound always holds; it lets the cost analysis bound an index that comes from memory.
  const source = k.min(from, k.u32(s.shape[s.axis]! - 1))
  return [
    place.statement,
    t.store(s.values, place.value, t.load(s.x, address(line, source))),
    t.store(s.indices, place.value, k.cast(from, 'i32')),
  ]
}

/** Rank counting: the position of an element is the number of elements that precede it. */
const byCounting = (s: SortTask, profile: Profile): RoutineDispatch => {
  const { lines, length } = sortSplit(s.shape, s.axis)
  const address = lineAddress(s.shape, s.axis)
  return {
    name: 'sort_count',
    reads: [s.x],
    writes: [s.values, s.indices],
    ...perThread(lines * length, profile, (t, thread) => {
      const line = hold(t, k.div(thread, k.u32(length)))
      const position = hold(t, k.rem(thread, k.u32(length)))
      const mine = keyOf(t, t.load(s.x, address(line.value, position.value)), s.descending)
      const [rank, step] = [t.name('rank'), t.name('step')]
      const other = keyOf(t, t.load(s.x, address(line.value, k.ref(step))), s.descending)
      const tie = k.and(k.eq(other.value, mine.value), k.lt(k.ref(step), position.value))
      const before = k.or(k.lt(other.value, mine.value), tie)
      return [
        line.statement,
        position.statement,
        ...mine.statements,
        k.varStmt(rank, k.kType('u32')),
        k.forStmt(step, k.u32(0), k.u32(length), 1, [
          ...other.statements,
          k.ifStmt(before, [k.assign(rank, k.add(k.ref(rank), k.u32(1)))]),
        ]),
        ...storeResult(s, t, line.value, position.value, k.ref(rank)),
      ]
    }),
  }
}

/** The memory of runs of keys and indices while they are merged: two copies, `half` apart. */
interface Cells {
  readonly half: number
  readonly arrays: readonly LocalArray[]
  readonly buffers: readonly Buffer[]
  readonly key: (t: Tensors, at: KExpr) => KExpr
  readonly number: (t: Tensors, at: KExpr) => KExpr
  readonly put: (t: Tensors, at: KExpr, key: KExpr, number: KExpr) => readonly KStmt[]
}

const inArrays = (slots: number): Cells => {
  const array = (name: string): LocalArray => ({ name, space: 'workgroup', element: k.kType('u32'), size: 2 * slots })
  const [keys, numbers] = [array('keys'), array('numbers')]
  return {
    half: slots,
    arrays: [keys, numbers],
    buffers: [],
    key: (_, at) => k.read(keys, at),
    number: (_, at) => k.read(numbers, at),
    put: (_, at, key, number) => [k.write(keys, at, key), k.write(numbers, at, number)],
  }
}

const inScratch = (s: SortTask): Cells => {
  const [keys, numbers] = [s.scratch[0]!, s.scratch[1]!]
  return {
    half: sizeOf(s.shape),
    arrays: [],
    buffers: s.scratch,
    key: (t, at) => t.load(keys, at),
    number: (t, at) => t.load(numbers, at),
    put: (t, at, key, number) => [t.store(keys, at, key), t.store(numbers, at, number)],
  }
}

/** One element of a workgroup's piece: its line, its position in the piece, the piece's length and its first cell. */
interface Slot {
  readonly line: KExpr
  readonly position: KExpr
  readonly size: KExpr
  readonly base: KExpr
  /** Its position in its line. */
  readonly number: KExpr
}

/**
 * Sorts pieces of lines, one workgroup per piece, in rounds that merge from one copy of the cells to the other. A piece
 * is a block of a long line, or as many short lines as fit. Cells are in workgroup memory where the profile says so,
 * else in scratch memory, where the runs of long lines are left in any case.
 */
const inBlocks = (s: SortTask, profile: Profile): RoutineDispatch => {
  const { lines, length, blocks } = sortSplit(s.shape, s.axis)
  const address = lineAddress(s.shape, s.axis)
  const piece = Math.min(length, sortBlock)
  const perGroup = blocks > 1 ? 1 : Math.min(lines, floorDiv(sortBlock, length))
  const slots = perGroup * piece
  const rounds = ceilLog2(piece)
  const workgroupSize = Math.min(256, profile.workgroupThreads, alignUp(slots, 8))
  const isLocal = profile.schedule === 'cooperative'
  const cells = isLocal ? inArrays(slots) : inScratch(s)
  return {
    name: blocks > 1 ? 'sort_blocks' : 'sort',
    workgroups: blocks > 1 ? lines * blocks : ceilDiv(lines, perGroup),
    workgroupSize,
    arrays: cells.arrays,
    reads: [s.x, ...cells.buffers],
    writes: blocks > 1 ? s.scratch : [...cells.buffers, s.values, s.indices],
    body: (t) => {
      const group = k.builtin('gridIndex')
      /** Runs `body` for every element assigned to this thread. */
      const eachSlot = (body: (slot: Slot) => readonly KStmt[]): KStmt => {
        const first = t.name('first')
        const slot = hold(t, k.add(k.ref(first), k.builtin('localIndex')))
        const inGroup = k.div(slot.value, k.u32(piece))
        const line = blocks > 1 ? k.div(group, k.u32(blocks)) : k.add(k.mul(group, k.u32(perGroup)), inGroup)
        const position = hold(t, k.rem(slot.value, k.u32(piece)))
        const from = blocks > 1 ? k.mul(k.rem(group, k.u32(blocks)), k.u32(piece)) : k.u32(0)
        const size = blocks > 1 ? k.min(k.u32(piece), k.sub(k.u32(length), from)) : k.u32(piece)
        const base = isLocal ? k.sub(slot.value, position.value) : k.add(k.mul(line, k.u32(length)), from)
        const exists = blocks > 1 ? k.lt(position.value, size) : k.lt(line, k.u32(lines))
        return k.forStmt(first, k.u32(0), k.u32(slots), workgroupSize, [
          slot.statement,
          position.statement,
          k.ifStmt(
            k.and(k.lt(slot.value, k.u32(slots)), exists),
            body({ line, position: position.value, size, base, number: k.add(from, position.value) }),
          ),
        ])
      }
      const load = eachSlot(({ line, position, base, number }) => {
        const key = keyOf(t, t.load(s.x, address(line, number)), s.descending)
        return [...key.statements, ...cells.put(t, k.add(base, position), key.value, number)]
      })
      const round = t.name('round')
      const source = hold(t, k.mul(k.rem(k.ref(round), k.u32(2)), k.u32(cells.half)))
      const merge = eachSlot(({ position, base, size }) => {
        const start = hold(t, k.add(source.value, base))
        const [mine, number] = [cells.key, cells.number].map((of) => hold(t, of(t, k.add(start.value, position))))
        const place = mergedPlace(
          t,
          {
            width: k.shiftLeft(k.u32(1), k.ref(round)),
            length: size,
            steps: k.add(k.ref(round), k.u32(1)),
            keyAt: (p) => cells.key(t, k.add(start.value, p)),
          },
          position,
          mine!.value,
        )
        const target = k.add(k.sub(k.u32(cells.half), source.value), base)
        const to = hold(t, k.add(target, place.value))
        return [
          start.statement,
          mine!.statement,
          number!.statement,
          ...place.statements,
          to.statement,
          ...cells.put(t, to.value, mine!.value, number!.value),
        ]
      })
      const last = k.u32((rounds % 2) * cells.half)
      const store = eachSlot(({ line, position, base, number }) => {
        const at = k.add(k.add(last, base), position)
        const from = hold(t, cells.number(t, at))
        if (blocks === 1) return [from.statement, ...storeResult(s, t, line, from.value, number)]
        // The last block may be short. The bound always holds; it is there for the range analysis.
        const to = hold(t, k.min(k.add(k.mul(line, k.u32(length)), number), k.u32(lines * length - 1)))
        return [from.statement, to.statement, ...inScratch(s).put(t, to.value, cells.key(t, at), from.value)]
      })
      // A whole block takes an even number of rounds, so that its run ends in the first copy.
      const isInPlace = blocks > 1 && !isLocal
      return [
        load,
        k.barrier,
        k.forStmt(round, k.u32(0), k.u32(rounds), 1, [source.statement, merge, k.barrier]),
        ...(isInPlace ? [] : [store]),
      ]
    },
  }
}

/** Merge `round` of the runs in scratch memory, one thread per element; the last one stores the results. */
const merging = (s: SortTask, round: number, profile: Profile): RoutineDispatch => {
  const { lines, length, merges } = sortSplit(s.shape, s.axis)
  const cells = inScratch(s)
  const isLast = round === merges - 1
  const source = k.u32((round % 2) * cells.half)
  const width = sortBlock * 2 ** round
  return {
    name: isLast ? 'sort_merge_last' : 'sort_merge',
    reads: isLast ? [s.x, ...s.scratch] : s.scratch,
    writes: isLast ? [s.values, s.indices] : s.scratch,
    ...perThread(lines * length, profile, (t, thread) => {
      const line = hold(t, k.div(thread, k.u32(length)))
      const base = hold(t, k.mul(line.value, k.u32(length)))
      const position = hold(t, k.sub(thread, base.value))
      const [mine, number] = [cells.key, cells.number].map((of) => hold(t, of(t, k.add(source, thread))))
      const place = mergedPlace(
        t,
        {
          width: k.u32(width),
          length: k.u32(length),
          steps: k.u32(Math.log2(width) + 1),
          keyAt: (p) => cells.key(t, k.add(k.add(source, base.value), p)),
        },
        position.value,
        mine!.value,
      )
      const to = hold(t, place.value)
      const target = k.add(k.u32(((round + 1) % 2) * cells.half), k.add(base.value, to.value))
      return [
        ...[line, base, position, mine!, number!].map((h) => h.statement),
        ...place.statements,
        to.statement,
        ...(isLast
          ? storeResult(s, t, line.value, number!.value, to.value)
          : cells.put(t, target, mine!.value, number!.value)),
      ]
    }),
  }
}

/** The dispatches that sort `s`. */
export const sortDispatches = (s: SortTask, profile: Profile): readonly RoutineDispatch[] => {
  const { length, merges } = sortSplit(s.shape, s.axis)
  if (length <= countedLength) return [byCounting(s, profile)]
  return [inBlocks(s, profile), ...Array.from({ length: merges }, (_, i) => merging(s, i, profile))]
}

/** The dispatches of a sort node. */
export const sortRoutine = (
  { node, inputs, outputs, scratch }: Routine,
  profile: Profile,
): readonly RoutineDispatch[] => {
  const { params, args } = node as NodeOf<'sort'>
  return sortDispatches(
    {
      ...params,
      x: inputs[0]!,
      shape: typeOf(args[0]!).shape,
      values: outputs[0]!,
      indices: outputs[1]!,
      scratch,
    },
    profile,
  )
}
