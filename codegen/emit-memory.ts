/** Loads and stores of one cluster: four elements at a time where the binding holds vectors, else one by one. */
import type { LoopValue, Store } from '../passes/loop/ir.ts'
import { lanePattern, type Schedule } from '../passes/loop/schedule.ts'
import { type Access, vectorOf } from './access.ts'
import * as k from './build-kernel.ts'
import type { IndexEmitter, Lanes } from './emit-index.ts'
import type { KExpr, KStmt } from './kernel.ts'

export interface MemoryEmitter {
  readonly load: (v: Extract<LoopValue, { readonly kind: 'load' }>, lanes: Lanes) => KExpr
  readonly store: (s: Store, value: KExpr, lanes: Lanes) => readonly KStmt[]
}

/** `share` keeps a value of the innermost scope under a key. */
export const memoryEmitter = (
  schedule: Schedule,
  index: IndexEmitter,
  access: (bufferId: number) => Access,
  share: (key: string, make: () => KExpr) => KExpr,
): MemoryEmitter => {
  /** From the binding's element type to the value's: bool is stored as u32, and a shared binding holds raw words. */
  const decode = (e: KExpr, dtype: LoopValue['dtype']): KExpr => {
    if (e.type.scalar === dtype) return e
    return dtype === 'bool' ? k.cast(e, 'bool') : k.bitcast(e, dtype)
  }
  const encode = (e: KExpr, scalar: KExpr['type']['scalar']): KExpr => {
    const word = e.type.scalar === 'bool' ? k.cast(e, 'u32') : e
    return word.type.scalar === scalar ? word : k.bitcast(word, scalar)
  }
  return {
    load: (v, lanes) => {
      const { binding, offset } = access(v.buffer.id)
      const vector = vectorOf(v.ranges, schedule)
      const guarded = (at: KExpr, cond: KExpr): KExpr => (v.bounds.length > 0 ? k.select(cond, at, k.u32(0)) : at)
      const moves =
        vector &&
        (lanePattern(v.index, vector) !== 'uniform' || v.bounds.some((b) => lanePattern(b.index, vector) !== 'uniform'))
      const aligned =
        vector &&
        lanePattern(v.index, vector) === 'aligned' &&
        !v.bounds.some((b) => lanePattern(b.index, vector) !== 'uniform')
      const cond = v.bounds.length > 0 ? index.holds(v.bounds, lanes) : k.bool(true)
      if (binding.element.width === 4 && aligned) {
        return decode(k.load(binding, k.add(guarded(index.quarter(v.index, lanes), cond), k.u32(offset / 4))), v.dtype)
      }
      /** One number, also out of a binding of vectors. */
      const element = (at: KExpr): KExpr =>
        binding.element.width === 4
          ? k.load(binding, k.add(k.shiftRight(at, k.u32(2)), k.u32(offset / 4)), k.and(at, k.u32(3)))
          : k.load(binding, k.add(at, k.u32(offset)))
      const split =
        !moves && v.bounds.length === 0 && binding.element.width === 4 ? index.split4(v.index, lanes) : undefined
      if (split) {
        // Neighbours in registers share one load.
        const whole = share(`${binding.name}+${offset}[${split.key}]`, () =>
          k.load(binding, k.add(split.quarter, k.u32(offset / 4))),
        )
        return decode(k.lane(whole, split.lane), v.dtype)
      }
      if (!moves) return decode(element(guarded(index.scalar(v.index, lanes), cond)), v.dtype)
      const one = (l: number): KExpr => {
        const at = index.lane(v.index, lanes, vector, l)
        const held = cond.type.width === 4 ? k.lane(cond, l) : cond
        return decode(element(guarded(at, held)), v.dtype)
      }
      return k.vec([0, 1, 2, 3].map(one))
    },
    store: (s, value, lanes) => {
      const { binding, offset } = access(s.buffer.id)
      const vector = vectorOf(s.ranges, schedule)
      if (!vector)
        return [
          k.store(binding, k.add(index.scalar(s.index, lanes), k.u32(offset)), encode(value, binding.element.scalar)),
        ]
      const wide = value.type.width === 4 ? value : k.splat(value, 4)
      if (binding.element.width === 4) {
        return [
          k.store(
            binding,
            k.add(index.quarter(s.index, lanes), k.u32(offset / 4)),
            encode(wide, binding.element.scalar),
          ),
        ]
      }
      return [0, 1, 2, 3].map((l) =>
        k.store(
          binding,
          k.add(index.lane(s.index, lanes, vector, l), k.u32(offset)),
          encode(k.lane(wide, l), binding.element.scalar),
        ),
      )
    },
  }
}
