/** Prefix sums and their like along one axis. */
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Cumulation, Node } from '../../ir.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import type { Tensor } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { floatNode } from '../math/arithmetic.ts'
import { castNode, countedNode, inSingle, onAxis, onTensor } from '../operand.ts'
import { narrowNode } from '../shape/reordering.ts'

/** Along which axis (0), and whether from its end. */
export interface CumulativeOptions {
  readonly axis?: number | undefined
  readonly reverse?: boolean | undefined
}

const cumulativeOptions: OptionNames<CumulativeOptions> = { axis: 'own', reverse: 'boolean' }

/** Whether an element itself is left out, too, so that the first (or last) is that of nothing. */
export interface PrefixOptions extends CumulativeOptions {
  readonly exclusive?: boolean | undefined
}

const prefixOptions: OptionNames<PrefixOptions> = { ...cumulativeOptions, exclusive: 'boolean' }

/** A prefix reduction that keeps the dtype. */
type Cumulative = {
  (options?: PrefixOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: PrefixOptions): Tensor<S, D>
}

type FloatCumulative = {
  (options?: PrefixOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, FloatOf<D>>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: PrefixOptions): Tensor<S, FloatOf<D>>
}

/** The running extreme and where it stands. */
export type RunningExtreme<S extends Shape, D extends DType> = readonly [
  values: Tensor<S, D>,
  indices: Tensor<S, 'i32'>,
]

type CumulativeExtreme = {
  (options?: CumulativeOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => RunningExtreme<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: CumulativeOptions): RunningExtreme<S, D>
}

const cumulated = (
  name: string,
  x: Tensor,
  { axis = 0, reverse = false }: CumulativeOptions,
  monoid: Cumulation,
  prepare: (n: Node, dtype: DType) => Node,
  output?: number,
): Tensor =>
  onAxis(name, x, axis, (n, a, { dtype }) => {
    const params = { monoid, axis: a, reverse } as const
    const ready = prepare(n, dtype)
    return output === undefined
      ? inSingle(ready, (wide) => build.cumulate([wide], params))
      : build.get([build.cumulate([ready], params)], { index: output })
  })

/** What each prefix reduction gives of nothing. */
const ofNothing = { sum: 0, prod: 1, logSumExp: Number.NEGATIVE_INFINITY } as const

/** The same shifted by one element where each is left out of its own prefix. */
const prefixed =
  (name: string, monoid: keyof typeof ofNothing, prepare: (n: Node, dtype: DType) => Node) =>
  (x: Tensor, { exclusive = false, ...o }: PrefixOptions = {}): Tensor => {
    const whole = cumulated(name, x, o, monoid, prepare)
    if (!exclusive) return whole
    return onAxis(name, whole, o.axis ?? 0, (n, a, { shape }) => {
      const [size, none] = [shape[a]!, shape.map(() => 0)]
      if (size === 0) return n
      const one = shape.map((_, i) => (i === a ? 1 : 0))
      const [from, low, high] = o.reverse ? [1, none, one] : [0, one, none]
      const rest = narrowNode(n, a, from, from + size - 1)
      return build.pad([rest], { low, high, interior: none, value: ofNothing[monoid] })
    })
  }

/**
 * Prefix sums along `axis` (0): element i is the sum of elements 0 to i, or of i to the last with `reverse`, and with
 * `exclusive` of those before (after) it alone, 0 for the first. Same dtype; bool, i8 and u8 count as i32; integers wrap. A scan in linear time (torch.cumsum, array API cumulative_sum). ShapeError for an
 * axis out of range.
 * @example
 * T.reference(T.cumsum(T.tensor([1, 2, 3, 4]))).data // => [1, 3, 6, 10]
 * T.reference(T.cumsum(T.tensor([1, 2, 3, 4]), { exclusive: true })).data // => [0, 1, 3, 6]
 */
export const cumsum: Cumulative = dataFirstWith('T.cumsum', 1, prefixOptions, prefixed('T.cumsum', 'sum', countedNode))

/**
 * Prefix products along `axis` (0), options as `cumsum`: of nothing 1. Same dtype; bool, i8 and u8 count as i32; integers wrap. Its derivative is right where elements
 * are 0 (torch.cumprod).
 * @example
 * T.reference(T.cumprod(T.tensor([1, 2, 3, 4]), { reverse: true })).data // => [24, 24, 12, 4]
 */
export const cumprod: Cumulative = dataFirstWith(
  'T.cumprod',
  1,
  prefixOptions,
  prefixed('T.cumprod', 'prod', countedNode),
)

/**
 * log of the prefix sums of eˣ along `axis` (0), stable, options as `cumsum`: of nothing -Infinity. Floating point; integers and bool become f32
 * (torch.logcumsumexp). The gradient of each element, at infinities too, is that of `logsumexp`.
 * @example
 * T.reference(T.logcumsumexp(T.tensor([1000, 1000]))).data // => [1000, 1000.693147]
 */
export const logcumsumexp: FloatCumulative = dataFirstWith(
  'T.logcumsumexp',
  1,
  prefixOptions,
  prefixed('T.logcumsumexp', 'logSumExp', floatNode),
)

const countable = (n: Node, dtype: DType): Node => (dtype === 'bool' ? castNode(n, 'i32') : n)

const extremes =
  (name: string, monoid: 'max' | 'min') =>
  (x: Tensor, o: CumulativeOptions = {}): RunningExtreme<Shape, DType> => [
    onTensor(name, cumulated(name, x, o, monoid, countable, 0), (n, { dtype }) =>
      castNode(n, x.dtype === 'bool' ? 'bool' : dtype),
    ),
    cumulated(name, x, o, monoid, countable, 1) as Tensor<Shape, 'i32'>,
  ]

/**
 * The running maximum along `axis` (0): `[values, indices]`, the index (i32) being that of its latest occurrence. NaN
 * counts as the largest (torch.cummax).
 * @example
 * const [values, indices] = T.cummax(T.tensor([1, 3, 2, 3]))
 * T.reference([values, indices]).map((t) => t.data) // => [[1, 3, 3, 3], [0, 1, 1, 3]]
 */
export const cummax: CumulativeExtreme = dataFirstWith('T.cummax', 1, cumulativeOptions, extremes('T.cummax', 'max'))

/**
 * The running minimum along `axis` (0): `[values, indices]`, the index (i32) being that of its latest occurrence. NaN
 * counts as the smallest (torch.cummin).
 * @example
 * const [values, indices] = T.cummin(T.tensor([3, 1, 2, 1]))
 * T.reference([values, indices]).map((t) => t.data) // => [[3, 1, 1, 1], [0, 1, 1, 3]]
 */
export const cummin: CumulativeExtreme = dataFirstWith('T.cummin', 1, cumulativeOptions, extremes('T.cummin', 'min'))
