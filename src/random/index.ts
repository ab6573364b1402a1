/** Random numbers from explicit keys: what users import as `tensorloom/random`. */

export type { Shape } from '../lang/dim.ts'
export type { DType } from '../lang/dtype.ts'
export {
  type ChoiceOptions,
  categorical,
  choice,
  type PermutationOptions,
  permutation,
} from '../lang/tensor/random/choosing.ts'
export { beta, dirichlet, gamma } from '../lang/tensor/random/gamma-family.ts'
export { cauchy, exponential, gumbel, laplace, logistic } from '../lang/tensor/random/inverse.ts'
export { foldIn, type Key, key, split, splitList } from '../lang/tensor/random/keys.ts'
export { type NormalOptions, normal, truncatedNormal } from '../lang/tensor/random/normal.ts'
export { poisson } from '../lang/tensor/random/poisson.ts'
export {
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
