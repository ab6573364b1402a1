/** Rows of a table at indices: one for each, or bags of them summed, averaged, or their largest elements. */
import { raise } from '../lang/errors.ts'
import { demandChoice, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import { takeCounted } from '../lang/tensor/index/picking.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { demandKey } from '../lang/tensor/random/keys.ts'
import { normal } from '../lang/tensor/random/normal.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { demandSizes } from './drawn.ts'
import { mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** Options of `embedding`: the rows of `paddingIndex` get no gradient. */
export interface EmbeddingOptions {
  readonly paddingIndex?: number | undefined
}

const embeddingOptions: OptionNames<EmbeddingOptions> = { paddingIndex: 'integer' }

type Embedding = {
  <N extends Shape, W extends number, D extends DType>(
    indices: Tensor<N>,
    weight: Tensor<readonly [number, W], D>,
    options?: EmbeddingOptions,
  ): Tensor<readonly [...N, W], D>
  <W extends number, D extends DType>(
    weight: Tensor<readonly [number, W], D>,
    options?: EmbeddingOptions,
  ): <N extends Shape>(indices: Tensor<N>) => Tensor<readonly [...N, W], D>
}

/** The mistake among the operands; else the refusal of a table that is none of rows. */
const wrongTable = (name: string, indices: Tensor, weight: Tensor): Tensor | undefined => {
  const mistake = mistakeAmong(name, { indices, weight })
  if (mistake || weight.shape.length === 2) return mistake
  return tensorOf(
    refuse(name, [nodeOf(indices), nodeOf(weight)], {
      reason: `the weight has ${weight.shape.length} axes, not 2`,
      hint: 'the weight is [count, width], a row for each index',
    }),
  )
}

/**
 * Rows of `weight` `[count, width]` at integer `indices`: `[…]` → `[…, width]`. IndexError for an index out of range,
 * a negative one too, which is that of the last row where the device computes it; the row `paddingIndex` gets no gradient.
 * @example
 * T.reference(nn.embedding(T.tensor([1, 0]), T.tensor([[1, 2], [3, 4]]))).data // => [3, 4, 1, 2]
 */
export const embedding: Embedding = dualWith(
  'nn.embedding',
  2,
  embeddingOptions,
  (indices: Tensor, weight: Tensor, { paddingIndex }: EmbeddingOptions = {}) => {
    const wrong = wrongTable('nn.embedding', indices, weight)
    if (wrong) return wrong
    const rows = takeCounted(weight, indices)
    if (paddingIndex === undefined) return rows
    const padding = T.expandDims(T.equal(indices, paddingIndex), -1)
    return choose(padding, T.stopGradient(rows), rows)
  },
)

/**
 * Options of `embeddingBag`: where bags begin in a vector of indices, what becomes of a bag, a row that does not count, a
 * factor for each index (mode `'sum'` alone).
 */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  readonly offsets?: Tensor | undefined
  readonly mode?: 'sum' | 'mean' | 'max' | undefined
  readonly perSampleWeights?: Tensor | undefined
}

const embeddingBagOptions: OptionNames<EmbeddingBagOptions> = {
  ...embeddingOptions,
  offsets: 'tensor',
  mode: 'own',
  perSampleWeights: 'tensor',
}

type EmbeddingBag = {
  <D extends DType>(
    indices: Tensor,
    weight: Tensor<readonly [number, number], D>,
    options?: EmbeddingBagOptions,
  ): Tensor<Shape, D>
  <D extends DType>(
    weight: Tensor<readonly [number, number], D>,
    options?: EmbeddingBagOptions,
  ): (indices: Tensor) => Tensor<Shape, D>
}

/** Rows `[bags, length, width]` with a mask `[bags, length]` of those that count, and how many those are `[bags, 1]`. */
interface Bags {
  readonly sum: (rows: Tensor) => Tensor
  readonly members: Tensor
  readonly rows: Tensor
}

/** Each row of a matrix of indices is a bag. */
const rowBags = (rows: Tensor, live: Tensor): Bags => ({
  sum: (x) => T.sum(x, { axis: 1 }) as Tensor,
  members: live,
  rows,
})

/** Bag b holds positions offsets[b] up to offsets[b + 1] of the vector of indices. */
const offsetBags = (rows: Tensor, live: Tensor, offsets: Tensor): Bags => {
  const [count, length] = [offsets.shape[0]!, rows.shape[0]!]
  const later = T.expandDims(T.narrow(offsets, Math.min(1, count), Math.max(0, count - 1)), -1)
  const bag = T.countNonzero(T.lessEqual(later, T.arange(length)), { axis: 0 }) as Tensor
  const own = T.equal(T.expandDims(T.arange(count), -1), bag)
  return {
    sum: (x) => T.indexAdd(T.zeros([count, ...x.shape.slice(1)], { dtype: x.dtype }), bag, x) as Tensor,
    members: T.logicalAnd(own, live),
    rows: T.expandDims(rows, 0) as Tensor,
  }
}

/** The largest elements of the members of each bag, the gradient to the first of equal ones; 0 for an empty bag. */
const largest = ({ members, rows }: Bags, like: Tensor): Tensor => {
  if (members.shape[1] === 0) return T.mul(like, 0)
  const inside = T.expandDims(members, -1) as Tensor
  const [value] = T.maxWithIndex(choose(inside, rows, Number.NEGATIVE_INFINITY), { axis: 1 })
  return choose(T.any(inside, { axis: 1 }), value, 0)
}

/** Rows that are `live` reduced to one a bag. */
const bagged = roundedOnce(
  (
    rows: Tensor,
    live: Tensor,
    mode: 'sum' | 'mean' | 'max',
    { offsets, factors }: { readonly offsets: Tensor | undefined; readonly factors: Tensor | undefined },
  ): Tensor => {
    const bags = offsets ? offsetBags(rows, live, offsets) : rowBags(rows, live)
    const scaled = factors ? (T.mul(rows, T.expandDims(factors, -1)) as Tensor) : rows
    const total = bags.sum(choose(T.expandDims(live, -1), scaled, 0))
    if (mode === 'sum') return total
    if (mode === 'max') return largest(bags, total)
    const counts = bags.sum(T.cast(T.expandDims(live, -1), rows.dtype) as Tensor)
    return T.div(total, T.maximum(counts, 1))
  },
)

/**
 * Bags of rows of `weight` `[count, width]` reduced to one row each: indices `[bags, length]`, or a vector with the
 * `offsets` `[bags]` (ascending) where bags begin → `[bags, width]`. Modes `'mean'` (default), `'sum'`, `'max'`; an empty
 * bag gives zeros. The row `paddingIndex` does not count; `perSampleWeights`, of the indices' shape, multiply rows under
 * `'sum'`. IndexError for an index out of range, ShapeError for other ranks.
 * @example
 * const table = T.tensor([[1.5, 2], [3, 4], [5, 6]])
 * const options = { offsets: T.tensor([0, 2]), mode: 'sum' } as const
 * T.reference(nn.embeddingBag(T.tensor([0, 1, 2]), table, options)).data // => [4.5, 6, 5, 6]
 */
export const embeddingBag: EmbeddingBag = dualWith(
  'nn.embeddingBag',
  2,
  embeddingBagOptions,
  (
    indices: Tensor,
    weight: Tensor,
    { offsets, mode = 'mean', paddingIndex, perSampleWeights: factors }: EmbeddingBagOptions = {},
  ) => {
    demandChoice('nn.embeddingBag', 'mode', mode, ['sum', 'mean', 'max'])
    const odd = wrongTable('nn.embeddingBag', indices, weight)
    if (odd) return odd
    const rows = takeCounted(weight, indices)
    const operands = [indices, weight, ...(offsets ? [offsets] : []), ...(factors ? [factors] : [])]
    const mistake = mistakeAmong('nn.embeddingBag', { rows, indices, weight }, { offsets, perSampleWeights: factors })
    if (mistake) return mistake
    const rank = indices.shape.length
    const wrong = (reason: string, hint: string): Tensor =>
      tensorOf(refuse('nn.embeddingBag', operands.map(nodeOf), { reason, hint }))
    if (offsets ? rank !== 1 || offsets.shape.length !== 1 : rank !== 2)
      return wrong(
        `indices of rank ${rank} ${offsets ? 'with' : 'without'} offsets`,
        'give indices [bags, length], or vectors of indices and offsets',
      )
    if (factors && (mode !== 'sum' || factors.shape.join() !== indices.shape.join()))
      return wrong("perSampleWeights go with mode 'sum' and have the indices' shape", "set mode: 'sum'")
    const live =
      paddingIndex === undefined
        ? T.full(indices.shape, true, { dtype: 'bool' })
        : (T.notEqual(indices, paddingIndex) as Tensor)
    return bagged(rows, live, mode, { offsets, factors })
  },
)

/** Options of `embeddingInit`: the deviation (1), and the row that stands for padding, which is zeros. */
export interface EmbeddingInitOptions {
  readonly std?: number | undefined
  readonly paddingIndex?: number | undefined
}

export const embeddingInitOptions: OptionNames<EmbeddingInitOptions> = { std: 'limit', paddingIndex: 'integer' }

/**
 * PyTorch's default of a table for `embedding`: f32 `[count, width]`, normal with mean 0 and deviation `std` (1; 0.02 is
 * what GPT-2 takes); the row `paddingIndex`, which may count from the end, is zeros. Learned positions are such a table,
 * looked up at `T.arange(length)`. UsageError for a size that is none.
 * @example
 * nn.embeddingInit(random.key(0), 50, 8).shape // => [50, 8]
 * const positions = nn.embeddingInit(random.key(1), 16, 8, { std: 0.02 })
 * nn.embedding(T.arange(5), positions).shape // => [5, 8]
 * T.reference(nn.embeddingInit(random.key(0), 2, 2, { paddingIndex: -2 })).data.slice(0, 2) // => [0, 0]
 */
export const embeddingInit = <const C extends number, const W extends number>(
  key: Tensor,
  count: C,
  width: W,
  options: EmbeddingInitOptions = {},
): Tensor<readonly [C, W], 'f32'> => {
  demandRecord('nn.embeddingInit', embeddingInitOptions, options)
  demandSizes('nn.embeddingInit', { count, width })
  demandKey('nn.embeddingInit', key)
  const { std = 1, paddingIndex } = options
  const drawn = normal(key, [count, width], { std })
  if (paddingIndex === undefined) return drawn
  if (paddingIndex < -count || paddingIndex >= count)
    raise({
      tag: 'UsageError',
      message: `nn.embeddingInit: there is no row ${paddingIndex} among ${count}`,
      hint: `rows go from ${-count} to ${count - 1}`,
    })
  const isPadding = T.equal(T.arange(count), paddingIndex < 0 ? paddingIndex + count : paddingIndex)
  return choose(T.expandDims(isPadding, 1), 0, drawn) as Tensor<readonly [C, W], 'f32'>
}
