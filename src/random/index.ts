/**
 * Random numbers from explicit keys: what users import as `tensorloom/random`. One order of arguments: the key, what is
 * rearranged or chosen from where there is such a thing, the shape, and a record with the parameters of the distribution.
 */

export type { Shape } from '../lang/dim.ts'
export type { DType } from '../lang/dtype.ts'
export {
  type CategoricalOptions,
  type ChoiceOptions,
  categorical,
  choice,
  type PermutationOptions,
  permutation,
  type ShuffleOptions,
  shuffle,
} from '../lang/tensor/random/choosing.ts'
export {
  type BetaOptions,
  beta,
  type DirichletOptions,
  dirichlet,
  type GammaOptions,
  gamma,
} from '../lang/tensor/random/gamma-family.ts'
export { cauchy, exponential, gumbel, laplace, logistic } from '../lang/tensor/random/inverse.ts'
export { foldIn, type Key, key, split, splitList } from '../lang/tensor/random/keys.ts'
export { type MultivariateNormalOptions, multivariateNormal } from '../lang/tensor/random/multivariate.ts'
export {
  type NormalOptions,
  normal,
  type TruncatedNormalOptions,
  truncatedNormal,
} from '../lang/tensor/random/normal.ts'
export type { Distribution, DistributionOfLines } from '../lang/tensor/random/parameters.ts'
export { type PoissonOptions, poisson } from '../lang/tensor/random/poisson.ts'
export {
  type BinomialOptions,
  binomial,
  type GeometricOptions,
  geometric,
  type MultinomialOptions,
  multinomial,
} from '../lang/tensor/random/trials.ts'
export {
  type BernoulliOptions,
  bernoulli,
  bits,
  type RandintOptions,
  rademacher,
  randint,
  type UniformOptions,
  uniform,
} from '../lang/tensor/random/uniform.ts'
// Types of signatures, so that what is made of functions can be exported where declarations are written.
export type * from '../lang/types/broadcast.ts'
export type * from '../lang/types/tensor.ts'
