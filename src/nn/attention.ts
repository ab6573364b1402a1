/** Attention: weighted means of values, the weights from products of queries and keys. */
import { promote } from '../lang/dtype.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith, dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { type LinearParams, linear } from './linear.ts'
import { misshapen, mistakeAmong, overspread } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'
import { softmax, softmaxOfSeen } from './softmax.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** Options of `scaledDotProductAttention`. A bool mask says which keys count, a float one is added to the scores. */
export interface AttentionOptions {
  readonly mask?: Tensor | undefined
  readonly causal?: boolean
  /** Factor of the scores; `1/√width` by default. */
  readonly scale?: number
}

const attentionOptions: OptionNames<AttentionOptions> = { mask: 'tensor', causal: 'boolean', scale: 'number' }

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

/**
 * `softmax(q·kᵀ·scale + mask)·v` (Vaswani et al. 2017): query `[…, L, E]`, key `[…, M, E]`, value `[…, M, F]` → `[…, L,
 * F]`, scale 1/√E. A bool mask says which keys count, a float one is added; `causal` lets row i see keys up to i. A query
 * that no mask lets see a key gives zeros, and has no gradient, as in PyTorch since 2.5.
 * @example
 * const [q, v] = [T.tensor([[0], [1]], { dtype: 'f32' }), T.tensor([[0], [1]], { dtype: 'f32' })]
 * T.reference(nn.scaledDotProductAttention(q, q, v)).data // => [0.5, 0.731059]
 * T.reference(nn.scaledDotProductAttention(q, q, v, { causal: true })).data // => [0, 0.731059]
 */
export const scaledDotProductAttention: Attention = dualWith(
  'nn.scaledDotProductAttention',
  3,
  attentionOptions,
  (query: Tensor, key: Tensor, value: Tensor, { mask, causal = false, scale }: AttentionOptions = {}) => {
    const name = 'nn.scaledDotProductAttention'
    const mistake = mistakeAmong(name, { query, key, value }, { mask })
    if (mistake) return mistake
    const ranks = [query, key, value].map((x) => x.shape.length)
    if (Math.min(...ranks) < 2)
      return tensorOf(
        refuse(name, [query, key, value].map(nodeOf), { reason: `takes ranks from 2 on, not ${ranks.join(', ')}` }),
      )
    const dtypes = [...new Set([query, key, value].map((x) => x.dtype))]
    if (dtypes.length > 1)
      return tensorOf(
        refuse(name, [query, key, value].map(nodeOf), {
          reason: `dtypes ${dtypes.join(' and ')} differ`,
          hint: `cast some operands, e.g. T.cast(x, '${dtypes.reduce(promote)}')`,
        }),
      )
    // The mask's own dtype does not count: it has no part in the result's.
    return roundedOnce((q: Tensor, k: Tensor, v: Tensor) => {
      const product = T.matmul(q, T.matrixTranspose(k))
      const wrong = isMistake(product) ? product : mask && overspread(name, product, { 'the mask': mask })
      if (wrong) return wrong
      let scores = T.mul(product, scale ?? 1 / Math.sqrt(q.shape.at(-1)!))
      const [rows, columns] = scores.shape.slice(-2)
      const minusInfinity = Number.NEGATIVE_INFINITY
      if (causal) scores = choose(T.triMask(rows!, { columns: columns! }), scores, minusInfinity)
      if (mask) scores = mask.dtype === 'bool' ? choose(mask, scores, minusInfinity) : T.add(scores, mask)
      return T.matmul(mask ? softmaxOfSeen(scores) : softmax(scores), v)
    })(query, key, value)
  },
)

/**
 * Parameters of `multiHeadAttention` in PyTorch's layout: `inProjWeight` `[3·E, E]` with the rows of queries, keys and
 * values one below the other, `inProjBias` `[3·E]`, `outProjWeight` `[E, E]`, `outProjBias` `[E]`.
 */
export interface MultiHeadParams {
  readonly inProjWeight: Tensor
  readonly inProjBias?: Tensor | undefined
  readonly outProjWeight: Tensor
  readonly outProjBias?: Tensor | undefined
}

const multiHeadParams: OptionNames<MultiHeadParams> = {
  inProjWeight: 'must tensor',
  inProjBias: 'tensor',
  outProjWeight: 'must tensor',
  outProjBias: 'tensor',
}

