/** What goes past a function and is added to what it gives; the basic block of residual networks. */
import { demandFunction, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirst, dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { relu } from './activation.ts'
import { type ConvOptions, type ConvParams, conv1d, conv2d, conv3d, convParams } from './conv.ts'
import {
  type BatchNormStepOptions,
  batchNorm,
  batchNormStep,
  batchNormStepOptions,
  type EpsOptions,
  epsOptions,
  type ScaleParams,
  scaleParams,
} from './norm.ts'
import { demandParts, mistakeAmong, namedTensors } from './operands.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

type Residual = {
  (f: (x: Tensor) => Tensor): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, f: (x: Tensor<S, D>) => Tensor): Tensor<S, D>
}

/** `x + y`; refused where they have not one shape. */
const added = (name: string, x: Tensor, y: Tensor): Tensor => {
  if (isMistake(x)) return x
  if (isMistake(y) || x.shape.join() === y.shape.join()) return T.add(x, y) as Tensor
  return tensorOf(
    refuse(name, [nodeOf(x), nodeOf(y)], {
      reason: `what goes past has shape [${x.shape.join(', ')}], what is added [${y.shape.join(', ')}]`,
      hint: 'the function keeps the shape; else project what goes past',
    }),
  )
}

/**
 * `x + f(x)` (He et al. 2016), where `f` keeps the shape. ShapeError where it does not.
 * @example
 * T.reference(nn.residual(T.tensor([1, 2]), T.square)).data // => [2, 6]
 * T.reference(T.pipe(T.tensor([1, 2]), nn.residual(T.neg))).data // => [0, 0]
 */
export const residual: Residual = dataFirst('nn.residual', 2, (x: Tensor, f: (x: Tensor) => Tensor) => {
  demandFunction('nn.residual', 'the second argument', f)
  const y = f(x)
  return mistakeAmong('nn.residual', { 'what the function gives': y }) ?? added('nn.residual', x, y)
})

/** A convolution with a normalisation after it, which what goes past is projected by. */
export interface ProjectionParams {
  readonly conv: ConvParams
  readonly bn: ScaleParams
}

/** Parameters of `residualBlock`, called as in torchvision; `downsample` where what goes past is projected. */
export interface ResidualBlockParams {
  readonly conv1: ConvParams
  readonly bn1: ScaleParams
  readonly conv2: ConvParams
  readonly bn2: ScaleParams
  readonly downsample?: ProjectionParams | undefined
}

/** Running statistics of one normalisation. */
export interface RunningStatistics {
  readonly runningMean: Tensor
  readonly runningVar: Tensor
}

/** Running statistics of the normalisations of `residualBlock`. */
export interface ResidualBlockRunning {
  readonly bn1: RunningStatistics
  readonly bn2: RunningStatistics
  readonly downsample?: { readonly bn: RunningStatistics } | undefined
}

const projectionParts = { conv: convParams, bn: scaleParams }
const blockParts = { conv1: convParams, bn1: scaleParams, conv2: convParams, bn2: scaleParams }

const statistics: OptionNames<RunningStatistics> = { runningMean: 'must tensor', runningVar: 'must tensor' }

/** Options of `residualBlock`: the stride of its first convolution (1), and the statistics to normalise by, else the batch's. */
export interface ResidualBlockOptions extends EpsOptions {
  readonly stride?: number | undefined
  readonly running?: ResidualBlockRunning | undefined
}

const blockOptions: OptionNames<ResidualBlockOptions> = { ...epsOptions, stride: 'count', running: 'own' }

/** Options of `residualBlockStep`: the stride of its first convolution (1), and how far the running statistics move (0.1). */
export interface ResidualBlockStepOptions extends BatchNormStepOptions {
  readonly stride?: number | undefined
}

const stepOptions: OptionNames<ResidualBlockStepOptions> = { ...batchNormStepOptions, stride: 'count' }

/** UsageError for parameters or statistics that are not what they must be. */
const demandBlock = (name: string, params: ResidualBlockParams, running: ResidualBlockRunning | undefined): void => {
  const { downsample, ...own } = params ?? {}
  demandParts(name, blockParts, params && own)
  if (downsample) demandParts(name, projectionParts, downsample, 'downsample')
  if (running === undefined) return
  const { downsample: projected, ...ran } = running ?? {}
  demandParts(name, { bn1: statistics, bn2: statistics }, running && ran, 'running')
  if (downsample) demandParts(name, { bn: statistics }, projected, 'running.downsample')
}

const convolutions = [conv1d, conv2d, conv3d] as const

/** The convolution over as many axes as its weight has, which keeps sizes at stride 1 where its kernel is odd. */
const convolved = (x: Tensor, params: ConvParams, stride: number): Tensor => {
  const kernel = params.weight.shape.slice(2)
  const f = (convolutions[kernel.length - 1] ?? conv2d) as (x: Tensor, p: ConvParams, o: ConvOptions) => Tensor
  return f(x, params, { stride, padding: kernel.map((k) => Math.floor(k / 2)) })
}

