/** Constructor of calls to user-defined scalar functions. */
import { invariant } from '../../src/lang/errors.ts'
import type { ParamsOf } from '../../src/lang/ir.ts'
import { kType, lane, showType, vec } from './build-kernel.ts'
import type { KExpr } from './kernel.ts'

/** A call with operands of the parameters' types; applied lane by lane to vectors. */
export const call = (callee: ParamsOf['elementwise'], args: readonly KExpr[]): KExpr => {
  const width = args[0]!.type.width
  invariant(
    args.every((x, i) => x.type.width === width && x.type.scalar === callee.takes[i]),
    `${callee.name} of ${args.map((x) => showType(x.type)).join(', ')}`,
  )
  const one = (i: number): KExpr => ({
    kind: 'call',
    callee,
    args: args.map((x) => lane(x, i)),
    type: kType(callee.gives),
  })
  return width === 1 ? one(0) : vec(Array.from({ length: width }, (_, i) => one(i)))
}
