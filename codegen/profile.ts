/** Target profiles as data: what plans are made against when no device is at hand. */
import type { Profile } from './plan.ts'

/** The limits every WebGPU implementation must grant: a plan made for it runs everywhere. */
export const portable: Profile = {
  name: 'portable',
  storageBuffers: 8,
  workgroupBytes: 16384,
  workgroupThreads: 256,
  maxBindingBytes: 128 * 1024 * 1024,
  maxGridSide: 65535,
  offsetAlignment: 256,
  features: [],
  schedule: 'serial',
}

/** SwiftShader through Dawn: barriers are dear there (a workgroup is emulated on a thread), so rows are serial. */
export const software: Profile = {
  ...portable,
  name: 'software',
  storageBuffers: 12,
  workgroupBytes: 32768,
  maxBindingBytes: 1024 * 1024 * 1024,
  features: ['subgroups', 'timestamp-query'],
}

/**
 * A desktop or datacentre GPU as every current one grants it. Features stay empty: they differ between drivers, and a
 * plan that needs one is made against `profileOf(device)`.
 */
export const hardware: Profile = {
  ...portable,
  name: 'hardware',
  storageBuffers: 10,
  workgroupBytes: 32768,
  maxBindingBytes: 1024 * 1024 * 1024,
  schedule: 'cooperative',
}

/** The profiles that ship, by name. */
export const profiles: Readonly<Record<'portable' | 'software' | 'hardware', Profile>> = {
  portable,
  software,
  hardware,
}
