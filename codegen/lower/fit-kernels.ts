/**
 * Clusters side by side → the kernels that compute them within what a target lets one kernel bind: one, if it can be; else
 * fewer clusters a kernel; of a cluster fewer points of a range, which touch less of each tensor, or fewer stores.
 */
import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { Buffer, Cluster, Range, Store } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow, valuesOfIndex } from '../../passes/loop/ir/values.ts'
import { chooseGrid } from '../../passes/loop/schedule/cost.ts'
import {
  type Extent,
  firstPoint,
  isDense,
  rangesToCut,
  restrictCluster,
  touchedElements,
  type View,
  viewCluster,
} from '../../passes/loop/schedule/restrict.ts'
import type { MemoryPlan, Window } from '../../passes/memory/places.ts'
import { largestPart, type Profile } from '../../passes/profile.ts'
import { alignDown, alignUp, ceilDiv } from '../../src/lang/dim.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import { assembleKernel, type BoundKernel } from './assemble.ts'
import { countBindings, tooMany, type Unscheduled } from './bind.ts'
import { placeOf } from './buffer-names.ts'

/** Halvings that one cluster may take. */
const maxDepth = 10

/** The cluster that even in parts binds too much, and what that is. */
export interface Unfit {
  readonly fused: Fused
  readonly error: LimitError
}

/** The kernels of `group` in an order in which they can run. */
export const fitKernels = (
  group: readonly Fused[],
  memory: MemoryPlan,
  profile: Profile,
): readonly BoundKernel[] | Unfit => {
  const whole = assembleKernel(group, memory, profile)
  if (!('tag' in whole)) return [whole]
  const kernels: BoundKernel[] = []
  for (let from = 0; from < group.length; ) {
    const fits = (count: number): boolean =>
      countBindings(group.slice(from, from + count), memory, profile) <= profile.storageBuffers
    // The longest list that fits: that of a longer one that does not holds for what is longer still.
    let [low, high] = [0, group.length - from]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (fits(middle)) low = middle
      else high = middle - 1
    }
    const made =
      low > 0
        ? assembleKernel(group.slice(from, from + low), memory, profile)
        : cutKernels(group[from]!, memory, profile)
    if ('tag' in made) return { fused: group[from]!, error: made }
    if ('error' in made) return made
    kernels.push(...('kernel' in made ? [made] : made))
    from += Math.max(1, low)
  }
  return kernels
}

/** The kernels of one cluster that does not fit as it is. */
const cutKernels = (f: Fused, memory: MemoryPlan, profile: Profile): readonly BoundKernel[] | Unfit => {
  // Where one point of all ranges binds too much, every part does.
  const least = pieceOf({ ...f, cluster: firstPoint(f.cluster) }, memory, profile)
  const isPossible = least.bindings <= profile.storageBuffers
  const pieces = isPossible ? cut(f, memory, profile, overwrites(f, memory), 0) : undefined
  if (!pieces) {
    for (const share of [true, false]) {
      const parts = storesApart(f, memory, share)
      if (parts.length > 1)
        return fitKernels(
          parts.map((cluster) => ({ ...f, cluster, ...chooseGrid(cluster, profile) })),
          memory,
          profile,
        )
    }
    return { fused: f, error: tooMany(least.bindings, profile.storageBuffers) }
  }
  const kernels: BoundKernel[] = []
  for (const { cluster, tensors, windows } of pieces) {
    const part = { ...f, cluster, tensors, ...chooseGrid(cluster, profile) }
    const made = assembleKernel([part], { ...memory, windows }, profile)
    if ('tag' in made) return { fused: f, error: made }
    kernels.push(cluster.stores.every((s) => isDense(s)) ? made : { ...made, inParts: true })
  }
  return kernels
}

/**
 * The stores of a cluster in as many clusters as can run in any order: what overwrites in place stays with what reads
 * there, and with `share` what uses the same reduction stays together.
 */
const storesApart = (
  { cluster: { stores }, tensors }: Unscheduled,
  memory: MemoryPlan,
  share: boolean,
): readonly Cluster[] => {
  const groups = new Map<Store, Store[]>(stores.map((s) => [s, [s]]))
  const unite = (a: Store, b: Store): void => {
    const [x, y] = [groups.get(a)!, groups.get(b)!]
    if (x === y) return
    x.push(...y)
    for (const s of y) groups.set(s, x)
  }
  const users = new Map<string, Store>()
  const use = (key: string, s: Store): void => {
    const other = users.get(key)
    if (other) unite(other, s)
    else users.set(key, s)
  }
  const writers = new Map(stores.map((s) => [placeKey(memory, tensors.get(s.buffer)!), s]))
  for (const s of stores) {
    for (const v of valuesBelow([s.value, ...valuesOfIndex(s.index)])) {
      const writer = v.kind === 'load' ? writers.get(placeKey(memory, tensors.get(v.buffer)!)) : undefined
      if (writer) unite(writer, s)
      if (share && v.kind === 'reduce') use(v.group, s)
    }
  }
  return [...new Set(groups.values())].map((group) => ({ stores: stores.filter((s) => group.includes(s)) }))
}

