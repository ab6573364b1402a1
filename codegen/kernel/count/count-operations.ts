/** Single operations of the counting interpreter: their identity, and fast paths for integer arithmetic. */

import { floorDiv } from '../../../src/lang/dim.ts'
import { functionKey } from '../../../src/lang/user-ops.ts'
import { binaryFunction } from '../interp/scalar-meaning.ts'
import type { KExpr } from '../kernel.ts'
import type { Num } from './count-affine.ts'

/** The operation of an expression, without its operands, as a key. */
export const headOf = (e: KExpr): string => {
  switch (e.kind) {
    case 'lit':
      return Object.is(e.value, -0) ? '-0' : `${e.value}`
    case 'unary':
    case 'binary':
      return e.op
    case 'lane':
      return `lane${e.lane}`
    case 'load':
      return `${e.binding}${e.component ? '../..' : ''}`
    case 'read':
      return e.array
    case 'call':
      return `call ${functionKey(e.callee)}`
    case 'threefry':
      return `threefry${e.word}`
    case 'native':
      return `native ${e.op}`
    case 'apply':
      return `apply ${e.callee.name} ${e.result}`
    default:
      return e.kind
  }
}

/** A binary operation on one lane. */
export const binaryOf = (e: Extract<KExpr, { readonly kind: 'binary' }>, x: Num, y: Num): Num => {
  if (e.a.type.scalar === 'u32') {
    const by = e.b.kind === 'lit' ? e.b.value : 0
    if (e.op === 'lt') return () => (x() < y() ? 1 : 0)
    if (e.op === 'le') return () => (x() <= y() ? 1 : 0)
    if (e.op === 'eq') return () => (x() === y() ? 1 : 0)
    if (e.op === 'min') return () => Math.min(x(), y())
    if (e.op === 'div' && by > 0) return () => floorDiv(x(), by)
    if (e.op === 'rem' && by > 0) return () => x() % by
  }
  const f = binaryFunction(e.op, e.a.type.scalar)
  return () => f(x(), y())
}
