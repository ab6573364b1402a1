/** Arguments for the scoreboard's programs: numbers without a pattern, the same every time, that fit what a slot is for. */
import type { InputSlot } from '../../codegen/plan/plan.ts'
import { hostArray } from '../../src/compile/host.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import type { HostArray } from '../../src/lang/dtype.ts'
import { sizeAt } from '../../src/lang/size.ts'

export type HostInput = Exclude<HostArray, Float64Array>

/** A generator of its own for each seed: numbers in [0, 1). */
const noise = (seed: number): (() => number) => {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Classes of the classifiers among the programs. */
const classes = 10
/** No divisor of any table's length. */
const stride = 7919

/** Second moments of an optimiser are not negative, steps are few, indices differ and lie on their axis. */
const valueFor = (slot: Pick<InputSlot, 'path' | 'dtype' | 'indexOf'>, next: () => number): ((i: number) => number) => {
  if (slot.dtype === 'f32' || slot.dtype === 'f16')
    return /\.v\./.test(slot.path) ? () => 0.5 + next() : () => 2 * next() - 1
  if (slot.dtype === 'bool') return () => Number(next() < 0.5)
  if (slot.path.endsWith('step')) return () => 3
  const size = Math.min(...(slot.indexOf ?? []).map((range) => sizeAt(range.size, new Map())))
  return size === classes || size === Number.POSITIVE_INFINITY
    ? () => Math.floor(next() * classes)
    : (i) => (i * stride) % size
}

/** Host values for one slot, the `n`th. */
export const inputFor = (slot: InputSlot, n: number): HostInput => {
  const value = valueFor(slot, noise(n))
  return hostArray(
    slot.dtype,
    Array.from({ length: sizeOf(slot.shape) }, (_, i) => value(i)),
  ) as HostInput
}

/** Host values for all slots of a plan. */
export const inputsFor = (slots: readonly InputSlot[]): readonly HostInput[] => slots.map(inputFor)
