/** Attention: weighted means of values, the weights from products of queries and keys. */
import { isInteger, promote } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { isTensor } from '../lang/tree.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { droppingWithin, type InnerDropoutOptions, innerDropoutOptions } from './dropout.ts'
import { mistakeAmong, overspread } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'
import { softmax, softmaxOfSeen } from './softmax.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** What becomes of the products of queries and keys. A bool mask says which keys count, a float one is added to the scores. */
export interface ScoreOptions {
  readonly mask?: Tensor | undefined
  /** Whether row i sees keys up to i alone. */
  readonly causal?: boolean | undefined
  /**
   * With `causal`: how many keys stand before that of the first query, so that row i sees keys up to i + offset. A whole
   * number, or integers that broadcast to the scores `[…, L, M]`: how many there are in a cache, say.
   */
  readonly offset?: number | Tensor | undefined
  /** Factor of the scores; `1/√width` by default. */
  readonly scale?: number | undefined
  /** Scores are bent to within ± this, `softcap · tanh(scores / softcap)`, before any mask. */
  readonly softcap?: number | undefined
  /** Whether each head of the keys and values (axis -3) serves as many consecutive heads of the queries as there are to one. */
  readonly grouped?: boolean | undefined
}

const scoreOptions: OptionNames<ScoreOptions> = {
  mask: 'tensor',
  causal: 'boolean',
  offset: 'own',
  scale: 'number',
  softcap: 'positive',
  grouped: 'boolean',
}

/** Options of `scaledDotProductAttention`: those of the scores, the probability that a weight is dropped (0), and its key. */
export interface AttentionOptions extends ScoreOptions, InnerDropoutOptions {}

export const attentionOptions: OptionNames<AttentionOptions> = { ...scoreOptions, ...innerDropoutOptions }

type Attention = {
  <D extends DType>(
    query: Tensor<Shape, D>,
    key: Tensor<Shape, NoInfer<D>>,
    value: Tensor<Shape, NoInfer<D>>,
    options?: AttentionOptions,
  ): Tensor<Shape, D>
  <D extends DType>(
    key: Tensor<Shape, D>,
    value: Tensor<Shape, NoInfer<D>>,
    options?: AttentionOptions,
  ): (query: Tensor<Shape, D>) => Tensor<Shape, D>
}

type Scores = {
  <D extends DType>(query: Tensor<Shape, D>, key: Tensor<Shape, NoInfer<D>>, options?: ScoreOptions): Tensor<Shape, D>
  <D extends DType>(key: Tensor<Shape, D>, options?: ScoreOptions): (query: Tensor<Shape, D>) => Tensor<Shape, D>
}

/** UsageError for an offset that is none, or that nothing asks for. */
export const demandOffset = (name: string, { causal = false, offset }: ScoreOptions): void => {
  if (offset === undefined) return
  if (!isTensor(offset) && !Number.isInteger(offset))
    raise({
      tag: 'UsageError',
      message: `${name}: the option 'offset' is ${showArgument(offset)}, not a whole number or a tensor`,
      hint: 'write { causal: true, offset: 1 }',
    })
  if (!causal)
    raise({
      tag: 'UsageError',
      message: `${name}: there is an offset, but the attention is not causal`,
      hint: 'write { causal: true, offset }',
    })
}

