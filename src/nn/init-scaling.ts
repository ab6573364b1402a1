/** Initial weights whose variance is a scale over a fan (truncated normals, LeCun's), and orthogonal ones. */
import { sizeOf } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import { showShape } from '../lang/shape.ts'
import { demandChoice, demandRecord, demandShape, type OptionNames } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import { normal, truncatedNormal as standardTruncated } from '../lang/tensor/random/normal.ts'
import { uniform } from '../lang/tensor/random/uniform.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { fans, type GainOptions } from './init.ts'
import { choose } from './select.ts'

type Shape = Tensor['shape']

/** Options of `varianceScaling`: the variance times the fan (1), which fan, and of what distribution. */
export interface VarianceOptions {
  readonly scale?: number | undefined
  readonly mode?: 'fanIn' | 'fanOut' | 'fanAvg' | undefined
  readonly distribution?: 'truncatedNormal' | 'normal' | 'uniform' | undefined
}

const varianceOptions: OptionNames<VarianceOptions> = { scale: 'limit', mode: 'own', distribution: 'own' }

/** The deviation of a standard normal cut at ±2. */
const cutDeviation = 0.8796256610342398

type Draw = (key: Tensor, shape: Shape, deviation: number) => Tensor

/** Draws of a deviation around 0. */
const draws: Readonly<Record<NonNullable<VarianceOptions['distribution']>, Draw>> = {
  normal: (key, shape, std) => normal(key, shape, { std }),
  uniform: (key, shape, std) => uniform(key, shape, { low: -std * Math.sqrt(3), high: std * Math.sqrt(3) }),
  truncatedNormal: (key, shape, std) =>
    T.mul(standardTruncated(key, shape, { low: -2, high: 2 }), std / cutDeviation) as Tensor,
}

const fanOf = {
  fanIn: ({ fanIn }: ReturnType<typeof fans>): number => fanIn,
  fanOut: ({ fanOut }: ReturnType<typeof fans>): number => fanOut,
  fanAvg: ({ fanIn, fanOut }: ReturnType<typeof fans>): number => (fanIn + fanOut) / 2,
} as const

