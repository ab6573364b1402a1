/** What a buffer's name stands for: itself, in the kernels of a loop what it is in the turn at hand, or a part of another. */
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { Place } from '../plan/plan.ts'

const resolve = ({ names }: MemoryPlan, b: Buffer): Buffer => {
  let at = b
  for (let next = names?.get(at); next; next = names?.get(at)) at = next
  return at
}

/** Where it lies. */
export const placeOf = (memory: MemoryPlan, b: Buffer): Place => {
  const window = memory.windows?.get(b)
  if (!window) return memory.places.get(resolve(memory, b))!
  const whole = placeOf(memory, window.of)
  const skipped = window.from * byteSize(b.dtype)
  const bytes = Math.ceil((b.size * byteSize(b.dtype)) / 16) * 16
  return { ...whole, offset: whole.offset + skipped, bytes: Math.min(bytes, whole.bytes - skipped) }
}

/** Where the elements lie that a kernel touches: of a whole tensor all, of a part those that it says. */
export const touchedPlace = (memory: MemoryPlan, b: Buffer): Place => {
  const window = memory.windows?.get(b)
  if (!window) return placeOf(memory, b)
  const whole = placeOf(memory, window.of)
  const [low, end] = [window.low * byteSize(b.dtype), (window.high + 1) * byteSize(b.dtype)]
  // What fills the last vec4 belongs to the last element.
  return { ...whole, offset: whole.offset + low, bytes: (window.high + 1 === window.of.size ? whole.bytes : end) - low }
}

/** The number of the value that it is. */
export const numberOf = (memory: MemoryPlan, b: Buffer): number => resolve(memory, memory.windows?.get(b)?.of ?? b).id
