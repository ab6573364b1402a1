/** A plan whose work takes milliseconds. */
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { affine, kernelOf } from '../plans.ts'

/** `times` times y = y/2 + x in each of `n` floats; stores `offset` elements behind. */
export const busy = (n: number, times: number, offset = 0): Plan => {
  const y = k.ref('y', k.kType('f32'))
  const kernel = kernelOf(
    'busy',
    [
      ['f32', 'read'],
      ['f32', 'read_write'],
    ],
    (i, [x, out]) => [
      k.ifStmt(k.lt(i, k.u32(n)), [
        k.varStmt('y', k.kType('f32'), k.lit(0)),
        k.forStmt('j', k.u32(0), k.u32(times), 1, [k.assign('y', k.add(k.mul(y, k.lit(0.5)), k.load(x!, i)))]),
        k.store(out!, k.add(i, k.u32(offset)), y),
      ]),
    ],
  )
  return { ...affine(n, false), kernels: [kernel] }
}
