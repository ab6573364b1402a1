/** Losses of a device, told apart from refusals. */
import { type RuntimeError, TensorloomError } from '../lang/errors.ts'
import type { Losable } from './device.ts'

const wait = (ms: number): Promise<undefined> => new Promise((done) => setTimeout(() => done(undefined), ms))

/**
 * What a rejected promise of the device means: a loss where the device is lost (its `lost` promise may settle a little
 * after the calls it broke), else a refusal.
 */
export const explain = async (device: Losable, e: unknown): Promise<RuntimeError> => {
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
export const aware = async <A>(device: Losable, action: () => Promise<A>): Promise<A> => {
  try {
    return await action()
  } catch (e) {
    if (e instanceof TensorloomError) throw e
    const known = await explain(device, e)
    throw known.tag === 'DeviceLost' ? new TensorloomError(known) : e
  }
}

/** Throws the device's loss, if it is lost. */
export const demandAlive = (device: Losable): void => {
  const lost = device.lost()
  if (lost) throw new TensorloomError(lost)
}
