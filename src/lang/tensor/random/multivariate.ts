/** Normally distributed vectors. */
import * as E from '#fp/Either'
import { typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { showShape } from '../../shape.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { matmul } from '../linalg/contraction.ts'
import { cholesky } from '../linalg/decompositions.ts'
import { binaryNode } from '../math/arithmetic.ts'
import { expandNode, jointShape, lift, refuse, reshapeNode, withTypes } from '../operand.ts'
import { matrixTranspose } from '../shape/axes.ts'
import { broadcastNode } from '../shape/reshaping.ts'
import { normal } from './normal.ts'
import { type DistributionOfLines, parameterNode, readCall } from './parameters.ts'

/** The mean `[…, n]` and the covariance `[…, n, n]`. */
export interface MultivariateNormalOptions {
  readonly mean: Tensor
  readonly cov: Tensor
}

const multivariateNormalOptions: OptionNames<MultivariateNormalOptions> = { mean: 'must tensor', cov: 'must tensor' }

/** Standard normal vectors times the factor of the covariance, a row each. */
const correlated = (z: Tensor, factor: Tensor): Tensor => {
  const [shape, { shape: own }] = [z.shape, factor]
  if (own.length === 2 && shape.length > 1) return matmul(z, matrixTranspose(factor)) as Tensor
  const rows = tensorOf(reshapeNode(nodeOf(z), [...shape.slice(0, -1), 1, shape.at(-1)!]))
  const products = matmul(rows, matrixTranspose(factor)) as Tensor
  return tensorOf(reshapeNode(nodeOf(products), shape))
}

/**
 * Normally distributed vectors with the mean `mean` `[…, n]` and the covariance `cov` `[…, n, n]`, symmetric and positive
 * definite, whose leading axes broadcast to the shape, which may be left out: f32 of `[...shape, n]`, mean + L·z with the Cholesky
 * factor L (jax.random.multivariate_normal). The gradient reaches both. NaN where cov is not positive definite; ShapeError
 * where the sizes do not fit.
 * @example
 * const cov = T.tensor([[4, 2], [2, 3]])
 * const x = random.multivariateNormal(random.key(0), [4000], { mean: T.tensor([1, -1]), cov })
 * T.reference(T.isclose(T.mean(x, { axis: 0 }), T.tensor([1, -1]), { atol: 0.1 })).data // => [1, 1]
 */
export const multivariateNormal: DistributionOfLines<MultivariateNormalOptions, 'f32'> = (
  k: Tensor,
  ...args: readonly unknown[]
) => {
  const name = 'random.multivariateNormal'
  const { shape, parameters } = readCall(name, multivariateNormalOptions, args)
  const [mean, cov] = [parameterNode(name, parameters.mean, 1), parameterNode(name, parameters.cov, 2)]
  const both = [lift(name, parameters.mean), lift(name, parameters.cov)]
  return tensorOf(
    withTypes(name, [mean, cov], ([mt, ct]) => {
      const length = mt!.shape.at(-1)
      const square = ct!.shape.slice(-2)
      if (length === undefined || square.length !== 2 || square.some((d) => d !== length))
        return refuse(name, both, {
          reason: `a mean of shape ${showShape(mt!.shape)} does not go with a covariance of shape ${showShape(ct!.shape)}`,
          hint: 'give [n] and [n, n], or batches of them',
        })
      const joint = shape ? E.right<never, Shape>(shape) : jointShape([mt!.shape.slice(0, -1), ct!.shape.slice(0, -2)])
      if (E.isLeft(joint)) return refuse(name, both, joint.left)
      const full = [...joint.right, length]
      const centre = broadcastNode(name, mean, mt!, full)
      const factor = ct!.shape.length === 2 ? cov : broadcastNode(name, cov, ct!, [...full, length])
      return withTypes(name, [centre, factor], () => {
        const spread = nodeOf(correlated(normal(k, full), cholesky(tensorOf(factor)) as Tensor))
        return withTypes(name, [spread], () => binaryNode('add', expandNode(centre, typeOf(spread).shape), spread))
      })
    }),
  )
}