/** Where a normalisation stands in a block. */
type Place = 'bn1' | 'bn2' | 'downsample'

/** The block, whose normalisations are done by `norm`. */
const block = (
  name: string,
  x: Tensor,
  { conv1, bn1, conv2, bn2, downsample }: ResidualBlockParams,
  stride: number,
  norm: (x: Tensor, params: ScaleParams, place: Place) => Tensor,
): Tensor => {
  const inner = relu(norm(convolved(x, conv1, stride), bn1, 'bn1')) as Tensor
  const outer = norm(convolved(inner, conv2, 1), bn2, 'bn2')
  const past = downsample ? norm(convolved(x, downsample.conv, stride), downsample.bn, 'downsample') : x
  return relu(added(name, past, outer)) as Tensor
}

const statisticsAt = (running: ResidualBlockRunning, place: Place): RunningStatistics =>
  place === 'downsample' ? running.downsample!.bn : running[place]

/** The mistake among all that a block is given. */
const mistakeIn = (
  name: string,
  x: Tensor,
  params: ResidualBlockParams,
  running: ResidualBlockRunning | undefined,
): Tensor | undefined => mistakeAmong(name, { 'operand 1': x }, namedTensors({ ...params, running: { ...running } }))

type ResidualBlock = {
  (
    params: ResidualBlockParams,
    options?: ResidualBlockOptions,
  ): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, params: ResidualBlockParams, options?: ResidualBlockOptions): Tensor<Shape, D>
}

/**
 * The basic block of residual networks (He et al. 2016; torchvision's BasicBlock): convolution, batch normalisation, relu,
 * convolution, batch normalisation, plus `x`, then relu. `x` `[N, C, …]` with as many axes as the weights have kernels for
 * (1 to 3), odd ones; the first convolution has the `stride`. What goes past is projected by `downsample` where it is
 * given, which changes of size or channels need. Normalised by `running` where given (inference), else by the batch.
 * ShapeError for parameters that do not fit.
 * @example
 * const { params, running } = nn.residualBlockInit(random.key(0), 3, 8, { stride: 2 })
 * const x = random.normal(random.key(1), [4, 3, 6, 6])
 * nn.residualBlock(x, params, { stride: 2, running }).shape // => [4, 8, 3, 3]
 */
export const residualBlock: ResidualBlock = dataFirstWith(
  'nn.residualBlock',
  2,
  blockOptions,
  (x: Tensor, params: ResidualBlockParams, { stride = 1, running, ...eps }: ResidualBlockOptions = {}) => {
    const name = 'nn.residualBlock'
    demandBlock(name, params, running)
    const mistake = mistakeIn(name, x, params, running)
    if (mistake) return mistake
    return block(name, x, params, stride, (y, own, place) =>
      batchNorm(y, running ? { ...own, ...statisticsAt(running, place) } : own, eps),
    )
  },
)

/** What a training step of a residual block gives: its output and its new running statistics. */
export interface ResidualBlockStep {
  readonly output: Tensor
  readonly running: ResidualBlockRunning
}

/**
 * `residualBlock` in training, as a pure function: normalises by the batch and returns the running statistics moved by
 * `momentum` (0.1) to the batch's, as `batchNormStep` does.
 * @example
 * const { params, running } = nn.residualBlockInit(random.key(0), 3, 3)
 * const step = nn.residualBlockStep(T.ones([2, 3, 4, 4]), params, running)
 * [step.output.shape, step.running.bn1.runningMean.shape] // => [[2, 3, 4, 4], [3]]
 */
export const residualBlockStep = (
  x: Tensor,
  params: ResidualBlockParams,
  running: ResidualBlockRunning,
  options: ResidualBlockStepOptions = {},
): ResidualBlockStep => {
  const name = 'nn.residualBlockStep'
  demandRecord(name, stepOptions, options)
  demandBlock(name, params, running ?? null)
  const { stride = 1, ...rest } = options
  const mistake = mistakeIn(name, x, params, running)
  const moved = new Map<Place, RunningStatistics>()
  const output =
    mistake ??
    block(name, x, params, stride, (y, own, place) => {
      const { output: normalised, ...next } = batchNormStep(y, { ...own, ...statisticsAt(running, place) }, rest)
      moved.set(place, next)
      return normalised
    })
  const at = (place: Place): RunningStatistics => moved.get(place) ?? { runningMean: output, runningVar: output }
  const projected = params.downsample ? { downsample: { bn: at('downsample') } } : {}
  return { output, running: { bn1: at('bn1'), bn2: at('bn2'), ...projected } }
}
