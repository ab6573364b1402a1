/** Attention in several heads: queries, keys and values projected, and what comes of them too. */
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import {
  type AttentionOptions,
  attentionOptions,
  attentionWeights,
  demandOffset,
  scaledDotProductAttention,
} from './attention.ts'
import { demandDropoutKey } from './dropout.ts'
import { type LinearParams, linear } from './linear.ts'
import { misshapen, mistakeAmong } from './operands.ts'
import { type RotaryOptions, rotary, rotaryOptions } from './positions.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/**
 * Parameters of `multiHeadAttention` in PyTorch's layout: `inProjWeight` `[3·E, E]` with the rows of queries, keys and
 * values one below the other, `inProjBias` `[3·E]`, `outProjWeight` `[E, E]`, `outProjBias` `[E]`. Where keys and values
 * have fewer heads, theirs are fewer rows.
 */
export interface MultiHeadParams {
  readonly inProjWeight: Tensor
  readonly inProjBias?: Tensor | undefined
  readonly outProjWeight: Tensor
  readonly outProjBias?: Tensor | undefined
}

export const multiHeadParams: OptionNames<MultiHeadParams> = {
  inProjWeight: 'must tensor',
  inProjBias: 'tensor',
  outProjWeight: 'must tensor',
  outProjBias: 'tensor',
}

/** Options of `multiHeadAttention`: keys and values where they are not the queries, masks as in `scaledDotProductAttention`. */
export interface MultiHeadOptions extends Omit<AttentionOptions, 'grouped'> {
  readonly heads: number
  /** Heads of keys and values, each of which serves as many heads of queries as there are to one; as many by default. */
  readonly keyHeads?: number | undefined
  readonly key?: Tensor | undefined
  readonly value?: Tensor | undefined
  /** Options of `rotary`, which then turns queries and keys. */
  readonly rotary?: RotaryOptions | undefined
}

const { grouped: _, ...ungrouped } = attentionOptions

const multiHeadOptions: OptionNames<MultiHeadOptions> = {
  ...ungrouped,
  heads: 'must count',
  keyHeads: 'count',
  key: 'tensor',
  value: 'tensor',
  rotary: 'own',
}

type MultiHead = {
  (params: MultiHeadParams, options: MultiHeadOptions): <D extends DType>(query: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(query: Tensor<Shape, D>, params: MultiHeadParams, options: MultiHeadOptions): Tensor<Shape, D>
}

const layer = (weight: Tensor, bias: Tensor | undefined): LinearParams =>
  ({ weight, ...(bias ? { bias } : {}) }) as LinearParams

/** Queries, keys and values of so many features each: one product where all come from one tensor. */
const projections = (
  inputs: readonly [query: Tensor, key: Tensor, value: Tensor],
  { inProjWeight, inProjBias }: MultiHeadParams,
  sizes: readonly number[],
): readonly Tensor[] => {
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0))
  const part = (x: Tensor, i: number, axis: number): Tensor => T.narrow(x, starts[i]!, sizes[i]!, { axis })
  if (inputs.every((x) => x === inputs[0])) {
    const all = linear(inputs[0], layer(inProjWeight, inProjBias)) as Tensor
    return isMistake(all) ? sizes.map(() => all) : sizes.map((_, i) => part(all, i, -1))
  }
  return inputs.map(
    (x, i) => linear(x, layer(part(inProjWeight, i, 0), inProjBias && part(inProjBias, i, 0))) as Tensor,
  )
}

/** UsageError for parameters or options that are not what they must be; what is asked beneath is asked by this name. */
const demandMultiHead = (name: string, params: MultiHeadParams, options: MultiHeadOptions): void => {
  demandRecord(name, multiHeadParams, params, 'parameter')
  demandOffset(name, options)
  demandDropoutKey(name, options)
  demandRecord(name, rotaryOptions, options.rotary, 'rotary option')
}

/** What is wrong with the queries, the numbers of heads or the parameters; the mistake among the operands, if there is one. */
const wrongHeads = (
  name: string,
  query: Tensor,
  params: MultiHeadParams,
  { heads, keyHeads = heads, key = query, value = key }: MultiHeadOptions,
): Tensor | undefined => {
  const mistake = mistakeAmong(name, { query, key, value }, { ...params })
  if (mistake) return mistake
  const width = query.shape.at(-1) ?? 0
  const operands = [query, key, value, params.inProjWeight, params.outProjWeight]
  const rows = width + 2 * keyHeads * (width / heads)
  const refusal =
    query.shape.length < 2
      ? { reason: `takes queries [… , length, width], not rank ${query.shape.length}` }
      : width % heads !== 0
        ? { reason: `${heads} heads do not divide the width ${width}`, axis: query.shape.length - 1 }
        : heads % keyHeads !== 0
          ? { reason: `${keyHeads} heads of keys do not divide ${heads} of queries` }
          : params.inProjWeight.shape.join() !== [rows, width].join()
            ? {
                reason: `inProjWeight is not [${rows}, ${width}] for queries of width ${width}`,
                hint: 'stack the rows of queries, keys and values',
              }
            : undefined
  if (refusal) return tensorOf(refuse(name, operands.map(nodeOf), refusal))
  const shapes = {
    inProjBias: [params.inProjBias, [rows]],
    outProjWeight: [params.outProjWeight, [width, width]],
    outProjBias: [params.outProjBias, [width]],
  } as const
  return misshapen(name, query, shapes, `for queries of width ${width}`)
}

