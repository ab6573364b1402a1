/**
 * Resolution of buffer names: a buffer itself, in the kernels of a loop what it denotes in the current iteration, or a
 * window of another buffer.
 */
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import { wholeVectors } from '../../passes/memory/place-bytes.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { Place } from '../plan/plan.ts'

const resolve = ({ names }: MemoryPlan, b: Buffer): Buffer => {
  let at = b
  for (let next = names?.get(at); next; next = names?.get(at)) at = next
  return at
}

/** The place of a buffer. */
export const placeOf = (memory: MemoryPlan, b: Buffer): Place => {
  const window = memory.windows?.get(b)
  if (!window) return memory.places.get(resolve(memory, b))!
  const whole = placeOf(memory, window.of)
  const skipped = window.from * byteSize(b.dtype)
  const bytes = wholeVectors(b.size * byteSize(b.dtype))
  return { ...whole, offset: whole.offset + skipped, bytes: Math.min(bytes, whole.bytes - skipped) }
}

/** The place of the elements that a kernel touches: of a whole buffer all, of a window those that it names. */
export const touchedPlace = (memory: MemoryPlan, b: Buffer): Place => {
  const window = memory.windows?.get(b)
  if (!window) return placeOf(memory, b)
  const whole = placeOf(memory, window.of)
  const [low, end] = [window.low * byteSize(b.dtype), (window.high + 1) * byteSize(b.dtype)]
  // What fills the last vec4 belongs to the last element.
  return { ...whole, offset: whole.offset + low, bytes: (window.high + 1 === window.of.size ? whole.bytes : end) - low }
}

/** The value number of a buffer. */
export const numberOf = (memory: MemoryPlan, b: Buffer): number => resolve(memory, memory.windows?.get(b)?.of ?? b).id
