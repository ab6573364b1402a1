/** Arithmetic of monoids on nodes of a graph. */
import { floatBits } from '../float-bits.ts'
import type { Build, Node } from '../ir.ts'
import type { Arithmetic } from '../monoids.ts'
import { operandType } from './operand-checks.ts'
import { fill } from './rule-parts.ts'

export const nodeArithmetic = (b: Build): Arithmetic<Node> => {
  const basic: Pick<Arithmetic<Node>, 'constant' | 'apply' | 'hold'> = {
    constant: (value, dtype, like) => fill(b, { shape: like ? operandType(like).shape : [], dtype }, value),
    apply: (op, ...args) => b[op](args as never, {} as never),
    hold: (n) => n,
  }
  return {
    ...basic,
    ...floatBits(basic, {
      cast: (n, dtype) => b.cast([n], { dtype }),
      bitcast: (n, dtype) => b.bitcast([n], { dtype }),
    }),
  }
}
