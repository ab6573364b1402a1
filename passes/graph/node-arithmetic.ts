/** Arithmetic of monoids on nodes of a graph. */
import { typeOf } from '../../src/lang/build.ts'
import { floatBits } from '../../src/lang/float-bits.ts'
import type { Build, Node } from '../../src/lang/ir.ts'
import type { Arithmetic } from '../../src/lang/monoids.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'

export const nodeArithmetic = (b: Build): Arithmetic<Node> => {
  const basic: Pick<Arithmetic<Node>, 'constant' | 'apply' | 'hold'> = {
    constant: (value, dtype, like) => fill(b, { shape: like ? typeOf(like).shape : [], dtype }, value),
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
