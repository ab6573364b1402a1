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

/** Along which axis (0), and whether from its end. */
export interface CumulativeOptions {
  readonly axis?: number
  readonly reverse?: boolean
}

const cumulativeOptions: OptionNames<CumulativeOptions> = { axis: 'own', reverse: 'boolean' }

/** A prefix reduction that keeps the dtype. */
type Cumulative = {
  (options?: CumulativeOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: CumulativeOptions): Tensor<S, D>
}

type FloatCumulative = {
  (options?: CumulativeOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, FloatOf<D>>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: CumulativeOptions): Tensor<S, FloatOf<D>>
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

/**
 * Prefix sums along `axis` (0): element i is the sum of elements 0 to i, or of i to the last with `reverse`. Same dtype;
 * bool, i8 and u8 count as i32; integers wrap. A scan in linear time (torch.cumsum, array API cumulative_sum). ShapeError for an
 * axis out of range.
 * @example
 * T.reference(T.cumsum(T.tensor([1, 2, 3, 4]))).data // => [1, 3, 6, 10]
 */
export const cumsum: Cumulative = dataFirstWith(
  'T.cumsum',
  1,
  cumulativeOptions,
  (x: Tensor, o: CumulativeOptions = {}) => cumulated('T.cumsum', x, o, 'sum', countedNode),
)

/**
 * Prefix products along `axis` (0). Same dtype; bool, i8 and u8 count as i32; integers wrap. Its derivative is right where elements
 * are 0 (torch.cumprod).
 * @example
 * T.reference(T.cumprod(T.tensor([1, 2, 3, 4]), { reverse: true })).data // => [24, 24, 12, 4]
 */
export const cumprod: Cumulative = dataFirstWith(
  'T.cumprod',
  1,
  cumulativeOptions,
  (x: Tensor, o: CumulativeOptions = {}) => cumulated('T.cumprod', x, o, 'prod', countedNode),
)

/**
 * log of the prefix sums of eˣ along `axis` (0), stable. Floating point; integers and bool become f32
 * (torch.logcumsumexp). The gradient of each element, at infinities too, is that of `logsumexp`.
 * @example
 * T.reference(T.logcumsumexp(T.tensor([1000, 1000]))).data // => [1000, 1000.693147]
 */
export const logcumsumexp: FloatCumulative = dataFirstWith(
  'T.logcumsumexp',
  1,
  cumulativeOptions,
  (x: Tensor, o: CumulativeOptions = {}) => cumulated('T.logcumsumexp', x, o, 'logSumExp', floatNode),
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
