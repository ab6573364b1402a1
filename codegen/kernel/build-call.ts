/** The constructor of calls to users' functions, which are of scalars. */
import { invariant } from '../../src/lang/errors.ts'
import type { ParamsOf } from '../../src/lang/ir.ts'
import { kType, lane, showType, vec } from './build-kernel.ts'
import type { KExpr } from './kernel.ts'

/** The function on operands of its parameters' types; lane by lane where they are vectors. */
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
