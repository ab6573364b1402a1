/** The `.d.ts` of the runtime that emitted modules share, written by hand: it declares the public surface only. */

/** Text of `runtime.d.ts`. */
export const runtimeDeclarations = `// GPUDevice and GPU are of the DOM library of TypeScript 6 and later, or of @webgpu/types; WebAssembly is of the DOM library.
/** Sizes of a tensor's axes. */
export type Shape = readonly number[]

export type DType = 'f32' | 'i32' | 'u32' | 'bool' | 'f16' | 'bf16' | 'i8' | 'u8'

interface HostArrays {
  f32: Float32Array
  f16: Float32Array
  bf16: Float32Array
  i32: Int32Array
  u32: Uint32Array
  bool: Uint8Array
  i8: Int8Array
  u8: Uint8Array
}

interface Handle<D extends DType, S extends Shape> {
  readonly path: string
  readonly shape: S
  readonly dtype: D
  /** The elements, row-major (bool as 0 and 1, f16 and bf16 as f32). */
  readonly read: () => Promise<HostArrays[D]>
}

/** A result that stays on the device: an argument of later runs, of this program or another on the same device. */
export interface Resident<D extends DType, S extends Shape> extends Handle<D, S> {
  readonly kind: 'resident'
  /** True once it was given away to a run. */
  readonly consumed: boolean
}

/** A result on its way to the host. */
export interface Value<D extends DType, S extends Shape> extends Handle<D, S> {
  readonly kind: 'value'
}

type Scalar<S extends Shape, T> = S extends readonly [] ? T : never

/** An argument: flat values in row-major order, a plain number for a scalar, or a handle of that shape. */
export type F32<S extends Shape> = Float32Array | Float64Array | readonly number[] | Scalar<S, number> | Resident<'f32', S>
export type F16<S extends Shape> = Float32Array | Float64Array | readonly number[] | Scalar<S, number> | Resident<'f16', S>
export type BF16<S extends Shape> = Float32Array | Float64Array | readonly number[] | Scalar<S, number> | Resident<'bf16', S>
export type I32<S extends Shape> = Int32Array | readonly number[] | Scalar<S, number> | Resident<'i32', S>
export type U32<S extends Shape> = Uint32Array | readonly number[] | Scalar<S, number> | Resident<'u32', S>
export type I8<S extends Shape> = Int8Array | readonly number[] | Scalar<S, number> | Resident<'i8', S>
export type U8<S extends Shape> = Uint8Array | readonly number[] | Scalar<S, number> | Resident<'u8', S>
export type Bool<S extends Shape> = Uint8Array | readonly boolean[] | readonly number[] | Scalar<S, boolean> | Resident<'bool', S>

interface SlotData {
  readonly path: string
  readonly shape: Shape
  readonly dtype: DType
}

/** What programs run on. */
export type Target = 'webgpu' | 'cpu'

/** What a program is and costs. */
export interface PlanData<T extends Target = Target> {
  readonly version: 1
  readonly name: string
  readonly profile: { readonly name: string; readonly features: readonly string[] }
  readonly arenas: readonly number[]
  readonly kernels: readonly {
    readonly kernel: { readonly name: string }
    readonly wgsl: T extends 'webgpu' ? string : undefined
  }[]
  readonly inputs: readonly (SlotData & { readonly donated: boolean })[]
  readonly outputs: readonly (SlotData & { readonly keep: boolean })[]
  readonly prediction: {
    readonly dispatches: number
    readonly submits: number
    readonly bytes: number
    readonly flops: number
    readonly peakBytes: number
  }
}

/** A program on a device. */
export type Loaded<A extends readonly unknown[], R, T extends Target = Target> = T extends Target
  ? {
      /** What it runs on. */
      readonly target: T
      readonly plan: PlanData<T>
      /** Of a GPU. */
      readonly device: T extends 'webgpu' ? GPUDevice : undefined
      /** Runs once. Work is submitted before it returns, so host arrays may be changed at once. */
      readonly run: (...args: A) => Promise<R>
    }
  : never

/** WebAssembly as bytes, or compiled: where a platform compiles files at deployment, and no bytes later. */
export type Wasm = ArrayBuffer | Uint8Array | WebAssembly.Module

export interface LoadOptions {
  /** The bytes of the .safetensors file that was written beside the module. */
  readonly weights?: ArrayBuffer | Uint8Array | undefined
  /**
   * Of modules for the processor: the .wasm file that was written beside the module, or what gives it. Default: it is read
   * where the module was read from, with fetch, or as a file.
   */
  readonly wasm?: Wasm | (() => Wasm | Promise<Wasm>) | undefined
  /**
   * How many threads work on the processor; default: as many as there are, where memory can be shared. Counts for the first
   * program that is loaded on it.
   */
  readonly threads?: number | undefined
}

type Options<Needs extends keyof LoadOptions> = LoadOptions & { readonly [K in Needs]-?: NonNullable<LoadOptions[K]> }

type Place<T extends Target> = T | ('webgpu' extends T ? GPUDevice | GPU : never)

export type Load<A extends readonly unknown[], R, T extends Target, Needs extends keyof LoadOptions = never> = [Needs] extends [never]
  ? (on?: Place<T>, options?: LoadOptions) => Promise<Loaded<A, R, T>>
  : (on: Place<T> | undefined, options: Options<Needs>) => Promise<Loaded<A, R, T>>

/** What goes wrong is thrown as this class; \`error\` is plain data with a \`tag\`. */
export declare class TensorloomError extends Error {
  readonly error: { readonly tag: string }
}
`
