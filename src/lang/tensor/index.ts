/**
 * The tensor functions users call as `T.*`. What ends in `Node` or serves only inside is not here. None of them throws for
 * a ShapeError: the result is a tensor that carries the mistake, and `compile`, `reference` and the like give all of them
 * together as one CheckError.
 */

export type { KernelValue } from '../user-ops.ts'
export { cond, switchBranch as switch } from './control/branches.ts'
export { foriLoop, map, type ScanOptions, type SliceOf, type StackOf, scan } from './control/loops.ts'
export { checkNumerics, debug } from './control/observing.ts'
export { scope } from './control/scope.ts'
export { type WhileOptions, whileLoop } from './control/while-loop.ts'
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
} from './fft/fft.ts'
export { irfftn, rfftn } from './fft/fft-real.ts'
export { type FrequencyOptions, fftfreq, fftshift, ifftshift, rfftfreq } from './fft/frequencies.ts'
export { type BincountOptions, bincount, type Histogram, type HistogramOptions, histogram } from './index/counting.ts'
export { dynamicSlice, dynamicUpdateSlice, type Starts } from './index/dynamic-slices.ts'
export { atIndices, type SetAtIndicesOptions, setAtIndices } from './index/index-arrays.ts'
export {
  at,
  narrow,
  select,
  setAt,
  slice,
} from './index/indexing.ts'
export { type InterpOptions, interp } from './index/interpolation.ts'
export { type IsinOptions, isin } from './index/membership.ts'
export {
  gather,
  indexAdd,
  scatterAdd,
  take,
  takeAlongAxis,
} from './index/picking.ts'
export { scatter, scatterMax, scatterMin } from './index/scattering.ts'
export { type SearchOptions, searchsorted } from './index/searchsorted.ts'
export {
  argsort,
  type Chosen,
  type KthOptions,
  kthvalue,
  type SortOptions,
  sort,
  type TopKOptions,
  topK,
} from './index/sorting.ts'
export type { Index, Range } from './index/spelled-index.ts'
export { type Unique, type UniqueOptions, unique } from './index/unique.ts'
export { matmul, type TensordotAxes, type TensordotOptions, tensordot, vecdot } from './linalg/contraction.ts'
export { cross } from './linalg/cross-product.ts'
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
} from './linalg/decompositions.ts'
export { einsum } from './linalg/einsum.ts'
export { expm } from './linalg/exponential.ts'
export { det, inv, lu, slogdet, solve, solveTriangular, type TriangularOptions } from './linalg/linear-systems.ts'
export {
  type AddmmOptions,
  addmm,
  baddbmm,
  bmm,
  dot,
  inner,
  kron,
  matrixPower,
  mm,
  mv,
  outer,
  vdot,
} from './linalg/matrix-products.ts'
export {
  lstsq,
  type MatrixNormOptions,
  matrixNorm,
  matrixRank,
  pinv,
  type RankOptions,
} from './linalg/singular-values.ts'
export {
  type DiagonalOptions,
  diag,
  diagonal,
  type PlaneOptions,
  trace,
  tril,
  triu,
} from './linalg/triangles.ts'
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
} from './math/arithmetic.ts'
export {
  astype,
  bitcast,
  cast,
  stopGradient,
} from './math/cast.ts'
export {
  addcdiv,
  addcmul,
  type ClampOptions,
  clamp,
  clip,
  lerp,
  maskedFill,
  type NanToNumOptions,
  nanToNum,
  type ScaledOptions,
  where,
} from './math/choose.ts'
export {
  allclose,
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
} from './math/compare.ts'
export { type DiffOptions, diff } from './math/differences.ts'
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
} from './math/elementary.ts'
export { copysign, gcd, hypot, lcm, logaddexp, logaddexp2, xlogy } from './math/guarded.ts'
export { nextafter } from './math/next-float.ts'
export { bitwiseNot, isfinite, isinf, isnan, logicalNot, signbit } from './math/predicates.ts'
export { digamma, erfinv, lgamma, polygamma } from './math/special-functions.ts'
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
} from './math/trigonometry.ts'
export {
  customKernel,
  type ElementwiseDefinition,
  elementwise,
  type KernelDefinition,
  type KernelType,
} from './math/user-defined.ts'
export {
  type AssociativeScanOptions,
  associativeScan,
  type ReduceWithOptions,
  reduceWith,
} from './reduce/associative.ts'
export { type CorrelationOptions, type CovarianceOptions, corrcoef, cov } from './reduce/covariance.ts'
export {
  type CumulativeOptions,
  cummax,
  cummin,
  cumprod,
  cumsum,
  logcumsumexp,
  type PrefixOptions,
  type RunningExtreme,
} from './reduce/cumulative.ts'
export {
  amax,
  amin,
  argmax,
  argmin,
  type ExtremeOptions,
  max,
  maxWithIndex,
  min,
  minWithIndex,
  type OneAxisOptions,
} from './reduce/extremes.ts'
export {
  type MedianOptions,
  median,
  nanmedian,
  nanquantile,
  percentile,
  type QuantileMethod,
  type QuantileOptions,
  quantile,
} from './reduce/quantiles.ts'
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
} from './reduce/reduction.ts'
export { meanVariance, type NormOptions, std, type VarianceOptions, variance, vectorNorm } from './reduce/statistics.ts'
export {
  nanargmax,
  nanargmin,
  nanmax,
  nanmean,
  nanmin,
  nanprod,
  nanstd,
  nansum,
  nanvariance,
} from './reduce/without-nan.ts'
export {
  expandDims,
  matrixTranspose,
  moveaxis,
  permuteDims,
  type SqueezeOptions,
  squeeze,
  swapaxes,
  transpose,
} from './shape/axes.ts'
export {
  type DTypeOptions,
  fromArray,
  full,
  fullLike,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from './shape/create.ts'
export { type AlongOptions, chunk, concat, split, stack, unbind } from './shape/joining.ts'
export { type PadOptions, pad } from './shape/padding.ts'
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
} from './shape/patterns.ts'
export { type AxisOptions, flip, roll, type UnfoldOptions, unfold } from './shape/reordering.ts'
export { repeat, repeatInterleave, tile } from './shape/repeating.ts'
export { broadcastArrays, broadcastTo, type FlattenOptions, flatten, reshape } from './shape/reshaping.ts'
export { dstack, hstack, vstack } from './shape/stacking.ts'