/** Queries, keys and values by head, `[…, heads, length, width / heads]`, turned where they are to be. */
const byHead = (query: Tensor, params: MultiHeadParams, options: MultiHeadOptions): readonly Tensor[] => {
  const { heads, keyHeads = heads, key = query, value = key, rotary: turn } = options
  const size = query.shape.at(-1)! / heads
  const counts = [heads, keyHeads, keyHeads]
  const flat = projections(
    [query, key, value],
    params,
    counts.map((count) => count * size),
  )
  return flat.map((x, i) => {
    if (isMistake(x)) return x
    const split = T.swapaxes(T.reshape(x, [...x.shape.slice(0, -1), counts[i]!, size]) as Tensor, -3, -2) as Tensor
    return turn && i < 2 ? rotary(split, turn) : split
  })
}

/** The options that go on to the attention of all heads. */
const within = ({
  heads,
  keyHeads = heads,
  key,
  value,
  rotary: turn,
  ...options
}: MultiHeadOptions): AttentionOptions => (keyHeads === heads ? options : { ...options, grouped: true })

/**
 * Attention in `heads` parallel parts of width E / heads (Vaswani et al. 2017): `[…, L, E]` → `[…, L, E]`. Keys and
 * values are the queries unless given (`[…, M, E]`; values are the keys unless given). `mask` is broadcast to `[…,
 * heads, L, M]`; it, `causal`, `offset`, `scale`, `softcap` and `dropout` as in `scaledDotProductAttention`. Keys and values
 * have `keyHeads` heads, as many as the queries unless said; `rotary` turns queries and keys by their positions.
 * ShapeError where `heads` does not divide E or the weights have other sizes.
 * @example
 * const params = { inProjWeight: T.concat([T.eye(2), T.eye(2), T.eye(2)]), outProjWeight: T.eye(2) }
 * const x = T.tensor([[0, 1], [1, 0]], { dtype: 'f32' })
 * T.reference(nn.multiHeadAttention(x, params, { heads: 2, causal: true })).data // => [0, 1, 0.731059, 0.5]
 */
export const multiHeadAttention: MultiHead = dataFirstWith(
  'nn.multiHeadAttention',
  2,
  multiHeadOptions,
  (query: Tensor, params: MultiHeadParams, options: MultiHeadOptions) => {
    const name = 'nn.multiHeadAttention'
    demandMultiHead(name, params, options)
    const wrong = wrongHeads(name, query, params, options)
    if (wrong) return wrong
    const [q, k, v] = byHead(query, params, options)
    const mixed = T.swapaxes(scaledDotProductAttention(q!, k!, v!, within(options)), -3, -2) as Tensor
    if (isMistake(mixed)) return mixed
    const joined = T.reshape(mixed, [...mixed.shape.slice(0, -2), query.shape.at(-1)!]) as Tensor
    return linear(joined, layer(params.outProjWeight, params.outProjBias)) as Tensor
  },
)

/**
 * The weights of `multiHeadAttention`, head by head: `[…, heads, L, M]`, before anything is dropped. Their mean over axis
 * -3 is what PyTorch's layer gives beside its output. In one program with it they are computed once.
 * @example
 * const params = { inProjWeight: T.concat([T.eye(2), T.eye(2), T.eye(2)]), outProjWeight: T.eye(2) }
 * const x = T.tensor([[0, 1], [1, 0]], { dtype: 'f32' })
 * const weights = nn.multiHeadAttentionWeights(x, params, { heads: 2, causal: true })
 * T.reference(weights).data // => [1, 0, 0.268941, 0.731059, 1, 0, 0.5, 0.5]
 */
export const multiHeadAttentionWeights: MultiHead = dataFirstWith(
  'nn.multiHeadAttentionWeights',
  2,
  multiHeadOptions,
  (query: Tensor, params: MultiHeadParams, options: MultiHeadOptions) => {
    const name = 'nn.multiHeadAttentionWeights'
    demandMultiHead(name, params, options)
    const wrong = wrongHeads(name, query, params, options)
    if (wrong) return wrong
    const [q, k] = byHead(query, params, options)
    const { dropout, dropoutKey, ...scores } = within(options)
    return attentionWeights(q!, k!, scores)
  },
)
