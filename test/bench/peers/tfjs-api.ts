/** The part of TensorFlow.js that the bench uses. */

export interface TfTensor {
  readonly add: (x: TfTensor | number) => TfTensor
  readonly sub: (x: TfTensor | number) => TfTensor
  readonly mul: (x: TfTensor | number) => TfTensor
  readonly tanh: () => TfTensor
  readonly sigmoid: () => TfTensor
  readonly relu: () => TfTensor
  readonly rsqrt: () => TfTensor
  readonly softmax: (axis: number) => TfTensor
  readonly reshape: (shape: readonly number[]) => TfTensor
  readonly matMul: (x: TfTensor, transposeA?: boolean, transposeB?: boolean) => TfTensor
  readonly data: () => Promise<ArrayLike<number>>
  readonly dispose: () => void
}

export interface TfBackend {
  readonly queue: GPUQueue
  readonly ensureCommandEncoderReady: () => void
  readonly endComputePassEncoder: () => void
  readonly submitQueue: () => void
}

export interface Tf {
  readonly setBackend: (name: string) => Promise<boolean>
  readonly ready: () => Promise<void>
  readonly backend: () => TfBackend
  readonly tensor: (data: Float32Array | Int32Array, shape: readonly number[], dtype: string) => TfTensor
  readonly variable: (x: TfTensor, trainable: boolean, name: string) => TfTensor
  readonly tidy: <R>(f: () => R) => R
  readonly train: {
    readonly adam: (
      rate: number,
      beta1: number,
      beta2: number,
      eps: number,
    ) => { readonly minimize: (f: () => TfTensor, returnCost: true, variables: readonly TfTensor[]) => TfTensor }
  }
  readonly losses: { readonly softmaxCrossEntropy: (labels: TfTensor, logits: TfTensor) => TfTensor }
  readonly oneHot: (x: TfTensor, classes: number) => TfTensor
  readonly moments: (
    x: TfTensor,
    axis: number,
    keepDims: boolean,
  ) => { readonly mean: TfTensor; readonly variance: TfTensor }
  readonly zeros: (shape: readonly number[]) => TfTensor
  readonly unstack: (x: TfTensor) => readonly TfTensor[]
  readonly split: (x: TfTensor, parts: number, axis: number) => readonly TfTensor[]
  readonly conv2d: (x: TfTensor, w: TfTensor, strides: number, padding: string) => TfTensor
  readonly maxPool: (x: TfTensor, size: number, strides: number, padding: string) => TfTensor
}