/** The mistake among the operands, by their names; else their refusal for ranks, dtypes or heads that do not go together. */
const wrongOperands = (
  name: string,
  operands: Readonly<Record<string, Tensor>>,
  { mask, offset, grouped = false }: ScoreOptions,
): Tensor | undefined => {
  const mistake = mistakeAmong(name, operands, { mask, offset: isTensor(offset) ? offset : undefined })
  if (mistake) return mistake
  const all = Object.values(operands)
  const fail = (reason: string, hint?: string, axis?: number): Tensor =>
    tensorOf(
      refuse(name, all.map(nodeOf), {
        reason,
        ...(hint === undefined ? {} : { hint }),
        ...(axis === undefined ? {} : { axis }),
      }),
    )
  const ranks = all.map((x) => x.shape.length)
  const least = grouped ? 3 : 2
  if (Math.min(...ranks) < least)
    return fail(`takes ranks from ${least} on${grouped ? ' where heads are grouped' : ''}, not ${ranks.join(', ')}`)
  const dtypes = [...new Set(all.map((x) => x.dtype))]
  if (dtypes.length > 1)
    return fail(
      `dtypes ${dtypes.join(' and ')} differ`,
      `cast some operands, e.g. T.cast(x, '${dtypes.reduce(promote)}')`,
    )
  if (isTensor(offset) && !isInteger(offset.dtype))
    return fail(`the offset is ${offset.dtype}`, "cast it, e.g. T.cast(offset, 'i32')")
  const [heads, ...shared] = all.map((x) => x.shape.at(-3)!)
  if (grouped && shared.some((count) => count !== shared[0] || count === 0 || heads! % count !== 0))
    return fail(
      `${heads} heads of queries cannot share ${shared.join(' and ')} of keys and values`,
      'the heads (axis -3) of the keys divide those of the queries',
      -3,
    )
  return undefined
}

/** `a·b`, where each head of `b` (axis -3) meets the heads of `a` that share it. Lengths, which may have names, stay axes. */
const perGroup = (a: Tensor, b: Tensor, grouped: boolean): Tensor => {
  if (!grouped || a.shape.at(-3) === b.shape.at(-3)) return T.matmul(a, b) as Tensor
  const [heads, rows, width] = a.shape.slice(-3) as [number, number, number]
  const shared = b.shape.at(-3)!
  const parted = T.reshape(a, [...a.shape.slice(0, -3), shared, heads / shared, rows, width])
  const product = T.matmul(parted, T.expandDims(b, -3)) as Tensor
  if (isMistake(product)) return product
  return T.reshape(product, [...product.shape.slice(0, -4), heads, ...product.shape.slice(-2)]) as Tensor
}

/** Which keys each row sees of those up to its own; `offset` keys stand before the first. */
const seenBefore = (rows: number, columns: number, offset: number | Tensor): Tensor =>
  isTensor(offset)
    ? (T.lessEqual(T.arange(columns), T.add(T.expandDims(T.arange(rows), 1), T.cast(offset, 'i32'))) as Tensor)
    : T.triMask(rows, { columns, diagonal: offset })

/** The scores of queries and keys, masked; or what is wrong with them. */
const scoresOf = (
  name: string,
  q: Tensor,
  k: Tensor,
  { mask, causal = false, offset = 0, scale, softcap, grouped = false }: ScoreOptions,
): Tensor => {
  const product = perGroup(q, T.matrixTranspose(k) as Tensor, grouped)
  if (isMistake(product)) return product
  const own = { 'the mask': mask, 'the offset': isTensor(offset) ? offset : undefined }
  const wrong = overspread(name, product, own)
  if (wrong) return wrong
  const [rows, columns] = product.shape.slice(-2)
  const minusInfinity = Number.NEGATIVE_INFINITY
  let scores = T.mul(product, scale ?? 1 / Math.sqrt(q.shape.at(-1)!)) as Tensor
  if (softcap !== undefined) scores = T.mul(T.tanh(T.div(scores, softcap)), softcap) as Tensor
  if (causal) scores = choose(seenBefore(rows!, columns!, offset), scores, minusInfinity)
  if (mask) scores = mask.dtype === 'bool' ? choose(mask, scores, minusInfinity) : (T.add(scores, mask) as Tensor)
  return scores
}

/** The weights that scores are; a row sees nothing only where there is a mask, or more queries than keys before them. */
const weightsOf = (scores: Tensor, { mask, offset = 0 }: ScoreOptions): Tensor =>
  mask || isTensor(offset) || offset < 0 ? softmaxOfSeen(scores) : (softmax(scores) as Tensor)

