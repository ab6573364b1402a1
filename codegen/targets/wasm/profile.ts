/** The profile of processors that run WebAssembly, as data. */
import type { Profile } from '../../../passes/profile.ts'

/** Bytes of a page of linear memory. */
const pageBytes = 65536

/**
 * Any processor, one thread of it: constant, so that a plan has the same bits on every machine. A workgroup is a task; its
 * neighbours lie in linear memory, which addresses of 32 bits bound. A dispatch is a call. A lane of a vector takes as long to
 * spread as a number of its own to load.
 * @example
 * T.profiles.cpu.target // => 'wasm'
 */
export const cpu: Profile = {
  name: 'cpu',
  target: 'wasm',
  // Each is a parameter of a function, which engines allow a thousand of.
  storageBuffers: 900,
  workgroupBytes: 32768,
  workgroupThreads: 1,
  maxBindingBytes: 2 ** 31 - pageBytes,
  maxBufferBytes: 2 ** 31 - pageBytes,
  maxGridSide: 2 ** 31 - 1,
  offsetAlignment: 256,
  features: [],
  schedule: 'task',
  costs: {
    dispatch: 2e-6,
    bandwidth: 10e9,
    flops: 20e9,
    threads: 4,
    statements: 300,
    text: 1e-7,
    masked: 0,
    vectorLoad: 4,
    barrier: 0,
  },
}
