/**
 * The memory plan: every argument, result, constant and intermediate is assigned a place in one of a few program-owned
 * arenas. Live ranges are known statically, so places are reused, and the peak is a figure of the plan.
 */
import { alignUp } from '../../src/lang/dim.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { Node } from '../../src/lang/ir.ts'
import type { Fusion } from '../loop/fuse/fuse.ts'
import type { Buffer } from '../loop/ir/cluster.ts'
import type { Profile } from '../profile.ts'
import { wholeVectors } from './place-bytes.ts'

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

const arenaOf = (b: Buffer, family: number): number => {
  if (b.dtype === 'f16') return halfArenas + family / 2
  return family + (b.dtype === 'f32' && b.size % 4 === 0 ? 0 : 1)
}

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
  const places = new Map<Buffer, Place>()
  const halves = [...fusion.buffers.values()].some((b) => b.dtype === 'f16')
  const ends = new Array<number>(halves ? halfArenas + 3 : halfArenas).fill(0)
  const append = (b: Buffer, family: number): void => {
    if (places.has(b)) return
    const arena = arenaOf(b, family)
    places.set(b, { arena, offset: ends[arena]!, bytes: bytesOf(b) })
    ends[arena] = ends[arena]! + align(bytesOf(b))
  }
  for (const { node, donated } of inputs) append(fusion.buffers.get(node)!, donated ? stateArena : argumentArena)
  for (const [n, b] of fusion.buffers) if (n.op === 'const' || n.op === 'data') append(b, argumentArena)
  for (const b of fusion.constants.keys()) append(b, argumentArena)
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
  const live: { readonly place: Place; readonly until: number }[] = []
  for (const [node, b] of fusion.buffers) {
    const replaced = inPlace.get(node)
    if (replaced) places.set(b, places.get(fusion.buffers.get(replaced)!)!)
  }
  // A result that no kernel makes (an empty one) still has a place.
  for (const n of outputs) {
    const b = fusion.buffers.get(n)!
    if (!places.has(b) && !from.has(b)) from.set(b, 0)
  }
  const made = [...from]
    .filter(([b]) => !places.has(b))
    .sort(([a, i], [b, j]) => i - j || b.size - a.size || a.id - b.id)
  for (const [b, start] of made) {
    const bytes = bytesOf(b)
    const arena = arenaOf(b, workArena)
    const busy = live
      .filter((l) => l.place.arena === arena && l.until >= start)
      .sort((x, y) => x.place.offset - y.place.offset)
    let offset = 0
    for (const { place } of busy) {
      if (offset + align(bytes) <= place.offset) break
      offset = Math.max(offset, place.offset + align(place.bytes))
    }
    const place = { arena, offset, bytes }
    places.set(b, place)
    // A dead value is still written until its kernel ends.
    live.push({ place, until: until.get(b) ?? start + wholeKernel })
    ends[arena] = Math.max(ends[arena]!, offset + align(bytes))
  }
  return { arenas: ends, places }
}
