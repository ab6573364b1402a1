/** Error scopes around synchronous calls of a GPUDevice. */
import type { RuntimeError } from '../../lang/errors.ts'
import type { Guarded } from '../backend.ts'
import { memoryHint } from '../device.ts'
import { explain } from '../loss.ts'
import type { Gpu } from './device.ts'

const filters = ['validation', 'out-of-memory', 'internal'] as const

/**
 * A refusal of the device as a typed error; `bytes` is what was being asked for, where memory is the matter. The class
 * is told by its name: Node has no global of it.
 */
export const errorOf = (error: GPUError, bytes: number): RuntimeError =>
  error.constructor.name === 'GPUOutOfMemoryError'
    ? { tag: 'OutOfMemory', bytes, hint: memoryHint }
    : {
        tag: 'ValidationError',
        message: error.message,
        hint: 'this is a bug of tensorloom unless the kernel is your own',
      }

/** Runs `action`, which must be synchronous (the scopes of a device are one stack), inside error scopes. */
export const guarded = <A>(device: Gpu, bytes: number, action: () => A): Guarded<A> => {
  const { gpu } = device
  for (const filter of filters) gpu.pushErrorScope(filter)
  const popped: Promise<GPUError | null>[] = []
  const pop = (): void => {
    for (const _ of filters) popped.push(gpu.popErrorScope())
  }
  let value: A
  try {
    value = action()
  } catch (e) {
    pop()
    for (const p of popped) p.catch(() => {})
    throw e
  }
  pop()
  const trouble = Promise.all(popped).then(
    (errors) => {
      const lost = device.lost()
      if (lost) return lost
      const error = errors.find((e) => e !== null)
      return error ? errorOf(error, bytes) : undefined
    },
    (e: unknown) => explain(device, e),
  )
  return { value, trouble }
}
