/** Dropout, from an explicit random key. */
import { raise } from '../lang/errors.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { demandKey, foldIn } from '../lang/tensor/random/keys.ts'
import { bernoulli } from '../lang/tensor/random/uniform.ts'
import type { Mistake } from '../lang/types/broadcast.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { mistakeAmong } from './operands.ts'
import { choose } from './select.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** Options of `dropout`. */
export interface DropoutOptions {
  /** The probability of dropping an element. */
  readonly p?: number | undefined
  readonly training?: boolean | undefined
}

const dropoutOptions: OptionNames<DropoutOptions> = { p: 'fraction', training: 'boolean' }

/** Where a key is left out, what was to be dropped stands in its place. */
type KeyCheck<D extends DType> = 'u32' extends D
  ? unknown
  : Mistake<'nn.dropout: a random key stands here, which is u32'>

type Dropout = {
  <K extends DType>(
    key: Tensor<Shape, K> & KeyCheck<K>,
    options?: DropoutOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, key: Tensor, options?: DropoutOptions): Tensor<S, D>
}

/**
 * Elements set to 0 with probability `p` (0.5), the others divided by 1 - p, so that the mean stays (Srivastava et al.
 * 2014). The random key is explicit: the same key, the same elements. `x` itself when not `training` (true by default).
 * @example
 * T.reference(nn.dropout(T.ones([4]), random.key(0), { training: false })).data // => [1, 1, 1, 1]
 * T.reference(T.max(nn.dropout(T.ones([100]), random.key(0), { p: 0.75 }))).data // => [4]
 */
export const dropout: Dropout = dualWith(
  'nn.dropout',
  2,
  dropoutOptions,
  (x: Tensor, key: Tensor, { p = 0.5, training = true }: DropoutOptions = {}) => {
    demandKey('nn.dropout', key)
    const mistake = mistakeAmong('nn.dropout', { 'operand 1': x })
    if (mistake || !training || p === 0) return mistake ?? x
    if (p === 1) return T.zerosLike(x)
    return choose(bernoulli(key, x.shape, { p: 1 - p }), T.div(x, 1 - p), 0)
  },
)

/** Options of layers that drop elements inside: the probability (0), and the random key, without which nothing is drawn. */
export interface InnerDropoutOptions {
  readonly dropout?: number | undefined
  readonly dropoutKey?: Tensor | undefined
}

export const innerDropoutOptions: OptionNames<InnerDropoutOptions> = { dropout: 'fraction', dropoutKey: 'tensor' }

/** UsageError for a probability without a key. */
export const demandDropoutKey = (name: string, { dropout: p = 0, dropoutKey }: InnerDropoutOptions): void => {
  if (p > 0 && !dropoutKey)
    raise({
      tag: 'UsageError',
      message: `${name}: dropout is ${p}, and there is no key to draw from`,
      hint: 'write { dropout, dropoutKey: random.key(42) }; leave both out where nothing is trained',
    })
}

/** What a layer drops at each of its places, every place with a key of its own. UsageError for a probability without a key. */
export const droppingWithin = (name: string, options: InnerDropoutOptions): ((x: Tensor, place: number) => Tensor) => {
  demandDropoutKey(name, options)
  const { dropout: p = 0, dropoutKey } = options
  return dropoutKey && p > 0 ? (x, place) => dropout(x, foldIn(dropoutKey, place), { p }) as Tensor : (x) => x
}
