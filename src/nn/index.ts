/** Layers, activations, losses, metrics and initial weights: what users import as `tensorloom/nn`. All are pure functions over the tensor language. */

export type { Shape } from '../lang/dim.ts'
export type { DType } from '../lang/dtype.ts'
export type { Key } from '../lang/tensor/random/keys.ts'
// Types of signatures, so that what is made of functions can be exported where declarations are written.
export type * from '../lang/types/broadcast.ts'
export type * from '../lang/types/options.ts'
export type * from '../lang/types/tensor.ts'
export type * from '../lang/types/windows.ts'
export type { Activation } from './activation.ts'
export {
  celu,
  elu,
  type GeluOptions,
  gelu,
  type HardtanhOptions,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logsigmoid,
  mish,
  prelu,
  relu,
  relu6,
  type SoftplusOptions,
  selu,
  sigmoid,
  silu,
  softplus,
  softshrink,
  softsign,
  tanh,
  tanhshrink,
  threshold,
} from './activation.ts'
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type OutputSize,
} from './adaptive-pool.ts'
export {
  type AttentionOptions,
  attentionScores,
  attentionWeights,
  type ScoreOptions,
  scaledDotProductAttention,
} from './attention.ts'
export type { ConvLayer } from './conv.ts'
export {
  type ConvOptions,
  type ConvParams,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from './conv.ts'
export {
  type ConvInit,
  type ConvInitOptions,
  type ConvTransposeInit,
  conv1dInit,
  conv2dInit,
  conv3dInit,
  convTranspose1dInit,
  convTranspose2dInit,
  convTranspose3dInit,
  type Kernel,
} from './conv-init.ts'
export {
  type ConvLayerOptions,
  type ConvTransposeLayerOptions,
  conv1dLayer,
  conv2dLayer,
  conv3dLayer,
  convTranspose1dLayer,
  convTranspose2dLayer,
  convTranspose3dLayer,
  type MakeConvLayer,
  type MakeConvTransposeLayer,
} from './conv-layers.ts'
export { type CtcLoss, type CtcOptions, ctcLoss } from './ctc-loss.ts'
export type { BiasOptions, WithBias } from './drawn.ts'
export { type DropoutOptions, dropout, type InnerDropoutOptions } from './dropout.ts'
export {
  type EmbeddingBagOptions,
  type EmbeddingInitOptions,
  type EmbeddingOptions,
  embedding,
  embeddingBag,
  embeddingInit,
} from './embedding.ts'
export { type AffineGridOptions, affineGrid, type GridSampleOptions, gridSample } from './grid-sample.ts'
export type { GridMode, GridPadding } from './grid-taps.ts'
export { type GumbelOptions, gumbelSoftmax } from './gumbel-softmax.ts'
export {
  fans,
  type GainOptions,
  heNormal,
  heUniform,
  linearInit,
  xavierNormal,
  xavierUniform,
} from './init.ts'
export {
  type GainInit,
  lecunNormal,
  lecunUniform,
  orthogonal,
  type TruncatedOptions,
  truncatedNormal,
  type VarianceOptions,
  varianceScaling,
} from './init-scaling.ts'
export { type InterpolateOptions, type InterpolationMode, interpolate } from './interpolate.ts'
export {
  embeddingLayer,
  groupNormLayer,
  instanceNormLayer,
  type LayerNormLayerOptions,
  layerNormLayer,
  rmsNormLayer,
} from './layers.ts'
export { type LinearParams, linear } from './linear.ts'
export {
  type BinaryLogitsOptions,
  type BinaryOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type HuberOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1Options,
  smoothL1Loss,
} from './loss.ts'
export type { ClassLoss } from './loss-class.ts'
export { type ClassOptions, type CrossEntropyOptions, crossEntropy, nllLoss } from './loss-class.ts'
export { type FocalOptions, focalLoss } from './loss-focal.ts'
export {
  type GaussianOptions,
  gaussianNllLoss,
  type KlDivOptions,
  klDiv,
  type PoissonOptions,
  poissonNllLoss,
} from './loss-likelihood.ts'
export {
  type HingeOptions,
  hingeEmbeddingLoss,
  hingeLoss,
  type MarginOptions,
  type MultiMarginOptions,
  marginRankingLoss,
  multiMarginLoss,
  softMarginLoss,
  type TripletOptions,
  tripletMarginLoss,
} from './loss-margin.ts'
export type { Loss, LossOptions, LossReduction, Reduced, TripleLoss } from './loss-reduction.ts'
export { type LpPoolOptions, lpPool1d, lpPool2d, lpPool3d } from './lp-pool.ts'
export {
  type MaxPoolPair,
  type MaxUnpoolOptions,
  maxPool1dWithIndices,
  maxPool2dWithIndices,
  maxPool3dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
} from './max-unpool.ts'
export type { Metric, MetricWith } from './metric-operands.ts'
export {
  type Average,
  type AverageOptions,
  accuracy,
  type ConfusionOptions,
  confusionMatrix,
  f1Score,
  precision,
  recall,
  type TopKAccuracyOptions,
  topKAccuracy,
} from './metrics-class.ts'
export { meanAbsoluteError, type PerplexityOptions, perplexity, r2Score, rmse } from './metrics-error.ts'
export { type RocCurve, rocAuc, rocCurve } from './metrics-ranking.ts'
export {
  type MultiHeadOptions,
  type MultiHeadParams,
  multiHeadAttention,
  multiHeadAttentionWeights,
} from './multi-head.ts'
export { type MultiHeadInitOptions, type MultiHeadStart, multiHeadAttentionInit } from './multi-head-init.ts'
export type { Normalisation } from './norm.ts'
export {
  type BatchNormParams,
  type BatchNormStep,
  type BatchNormStepOptions,
  batchNorm,
  batchNormStep,
  type EpsOptions,
  type GroupNormOptions,
  groupNorm,
  instanceNorm,
  type LayerNormOptions,
  layerNorm,
  rmsNorm,
  type ScaleParams,
} from './norm.ts'
export {
  type AsShape,
  type BatchNormStart,
  batchNormInit,
  groupNormInit,
  instanceNormInit,
  layerNormInit,
  rmsNormInit,
  type Scale,
  type ScaleOf,
} from './norm-init.ts'
export {
  type DepthMode,
  type DepthOptions,
  depthToSpace,
  pixelShuffle,
  pixelUnshuffle,
  spaceToDepth,
} from './pixel-shuffle.ts'
export type { Pool } from './pool.ts'
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from './pool.ts'
export type { WindowOptions } from './pool-windows.ts'
export { type RotaryOptions, rotary, type SinusoidalOptions, sinusoidal } from './positions.ts'
export {
  type GruOptions,
  gru,
  type LstmOptions,
  lstm,
  type RecurrentOptions,
  type RnnOptions,
  rnn,
} from './recurrent.ts'
export {
  type CellParams,
  type GruCellParams,
  gruCell,
  type LstmCellParams,
  lstmCell,
  type Nonlinearity,
  type RnnCellParams,
  rnnCell,
} from './recurrent-cells.ts'
export {
  type CellStart,
  gruInit,
  type LayersStart,
  type LstmInit,
  type LstmInitOptions,
  lstmInit,
  type RecurrentInit,
  type RecurrentInitOptions,
  rnnInit,
} from './recurrent-init.ts'
export type { RecurrentLayer, SequenceOptions } from './recurrent-run.ts'
export {
  type ProjectionParams,
  type ResidualBlockOptions,
  type ResidualBlockParams,
  type ResidualBlockRunning,
  type ResidualBlockStep,
  type ResidualBlockStepOptions,
  type RunningStatistics,
  residual,
  residualBlock,
  residualBlockStep,
} from './residual.ts'
export { type ResidualBlockInitOptions, type ResidualBlockStart, residualBlockInit } from './residual-init.ts'
export { type RoiAlignOptions, roiAlign } from './roi-align.ts'
export {
  type AnyLayer,
  dense,
  dropoutLayer,
  type Layer,
  type LayerOrFunction,
  layer,
  type ParamsOf,
  type ParamsOfEach,
  parallel,
  sequential,
} from './sequential.ts'
export {
  type CosineEmbeddingOptions,
  type CosineOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  type DistanceOptions,
  pairwiseDistance,
} from './similarity.ts'
export { type AlongAxis, glu, logSoftmax, type NormalizeOptions, normalize, softmax, softmin } from './softmax.ts'
export { type Summary, type SummaryRow, summary } from './summary.ts'
export { transformerDecoderBlock, transformerEncoderBlock } from './transformer.ts'
export {
  type BlockInitOptions,
  type DecoderBlockStart,
  type EncoderBlockStart,
  transformerDecoderBlockInit,
  transformerEncoderBlockInit,
} from './transformer-init.ts'
export type {
  DecoderBlockOptions,
  DecoderBlockParams,
  EncoderBlockOptions,
  EncoderBlockParams,
} from './transformer-parts.ts'
export { type FoldOptions, fold, type UnfoldOptions, unfold } from './unfold.ts'
export type { Padding, PerAxis } from './windows.ts'
