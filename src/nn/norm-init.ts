/** Initial parameters of normalisations: scales of 1, shifts of 0, and running statistics of what is normalised already. */
import type { Shape } from '../lang/dim.ts'
import { demandRecord } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type BiasOptions, biasOptions, demandSizes } from './drawn.ts'

/** A scale and a shift of shape `S`. */
export interface Scale<S extends Shape> {
  readonly weight: Tensor<S, 'f32'>
  readonly bias: Tensor<S, 'f32'>
}

/** The shape that a number of features or a list of sizes stands for. */
export type AsShape<N> = N extends number ? readonly [N] : N extends Shape ? N : Shape

/** A scale, with a shift unless the option says there is none. */
export type ScaleOf<S extends Shape, Options> = Options extends { readonly bias: false }
  ? Pick<Scale<S>, 'weight'>
  : Scale<S>

const scale = <const S extends Shape>(shape: S): Scale<S> => ({ weight: T.ones(shape), bias: T.zeros(shape) })

const perChannel =
  (name: string): (<const C extends number>(channels: C) => Scale<readonly [C]>) =>
  (channels) => {
    demandSizes(name, { channels })
    return scale([channels])
  }

/**
 * Parameters of `layerNorm`: f32 weight of ones and bias of zeros, of the sizes of the axes that are normalised (a number
 * stands for one axis); no bias under `{ bias: false }`. UsageError for a size that is none.
 * @example
 * const params = nn.layerNormInit(4)
 * [params.weight.shape, params.bias.shape] // => [[4], [4]]
 * nn.layerNormInit([2, 3], { bias: false }) // => { weight: T.ones([2, 3]) }
 */
export const layerNormInit = <const N extends number | Shape, const Q extends BiasOptions = object>(
  sizes: N,
  options?: Q & Only<Q, BiasOptions>,
): ScaleOf<AsShape<N>, Q> => {
  demandRecord('nn.layerNormInit', biasOptions, options)
  const shape = [sizes].flat() as Shape
  demandSizes('nn.layerNormInit', Object.fromEntries(shape.map((size, axis) => [`size ${axis}`, size])))
  const { weight, bias } = scale(shape)
  return (options?.bias === false ? { weight } : { weight, bias }) as never
}

/**
 * The parameter of `rmsNorm`: f32 weight of ones `[features]`. UsageError for a size that is none.
 * @example
 * nn.rmsNormInit(4).weight.shape // => [4]
 */
export const rmsNormInit = <const N extends number>(features: N): { readonly weight: Tensor<readonly [N], 'f32'> } => {
  demandSizes('nn.rmsNormInit', { features })
  return { weight: T.ones([features]) }
}

/**
 * Parameters of `groupNorm`: f32 weight of ones and bias of zeros `[channels]`. UsageError for a size that is none.
 * @example
 * nn.groupNormInit(6).bias.shape // => [6]
 */
export const groupNormInit: <const C extends number>(channels: C) => Scale<readonly [C]> =
  perChannel('nn.groupNormInit')

/**
 * Parameters of `instanceNorm`: f32 weight of ones and bias of zeros `[channels]`; PyTorch's layer has none unless
 * `affine`. UsageError for a size that is none.
 * @example
 * nn.instanceNormInit(6).weight.shape // => [6]
 */
export const instanceNormInit: <const C extends number>(channels: C) => Scale<readonly [C]> =
  perChannel('nn.instanceNormInit')

/** What `batchNorm` starts from: what is learned, and apart from it what only training steps move. */
export interface BatchNormStart<C extends number = number> {
  readonly params: Scale<readonly [C]>
  readonly running: {
    readonly runningMean: Tensor<readonly [C], 'f32'>
    readonly runningVar: Tensor<readonly [C], 'f32'>
  }
}

/**
 * What `batchNorm` and `batchNormStep` start from: `params`, an f32 weight of ones and a bias of zeros `[channels]`, and
 * `running`, mean 0 and variance 1. They are apart because an optimiser moves the former alone; a call takes both.
 * UsageError for a size that is none.
 * @example
 * const { params, running } = nn.batchNormInit(1)
 * const x = T.tensor([[1], [3]], { dtype: 'f32' })
 * T.reference(nn.batchNormStep(x, { ...params, ...running }).runningMean).data // => [0.2]
 * T.reference(nn.batchNorm(x, { ...params, ...running }, { eps: 0 })).data // => [1, 3]
 */
export const batchNormInit = <const C extends number>(channels: C): BatchNormStart<C> => {
  demandSizes('nn.batchNormInit', { channels })
  return { params: scale([channels]), running: { runningMean: T.zeros([channels]), runningVar: T.ones([channels]) } }
}