/** Options of `multiHeadAttention`: keys and values where they are not the queries, masks as in `scaledDotProductAttention`. */
export interface MultiHeadOptions extends AttentionOptions {
  readonly heads: number
  readonly key?: Tensor | undefined
  readonly value?: Tensor | undefined
}

const multiHeadOptions: OptionNames<MultiHeadOptions> = {
  ...attentionOptions,
  heads: 'must count',
  key: 'tensor',
  value: 'tensor',
}

type MultiHead = {
  (params: MultiHeadParams, options: MultiHeadOptions): <D extends DType>(query: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(query: Tensor<Shape, D>, params: MultiHeadParams, options: MultiHeadOptions): Tensor<Shape, D>
}

const layer = (weight: Tensor, bias: Tensor | undefined): LinearParams =>
  ({ weight, ...(bias ? { bias } : {}) }) as LinearParams

/** Queries, keys and values: one product where all come from one tensor. */
const projections = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { inProjWeight, inProjBias }: MultiHeadParams,
): readonly Tensor[] => {
  if (key === query && value === query)
    return T.chunk(linear(query, layer(inProjWeight, inProjBias)) as Tensor, 3, { axis: -1 })
  const weights = T.chunk(inProjWeight, 3)
  const biases = inProjBias ? T.chunk(inProjBias, 3) : []
  return [query, key, value].map((x, i) => linear(x, layer(weights[i]!, biases[i])) as Tensor)
}

/**
 * Attention in `heads` parallel parts of width E / heads (Vaswani et al. 2017): `[…, L, E]` → `[…, L, E]`. Keys and
 * values are the queries unless given (`[…, M, E]`; values are the keys unless given). `mask` is broadcast to `[…,
 * heads, L, M]`; it, `causal` and `scale` as in `scaledDotProductAttention`. ShapeError where `heads` does not divide E or
 * the weights have other sizes.
 * @example
 * const params = { inProjWeight: T.concat([T.eye(2), T.eye(2), T.eye(2)]), outProjWeight: T.eye(2) }
 * const x = T.tensor([[0, 1], [1, 0]], { dtype: 'f32' })
 * T.reference(nn.multiHeadAttention(x, params, { heads: 2, causal: true })).data // => [0, 1, 0.731059, 0.5]
 */
export const multiHeadAttention: MultiHead = dataFirstWith(
  'nn.multiHeadAttention',
  2,
  multiHeadOptions,
  (query: Tensor, params: MultiHeadParams, { heads, key = query, value = key, ...options }: MultiHeadOptions) => {
    demandRecord('nn.multiHeadAttention', multiHeadParams, params, 'parameter')
    const operands = [query, key, value, params.inProjWeight, params.outProjWeight]
    const mistake = mistakeAmong('nn.multiHeadAttention', { query, key, value }, { ...params })
    if (mistake) return mistake
    const width = query.shape.at(-1) ?? 0
    const [rows, columns] = params.inProjWeight.shape
    const refusal =
      query.shape.length < 2
        ? { reason: `takes queries [… , length, width], not rank ${query.shape.length}` }
        : width % heads !== 0
          ? { reason: `${heads} heads do not divide the width ${width}`, axis: query.shape.length - 1 }
          : rows !== 3 * width || columns !== width || params.inProjWeight.shape.length !== 2
            ? {
                reason: `inProjWeight is not [${3 * width}, ${width}] for queries of width ${width}`,
                hint: 'stack the rows of queries, keys and values',
              }
            : undefined
    if (refusal) return tensorOf(refuse('nn.multiHeadAttention', operands.map(nodeOf), refusal))
    const shapes = {
      inProjBias: [params.inProjBias, [3 * width]],
      outProjWeight: [params.outProjWeight, [width, width]],
      outProjBias: [params.outProjBias, [width]],
    } as const
    const wrong = misshapen('nn.multiHeadAttention', query, shapes, `for queries of width ${width}`)
    if (wrong) return wrong
    const split = (x: Tensor): Tensor =>
      isMistake(x) ? x : T.swapaxes(T.reshape(x, [...x.shape.slice(0, -1), heads, width / heads]) as Tensor, -3, -2)
    const [q, k, v] = projections(query, key, value, params).map(split)
    const mixed = T.swapaxes(scaledDotProductAttention(q!, k!, v!, options), -3, -2) as Tensor
    const joined = isMistake(mixed) ? mixed : (T.reshape(mixed, [...mixed.shape.slice(0, -2), width]) as Tensor)
    return linear(joined, layer(params.outProjWeight, params.outProjBias)) as Tensor
  },
)
