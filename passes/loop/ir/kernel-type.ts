/** The type of a node as kernels see it: `widen` has removed all packed dtypes. */
import { typesOf } from '../../../src/lang/build.ts'
import type { Shape } from '../../../src/lang/dim.ts'
import { isPacked, type KernelDType } from '../../../src/lang/dtype.ts'
import { invariant } from '../../../src/lang/errors.ts'
import type { Node } from '../../../src/lang/ir.ts'

export interface KernelType {
  readonly shape: Shape
  readonly dtype: KernelDType
}

/** The type of output `index` of a node. */
export const kernelTypeOf = (n: Pick<Node, 'op' | 'type'>, index = 0): KernelType => {
  const { shape, dtype } = typesOf(n as Node)[index]!
  invariant(!isPacked(dtype), `${n.op} of ${dtype} reaches a kernel`)
  return { shape, dtype }
}
