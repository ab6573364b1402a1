/**
 * The tensor functions users call as `T.*`. What ends in `Node` or serves only inside is not here. None of them throws for
 * a ShapeError: the result is a tensor that carries the mistake, and `compile`, `reference` and the like give all of them
 * together as one CheckError.
 */

export type { KernelValue } from '../user-ops.ts'
export {
  add,
  atan2,
  div,
  floorDivide,
  fmax,
  fmin,
  fmod,
  maximum,
  minimum,
  mul,
  pow,
  remainder,
  sub,
  truncDivide,
} from './arithmetic.ts'
export { type AssociativeScanOptions, associativeScan, type ReduceWithOptions, reduceWith } from './associative.ts'
export { expandDims, matrixTranspose, moveaxis, permuteDims, type SqueezeOptions, squeeze, swapaxes } from './axes.ts'
export { cond, switchBranch as switch } from './branches.ts'
export {
  astype,
  bitcast,
  cast,
  stopGradient,
} from './cast.ts'
export {
  addcdiv,
  addcmul,
  type ClampOptions,
  clamp,
  lerp,
  maskedFill,
  type NanToNumOptions,
  nanToNum,
  type ScaledOptions,
  where,
} from './choose.ts'
export {
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
  type CloseOptions,
  equal,
  greater,
  greaterEqual,
  isclose,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  logicalXor,
  notEqual,
} from './compare.ts'
export { matmul, type TensordotAxes, type TensordotOptions, tensordot, vecdot } from './contraction.ts'
export { type DTypeOptions, fromArray, full, fullLike, ones, onesLike, tensor, zeros, zerosLike } from './create.ts'
export {
  type CumulativeOptions,
  cummax,
  cummin,
  cumprod,
  cumsum,
  logcumsumexp,
  type RunningExtreme,
} from './cumulative.ts'
export {
  type CholeskyOptions,
  cholesky,
  eigh,
  eigvalsh,
  type QrOptions,
  type QrResult,
  qr,
  type SvdOptions,
  type SvdResult,
  svd,
  svdvals,
} from './decompositions.ts'
export { einsum } from './einsum.ts'
export {
  abs,
  ceil,
  erf,
  erfc,
  exp,
  exp2,
  expm1,
  floor,
  frac,
  type LogitOptions,
  log,
  log1p,
  log2,
  log10,
  logit,
  neg,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  sqrt,
  square,
  trunc,
} from './elementary.ts'
export { amax, amin, argmax, argmin, max, maxWithIndex, min, minWithIndex, type OneAxisOptions } from './extremes.ts'
export {
  type Complex,
  type FftNorm,
  type FftnOptions,
  type FftOptions,
  fft,
  fft2,
  fftn,
  ifft,
  ifft2,
  ifftn,
  irfft,
  rfft,
} from './fft.ts'
export { irfftn, rfftn } from './fft-real.ts'
export { type FrequencyOptions, fftfreq, fftshift, ifftshift, rfftfreq } from './frequencies.ts'
export { copysign, gcd, hypot, lcm, logaddexp, logaddexp2, xlogy } from './guarded.ts'
export { atIndices, type SetAtIndicesOptions, setAtIndices } from './index-arrays.ts'
export {
  at,
  type Index,
  narrow,
  type Range,
  select,
  setAt,
  slice,
} from './indexing.ts'
export { type AlongOptions, chunk, concat, split, stack, unbind } from './joining.ts'
export { det, inv, lu, slogdet, solve, solveTriangular, type TriangularOptions } from './linear-systems.ts'
export { foriLoop, map, type ScanOptions, type SliceOf, type StackOf, scan } from './loops.ts'
export {
  type DiagonalOptions,
  diag,
  diagonal,
  type PlaneOptions,
  trace,
  tril,
  triu,
} from './matrix.ts'
export { type AddmmOptions, addmm, baddbmm, bmm, dot, kron, matrixPower, mm, mv, outer } from './matrix-products.ts'
export { broadcastArrays, broadcastTo, type FlattenOptions, flatten, reshape } from './movement.ts'
export { nextafter } from './next-float.ts'
export { checkNumerics, debug } from './observing.ts'
export { type AxisOptions, flip, roll, type UnfoldOptions, unfold } from './order.ts'
export { type PadOptions, pad } from './padding.ts'
export {
  arange,
  type EyeOptions,
  eye,
  type LogspaceOptions,
  linspace,
  logspace,
  type MeshgridOptions,
  meshgrid,
  oneHot,
  type TriMaskOptions,
  triMask,
} from './patterns.ts'
export {
  gather,
  indexAdd,
  scatterAdd,
  take,
  takeAlongAxis,
} from './picking.ts'
export { bitwiseNot, isfinite, isinf, isnan, logicalNot, signbit } from './predicates.ts'
export { median, type QuantileOptions, quantile } from './quantiles.ts'
export {
  all,
  any,
  countNonzero,
  type FloatReduction,
  logsumexp,
  mean,
  prod,
  type ReduceOptions,
  type Reduction,
  type ReductionTo,
  sum,
} from './reduction.ts'
export { repeat, repeatInterleave, tile } from './repeating.ts'
export { scatter, scatterMax, scatterMin } from './scattering.ts'
export { type SearchOptions, searchsorted } from './searchsorted.ts'
export { lstsq, type MatrixNormOptions, matrixNorm, matrixRank, pinv, type RankOptions } from './singular.ts'
export {
  argsort,
  type Chosen,
  type KthOptions,
  kthvalue,
  type SortOptions,
  sort,
  type TopKOptions,
  topK,
} from './sorting.ts'
export { digamma, erfinv, lgamma, polygamma } from './special.ts'
export { meanVariance, type NormOptions, std, type VarianceOptions, variance, vectorNorm } from './statistics.ts'
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cos,
  cosh,
  deg2rad,
  rad2deg,
  sin,
  sinc,
  sinh,
  tan,
  tanh,
} from './trigonometry.ts'
export { type Unique, type UniqueOptions, unique } from './unique.ts'
export {
  customKernel,
  type ElementwiseDefinition,
  elementwise,
  type KernelDefinition,
  type KernelType,
} from './user.ts'
export { type WhileOptions, whileLoop } from './while-loop.ts'
