/**
 * What the text of a value costs to compile, in loads of one element. Measured through SwiftShader, a load takes about a
 * millisecond (bounds checks for every lane), an addition a twentieth of that; a guarded function is inlined at each
 * call. Compilers for hardware differ in scale, less in proportion.
 */
import { priceOf } from '../../op-prices.ts'
import type { LoopValue, Range, Store } from '../ir/cluster.ts'
import type { Role } from './roles.ts'

const perOperation = 1 / 20

const lanesOf = (ranges: Iterable<Range>, roles: ReadonlyMap<Range, Role>): number => {
  for (const r of ranges) if (roles.get(r)?.vector) return 4
  return 1
}

/** One register copy of a value. */
export const textPrice = (v: LoopValue, roles: ReadonlyMap<Range, Role>): number => {
  const lanes = lanesOf(v.ranges, roles)
  switch (v.kind) {
    case 'const':
    case 'reduce':
      return 0
    case 'load':
      return lanes
    case 'alu':
      return lanes * priceOf(v.op) * perOperation
    case 'call':
      return lanes * priceOf('elementwise') * perOperation
    case 'threefry':
      return lanes * priceOf('threefry') * perOperation
    case 'index':
    case 'guard':
      return lanes * perOperation
  }
}

/** One register copy of a store. */
export const storePrice = (s: Store, roles: ReadonlyMap<Range, Role>): number => lanesOf(s.ranges, roles)
