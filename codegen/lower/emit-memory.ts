/** Loads and stores of one cluster: vec4 accesses where the binding has vector elements, else scalar ones. */
import type { LoopValue, Store } from '../../passes/loop/ir/cluster.ts'
import { isUniformBound, lanePattern } from '../../passes/loop/schedule/lane-pattern.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { type Access, vectorOf } from './access.ts'
import type { IndexEmitter, Lanes } from './emit-index.ts'

export interface MemoryEmitter {
  readonly load: (v: Extract<LoopValue, { readonly kind: 'load' }>, lanes: Lanes) => KExpr
  readonly store: (s: Store, value: KExpr, lanes: Lanes) => readonly KStmt[]
}

/** `share` memoises a value in the innermost scope under a key. */
export const memoryEmitter = (
  schedule: Schedule,
  index: IndexEmitter,
  access: (bufferId: number) => Access,
  share: (key: string, make: () => KExpr) => KExpr,
): MemoryEmitter => {
  /**
   * Converts from the binding's element type to the value's: bool is stored as u32, a shared binding holds raw words.
   */
  const decode = (e: KExpr, dtype: LoopValue['dtype']): KExpr => {
    if (e.type.scalar === dtype) return e
    return dtype === 'bool' ? k.cast(e, 'bool') : k.bitcast(e, dtype)
  }
  const encode = (e: KExpr, scalar: KExpr['type']['scalar']): KExpr => {
    const word = e.type.scalar === 'bool' ? k.cast(e, 'u32') : e
    return word.type.scalar === scalar ? word : k.bitcast(word, scalar)
  }
  /** The binding's element `at`, in units of scalars or, with `four`, of the tensor's vectors. */
  const fetch = (a: Access, at: KExpr, four: boolean): KExpr => {
    if (a.rest) {
      const from = k.u32(four ? a.rest.from / 4 : a.rest.from)
      const low = fetch({ binding: a.binding, offset: a.offset }, k.min(at, k.sub(from, k.u32(1))), four)
      const isLow = k.lt(at, from)
      return k.select(
        low.type.width === 4 ? k.splat(isLow, 4) : isLow,
        low,
        fetch(a.rest.access, k.sub(k.max(at, from), from), four),
      )
    }
    if (four) return k.load(a.binding, k.add(at, k.u32(a.offset / 4)))
    return a.binding.element.width === 4
      ? k.load(a.binding, k.add(k.shiftRight(at, k.u32(2)), k.u32(a.offset / 4)), k.and(at, k.u32(3)))
      : k.load(a.binding, k.add(at, k.u32(a.offset)))
  }
  const put = (a: Access, at: KExpr, value: KExpr, four: boolean): KStmt => {
    if (a.rest) {
      const from = k.u32(four ? a.rest.from / 4 : a.rest.from)
      const low = put({ binding: a.binding, offset: a.offset }, at, value, four)
      return k.ifStmt(k.lt(at, from), [low], [put(a.rest.access, k.sub(at, from), value, four)])
    }
    return k.store(a.binding, k.add(at, k.u32(four ? a.offset / 4 : a.offset)), encode(value, a.binding.element.scalar))
  }
  return {
    load: (v, lanes) => {
      const place = access(v.buffer.id)
      const { binding, offset } = place
      const vector = vectorOf(v.ranges, schedule)
      const guarded = (at: KExpr, cond: KExpr): KExpr => (v.bounds.length > 0 ? k.select(cond, at, k.u32(0)) : at)
      const moves =
        vector && (lanePattern(v.index, vector) !== 'uniform' || v.bounds.some((b) => !isUniformBound(b, vector)))
      const aligned =
        vector && lanePattern(v.index, vector) === 'aligned' && !v.bounds.some((b) => !isUniformBound(b, vector))
      const cond = v.bounds.length > 0 ? index.holds(v.bounds, lanes) : k.bool(true)
      if (binding.element.width === 4 && aligned) {
        return decode(fetch(place, guarded(index.quarter(v.index, lanes), cond), true), v.dtype)
      }
      const element = (at: KExpr): KExpr => fetch(place, at, false)
      const split =
        !moves && v.bounds.length === 0 && binding.element.width === 4 ? index.split4(v.index, lanes) : undefined
      if (split) {
        // Register copies that are adjacent share one vector load.
        const whole = share(`${binding.name}+${offset}[${split.key}]`, () => fetch(place, split.quarter, true))
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
      const place = access(s.buffer.id)
      const vector = vectorOf(s.ranges, schedule)
      if (!vector) return [put(place, index.scalar(s.index, lanes), value, false)]
      const wide = value.type.width === 4 ? value : k.splat(value, 4)
      if (place.binding.element.width === 4) return [put(place, index.quarter(s.index, lanes), wide, true)]
      return [0, 1, 2, 3].map((l) => put(place, index.lane(s.index, lanes, vector, l), k.lane(wide, l), false))
    },
  }
}
