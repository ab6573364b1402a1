/** torch's layers in our functions: normalisation, convolution, pooling, attention, recurrence. */
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types.ts'
import { dropout, embedding, scaledDotProductAttention } from '../../src/nn/linear.ts'
import {
  batchNorm,
  batchNormStep,
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
  type ScaleParams,
} from '../../src/nn/norm.ts'
import { at, type Call, flag, input, list, maybeInput, maybeNumber, number, optional } from './call.ts'
import type { LayerName, Ops } from './names.ts'

const scale = (c: Call): ScaleParams => ({
  ...optional('weight', maybeInput(c, 'weight')),
  ...optional('bias', maybeInput(c, 'bias')),
})

const eps = (c: Call, otherwise: number): { readonly eps: number } => ({ eps: number(c, 'eps', otherwise) })

/** With running statistics and training: the output and the moved statistics. Without them always the batch's own. */
const batchNormalised = (c: Call): readonly Tensor[] => {
  const [runningMean, runningVar] = [maybeInput(c, 'running_mean'), maybeInput(c, 'running_var')]
  const x = input(c, 'x')
  if (!runningMean || !runningVar) return [batchNorm(x, scale(c), eps(c, 1e-5))]
  const params = { ...scale(c), runningMean, runningVar }
  if (!flag(c, 'training', false)) return [batchNorm(x, params, eps(c, 1e-5))]
  const step = batchNormStep(x, params, { momentum: number(c, 'momentum', 0.1), ...eps(c, 1e-5) })
  return [step.output, step.runningMean, step.runningVar]
}

const attention = (c: Call): Tensor =>
  scaledDotProductAttention(input(c, 'q'), input(c, 'k'), input(c, 'v'), {
    causal: flag(c, 'is_causal', false),
    ...optional('mask', maybeInput(c, 'attn_mask')),
    ...optional('scale', maybeNumber(c, 'scale')),
  })

/** The layers of ops.py's nn section; `undefined` is an op we do not have. */
export const layerOps: Ops<LayerName> = {
  layer_norm: (c) => layerNorm(input(c, 'x'), scale(c), { rank: list(c, 'normalized_shape').length, ...eps(c, 1e-5) }),
  rms_norm: (c) => rmsNorm(input(c, 'x'), optional('weight', maybeInput(c, 'weight')), eps(c, 1e-6)),
  batch_norm: batchNormalised,
  group_norm: (c) => groupNorm(input(c, 'x'), scale(c), { groups: number(c, 'num_groups'), ...eps(c, 1e-5) }),
  instance_norm: (c) => instanceNorm(input(c, 'x'), scale(c), eps(c, 1e-5)),
  conv1d: undefined,
  conv2d: undefined,
  conv3d: undefined,
  conv_transpose1d: undefined,
  conv_transpose2d: undefined,
  conv_transpose3d: undefined,
  max_pool1d: undefined,
  max_pool2d: undefined,
  avg_pool1d: undefined,
  avg_pool2d: undefined,
  adaptive_avg_pool1d: undefined,
  adaptive_avg_pool2d: undefined,
  adaptive_max_pool2d: undefined,
  lp_pool2d: undefined,
  interpolate: undefined,
  pixel_shuffle: undefined,
  im2col: undefined,
  embedding: (c) =>
    embedding(
      at(c, 0),
      at(c, 1) as Tensor<readonly [number, number]>,
      optional('paddingIndex', maybeNumber(c, 'padding_idx')),
    ) as Tensor,
  embedding_bag: undefined,
  dropout: (c) =>
    dropout(at(c, 0), T.zeros([2], { dtype: 'u32' }), { p: number(c, 'p'), training: flag(c, 'training', false) }),
  scaled_dot_product_attention: attention,
  multi_head_attention: undefined,
  rnn_cell: undefined,
  lstm_cell: undefined,
  gru_cell: undefined,
  rnn: undefined,
  lstm: undefined,
  gru: undefined,
}
