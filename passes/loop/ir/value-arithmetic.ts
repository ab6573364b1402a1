/** Arithmetic of monoids on values of a loop nest. */
import { floatBits } from '../../../src/lang/float-bits.ts'
import type { Arithmetic } from '../../../src/lang/monoids.ts'
import type { LoopValue } from './cluster.ts'
import type { Values } from './values.ts'

const predicates: ReadonlySet<string> = new Set(['eq', 'lt', 'le', 'isNan', 'isInf'])

export const valueArithmetic = (values: Values): Arithmetic<LoopValue> => {
  const basic: Pick<Arithmetic<LoopValue>, 'constant' | 'apply' | 'hold'> = {
    constant: (value, dtype) => values.constant(dtype, value),
    apply: (op, ...args) => {
      const dtype = predicates.has(op) ? 'bool' : op === 'select' ? args[1]!.dtype : args[0]!.dtype
      return values.alu(op, dtype, args)
    },
    hold: (v) => v,
  }
  return {
    ...basic,
    ...floatBits(basic, {
      cast: (v, to) => values.alu('cast', to, [v]),
      bitcast: (v, to) => values.alu('bitcast', to, [v]),
    }),
  }
}
