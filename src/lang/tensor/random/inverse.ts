/** Distributions whose distribution function has a simple inverse, applied to an evenly distributed number. */
import { build, typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { Node } from '../../ir.ts'
import type { Tensor } from '../../types/tensor.ts'
import { binaryNode, likeNode } from '../math/arithmetic.ts'
import { withKey } from './keys.ts'
import { between, bitsNode, unitOf } from './uniform.ts'

/** The least normal f32, which keeps log away from 0, and the distance of 1 from its neighbour. */
const tiny = 2 ** -126
const epsilon = 2 ** -23

const neg = (n: Node): Node => build.neg([n], {})

/** -log(-log u). */
export const gumbelOf = (word: Node): Node => {
  const u = between(unitOf(word), tiny, 1)
  return neg(build.log([neg(build.log([u], {}))], {}))
}

/** -log(1 - u). */
export const exponentialOf = (word: Node): Node => neg(build.log1p([neg(unitOf(word))], {}))

const drawn = <S extends Shape>(name: string, k: Tensor, shape: S, of: (word: Node) => Node): Tensor<S, 'f32'> =>
  withKey(name, k, shape, (a, b) => of(bitsNode(a, b, shape)))

/**
 * Exponentially distributed with mean 1: f32 of `shape` (jax.random.exponential).
 * @example
 * T.reference(random.exponential(random.key(0), [1])).data // => [2.950128]
 */
export const exponential = <const S extends Shape>(k: Tensor, shape: S): Tensor<S, 'f32'> =>
  drawn('random.exponential', k, shape, exponentialOf)

/**
 * Gumbel distributed: f32 of `shape`, -log(-log u) (jax.random.gumbel).
 * @example
 * T.reference(random.gumbel(random.key(0), [1])).data // => [2.923373]
 */
export const gumbel = <const S extends Shape>(k: Tensor, shape: S): Tensor<S, 'f32'> =>
  drawn('random.gumbel', k, shape, gumbelOf)

/**
 * Laplace distributed with mean 0 and scale 1: f32 of `shape` (jax.random.laplace).
 * @example
 * T.reference(random.laplace(random.key(0), [1])).data // => [-2.256981]
 */
export const laplace = <const S extends Shape>(k: Tensor, shape: S): Tensor<S, 'f32'> =>
  drawn('random.laplace', k, shape, (word) => {
    const u = between(unitOf(word), epsilon - 1, 1)
    return binaryNode('mul', build.sign([u], {}), build.log1p([neg(build.abs([u], {}))], {}))
  })

/**
 * Logistically distributed with mean 0 and scale 1: f32 of `shape`, log(u / (1 - u)) (jax.random.logistic).
 * @example
 * T.reference(random.logistic(random.key(0), [1])).data // => [2.896376]
 */
export const logistic = <const S extends Shape>(k: Tensor, shape: S): Tensor<S, 'f32'> =>
  drawn('random.logistic', k, shape, (word) => {
    const u = between(unitOf(word), epsilon, 1)
    return build.log([binaryNode('div', u, binaryNode('sub', likeNode(1, typeOf(u)), u))], {})
  })

/**
 * Cauchy distributed with location 0 and scale 1: f32 of `shape`, tan(π (u - 1/2)) (jax.random.cauchy).
 * @example
 * T.reference(random.cauchy(random.key(0), [1])).data // => [6.027494]
 */
export const cauchy = <const S extends Shape>(k: Tensor, shape: S): Tensor<S, 'f32'> =>
  drawn('random.cauchy', k, shape, (word) => {
    const u = between(unitOf(word), epsilon, 1)
    const type = typeOf(u)
    return build.tan([binaryNode('mul', likeNode(Math.PI, type), binaryNode('sub', u, likeNode(0.5, type)))], {})
  })