/** A part of a cluster on windows of the tensors that are larger than a binding. */
interface Piece extends Unscheduled {
  readonly windows: ReadonlyMap<Buffer, Window>
  readonly bindings: number
  /** Bytes of the windows: what cutting makes less. */
  readonly bytes: number
}

/** Pieces of a cluster, each of which fits; nothing where that takes too many. */
const cut = (
  whole: Unscheduled,
  memory: MemoryPlan,
  profile: Profile,
  isInPlace: boolean,
  depth: number,
): readonly Piece[] | undefined => {
  const piece = pieceOf(whole, memory, profile)
  if (piece.bindings <= profile.storageBuffers) return [piece]
  if (depth === maxDepth) return undefined
  let best: { readonly halves: readonly Unscheduled[]; readonly bytes: number } | undefined
  for (const range of rangesToCut(whole.cluster)) {
    const halves = halve(whole, range, profile)
    // What is overwritten in place must be overwritten exactly where it is read.
    if (isInPlace && !halves.every((h) => h.cluster.stores.every((s) => isDense(s)))) continue
    const bytes = Math.max(...halves.map((h) => pieceOf(h, memory, profile).bytes))
    if (bytes < (best?.bytes ?? piece.bytes)) best = { halves, bytes }
  }
  const pieces: Piece[] = []
  for (const half of best?.halves ?? []) {
    const own = cut(half, memory, profile, isInPlace, depth + 1)
    if (!own) return undefined
    pieces.push(...own)
  }
  return best ? pieces : undefined
}

const halve = (
  { cluster, tensors }: Unscheduled,
  range: Range,
  { offsetAlignment }: Profile,
): readonly Unscheduled[] => {
  // A window that starts where a binding can shows no elements in vain, and keeps whole vectors.
  let grain = range.size < 8 ? 1 : offsetAlignment
  while (grain > 4 && range.size < 8 * grain) grain /= 2
  const count = alignUp(ceilDiv(range.size, 2), grain)
  return [
    { cluster: restrictCluster(cluster, { range, from: 0, count }), tensors },
    { cluster: restrictCluster(cluster, { range, from: count, count: range.size - count }), tensors },
  ]
}

/**
 * A cluster on windows of what is larger than a binding, and of what it writes, so that one can say how much of it: all
 * that lies at one place is seen through one window. A window of a buffer stands for a window of its tensor.
 */
const pieceOf = ({ cluster, tensors }: Unscheduled, memory: MemoryPlan, profile: Profile): Piece => {
  const part = largestPart(profile)
  const own = touchedElements(cluster)
  const written = new Set(cluster.stores.map((s) => placeKey(memory, tensors.get(s.buffer)!)))
  const touched = new Map<string, { extent: Extent; readonly buffers: Buffer[] }>()
  for (const [b, extent] of own) {
    const tensor = tensors.get(b)!
    const key = placeKey(memory, tensor)
    if (placeOf(memory, tensor).bytes <= part && !written.has(key)) continue
    const seen = touched.get(key)
    if (seen) {
      seen.buffers.push(b)
      const { low, high } = seen.extent
      seen.extent = { low: Math.min(low, extent.low), high: Math.max(high, extent.high) }
    } else touched.set(key, { extent, buffers: [b] })
  }
  const views = new Map<Buffer, View>()
  const shown = new Map([...own.keys()].map((b) => [b, tensors.get(b)!]))
  const windows = new Map<Buffer, Window>()
  let bytes = 0
  for (const { extent, buffers } of touched.values()) {
    for (const b of buffers) {
      const from = alignDown(extent.low, profile.offsetAlignment / byteSize(b.dtype))
      const size = Math.min(b.size, alignUp(extent.high + 1, 4)) - from
      const [buffer, tensor] = [
        { ...b, size },
        { ...shown.get(b)!, size },
      ]
      views.set(b, { buffer, from })
      windows.set(tensor, { of: shown.get(b)!, from, ...own.get(b)! })
      shown.delete(b)
      shown.set(buffer, tensor)
    }
    bytes += (extent.high - extent.low + 1) * byteSize(buffers[0]!.dtype)
  }
  const seen = { cluster: viewCluster(cluster, (b) => views.get(b)), tensors: shown }
  return { ...seen, windows, bytes, bindings: countBindings([seen], { ...memory, windows }, profile) }
}

const placeKey = (memory: MemoryPlan, tensor: Buffer): string => {
  const { arena, offset } = placeOf(memory, tensor)
  return `${arena}:${offset}`
}

/** Whether some result takes the place of something that is read. */
const overwrites = ({ cluster, tensors }: Unscheduled, memory: MemoryPlan): boolean => {
  const key = (b: Buffer): string => placeKey(memory, tensors.get(b)!)
  const written = new Set(cluster.stores.map((s) => key(s.buffer)))
  return valuesBelow(cluster.stores.map((s) => s.value)).some((v) => v.kind === 'load' && written.has(key(v.buffer)))
}
