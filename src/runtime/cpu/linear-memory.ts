/** The one WebAssembly.Memory of a device, and the loan of stretches of it. */
import { alignUp, ceilDiv } from '../../lang/dim.ts'
import { raise } from '../../lang/errors.ts'
import type { Memory } from '../backend.ts'
import { memoryHint } from '../device.ts'

/** A stretch on loan. */
export interface Stretch extends Memory {
  readonly address: number
  /** Whether it holds what was there before, and not zeros. */
  readonly isUsed: boolean
}

/** Bytes that stretches start at a multiple of: a cache line, so that two threads never write to one. */
const lineBytes = 64
const pageBytes = 65536
/** What addresses of 32 bits reach. */
const mostBytes = 2 ** 32
/** The least that memory grows by. */
const growth = 4 * 2 ** 20

/** The largest memory that the system grants, with nothing in it yet: its maximum is halved until it is. */
const grantedMemory = (most: number, shared: boolean): WebAssembly.Memory => {
  for (let maximum = ceilDiv(most, pageBytes); ; maximum = ceilDiv(maximum, 2))
    try {
      return new WebAssembly.Memory({ initial: 1, maximum, shared })
    } catch (e) {
      if (maximum === 1) return raise({ tag: 'OutOfMemory', bytes: pageBytes, hint: String(e) })
    }
}

/** Memory in stretches. */
export interface LinearMemory {
  /** Whether several threads use it. */
  readonly isShared: boolean
  readonly memory: () => WebAssembly.Memory
  readonly liveBytes: () => number
  /** Raises OutOfMemory where memory cannot grow, LimitError past what addresses reach; nothing has changed then. */
  readonly lend: (bytes: number) => Stretch
  /** Once; further calls do nothing. */
  readonly giveBack: (stretch: Stretch) => void
  /** The bytes of a stretch, until memory grows; nothing of what is shared must get to a user. */
  readonly bytes: (address: number, length: number) => Uint8Array
  /** Gives all of it back to the system; it is not used any more. */
  readonly letGo: () => void
}

/** What a stretch takes. */
const takenBy = (bytes: number): number => Math.max(lineBytes, alignUp(bytes, lineBytes))

/** Linear memory of at most `most` bytes, `shared` between threads. The first page is never lent: kernels count on the room below every address. */
export const makeLinearMemory = (most: number = mostBytes, shared = false): LinearMemory => {
  let memory = grantedMemory(most, shared)
  /** Stretches that were given back, by address, none beside another. */
  const holes: { address: number; size: number }[] = []
  const lent = new WeakSet<Stretch>()
  /** Behind all that is lent, and behind all that ever was. */
  let [end, reached] = [pageBytes, pageBytes]
  let live = 0

  const grow = (size: number): void => {
    const needed = end + size - memory.buffer.byteLength
    if (needed <= 0) return
    for (const bytes of [Math.max(needed, growth), needed])
      try {
        memory.grow(ceilDiv(bytes, pageBytes))
        return
      } catch {
        // There may be room for less.
      }
    const all = live + size
    if (all > mostBytes)
      raise({ tag: 'LimitError', what: 'bytes of linear memory', needed: all, limit: mostBytes, hint: memoryHint })
    raise({ tag: 'OutOfMemory', bytes: size, hint: memoryHint })
  }

  /** The smallest hole that is large enough. */
  const fittingHole = (size: number): number => {
    let best = -1
    holes.forEach((h, i) => {
      if (h.size >= size && (best < 0 || h.size < holes[best]!.size)) best = i
    })
    return best
  }

  const takeHole = (at: number, size: number): number => {
    const hole = holes[at]!
    if (hole.size === size) holes.splice(at, 1)
    else holes[at] = { address: hole.address + size, size: hole.size - size }
    return hole.address
  }

  const takeEnd = (size: number): number => {
    grow(size)
    const address = end
    end += size
    return address
  }

  return {
    isShared: shared,
    memory: () => memory,
    liveBytes: () => live,
    lend: (bytes) => {
      const size = takenBy(bytes)
      const hole = fittingHole(size)
      const address = hole < 0 ? takeEnd(size) : takeHole(hole, size)
      const stretch = { address, size: bytes, isUsed: address < reached }
      reached = Math.max(reached, end)
      lent.add(stretch)
      live += bytes
      return stretch
    },
    giveBack: (stretch) => {
      if (!lent.delete(stretch)) return
      live -= stretch.size
      const found = holes.findIndex((h) => h.address > stretch.address)
      const at = found < 0 ? holes.length : found
      const hole = { address: stretch.address, size: takenBy(stretch.size) }
      const [before, after] = [holes[at - 1], holes[at]]
      const joinsBefore = before !== undefined && before.address + before.size === hole.address
      const joinsAfter = after !== undefined && hole.address + hole.size === after.address
      if (joinsAfter) hole.size += after.size
      if (joinsBefore) {
        hole.address = before.address
        hole.size += before.size
      }
      holes.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsAfter), hole)
      if (hole.address + hole.size < end) return
      end = hole.address
      holes.pop()
    },
    bytes: (address, length) => new Uint8Array(memory.buffer, address, length),
    letGo: () => {
      memory = new WebAssembly.Memory({ initial: 0, maximum: 0, shared })
    },
  }
}
