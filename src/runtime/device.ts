/** A device with what the runtime must know about it: kind, losses, refusals, and the back end that does its work. */

import type { RuntimeError } from '../lang/errors.ts'
import type { Backend } from './backend.ts'
import type { WebGpuDevice } from './global-types.ts'

/** A device and its bookkeeping. Programs loaded on it share its kernels and pools. */
export interface Device {
  readonly kind: 'hardware' | 'software' | 'cpu'
  /** What it works on, where that is a GPU. */
  readonly gpu?: WebGpuDevice
  /** What the driver calls itself; of a processor, how much of it works. */
  readonly description: string
  /** Counts devices opened in this process: handles of an earlier generation are not valid on a later one. */
  readonly generation: number
  /** The loss, once it is known. */
  readonly lost: () => RuntimeError | undefined
  /** Resolves when the device is lost, never rejects. */
  readonly whenLost: Promise<RuntimeError>
  /** The latest refusal that no error scope caught; undefined while all is well. */
  readonly refusal: () => RuntimeError | undefined
  /** Bytes of all memory the runtime made on this device and has not destroyed. */
  readonly liveBytes: () => number
  /** Gives the device back to the system; everything loaded on it is lost. Not needed at exit. */
  readonly destroy: () => void
  /** For the runtime alone. */
  readonly backend: Backend
}

/** Of a device: whether it is lost. */
export type Losable = Pick<Device, 'lost' | 'whenLost'>

let generations = 0

/** The number of a device that is opened now. */
export const nextGeneration = (): number => ++generations

/** The way on after a loss. */
export const lostHint = 'open a device again and call reload on the program; give it host copies of the state'

/** The way out where memory is short. */
export const memoryHint = 'use smaller batches or checkpoint(f)'

/**
 * The device of an earlier opening; where there is none, or it failed or is lost, that of a new one. Gives the promise at
 * once: all who ask meanwhile share it.
 */
export const standingDevice = <D extends Device>(
  earlier: Promise<D> | undefined,
  open: () => Promise<D>,
): Promise<D> => (earlier ? earlier.then((device) => (device.lost() ? open() : device), open) : open())
