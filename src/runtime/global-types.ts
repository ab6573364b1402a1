/**
 * Types of the host as declarations can use them where nobody has declared them: without the DOM library, or with one that does not
 * know WebGPU, our declarations check all the same.
 */

/** The type of the instances of a global class; `Otherwise` where there is no such class. */
type InstanceOf<Name extends string, Otherwise> = typeof globalThis extends {
  readonly [K in Name]: { readonly prototype: infer T }
}
  ? T
  : Otherwise

/** A GPUDevice of WebGPU. */
export type WebGpuDevice = InstanceOf<'GPUDevice', object>

/** A GPUAdapter of WebGPU. */
export type WebGpuAdapter = InstanceOf<'GPUAdapter', object>

/** What `navigator.gpu` is. */
export type WebGpu = InstanceOf<'GPU', object>

/** A URL, as far as files need it. */
export interface FileUrl {
  readonly href: string
  readonly pathname: string
}
