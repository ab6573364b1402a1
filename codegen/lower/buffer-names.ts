/**
 * Resolution of buffer names: a buffer itself, or, in the kernels of a loop, what it denotes in the current iteration.
 */
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Place } from '../plan/plan.ts'

const resolve = ({ names }: MemoryPlan, b: Buffer): Buffer => {
  let at = b
  for (let next = names?.get(at); next; next = names?.get(at)) at = next
  return at
}

/** The place of a buffer. */
export const placeOf = (memory: MemoryPlan, b: Buffer): Place => memory.places.get(resolve(memory, b))!

/** The value number of a buffer. */
export const numberOf = (memory: MemoryPlan, b: Buffer): number => resolve(memory, b).id
