/** torch's layers in our functions: normalisation, convolution, pooling, attention, recurrence. */
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import type { ConvLayer } from '../../src/nn/conv.ts'
import * as nn from '../../src/nn/index.ts'
import {
  at,
  type Call,
  flag,
  input,
  list,
  maybeInput,
  maybeNumber,
  maybeNumbers,
  number,
  numbers,
  type Op,
  optional,
  raw,
  text,
} from './call.ts'
import type { LayerName, Ops } from './names.ts'
import { recurrentOps } from './ops-recurrent.ts'

const scale = (c: Call): nn.ScaleParams => ({
  ...optional('weight', maybeInput(c, 'weight')),
  ...optional('bias', maybeInput(c, 'bias')),
})

const eps = (c: Call, otherwise: number): { readonly eps: number } => ({ eps: number(c, 'eps', otherwise) })

/** With running statistics and training: the output and the moved statistics. Without them always the batch's own. */
const batchNormalised = (c: Call): readonly Tensor[] => {
  const [runningMean, runningVar] = [maybeInput(c, 'running_mean'), maybeInput(c, 'running_var')]
  const x = input(c, 'x')
  if (!runningMean || !runningVar) return [nn.batchNorm(x, scale(c), eps(c, 1e-5))]
  const params = { ...scale(c), runningMean, runningVar }
  if (!flag(c, 'training', false)) return [nn.batchNorm(x, params, eps(c, 1e-5))]
  const step = nn.batchNormStep(x, params, { momentum: number(c, 'momentum', 0.1), ...eps(c, 1e-5) })
  return [step.output, step.runningMean, step.runningVar]
}

const attention = (c: Call): Tensor =>
  nn.scaledDotProductAttention(input(c, 'q'), input(c, 'k'), input(c, 'v'), {
    causal: flag(c, 'is_causal', false),
    ...optional('mask', maybeInput(c, 'attn_mask')),
    ...optional('scale', maybeNumber(c, 'scale')),
  })

const manyHeads = (c: Call): Tensor => {
  const params = {
    inProjWeight: input(c, 'in_proj_weight'),
    outProjWeight: input(c, 'out_proj_weight'),
    ...optional('inProjBias', maybeInput(c, 'in_proj_bias')),
    ...optional('outProjBias', maybeInput(c, 'out_proj_bias')),
  }
  return nn.multiHeadAttention(input(c, 'x'), params, {
    heads: number(c, 'num_heads'),
    causal: flag(c, 'is_causal', false),
  })
}

const convParams = (c: Call): nn.ConvParams => ({
  weight: input(c, 'weight'),
  ...optional('bias', maybeInput(c, 'bias')),
})

const convolution =
  (f: ConvLayer<nn.ConvOptions>): Op =>
  (c) => {
    const padding = raw(c, 'padding')
    return f(input(c, 'x'), convParams(c), {
      stride: numbers(c, 'stride', 1),
      padding: padding === 'same' || padding === 'valid' ? padding : numbers(c, 'padding', 0),
      dilation: numbers(c, 'dilation', 1),
      groups: number(c, 'groups', 1),
    })
  }

const transposed =
  (f: ConvLayer<nn.ConvTransposeOptions>): Op =>
  (c) =>
    f(input(c, 'x'), convParams(c), {
      stride: numbers(c, 'stride', 1),
      padding: numbers(c, 'padding', 0),
      outputPadding: numbers(c, 'output_padding', 0),
      dilation: numbers(c, 'dilation', 1),
      groups: number(c, 'groups', 1),
    })

/** A stride that is absent, or torch's empty list, is the window's size. */
const strides = (c: Call): { readonly stride?: number | readonly number[] } => {
  const stride = maybeNumbers(c, 'stride')
  return Array.isArray(stride) && stride.length === 0 ? {} : optional('stride', stride)
}

const averages = (c: Call): nn.AvgPoolOptions => ({
  kernelSize: numbers(c, 'kernel_size'),
  ...strides(c),
  padding: numbers(c, 'padding', 0),
  ceilMode: flag(c, 'ceil_mode', false),
  countIncludePad: flag(c, 'count_include_pad', true),
  ...optional('divisorOverride', maybeNumber(c, 'divisor_override')),
})

