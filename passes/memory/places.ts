/**
 * The memory plan: every argument, result, constant and intermediate is assigned a place in one of a few program-owned
 * arenas. Live ranges are known statically, so places are reused, and the peak is a figure of the plan.
 */
import { alignUp } from '../../src/lang/dim.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { Node } from '../../src/lang/ir.ts'
import type { Fusion } from '../loop/fuse/fuse.ts'
import type { Buffer } from '../loop/ir/cluster.ts'
import { largestBuffer, largestPart, type Profile } from '../profile.ts'
import { fitOffset, wholeVectors } from './place-bytes.ts'

/** Bytes [offset, offset + bytes) of a program-owned arena. `offset` is a multiple of the profile's alignment. */
export interface Place {
  readonly arena: number
  readonly offset: number
  readonly bytes: number
}

export interface MemoryPlan {
  readonly arenas: readonly number[]
  readonly places: ReadonlyMap<Buffer, Place>
  /** Renaming of the loop kernels' buffers for one iteration; buffers that are not listed denote themselves. */
  readonly names?: ReadonlyMap<Buffer, Buffer>
  /** What kernels that see a part of some tensors call those parts. */
  readonly windows?: ReadonlyMap<Buffer, Window>
}

/** Elements `from` on of a tensor, as many as the window's own size; `low` to `high` (inclusive) of them are touched. */
export interface Window {
  readonly of: Buffer
  readonly from: number
  readonly low: number
  readonly high: number
}

/**
 * Arguments that stay and constants; donated state; what the program itself makes. Of each, one arena for f32 tensors
 * in whole vec4s and one for the rest, so that tensors which share a binding can be of one element type.
 */
const argumentArena = 0
const stateArena = 2
const workArena = 4

/**
 * f16 tensors, of which two share a word, cannot share a binding of words: where there are any, they have three more.
 */
const halfArenas = 6

/** What the program makes that is larger than this part of a binding lies apart, so that the rest stays close together. */
const largeShare = 1 / 8

export interface MemoryRequest {
  readonly fusion: Fusion
  /** Arguments in order, with whether the caller donates them. */
  readonly inputs: readonly { readonly node: Node; readonly donated: boolean }[]
  readonly outputs: readonly Node[]
  readonly profile: Profile
}

/** The end of a kernel in time, of which each kernel takes one unit: what it reads is live throughout. */
const wholeKernel = 0.99