/**
 * `softmax(q·kᵀ·scale + mask)·v` (Vaswani et al. 2017): query `[…, L, E]`, key `[…, M, E]`, value `[…, M, F]` → `[…, L,
 * F]`, scale 1/√E. A bool mask says which keys count, a float one is added; `causal` lets row i see keys up to i, or up to
 * i + `offset`: M - L aligns queries and keys at their ends. A query that no mask lets see a key gives zeros, and has no
 * gradient, as in PyTorch since 2.5.
 *
 * `grouped` lets heads of queries (axis -3) share those of keys and values, consecutive ones the same (Ainslie et al.
 * 2023; PyTorch's `enable_gqa`); `softcap` bends scores before they are masked (Gemma 2); `dropout` is the probability that a
 * weight is dropped, drawn from `dropoutKey`. What it gives the values by is what `attentionWeights` gives.
 * @example
 * const [q, v] = [T.tensor([[0], [1]], { dtype: 'f32' }), T.tensor([[0], [1]], { dtype: 'f32' })]
 * T.reference(nn.scaledDotProductAttention(q, q, v)).data // => [0.5, 0.731059]
 * T.reference(nn.scaledDotProductAttention(q, q, v, { causal: true })).data // => [0, 0.731059]
 * // Decoding: a cache of 4 keys, of which the first one is there; the next token puts its own at position 1.
 * const [at, cache] = [T.tensor(1), T.tensor([[0], [0], [9], [9]], { dtype: 'f32' })]
 * const isNew = T.equal(T.expandDims(T.arange(4), 1), at)
 * const keys = T.where(isNew, T.ones([1, 1]), cache)
 * const token = T.tensor([[1]], { dtype: 'f32' })
 * T.reference(nn.scaledDotProductAttention(token, keys, keys, { causal: true, offset: at })).data // => [0.731059]
 */
export const scaledDotProductAttention: Attention = dualWith(
  'nn.scaledDotProductAttention',
  3,
  attentionOptions,
  (query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}) => {
    const name = 'nn.scaledDotProductAttention'
    demandOffset(name, options)
    const drop = droppingWithin(name, options)
    const wrong = wrongOperands(name, { query, key, value }, options)
    if (wrong) return wrong
    // The mask's own dtype does not count: it has no part in the result's.
    return roundedOnce((q: Tensor, k: Tensor, v: Tensor) => {
      const scores = scoresOf(name, q, k, options)
      if (isMistake(scores)) return scores
      return perGroup(drop(weightsOf(scores, options), 0), v, options.grouped ?? false)
    })(query, key, value)
  },
)

const scoring = (name: string, of: (scores: Tensor, options: ScoreOptions) => Tensor): Scores =>
  dualWith(name, 2, scoreOptions, (query: Tensor, key: Tensor, options: ScoreOptions = {}) => {
    demandOffset(name, options)
    const wrong = wrongOperands(name, { query, key }, options)
    if (wrong) return wrong
    return roundedOnce((q: Tensor, k: Tensor) => {
      const scores = scoresOf(name, q, k, options)
      return isMistake(scores) ? scores : of(scores, options)
    })(query, key)
  })

/**
 * The scores of `scaledDotProductAttention` before its softmax: query `[…, L, E]`, key `[…, M, E]` → `[…, L, M]`, scaled,
 * bent by `softcap`, then masked: -Infinity for a key that is not seen.
 * @example
 * const [q, k] = [T.tensor([[2], [4]], { dtype: 'f32' }), T.tensor([[1], [3]], { dtype: 'f32' })]
 * T.reference(nn.attentionScores(q, k, { causal: true })).data // => [2, -Infinity, 4, 12]
 */
export const attentionScores: Scores = scoring('nn.attentionScores', (scores) => scores)

/**
 * The weights by which `scaledDotProductAttention` takes the values: query `[…, L, E]`, key `[…, M, E]` → `[…, L, M]`,
 * rows that sum to 1, or of zeros where a query sees no key. In one program with it they are computed once.
 * @example
 * const q = T.tensor([[0], [1]], { dtype: 'f32' })
 * T.reference(nn.attentionWeights(q, q, { causal: true })).data // => [1, 0, 0.268941, 0.731059]
 */
export const attentionWeights: Scores = scoring('nn.attentionWeights', weightsOf)
