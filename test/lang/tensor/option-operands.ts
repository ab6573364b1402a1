/** What functions with options are called with, before the options. */
import * as T from '../../../src/index.ts'
import type { Tensor } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import * as random from '../../../src/random/index.ts'

export const x: Tensor = T.tensor([
  [1.5, 2],
  [3, 4],
])
export const whole: Tensor = T.tensor([0, 1])
export const image: Tensor = T.ones([1, 4, 4, 4])
const batch = T.ones([1, 2, 2])
const line = T.ones([1, 4, 4])
const volume = T.ones([1, 4, 4, 4, 4])
const heads = { inProjWeight: T.ones([6, 2]), outProjWeight: T.ones([2, 2]) }
const square = T.tensor([
  [0, 1],
  [1, 0],
])
const blocks = (name: string): Readonly<Record<string, readonly unknown[]>> => ({
  [`nn.${name}1d`]: [line],
  [`nn.${name}2d`]: [image],
  [`nn.${name}3d`]: [volume],
})
const convolutions = (name: string): Readonly<Record<string, readonly unknown[]>> => ({
  [`nn.${name}1d`]: [line, { weight: T.ones([4, 4, 2]) }],
  [`nn.${name}2d`]: [image, { weight: T.ones([4, 4, 2, 2]) }],
  [`nn.${name}3d`]: [volume, { weight: T.ones([4, 4, 2, 2, 2]) }],
})

/** Arguments before the options of those that do not take x in all places. */
export const before: Readonly<Record<string, readonly unknown[]>> = {
  'T.ifft': [[x, x]],
  'T.fft': [[x, x]],
  'T.fftn': [[x, x]],
  'T.ifftn': [[x, x]],
  'T.fft2': [[x, x]],
  'T.ifft2': [[x, x]],
  'T.irfft': [[x, x]],
  'T.irfftn': [[x, x]],
  'T.select': [x, 0],
  'T.narrow': [x, 0, 1],
  'T.oneHot': [whole, 2],
  'T.setAtIndices': [x, [whole], 0],
  'nn.rnn': [T.ones([2, 2]), [{ weightIh: T.ones([2, 2]), weightHh: T.ones([2, 2]) }]],
  'nn.lstm': [T.ones([2, 2]), [{ weightIh: T.ones([8, 2]), weightHh: T.ones([8, 2]) }]],
  'nn.gru': [T.ones([2, 2]), [{ weightIh: T.ones([6, 2]), weightHh: T.ones([6, 2]) }]],
  'T.take': [x, whole],
  'T.kthvalue': [x, 1],
  'T.topK': [x, 1],
  'T.quantile': [x, 0.5],
  'T.percentile': [x, 50],
  'T.nanquantile': [x, 0.5],
  'T.bincount': [square],
  'T.interp': [x, T.tensor([0, 1]), T.tensor([0, 1])],
  'T.cross': [T.ones([2, 3]), T.ones([2, 3])],
  'T.split': [x, 1],
  'T.chunk': [x, 2],
  'T.roll': [x, 1],
  'T.repeatInterleave': [x, 2],
  'T.pad': [
    x,
    [
      [1, 1],
      [0, 0],
    ],
  ],
  'T.fullLike': [x, 1],
  'T.takeAlongAxis': [x, square],
  'T.gather': [x, square],
  'T.scatterAdd': [x, square, x],
  'T.scatter': [x, square, x],
  'T.scatterMax': [x, square, x],
  'T.scatterMin': [x, square, x],
  'T.indexAdd': [x, whole, x],
  'T.baddbmm': [batch, batch, batch],
  ...convolutions('conv'),
  ...convolutions('convTranspose'),
  ...blocks('maxPool'),
  ...blocks('avgPool'),
  'nn.lpPool1d': [line],
  'nn.lpPool2d': [image],
  'nn.lpPool3d': [volume],
  'nn.maxPool1dWithIndices': [line],
  'nn.maxPool2dWithIndices': [image],
  'nn.maxPool3dWithIndices': [volume],
  'nn.maxUnpool1d': [line, T.zeros(line.shape, { dtype: 'i32' })],
  'nn.maxUnpool2d': [image, T.zeros(image.shape, { dtype: 'i32' })],
  'nn.maxUnpool3d': [volume, T.zeros(volume.shape, { dtype: 'i32' })],
  'nn.unfold': [image],
  'nn.fold': [T.ones([1, 4, 4])],
  'nn.multiHeadAttention': [batch, heads],
  'nn.multiHeadAttentionWeights': [batch, heads],
  'nn.sinusoidal': [x, 4],
  'nn.transformerEncoderBlock': [batch, nn.transformerEncoderBlockInit(random.key(0), 2, 4)],
  'nn.transformerDecoderBlock': [batch, batch, nn.transformerDecoderBlockInit(random.key(0), 2, 4)],
  'nn.residualBlock': [image, nn.residualBlockInit(random.key(0), 4, 4).params],
  'nn.embedding': [whole, x],
  'nn.nllLoss': [x, whole],
  'nn.crossEntropy': [x, whole],
  'nn.multiMarginLoss': [x, whole],
  'nn.ctcLoss': [batch, T.tensor([[1], [1]]), T.tensor([2, 1]), T.tensor([1, 1])],
  'nn.topKAccuracy': [x, whole],
  'nn.confusionMatrix': [whole, whole],
  'nn.precision': [whole, whole],
  'nn.recall': [whole, whole],
  'nn.f1Score': [whole, whole],
  'nn.perplexity': [x, whole],
  'nn.cosineEmbeddingLoss': [x, x, T.tensor([1, -1])],
  'nn.layerNorm': [x, {}],
  'nn.rmsNorm': [x, {}],
  'nn.batchNorm': [x, {}],
  'nn.groupNorm': [image, {}],
  'nn.instanceNorm': [image, {}],
  'nn.dropout': [x, random.key(0)],
  'nn.embeddingBag': [square, x],
  'nn.interpolate': [image],
  'nn.depthToSpace': [image, 2],
  'nn.spaceToDepth': [image, 2],
  'nn.gridSample': [image, T.zeros([1, 2, 2, 2])],
  'nn.affineGrid': [T.ones([1, 2, 3]), [1, 1, 2, 2]],
  'nn.roiAlign': [image, T.ones([2, 5])],
}