const windows = (c: Call): nn.MaxPoolOptions => ({
  kernelSize: numbers(c, 'kernel_size'),
  ...strides(c),
  padding: numbers(c, 'padding', 0),
  dilation: numbers(c, 'dilation', 1),
  ceilMode: flag(c, 'ceil_mode', false),
})

/** torch's output sizes, where null keeps a size. */
const outputs = (c: Call): nn.OutputSize => raw(c, 'output_size') as nn.OutputSize

const interpolated = (c: Call): Tensor =>
  nn.interpolate(at(c, 0), {
    ...optional('size', maybeNumbers(c, 'size')),
    ...optional('scaleFactor', maybeNumbers(c, 'scale_factor')),
    mode: text(c, 'mode', 'nearest') as nn.InterpolationMode,
    alignCorners: flag(c, 'align_corners', false),
  })

/** A negative padding index counts from the last row. */
const embedded = (c: Call): Tensor => {
  const weight = at(c, 1) as Tensor<readonly [number, number]>
  const row = maybeNumber(c, 'padding_idx')
  const paddingIndex = row !== undefined && row < 0 ? row + weight.shape[0] : row
  return nn.embedding(at(c, 0), weight, optional('paddingIndex', paddingIndex)) as Tensor
}

/** The layers of ops.py's nn section; `undefined` is an op we do not have. */
export const layerOps: Ops<LayerName> = {
  layer_norm: (c) =>
    nn.layerNorm(input(c, 'x'), scale(c), { rank: list(c, 'normalized_shape').length, ...eps(c, 1e-5) }),
  rms_norm: (c) => nn.rmsNorm(input(c, 'x'), optional('weight', maybeInput(c, 'weight')), eps(c, 1e-6)),
  batch_norm: batchNormalised,
  group_norm: (c) => nn.groupNorm(input(c, 'x'), scale(c), { groups: number(c, 'num_groups'), ...eps(c, 1e-5) }),
  instance_norm: (c) => nn.instanceNorm(input(c, 'x'), scale(c), eps(c, 1e-5)),
  conv1d: convolution(nn.conv1d),
  conv2d: convolution(nn.conv2d),
  conv3d: convolution(nn.conv3d),
  conv_transpose1d: transposed(nn.convTranspose1d),
  conv_transpose2d: transposed(nn.convTranspose2d),
  conv_transpose3d: transposed(nn.convTranspose3d),
  max_pool1d: (c) => nn.maxPool1d(at(c, 0), windows(c)),
  max_pool2d: (c) => nn.maxPool2d(at(c, 0), windows(c)),
  avg_pool1d: (c) => nn.avgPool1d(at(c, 0), averages(c)),
  avg_pool2d: (c) => nn.avgPool2d(at(c, 0), averages(c)),
  adaptive_avg_pool1d: (c) => nn.adaptiveAvgPool1d(at(c, 0), outputs(c)),
  adaptive_avg_pool2d: (c) => nn.adaptiveAvgPool2d(at(c, 0), outputs(c)),
  adaptive_max_pool2d: (c) => nn.adaptiveMaxPool2d(at(c, 0), outputs(c)),
  lp_pool2d: (c) =>
    nn.lpPool2d(at(c, 0), { p: number(c, 'norm_type'), kernelSize: numbers(c, 'kernel_size'), ...strides(c) }),
  interpolate: interpolated,
  pixel_shuffle: (c) => nn.pixelShuffle(at(c, 0), number(c, 'upscale_factor')),
  im2col: (c) =>
    nn.unfold(at(c, 0), {
      kernelSize: numbers(c, 'kernel_size'),
      dilation: numbers(c, 'dilation', 1),
      padding: numbers(c, 'padding', 0),
      stride: numbers(c, 'stride', 1),
    }),
  embedding: embedded,
  embedding_bag: (c) =>
    nn.embeddingBag(at(c, 0), at(c, 1) as Tensor<readonly [number, number]>, {
      ...optional('offsets', c.xs[2]),
      mode: text(c, 'mode', 'mean') as 'sum' | 'mean' | 'max',
    }),
  dropout: (c) =>
    nn.dropout(at(c, 0), T.zeros([2], { dtype: 'u32' }), { p: number(c, 'p'), training: flag(c, 'training', false) }),
  scaled_dot_product_attention: attention,
  multi_head_attention: manyHeads,
  ...recurrentOps,
}
