/** Profiles of WebGPU devices as data, to plan against without one. */
import type { Profile } from '../../../passes/profile.ts'

/**
 * The limits every WebGPU implementation must grant: a plan made for it runs everywhere.
 * @example
 * T.portable.storageBuffers // => 8
 */
export const portable: Profile = {
  name: 'portable',
  target: 'wgsl',
  storageBuffers: 8,
  workgroupBytes: 16384,
  workgroupThreads: 256,
  maxBindingBytes: 128 * 1024 * 1024,
  maxBufferBytes: 256 * 1024 * 1024,
  maxGridSide: 65535,
  offsetAlignment: 256,
  features: [],
  schedule: 'cooperative',
  costs: {
    dispatch: 30e-6,
    bandwidth: 20e9,
    flops: 100e9,
    threads: 2048,
    statements: 300,
    text: 2e-8,
    masked: 0,
    vectorLoad: 1,
    barrier: 1e-6,
  },
}

/**
 * SwiftShader through Dawn: barriers are expensive there (a workgroup is emulated on one thread), so the schedule is
 * serial. Four invocations are the lanes of the processor's vectors, so a vector of four is four accesses. A load takes a
 * millisecond to compile: over 200 runs, 5 microseconds of each. Branches are masked, not skipped, loops but for an
 * iteration.
 * @example
 * T.software.schedule // => 'serial'
 */
export const software: Profile = {
  ...portable,
  name: 'software',
  schedule: 'serial',
  storageBuffers: 12,
  workgroupBytes: 32768,
  maxBindingBytes: 1024 * 1024 * 1024,
  maxBufferBytes: 1024 * 1024 * 1024,
  features: ['subgroups', 'timestamp-query'],
  costs: {
    dispatch: 60e-6,
    bandwidth: 3e9,
    flops: 2e9,
    threads: 64,
    statements: 300,
    text: 5e-6,
    masked: 2e-9,
    vectorLoad: 4,
    barrier: 1e-4,
  },
}

/**
 * The limits of every current desktop or datacentre GPU. Features stay empty: they differ between drivers, and a
 * plan that needs one is made against `profileOf(device)`.
 * @example
 * T.hardware.schedule // => 'cooperative'
 */
export const hardware: Profile = {
  ...portable,
  name: 'hardware',
  storageBuffers: 10,
  workgroupBytes: 32768,
  maxBindingBytes: 1024 * 1024 * 1024,
  maxBufferBytes: 1024 * 1024 * 1024,
  schedule: 'cooperative',
  // A card of the middle range; ratios matter more than figures, and a dispatch costs as long as streaming 10 MB.
  costs: {
    dispatch: 25e-6,
    bandwidth: 400e9,
    flops: 8e12,
    threads: 32768,
    statements: 300,
    text: 1e-8,
    masked: 0,
    vectorLoad: 1,
    barrier: 2e-7,
  },
}
