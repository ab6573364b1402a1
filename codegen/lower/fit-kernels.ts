/**
 * Clusters side by side → the kernels that compute them within what a target lets one kernel bind: one, if it can be; else
 * fewer clusters a kernel; of a cluster fewer points of a range, which touch less of each tensor, or fewer stores.
 */
import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { Cluster, Range, Store } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow, valuesOfIndex } from '../../passes/loop/ir/values.ts'
import { chooseGrid } from '../../passes/loop/schedule/cost.ts'
import { firstPoint, isDense, rangesToCut, restrictCluster } from '../../passes/loop/schedule/restrict.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { alignUp, ceilDiv } from '../../src/lang/dim.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import { assembleKernel, type BoundKernel } from './assemble.ts'
import { countBindings, tooMany, type Unscheduled } from './bind.ts'
import { overwrites, type Piece, pieceOf, placeKey } from './piece.ts'
import { segmentKernels } from './segments.ts'

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
  const apart: BoundKernel[] = []
  const together: Fused[] = []
  for (const f of group) {
    const parts = segmentKernels(f, memory, profile)
    if (parts) apart.push(...parts)
    else together.push(f)
  }
  if (together.length === 0) return apart
  const fitted = fitTogether(together, memory, profile)
  return 'error' in fitted ? fitted : [...apart, ...fitted]
}

/** Clusters side by side in as few kernels as they fit in. */
const fitTogether = (group: readonly Fused[], memory: MemoryPlan, profile: Profile): readonly BoundKernel[] | Unfit => {
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
        return fitTogether(
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
