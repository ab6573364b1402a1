/** Random numbers from explicit keys: what users import as `tensorloom/random`. */
export {
  bernoulli,
  bits,
  categorical,
  foldIn,
  type Key,
  key,
  type NormalOptions,
  normal,
  type RandintOptions,
  randint,
  split,
  splitList,
  type UniformOptions,
  uniform,
} from '../lang/tensor/random.ts'