export const planMemory = ({ fusion, inputs, outputs, profile }: MemoryRequest): MemoryPlan => {
  const align = (n: number): number => alignUp(n, profile.offsetAlignment)
  // Vector access and copies want whole vec4s.
  const bytesOf = (b: Buffer): number => wholeVectors(b.size * byteSize(b.dtype))
  const [part, buffer] = [largestPart(profile), largestBuffer(profile)]
  const places = new Map<Buffer, Place>()
  const halves = [...fusion.buffers.values()].some((b) => b.dtype === 'f16')
  const largeArenas = halves ? halfArenas + 3 : halfArenas
  const ends = new Array<number>(largeArenas).fill(0)
  const arenaOf = (b: Buffer, family: number): number => {
    if (b.dtype === 'f16') return halfArenas + family / 2
    const kind = b.dtype === 'f32' && b.size % 4 === 0 ? 0 : 1
    return family === workArena && bytesOf(b) > part * largeShare ? largeArenas + kind : family + kind
  }
  const free = new Map<number, FreeList>()
  const put = (b: Buffer, family: number): void => {
    const [arena, bytes] = [arenaOf(b, family), bytesOf(b)]
    const list = free.get(arena) ?? createFreeList(buffer)
    free.set(arena, list)
    const offset = list.take(align(bytes))
    places.set(b, { arena, offset, bytes })
    ends[arena] = Math.max(ends[arena] ?? 0, offset + align(bytes))
  }
  const fixed = new Map<Buffer, number>()
  const append = (b: Buffer, family: number): void => {
    if (!fixed.has(b)) fixed.set(b, family)
  }
  for (const { node, donated } of inputs) append(fusion.buffers.get(node)!, donated ? stateArena : argumentArena)
  for (const [n, b] of fusion.buffers) if (n.op === 'const' || n.op === 'data') append(b, argumentArena)
  for (const b of fusion.constants.keys()) append(b, argumentArena)
  // Tensors that are bound in parts come first, each at the start of a buffer where one holds no two: others fill up.
  for (const isLarge of [true, false])
    for (const [b, family] of fixed) if (bytesOf(b) > part === isLarge) put(b, family)
  const inPlace = new Map(fusion.inPlace.map((d) => [d.output, d.input]))
  const last = fusion.kernels.length
  const until = new Map<Buffer, number>()
  const from = new Map<Buffer, number>()
  fusion.kernels.forEach((kernel, i) => {
    for (const f of kernel) {
      for (const n of f.stored) from.set(fusion.buffers.get(n)!, i)
      for (const n of f.reads) until.set(fusion.buffers.get(n)!, i + wholeKernel)
    }
  })
  for (const n of outputs) until.set(fusion.buffers.get(n)!, last)
  fusion.kernels.forEach((kernel, i) => {
    for (const { scratch, loop } of kernel.flatMap((f) => f.routine ?? [])) {
      for (const b of scratch) {
        const [first, last] = loop?.spans.get(b) ?? [0, wholeKernel]
        from.set(b, i + first)
        until.set(b, i + last)
      }
    }
  })
  for (const [node, b] of fusion.buffers) {
    const replaced = inPlace.get(node)
    if (replaced) places.set(b, places.get(fusion.buffers.get(replaced)!)!)
  }
  // A result that no kernel makes (an empty one) still has a place.
  for (const n of outputs) {
    const b = fusion.buffers.get(n)!
    if (!places.has(b) && !from.has(b)) from.set(b, 0)
  }
  // Equals in the order in which their kernel stores them: equal kernels find what they write laid out alike.
  const made = [...from].filter(([b]) => !places.has(b)).sort(([a, i], [b, j]) => i - j || b.size - a.size)
  // A dead value is still written until its kernel ends.
  const endOf = ([b, start]: readonly [Buffer, number]): number => until.get(b) ?? start + wholeKernel
  const ending = made.map((m) => ({ buffer: m[0], end: endOf(m) })).sort((x, y) => x.end - y.end)
  let ended = 0
  for (const [b, start] of made) {
    // What ends before this starts was placed before: starts are in order.
    for (; ended < ending.length && ending[ended]!.end < start; ended++) {
      const { arena, offset, bytes } = places.get(ending[ended]!.buffer)!
      free.get(arena)!.release(offset, align(bytes))
    }
    put(b, workArena)
  }
  return { arenas: Array.from(ends, (n) => n ?? 0), places }
}

/** The free stretches of an arena without end. */
interface FreeList {
  /** The lowest offset where `bytes` are free, taken. */
  readonly take: (bytes: number) => number
  readonly release: (offset: number, bytes: number) => void
}

const createFreeList = (buffer: number): FreeList => {
  /** In order, none touching the next. */
  const gaps: { start: number; end: number }[] = [{ start: 0, end: Number.POSITIVE_INFINITY }]
  return {
    take: (bytes) => {
      for (let i = 0; ; i++) {
        const { start, end } = gaps[i]!
        const offset = fitOffset(start, bytes, buffer)
        if (offset + bytes > end) continue
        const rest = [
          { start, end: offset },
          { start: offset + bytes, end },
        ]
        gaps.splice(i, 1, ...rest.filter((g) => g.start < g.end))
        return offset
      }
    },
    release: (offset, bytes) => {
      let [low, high] = [0, gaps.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if (gaps[middle]!.start < offset) low = middle + 1
        else high = middle
      }
      const [before, after] = [gaps[low - 1], gaps[low]]
      const joinsBefore = before?.end === offset
      const joinsAfter = after?.start === offset + bytes
      const made = { start: joinsBefore ? before.start : offset, end: joinsAfter ? after.end : offset + bytes }
      gaps.splice(joinsBefore ? low - 1 : low, (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), made)
    },
  }
}
