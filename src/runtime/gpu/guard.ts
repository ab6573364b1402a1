/** Error scopes around synchronous device calls, and losses told apart from refusals. */
import { type RuntimeError, TensorloomError } from '../../lang/errors.ts'
import { type Device, errorOf } from './device.ts'

const filters = ['validation', 'out-of-memory', 'internal'] as const

/** What `guarded` gives: the result at once, and later whether the device took it. */
export interface Guarded<A> {
  readonly value: A
  readonly trouble: Promise<RuntimeError | undefined>
}

/**
 * Runs `action`, which must be synchronous (the scopes of a device are one stack), inside error scopes. `bytes` is what it
 * asks the device for, for the message. `trouble` never rejects.
 */
export const guarded = <A>(device: Device, bytes: number, action: () => A): Guarded<A> => {
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

const wait = (ms: number): Promise<undefined> => new Promise((done) => setTimeout(() => done(undefined), ms))

/**
 * What a rejected promise of the device means: a loss where the device is lost (its `lost` promise may settle a little
 * after the calls it broke), else a refusal.
 */
export const explain = async (device: Device, e: unknown): Promise<RuntimeError> => {
  if (e instanceof TensorloomError) return e.error as RuntimeError
  const lost = device.lost() ?? (await Promise.race([device.whenLost, wait(200)]))
  return (
    lost ?? { tag: 'ValidationError', message: String(e), hint: 'the device is not lost; this is a bug of tensorloom' }
  )
}

/**
 * Runs `action` and rejects with DeviceLost for whatever a lost device makes it throw (wgpu throws where Dawn is silent).
 * Anything else that is no TensorloomError is a bug and passes as it is, with its stack.
 */
export const aware = async <A>(device: Device, action: () => Promise<A>): Promise<A> => {
  try {
    return await action()
  } catch (e) {
    if (e instanceof TensorloomError) throw e
    const known = await explain(device, e)
    throw known.tag === 'DeviceLost' ? new TensorloomError(known) : e
  }
}

/** Throws the device's loss, if it is lost. */
export const demandAlive = (device: Device): void => {
  const lost = device.lost()
  if (lost) throw new TensorloomError(lost)
}
