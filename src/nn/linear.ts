/** Layers that are one product: linear, bilinear attention, embedding. Parameters come as a record, results depend on nothing else. */

import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirst, dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { bernoulli } from '../lang/tensor/random.ts'
import type { Mistake } from '../lang/types/broadcast.ts'
import type { Tensor } from '../lang/types.ts'
import { choose } from './choose.ts'
import { softmax } from './softmax.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** Parameters of `linear`: weight `[out, in]` as in PyTorch, bias `[out]`. */
export interface LinearParams<O extends number = number, I extends number = number, D extends DType = DType> {
  readonly weight: Tensor<readonly [O, I], D>
  readonly bias?: Tensor<readonly [O], D>
}

/** The last size of `S` replaced by `O`; refused when it is known not to be `I`. */
type Mapped<S extends Shape, O extends number> = S extends readonly [...infer P extends Shape, number]
  ? readonly [...P, O]
  : Shape

interface Linear {
  <O extends number, I extends number, D extends DType>(
    params: LinearParams<O, I, D>,
  ): <S extends Shape>(x: Tensor<S, D> & InnerCheck<S, I>) => Tensor<Mapped<S, O>, D>
  <S extends Shape, O extends number, I extends number, D extends DType>(
    x: Tensor<S, D>,
    params: LinearParams<O, I, NoInfer<D>> & InnerCheck<S, NoInfer<I>>,
  ): Tensor<Mapped<S, O>, D>
}

type InnerCheck<S extends Shape, I extends number> = number extends S['length']
  ? unknown
  : number extends I
    ? unknown
    : S extends readonly [...Shape, infer L extends number]
      ? number extends L
        ? unknown
        : L extends I
          ? unknown
          : Mistake<`linear: the input has ${L} features, the weight takes ${I}`>
      : Mistake<'linear: a scalar has no features'>

/**
 * `x · weightᵀ + bias` over the last axis: x `[…, in]`, weight `[out, in]`, bias `[out]` (optional) → `[…, out]`. One
 * dtype. ShapeError (and a compile-time error where sizes are known) when `in` differs.
 * @example
 * const params = { weight: T.tensor([[1, 2]]), bias: T.tensor([10]) }
 * T.reference(nn.linear(T.tensor([[3, 4]]), params)).data // => [21]
 */
export const linear: Linear = dataFirst('nn.linear', (x: Tensor, { weight, bias }: LinearParams) => {
  const y = T.matmul(x, T.matrixTranspose(weight))
  return bias ? T.add(y, bias) : y
})

/** Options of `embedding`: the rows of `paddingIndex` get no gradient. */
export interface EmbeddingOptions {
  readonly paddingIndex?: number
}

interface Embedding {
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

/**
 * Rows of `weight` `[count, width]` at integer `indices`: `[…]` → `[…, width]`. IndexError for an index out of range;
 * the row `paddingIndex` gets no gradient.
 * @example
 * T.reference(nn.embedding(T.tensor([1, 0]), T.tensor([[1, 2], [3, 4]]))).data // => [3, 4, 1, 2]
 */
export const embedding: Embedding = dualWith(
  'nn.embedding',
  2,
  (indices: Tensor, weight: Tensor, { paddingIndex }: EmbeddingOptions = {}) => {
    const rows = T.take(weight, indices)
    if (paddingIndex === undefined) return rows
    const padding = T.expandDims(T.equal(indices, paddingIndex), -1)
    return choose(padding, T.stopGradient(rows), rows)
  },
)

/** Options of `dropout`. */
export interface DropoutOptions {
  /** The probability of dropping an element. */
  readonly p?: number
  readonly training?: boolean
}

interface Dropout {
  (key: Tensor, options?: DropoutOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
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
  (x: Tensor, key: Tensor, { p = 0.5, training = true }: DropoutOptions = {}) => {
    if (!training || p === 0) return x
    if (p === 1) return T.zerosLike(x)
    return choose(bernoulli(key, 1 - p, x.shape), T.div(x, 1 - p), 0)
  },
)

/** Options of `scaledDotProductAttention`. A bool mask says which keys count, a float one is added to the scores. */
export interface AttentionOptions {
  readonly mask?: Tensor
  readonly causal?: boolean
  /** Factor of the scores; `1/√width` by default. */
  readonly scale?: number
}

interface Attention {
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

/**
 * `softmax(q·kᵀ·scale + mask)·v` (Vaswani et al. 2017): query `[…, L, E]`, key `[…, M, E]`, value `[…, M, F]` → `[…, L,
 * F]`, scale 1/√E. A bool mask says which keys count, a float one is added; `causal` lets row i see keys up to i. A row
 * that sees no key is NaN, as in PyTorch.
 * @example
 * const [q, v] = [T.tensor([[0], [1]], { dtype: 'f32' }), T.tensor([[0], [1]], { dtype: 'f32' })]
 * T.reference(nn.scaledDotProductAttention(q, q, v)).data // => [0.5, 0.731059]
 * T.reference(nn.scaledDotProductAttention(q, q, v, { causal: true })).data // => [0, 0.731059]
 */
export const scaledDotProductAttention: Attention = dualWith(
  'nn.scaledDotProductAttention',
  3,
  (query: Tensor, key: Tensor, value: Tensor, { mask, causal = false, scale }: AttentionOptions = {}) => {
    const product = T.matmul(query, T.matrixTranspose(key))
    if (isMistake(product)) return product
    let scores = T.mul(product, scale ?? 1 / Math.sqrt(query.shape.at(-1)!))
    const [rows, columns] = scores.shape.slice(-2)
    const minusInfinity = Number.NEGATIVE_INFINITY
    if (causal) scores = choose(T.triMask(rows!, { columns: columns! }), scores, minusInfinity)
    if (mask) scores = mask.dtype === 'bool' ? choose(mask, scores, minusInfinity) : T.add(scores, mask)
    return T.matmul(softmax(scores), value)
  },
)