/** Weights of variance `scale / fan`; 0 where there are no units. */
const scaled = <S extends Shape>(
  key: Tensor,
  shape: S,
  { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' }: VarianceOptions,
): Tensor<S, 'f32'> => {
  const fan = fanOf[mode](fans(shape))
  return draws[distribution](key, shape, fan > 0 ? Math.sqrt(scale / fan) : 0) as unknown as Tensor<S, 'f32'>
}

/**
 * f32 of `shape` `[out, in, …kernel]` of mean 0 and variance `scale / fan`, scale 1, by the fan of `mode` ('fanIn'; 'fanAvg'
 * is the mean of both): a normal cut at two of its deviations, which the deviation makes up for (the default), 'normal' or
 * 'uniform' (jax.nn.initializers.variance_scaling). The others are cases of it: `xavierUniform` is
 * `{ mode: 'fanAvg', distribution: 'uniform' }`.
 * @example
 * const w = nn.varianceScaling(random.key(0), [100, 50], { scale: 2, mode: 'fanOut' })
 * T.reference(T.round(T.mul(T.std(w), 100))).data // => [14]
 */
export const varianceScaling = <const S extends Shape>(
  key: Tensor,
  shape: S,
  options: VarianceOptions = {},
): Tensor<S, 'f32'> => {
  demandRecord('nn.varianceScaling', varianceOptions, options)
  demandShape('nn.varianceScaling', shape)
  const { mode, distribution } = options
  demandChoice('nn.varianceScaling', 'mode', mode, ['fanIn', 'fanOut', 'fanAvg'])
  demandChoice('nn.varianceScaling', 'distribution', distribution, ['truncatedNormal', 'normal', 'uniform'])
  return scaled(key, shape, options)
}

const gainOptions: OptionNames<GainOptions> = { gain: 'limit' }

/** An initialiser of variance gain² / fanIn of that distribution. */
const lecun =
  (name: string, distribution: VarianceOptions['distribution']) =>
  <const S extends Shape>(key: Tensor, shape: S, options: GainOptions = {}): Tensor<S, 'f32'> => {
    demandRecord(name, gainOptions, options)
    demandShape(name, shape)
    return scaled(key, shape, { scale: (options.gain ?? 1) ** 2, ...(distribution ? { distribution } : {}) })
  }

/** An initialiser of weights of a shape `[out, in, …kernel]`, scaled by a gain. */
export type GainInit = <const S extends Shape>(key: Tensor, shape: S, options?: GainOptions) => Tensor<S, 'f32'>

/**
 * f32 of `shape` `[out, in, …kernel]`, a normal of deviation gain/√fanIn, gain 1, cut at two of its deviations, which the
 * deviation makes up for (LeCun et al. 1998; jax's lecun_normal).
 * @example
 * const w = nn.lecunNormal(random.key(0), [100, 25])
 * T.reference(T.round(T.mul(T.std(w), 10))).data // => [2]
 */
export const lecunNormal: GainInit = lecun('nn.lecunNormal', 'truncatedNormal')

/**
 * f32 of `shape` `[out, in, …kernel]`, uniform within ±gain·√(3 / fanIn), gain 1 (LeCun et al. 1998).
 * @example
 * const w = nn.lecunUniform(random.key(0), [100, 12])
 * T.reference(T.lessEqual(T.max(T.abs(w)), 0.5)).data // => [1]
 */
export const lecunUniform: GainInit = lecun('nn.lecunUniform', 'uniform')

/** Options of `truncatedNormal`: the mean (0) and deviation (1) of the whole normal, and where it is cut. */
export interface TruncatedOptions {
  readonly mean?: number | undefined
  readonly std?: number | undefined
  /** -2 unless given, as `high` 2: values, not deviations (PyTorch's a and b). */
  readonly low?: number | undefined
  readonly high?: number | undefined
}

const truncatedOptions: OptionNames<TruncatedOptions> = {
  mean: 'finite',
  std: 'limit',
  low: 'number',
  high: 'number',
}

/**
 * f32 of `shape` from a normal of `mean` (0) and `std` (1) given that it lies between `low` (-2) and `high` (2), which are
 * values and not deviations (torch.nn.init.trunc_normal_). UsageError where `low` is not below `high`.
 * @example
 * const w = nn.truncatedNormal(random.key(0), [100], { std: 0.02, low: -0.04, high: 0.04 })
 * T.reference(T.lessEqual(T.max(T.abs(w)), 0.04)).data // => [1]
 */
export const truncatedNormal = <const S extends Shape>(
  key: Tensor,
  shape: S,
  options: TruncatedOptions = {},
): Tensor<S, 'f32'> => {
  demandRecord('nn.truncatedNormal', truncatedOptions, options)
  const { mean = 0, std = 1, low = -2, high = 2 } = options
  const size = demandShape('nn.truncatedNormal', shape)
  if (!(low < high))
    return raise({
      tag: 'UsageError',
      message: `nn.truncatedNormal: nothing lies between low ${low} and high ${high}`,
      hint: 'low is the lesser',
    })
  if (std === 0) return T.clamp(T.full(size, mean), { min: low, max: high }) as unknown as Tensor<S, 'f32'>
  const drawn = standardTruncated(key, size, { low: (low - mean) / std, high: (high - mean) / std })
  return T.clamp(T.add(T.mul(drawn, std), mean), { min: low, max: high }) as unknown as Tensor<S, 'f32'>
}

/**
 * f32 of `shape` `[out, in, …kernel]` whose rows, each flattened, are orthonormal times `gain` (1), or its columns where it
 * has more rows than columns: a random orthogonal matrix, uniform over them (Saxe et al. 2014; torch.nn.init.orthogonal_).
 * UsageError for rank 0 and 1.
 * @example
 * const w = nn.orthogonal(random.key(0), [2, 3, 1])
 * const flat = T.reshape(w, [2, 3])
 * T.reference(T.round(T.mul(T.matmul(flat, T.matrixTranspose(flat)), 1000))).data // => [1000, 0, 0, 1000]
 */
export const orthogonal = <const S extends Shape>(
  key: Tensor,
  shape: S,
  options: GainOptions = {},
): Tensor<S, 'f32'> => {
  demandRecord('nn.orthogonal', gainOptions, options)
  const { gain = 1 } = options
  const size = demandShape('nn.orthogonal', shape)
  if (size.length < 2)
    return raise({
      tag: 'UsageError',
      message: `nn.orthogonal: the shape ${showShape(size)} has fewer than two axes`,
      hint: 'a weight is [out, in, …kernel]',
    })
  const [rows, columns] = [size[0]!, sizeOf(size.slice(1))]
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)]
  const [q, r] = T.qr(normal(key, [long, short]))
  // The sign of the diagonal fixed, q is uniform (Mezzadri 2007).
  const signs = choose(T.less(T.diagonal(r as Tensor), 0), -gain, T.full([short], gain))
  const tall = T.mul(q, signs) as Tensor
  const wide = rows < columns ? (T.matrixTranspose(tall) as Tensor) : tall
  return T.reshape(wide, size) as unknown as Tensor<S, 'f32'>
}
