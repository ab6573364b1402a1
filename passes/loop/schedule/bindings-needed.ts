/** How many bindings a cluster needs at least, before anything has a place: what joining clusters must not drive too high. */
import { ceilDiv } from '../../../src/lang/dim.ts'
import { byteSize } from '../../../src/lang/dtype.ts'
import { largestPart, type Profile } from '../../profile.ts'
import type { Buffer, Cluster } from '../ir/cluster.ts'
import { firstPoint, touchedElements } from './restrict.ts'

/** Tensors of at most this part of a binding may share one. */
const smallShare = 1 / 8

/**
 * Bindings of one point of the cluster's ranges, which no part of it can do without: of a tensor as many as what is touched
 * there spans, of small ones two in all, one that is read and one that is written. `buffers` are all that it touches.
 */
export const bindingsNeeded = (cluster: Cluster, buffers: readonly Buffer[], profile: Profile): number => {
  const part = largestPart(profile)
  if (buffers.every((b) => b.size * byteSize(b.dtype) <= part * smallShare)) return Math.min(2, buffers.length)
  let [large, small] = [0, 0]
  for (const [b, { low, high }] of touchedElements(firstPoint(cluster))) {
    const size = byteSize(b.dtype)
    if (b.size * size <= part * smallShare) small++
    else large += ceilDiv((high - low + 1) * size, part)
  }
  return large + Math.min(2, small)
}
