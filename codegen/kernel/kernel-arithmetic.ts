/** Arithmetic of monoids on expressions of a kernel: scalars, or four lanes at once. */
import { floatBits } from '../../src/lang/float-bits.ts'
import type { BinaryOp, UnaryOp } from '../../src/lang/ir.ts'
import type { Arithmetic } from '../../src/lang/monoids.ts'
import * as k from './build-kernel.ts'
import type { KExpr } from './kernel.ts'

/** `hold` gives a name to what is used more than once. */
export const kernelArithmetic = (hold: (e: KExpr) => KExpr): Arithmetic<KExpr> => {
  const basic: Pick<Arithmetic<KExpr>, 'constant' | 'apply' | 'hold'> = {
    constant: (value, dtype, like) => k.splat(k.lit(value, dtype), like?.type.width ?? 1),
    apply: (op, a, b, c) => {
      if (op === 'select') return k.select(a!, b!, c!)
      return b ? k.binary(op as BinaryOp, a!, b) : k.unary(op as UnaryOp, a!)
    },
    hold: (e) => (e.kind === 'ref' || e.kind === 'lit' ? e : hold(e)),
  }
  return { ...basic, ...floatBits(basic, { cast: k.cast, bitcast: k.bitcast }) }
}
