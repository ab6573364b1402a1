/** Normalisation layers: features shifted and scaled to mean 0 and variance 1, then by learned parameters. */
import { isDim } from '../lang/dim.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import type { Elementary } from '../lang/types/broadcast.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { misshapen, mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'

/** Learned scale and shift; either may be absent. */
export interface ScaleParams {
  readonly weight?: Tensor | undefined
  readonly bias?: Tensor | undefined
}

export const scaleParams: OptionNames<ScaleParams> = { weight: 'tensor', bias: 'tensor' }

/**
 * Options of `layerNorm`: how many last axes are normalised (as many as the weight or the bias has, else one), the
 * least addition to the variance (1e-5).
 */
export interface LayerNormOptions {
  readonly rank?: number | undefined
  readonly eps?: number | undefined
}

const layerNormOptions: OptionNames<LayerNormOptions> = { rank: 'integer', eps: 'amount' }

/** A normalisation with parameters of type `P` and options of type `O`. */
export interface Normalisation<P, O> {
  (params?: P, options?: O): Elementary
  <S extends Tensor['shape'], D extends Tensor['dtype']>(x: Tensor<S, D>, params?: P, options?: O): Tensor<S, D>
}

const scaled = (y: Tensor, { weight, bias }: ScaleParams): Tensor => {
  const z = weight ? T.mul(y, weight) : y
  return bias ? T.add(z, bias) : z
}

/** Parameters all of one shape, by the names that errors call them. */
const asParameters = (
  params: Readonly<Record<string, Tensor | undefined>>,
  shape: Tensor['shape'],
): Readonly<Record<string, readonly [Tensor | undefined, Tensor['shape']]>> =>
  Object.fromEntries(Object.entries(params).map(([what, p]) => [`the ${what}`, [p, shape]]))

/**
 * `(x - mean) / √(variance + eps)`, mean and population variance over `axes` in one pass. What rounding has left of the mean
 * is taken away too: it is much where the mean is large and the variance is small.
 */
const standardised = (x: Tensor, axes: readonly number[], eps: number): Tensor => {
  const over = { axis: axes, keepdims: true }
  const [mean, variance] = T.meanVariance(x, { ...over, correction: 0 })
  const apart = T.sub(x, mean)
  const rest = T.stopGradient(T.mean(apart, over))
  return T.mul(T.sub(apart, rest), T.rsqrt(T.add(variance, eps)))
}

/**
 * `(x - mean) / √(variance + eps)` over the last axes (`rank` of them, else as many as the weight or the bias has, else
 * one), then `· weight + bias`; population variance, eps 1e-5 (Ba et al. 2016). Same shape and dtype, floats.
 * @example
 * const x = T.tensor([1, 2, 3, 4], { dtype: 'f32' })
 * T.reference(nn.layerNorm(x)).data // => [-1.341635, -0.447212, 0.447212, 1.341635]
 */
export const layerNorm: Normalisation<ScaleParams, LayerNormOptions> = dataFirstWith(
  'nn.layerNorm',
  [1, 2],
  layerNormOptions,
  roundedOnce((x: Tensor, params: ScaleParams = {}, { rank, eps = 1e-5 }: LayerNormOptions = {}) => {
    demandRecord('nn.layerNorm', scaleParams, params, 'parameter')
    if (mistakeAmong('nn.layerNorm', { 'operand 1': x }, { ...params })) return scaled(x, params)
    const count = rank ?? params.weight?.shape.length ?? params.bias?.shape.length ?? 1
    if (!isDim(count) || count > x.shape.length)
      return tensorOf(refuse('nn.layerNorm', [nodeOf(x)], { reason: `there are no ${count} last axes` }))
    const axes = Array.from({ length: count }, (_, i) => -1 - i)
    return (
      misshapen(
        'nn.layerNorm',
        x,
        asParameters({ ...params }, x.shape.slice(x.shape.length - count)),
        'weight and bias have the sizes of the axes that are normalised',
      ) ?? scaled(standardised(x, axes, eps), params)
    )
  }),
)

/** The least addition to a variance. */
export interface EpsOptions {
  readonly eps?: number | undefined
}

export const epsOptions: OptionNames<EpsOptions> = { eps: 'amount' }

/** The learned scale of `rmsNorm`. */
type RmsNormParams = {
  readonly weight?: Tensor | undefined
}

const rmsNormParams: OptionNames<RmsNormParams> = { weight: 'tensor' }

/**
 * `x / √(mean(x²) + eps)` over the last axis, then `· weight`, as long as that axis; eps 1e-6 (Zhang and Sennrich 2019).
 * Same shape and dtype, floats.
 * @example
 * T.reference(nn.rmsNorm(T.tensor([[3, 4]], { dtype: 'f32' }))).data // => [0.848528, 1.131371]
 */
export const rmsNorm: Normalisation<RmsNormParams, EpsOptions> = dataFirstWith(
  'nn.rmsNorm',
  [1, 2],
  epsOptions,
  roundedOnce((x: Tensor, params: RmsNormParams = {}, { eps = 1e-6 }: EpsOptions = {}) => {
    demandRecord('nn.rmsNorm', rmsNormParams, params, 'parameter')
    const hint = 'the weight has one number for each element of the last axis'
    const wrong =
      mistakeAmong('nn.rmsNorm', { 'operand 1': x }, { ...params }) ??
      misshapen('nn.rmsNorm', x, asParameters({ ...params }, x.shape.slice(-1)), hint)
    if (wrong) return wrong
    const power = T.mean(T.square(x), { axis: -1, keepdims: true })
    return scaled(T.mul(x, T.rsqrt(T.add(power, eps))), params)
  }),
)

/** Parameters of `batchNorm`; with running statistics it normalises by them, without by the batch's own. */
export interface BatchNormParams extends ScaleParams {
  readonly runningMean?: Tensor | undefined
  readonly runningVar?: Tensor | undefined
}

const batchNormParams: OptionNames<BatchNormParams> = { ...scaleParams, runningMean: 'tensor', runningVar: 'tensor' }

/** A vector of channels laid along axis 1 of a tensor of rank `rank`. */
const alongChannels = (v: Tensor, rank: number): Tensor =>
  T.reshape(v, [-1, ...Array.from({ length: Math.max(0, rank - 2) }, () => 1)])

const channelScaled = (y: Tensor, { weight, bias }: ScaleParams, rank: number): Tensor =>
  scaled(y, {
    ...(weight ? { weight: alongChannels(weight, rank) } : {}),
    ...(bias ? { bias: alongChannels(bias, rank) } : {}),
  })

/** The mistake among the operands; else the refusal of an `x` without channels, or of parameters that are not `[C]`. */
const wrongChannels = (name: string, x: Tensor, params: BatchNormParams): Tensor | undefined => {
  const mistake = mistakeAmong(name, { 'operand 1': x }, { ...params })
  if (mistake) return mistake
  const [, channels] = x.shape
  if (channels === undefined)
    return tensorOf(refuse(name, [nodeOf(x)], { reason: `takes [N, C, …], not rank ${x.shape.length}` }))
  return misshapen(name, x, asParameters({ ...params }, [channels]), 'give one number for each channel (axis 1)')
}

const allButChannels = (rank: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1)

/**
 * Channels (axis 1) normalised, then scaled and shifted by `weight` and `bias` `[C]`: by `runningMean` and `runningVar`
 * when both are given (inference), else by mean and population variance of the batch; eps 1e-5 (Ioffe and Szegedy
 * 2015). Same shape and dtype, floats.
 * @example
 * const x = T.tensor([[1], [3]], { dtype: 'f32' })
 * T.reference(nn.batchNorm(x)).data // => [-0.999995, 0.999995]
 * T.reference(nn.batchNorm(x, { runningMean: T.zeros([1]), runningVar: T.ones([1]) }, { eps: 0 })).data // => [1, 3]
 */
export const batchNorm: Normalisation<BatchNormParams, EpsOptions> = dataFirstWith(
  'nn.batchNorm',
  [1, 2],
  epsOptions,
  roundedOnce((x: Tensor, params: BatchNormParams = {}, { eps = 1e-5 }: EpsOptions = {}) => {
    demandRecord('nn.batchNorm', batchNormParams, params, 'parameter')
    const wrong = wrongChannels('nn.batchNorm', x, params)
    if (wrong) return wrong
    const rank = x.shape.length
    const { runningMean, runningVar } = params
    if (!runningMean || !runningVar) return channelScaled(standardised(x, allButChannels(rank), eps), params, rank)
    const centred = T.sub(x, alongChannels(runningMean, rank))
    return channelScaled(T.mul(centred, T.rsqrt(T.add(alongChannels(runningVar, rank), eps))), params, rank)
  }),
)

/** What a training step of batch normalisation gives: the normalised batch and the new running statistics. */
export interface BatchNormStep {
  readonly output: Tensor
  readonly runningMean: Tensor
  readonly runningVar: Tensor
}

/** Options of `batchNormStep`: how far the running statistics move to the batch's (0.1). */
export interface BatchNormStepOptions extends EpsOptions {
  readonly momentum?: number | undefined
}

export const batchNormStepOptions: OptionNames<BatchNormStepOptions> = { ...epsOptions, momentum: 'finite' }

/** Parameters of `batchNormStep`: the running statistics are there. */
type RunningParams = BatchNormParams & { readonly runningMean: Tensor; readonly runningVar: Tensor }

const runningParams: OptionNames<RunningParams> = {
  ...scaleParams,
  runningMean: 'must tensor',
  runningVar: 'must tensor',
}

/**
 * Batch normalisation in training, as a pure function: normalises by the batch and returns the running statistics moved
 * by `momentum` (0.1) to the batch's, with the unbiased variance (as PyTorch). The statistics carry no gradient.
 * @example
 * const running = { runningMean: T.zeros([1]), runningVar: T.ones([1]) }
 * const next = nn.batchNormStep(T.tensor([[1], [3]], { dtype: 'f32' }), running)
 * T.reference([next.runningMean, next.runningVar]).map((t) => t.data) // => [[0.2], [1.1]]
 */
export const batchNormStep = (x: Tensor, params: RunningParams, options: BatchNormStepOptions = {}): BatchNormStep => {
  demandRecord('nn.batchNormStep', batchNormStepOptions, options)
  demandRecord('nn.batchNormStep', runningParams, params, 'parameter')
  const { momentum = 0.1, eps = 1e-5 } = options
  const wrong = wrongChannels('nn.batchNormStep', x, params)
  if (wrong) return { output: wrong, runningMean: wrong, runningVar: wrong }
  const { runningMean, runningVar, ...own } = params
  const moved = roundedOnce((batch: Tensor, ...old: readonly Tensor[]): readonly Tensor[] =>
    T.meanVariance(T.stopGradient(batch), { axis: allButChannels(batch.shape.length), correction: 1 }).map((now, i) =>
      T.add(T.mul(old[i]!, 1 - momentum), T.mul(now, momentum)),
    ),
  )
  const [mean, variance] = moved(x, runningMean, runningVar)
  return { output: batchNorm(x, own, { eps }), runningMean: mean!, runningVar: variance! }
}

/** Options of `groupNorm`. */
export interface GroupNormOptions extends EpsOptions {
  readonly groups: number
}

export const groupNormOptions: OptionNames<GroupNormOptions> = { groups: 'must count', ...epsOptions }

type GroupNorm = {
  (params: ScaleParams, options: GroupNormOptions): Elementary
  <S extends Tensor['shape'], D extends Tensor['dtype']>(
    x: Tensor<S, D>,
    params: ScaleParams,
    options: GroupNormOptions,
  ): Tensor<S, D>
}

/**
 * Channels (axis 1) in `groups` groups, each group of an example normalised over its channels and positions, then
 * scaled and shifted by `weight` and `bias` `[C]`; eps 1e-5 (Wu and He 2018). ShapeError when the groups do not divide
 * the channels.
 * @example
 * const x = T.tensor([[1, 3, 10, 30]], { dtype: 'f32' })
 * T.reference(nn.groupNorm(x, {}, { groups: 2, eps: 0 })).data // => [-1, 1, -1, 1]
 */
export const groupNorm: GroupNorm = dataFirstWith(
  'nn.groupNorm',
  2,
  groupNormOptions,
  roundedOnce((x: Tensor, params: ScaleParams, { groups, eps = 1e-5 }: GroupNormOptions) => {
    demandRecord('nn.groupNorm', scaleParams, params, 'parameter')
    const wrong = wrongChannels('nn.groupNorm', x, params)
    if (wrong) return wrong
    const [batch, channels, ...rest] = x.shape
    if (!(isDim(groups) && groups > 0 && channels! % groups === 0))
      return tensorOf(
        refuse('nn.groupNorm', [nodeOf(x)], { reason: `${groups} groups do not divide ${channels} channels`, axis: 1 }),
      )
    const split = T.reshape(x, [batch!, groups, channels! / groups, ...rest])
    if (isMistake(split)) return split
    const axes = split.shape.map((_, i) => i).slice(2)
    return channelScaled(T.reshape(standardised(split, axes, eps), x.shape), params, x.shape.length)
  }),
)

/**
 * Each channel (axis 1) of each example normalised over its positions, then scaled and shifted by `weight` and `bias`
 * `[C]`; eps 1e-5 (Ulyanov et al. 2016). Same shape and dtype, floats.
 * @example
 * const x = T.tensor([[[1, 3], [10, 30]]], { dtype: 'f32' })
 * T.reference(nn.instanceNorm(x, {}, { eps: 0 })).data // => [-1, 1, -1, 1]
 */
export const instanceNorm: Normalisation<ScaleParams, EpsOptions> = dataFirstWith(
  'nn.instanceNorm',
  [1, 2],
  epsOptions,
  roundedOnce((x: Tensor, params: ScaleParams = {}, { eps = 1e-5 }: EpsOptions = {}) => {
    demandRecord('nn.instanceNorm', scaleParams, params, 'parameter')
    const wrong = wrongChannels('nn.instanceNorm', x, params)
    if (wrong) return wrong
    const axes = x.shape.map((_, i) => i).slice(2)
    return channelScaled(standardised(x, axes, eps), params, x.shape.length)
  }),
)
