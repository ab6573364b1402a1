/** The op names of ops.py, section by section: the op table is total over them. */
import type { Op } from './call.ts'

/** elementwise */
// biome-ignore format: names side by side read better
export const elementwiseNames = [
  'abs', 'neg', 'sign', 'ceil', 'floor', 'trunc', 'round', 'frac', 'exp', 'exp2', 'expm1', 'log', 'log2', 'log10',
  'log1p', 'sqrt', 'rsqrt', 'square', 'reciprocal', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh',
  'tanh', 'asinh', 'acosh', 'atanh', 'erf', 'erfc', 'erfinv', 'lgamma', 'digamma', 'sigmoid', 'relu', 'isnan', 'isinf',
  'isfinite', 'signbit', 'logical_not', 'bitwise_not', 'deg2rad', 'rad2deg', 'sinc', 'logit', 'add', 'sub', 'mul',
  'div', 'maximum', 'minimum', 'fmax', 'fmin', 'pow', 'atan2', 'fmod', 'remainder', 'hypot', 'copysign', 'logaddexp',
  'logaddexp2', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logical_and', 'logical_or', 'logical_xor', 'bitwise_and',
  'bitwise_or', 'bitwise_xor', 'bitwise_left_shift', 'bitwise_right_shift', 'floor_divide', 'xlogy', 'where', 'gcd',
  'lcm', 'nextafter', 'addcmul', 'addcdiv', 'div_rounding', 'pow_scalar', 'rpow_scalar', 'clamp', 'clamp_tensor',
  'lerp', 'masked_fill', 'nan_to_num', 'to', 'isclose',
] as const
export type ElementwiseName = (typeof elementwiseNames)[number]

/** reductions */
// biome-ignore format: names side by side read better
export const reductionNames = [
  'sum', 'mean', 'amax', 'amin', 'logsumexp', 'prod', 'var', 'std', 'max', 'min', 'argmax', 'argmin', 'any', 'all',
  'cumsum', 'cumprod', 'cummax', 'logcumsumexp', 'norm', 'count_nonzero', 'sort', 'argsort', 'topk',
] as const
export type ReductionName = (typeof reductionNames)[number]

/** movement */
// biome-ignore format: names side by side read better
export const movementNames = [
  'reshape', 'flatten', 'permute', 'transpose', 'expand', 'squeeze', 'unsqueeze', 'flip', 'roll', 'slice', 'select',
  'narrow', 'index_select', 'gather', 'take_along_dim', 'scatter', 'scatter_add', 'index_add', 'cat', 'stack', 'split',
  'chunk', 'unbind', 'pad', 'tril', 'triu', 'diag', 'diagonal', 'trace', 'repeat', 'tile', 'repeat_interleave',
  'unfold', 'movedim', 'broadcast_tensors',
] as const
export type MovementName = (typeof movementNames)[number]

/** linalg */
// biome-ignore format: names side by side read better
export const linalgNames = [
  'matmul', 'outer', 'dot', 'bmm', 'mv', 'kron', 'det', 'inverse', 'einsum', 'tensordot', 'addmm', 'baddbmm', 'linear',
  'solve_triangular', 'cholesky', 'solve', 'slogdet', 'matrix_power',
] as const
export type LinalgName = (typeof linalgNames)[number]

/** activations of the nn section */
// biome-ignore format: names side by side read better
export const activationNames = [
  'leaky_relu', 'elu', 'celu', 'selu', 'gelu', 'silu', 'mish', 'softplus', 'softsign', 'logsigmoid', 'hardtanh',
  'hardsigmoid', 'hardswish', 'relu6', 'tanhshrink', 'softshrink', 'hardshrink', 'threshold', 'prelu', 'glu',
  'softmax', 'log_softmax', 'softmin', 'normalize',
] as const
export type ActivationName = (typeof activationNames)[number]

/** layers of the nn section */
// biome-ignore format: names side by side read better
export const layerNames = [
  'layer_norm', 'rms_norm', 'batch_norm', 'group_norm', 'instance_norm', 'conv1d', 'conv2d', 'conv3d',
  'conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d', 'max_pool1d', 'max_pool2d', 'avg_pool1d', 'avg_pool2d',
  'adaptive_avg_pool1d', 'adaptive_avg_pool2d', 'adaptive_max_pool2d', 'lp_pool2d', 'interpolate', 'pixel_shuffle',
  'im2col', 'embedding', 'embedding_bag', 'dropout', 'scaled_dot_product_attention', 'multi_head_attention',
  'rnn_cell', 'lstm_cell', 'gru_cell', 'rnn', 'lstm', 'gru',
] as const
export type LayerName = (typeof layerNames)[number]

/** losses */
// biome-ignore format: names side by side read better
export const lossNames = [
  'mse_loss', 'l1_loss', 'smooth_l1_loss', 'huber_loss', 'binary_cross_entropy', 'binary_cross_entropy_with_logits',
  'cross_entropy', 'nll_loss', 'kl_div', 'hinge_loss', 'hinge_embedding_loss', 'margin_ranking_loss',
  'multi_margin_loss', 'soft_margin_loss', 'triplet_margin_loss', 'cosine_similarity', 'cosine_embedding_loss',
  'poisson_nll_loss', 'gaussian_nll_loss',
] as const
export type LossName = (typeof lossNames)[number]

/** creation */
// biome-ignore format: names side by side read better
export const creationNames = [
  'arange', 'linspace', 'logspace', 'eye', 'full', 'zeros', 'ones', 'full_like', 'one_hot', 'meshgrid', 'tri_mask',
] as const
export type CreationName = (typeof creationNames)[number]

/** A section of the table: every name with what we do for it, `undefined` where we have nothing. */
export type Ops<K extends string> = { readonly [P in K]: Op | undefined }

/** Every op name of ops.py. */
export type OpName =
  | ElementwiseName
  | ReductionName
  | MovementName
  | LinalgName
  | ActivationName
  | LayerName
  | LossName
  | CreationName
