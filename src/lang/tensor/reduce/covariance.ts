/** How variables vary together. */
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import { showShape } from '../../shape.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { isMistake } from '../ask.ts'
import { dataFirstWith } from '../dual.ts'
import { matmul } from '../linalg/contraction.ts'
import { diagonal } from '../linalg/triangles.ts'
import { div, floatNode, mul, sub } from '../math/arithmetic.ts'
import { clamp, where } from '../math/choose.ts'
import { greater } from '../math/compare.ts'
import { sqrt } from '../math/elementary.ts'
import { castNode, onTensor, refuse, reshapeNode } from '../operand.ts'
import { expandDims, matrixTranspose } from '../shape/axes.ts'
import { mean, sum } from './reduction.ts'

/** Whether rows are variables (true), or columns. */
export interface CorrelationOptions {
  readonly rowvar?: boolean | undefined
}

/** Options of `cov`: what is taken off the divisor (1), how often and how much each observation counts. */
export interface CovarianceOptions extends CorrelationOptions {
  readonly correction?: number | undefined
  readonly fweights?: Tensor | undefined
  readonly aweights?: Tensor | undefined
}

const correlationOptions: OptionNames<CorrelationOptions> = { rowvar: 'boolean' }
const covarianceOptions: OptionNames<CovarianceOptions> = {
  ...correlationOptions,
  correction: 'finite',
  fweights: 'tensor',
  aweights: 'tensor',
}

/** `[variables, observations]` in floating point: a vector is one variable. */
const variables = (name: string, x: Tensor, rowvar: boolean): Tensor =>
  onTensor(name, x, (n, { shape, dtype }) => {
    if (shape.length > 2)
      return refuse(name, [n], {
        reason: `takes variables and observations, not rank ${shape.length}`,
        hint: 'map it over the other axes: T.vmap',
      })
    const rows = reshapeNode(
      floatNode(n, dtype),
      shape.length === 2 ? shape : [1, ...shape, ...(shape.length ? [] : [1])],
    )
    return rowvar || shape.length < 2 ? rows : nodeOf(matrixTranspose(tensorOf(rows)) as Tensor)
  })

/** One weight for each observation, in the dtype of the data. */
const weightsOf = (name: string, what: string, given: Tensor, { shape, dtype }: Tensor): Tensor =>
  onTensor(name, given, (n, type) =>
    type.shape.length === 1 && type.shape[0] === shape[1]
      ? castNode(n, dtype)
      : refuse(name, [n], {
          reason: `${what} of shape ${showShape(type.shape)} are not one for each of ${shape[1]} observations`,
        }),
  )

/** The covariance matrix of rows. */
const covariance = (name: string, rows: Tensor, o: CovarianceOptions): Tensor => {
  if (isMistake(rows)) return rows
  const { correction = 1, fweights, aweights } = o
  const counts = fweights && weightsOf(name, 'fweights', fweights, rows)
  const shares = aweights && weightsOf(name, 'aweights', aweights, rows)
  const weights = counts && shares ? (mul(counts, shares) as Tensor) : (counts ?? shares)
  const wrong = [counts, shares].find((w) => w && isMistake(w))
  if (wrong) return wrong
  if (!weights) {
    const centred = sub(rows, mean(rows, { axis: 1, keepdims: true })) as Tensor
    return div(matmul(centred, matrixTranspose(centred)) as Tensor, Math.max(0, rows.shape[1]! - correction)) as Tensor
  }
  const total = sum(weights) as Tensor
  const average = div(sum(mul(rows, weights) as Tensor, { axis: 1, keepdims: true }) as Tensor, total) as Tensor
  const centred = sub(rows, average) as Tensor
  const taken = shares ? (div(sum(mul(weights, shares) as Tensor) as Tensor, total) as Tensor) : 1
  const freedom = sub(total, mul(taken as Tensor, correction)) as Tensor
  const divisor = where(greater(freedom, 0) as Tensor<Shape, 'bool'>, freedom, 0) as Tensor
  return div(matmul(mul(centred, weights) as Tensor, matrixTranspose(centred)) as Tensor, divisor) as Tensor
}

/** The matrix of several variables; of a vector the number. */
const ofRank = (name: string, x: Tensor, matrix: Tensor): Tensor =>
  onTensor(name, x, (_, { shape }) => {
    const n = nodeOf(matrix)
    return shape.length < 2 ? reshapeNode(n, []) : n
  })

type Covariance = {
  (options?: CovarianceOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(x: Tensor<Shape, D>, options?: CovarianceOptions): Tensor<Shape, FloatOf<D>>
}

/**
 * The covariances of variables `[variables, observations]`: `[variables, variables]`, or the variance of a vector
 * (numpy.cov, torch.cov). Columns are the variables with `rowvar: false`. The divisor is n - correction, 1 unless given, as NumPy and
 * PyTorch have it here. `fweights` says how often each observation was made, `aweights` how much it counts; with them n is
 * their sum, and what is taken off is correction · Σ f a² / Σ f a. Floating point; integers become f32. ShapeError above rank 2 and
 * for weights that do not fit.
 * @example
 * T.reference(T.cov(T.tensor([[0, 1, 2], [2, 1, 0]]))).data // => [1, -1, -1, 1]
 */
export const cov: Covariance = dataFirstWith('T.cov', 1, covarianceOptions, (x: Tensor, o: CovarianceOptions = {}) =>
  ofRank('T.cov', x, covariance('T.cov', variables('T.cov', x, o.rowvar ?? true), o)),
)

type Correlation = {
  (options?: CorrelationOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(x: Tensor<Shape, D>, options?: CorrelationOptions): Tensor<Shape, FloatOf<D>>
}

/**
 * Pearson's correlation coefficients of variables `[variables, observations]`: `[variables, variables]` within [-1, 1], 1 for a
 * vector (numpy.corrcoef, torch.corrcoef). Columns are the variables with `rowvar: false`. NaN for a variable that does not vary.
 * Floating point; integers become f32. ShapeError above rank 2.
 * @example
 * T.reference(T.corrcoef(T.tensor([[0, 1, 2], [2, 1, 0]]))).data // => [1, -1, -1, 1]
 */
export const corrcoef: Correlation = dataFirstWith(
  'T.corrcoef',
  1,
  correlationOptions,
  (x: Tensor, { rowvar = true }: CorrelationOptions = {}) => {
    const matrix = covariance('T.corrcoef', variables('T.corrcoef', x, rowvar), {})
    if (isMistake(matrix)) return matrix
    const deviations = sqrt(diagonal(matrix) as Tensor) as Tensor
    const scaled = div(div(matrix, expandDims(deviations, -1) as Tensor) as Tensor, deviations) as Tensor
    return ofRank('T.corrcoef', x, clamp(scaled, { min: -1, max: 1 }))
  },
)
