/** CPU references of user-defined functions and kernels, on values as the device stores them. */
import { sizeOf } from '../../../src/lang/dim.ts'
import { allocate, byteSize } from '../../../src/lang/dtype.ts'
import { runReference } from '../../../src/lang/ops/user-defined-rows.ts'
import { functionRules } from '../../../src/lang/user-ops.ts'
import type { KExpr, Kernel, KernelText } from '../kernel.ts'
import { roundTo } from '../scalar-value.ts'
import type { Memory } from './storage.ts'

/** A user's function of numbers, its result rounded. */
export const calledFunction = (
  callee: Extract<KExpr, { readonly kind: 'call' }>['callee'],
): ((xs: readonly number[]) => number) => {
  const { reference } = functionRules(callee)
  return (xs) => roundTo(callee.gives, Number(reference(...xs)))
}

/** Runs a user's kernel, all its workgroups at once. */
export const runText = ({ bindings }: Kernel, { op, inputs, outputs }: KernelText, memory: readonly Memory[]): void => {
  const memoryOf = (name: string): Memory | undefined => memory[bindings.findIndex((b) => b.name === name)]
  const xs = op.takes.map(({ shape, dtype }, i) => {
    const data = allocate(dtype, sizeOf(shape))
    const from = memoryOf(inputs[i]!)
    for (let at = 0; at < data.length; at++) data[at] = from!.get(at, 0)
    return { shape, dtype, data }
  })
  runReference(xs, op, op.gives).forEach((found, i) => {
    const to = memoryOf(outputs[i]!)
    const { dtype } = op.gives[i]!
    found.forEach((x, at) => {
      to!.set(at, 0, roundTo(dtype, x))
    })
  })
}

/** The bytes that a user's kernel is counted with: every tensor once. */
export const textBytes = ({ bindings }: Kernel, { op, inputs, outputs }: KernelText): number =>
  bindings.reduce((sum, { name }) => {
    const at = inputs.indexOf(name)
    const type = at >= 0 ? op.takes[at]! : op.gives[outputs.indexOf(name)]!
    return sum + sizeOf(type.shape) * byteSize(type.dtype)
  }, 0)
