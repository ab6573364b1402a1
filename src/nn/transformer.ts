/** Blocks of transformers: attention and a network for each position, each with a norm and what goes past it. */
import { raise } from '../lang/errors.ts'
import { demandRecord, type Names, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith, dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { foldIn } from '../lang/tensor/random/keys.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { relu } from './activation.ts'
import { demandDropoutKey, droppingWithin, type InnerDropoutOptions, innerDropoutOptions } from './dropout.ts'
import { type LinearParams, linear, linearParams } from './linear.ts'
import { type MultiHeadOptions, type MultiHeadParams, multiHeadAttention, multiHeadParams } from './multi-head.ts'
import { type EpsOptions, layerNorm, type ScaleParams, scaleParams } from './norm.ts'
import { demandParts, misshapen, mistakeAmong, namedTensors } from './operands.ts'
import { type RotaryOptions, rotaryOptions } from './positions.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** Parameters of `transformerEncoderBlock`, called as in PyTorch's layer: attention, the two linear layers, the two norms. */
export interface EncoderBlockParams {
  readonly selfAttn: MultiHeadParams
  readonly linear1: LinearParams
  readonly linear2: LinearParams
  readonly norm1: ScaleParams
  readonly norm2: ScaleParams
}

/** Parameters of `transformerDecoderBlock`: those of the encoder's, attention to the memory, and a third norm. */
export interface DecoderBlockParams extends EncoderBlockParams {
  readonly multiheadAttn: MultiHeadParams
  readonly norm3: ScaleParams
}

/** Options of `transformerEncoderBlock`. */
export interface EncoderBlockOptions extends InnerDropoutOptions {
  readonly heads: number
  readonly keyHeads?: number
  readonly mask?: Tensor | undefined
  readonly causal?: boolean
  readonly rotary?: RotaryOptions | undefined
  /** Whether norms come before what they feed (true) or after it is added (false, as in the paper and in PyTorch). */
  readonly normFirst?: boolean
  /** What is between the two linear layers: `nn.relu`. */
  readonly activation?: (x: Tensor) => Tensor
  /** The norm, `nn.layerNorm` unless given: `nn.rmsNorm`, say. */
  readonly norm?: (x: Tensor, params: ScaleParams, options: EpsOptions) => Tensor
  /** The least addition to a variance, that of the norm unless given. */
  readonly eps?: number
}

const encoderOptions: OptionNames<EncoderBlockOptions> = {
  heads: 'must count',
  keyHeads: 'count',
  mask: 'tensor',
  causal: 'boolean',
  rotary: 'own',
  normFirst: 'boolean',
  activation: 'own',
  norm: 'own',
  eps: 'amount',
  ...innerDropoutOptions,
}

/** Options of `transformerDecoderBlock`: those of the encoder's, of which mask, causal and rotary are the attention's to itself, and a mask of the memory. */
export interface DecoderBlockOptions extends EncoderBlockOptions {
  readonly memoryMask?: Tensor | undefined
}

const decoderOptions: OptionNames<DecoderBlockOptions> = { ...encoderOptions, memoryMask: 'tensor' }

/** The parts of the blocks, and the parameters of each. */
const encoderParts: Readonly<Record<keyof EncoderBlockParams, Names>> = {
  selfAttn: multiHeadParams,
  linear1: linearParams,
  linear2: linearParams,
  norm1: scaleParams,
  norm2: scaleParams,
}
const decoderParts: Readonly<Record<keyof DecoderBlockParams, Names>> = {
  ...encoderParts,
  multiheadAttn: multiHeadParams,
  norm3: scaleParams,
}

/** UsageError for parameters or options that are not what they must be; what is asked beneath is asked by this name. */
const demandBlock = (
  name: string,
  parts: Readonly<Record<string, Names>>,
  params: EncoderBlockParams,
  options: DecoderBlockOptions,
): void => {
  demandParts(name, parts, params)
  demandDropoutKey(name, options)
  demandRecord(name, rotaryOptions, options.rotary, 'rotary option')
  for (const what of ['activation', 'norm'] as const) {
    const f: unknown = options[what]
    if (f !== undefined && typeof f !== 'function')
      raise({
        tag: 'UsageError',
        message: `${name}: the option '${what}' is ${showArgument(f)}, not a function`,
        hint: what === 'norm' ? 'write { norm: nn.rmsNorm }' : 'write { activation: nn.gelu }',
      })
  }
}

/** The mistake among all that a block is given; else the refusal of an input that is no row of vectors. */
const wrongBlock = (
  name: string,
  x: Tensor,
  others: Readonly<Record<string, unknown>>,
  params: object,
): Tensor | undefined => {
  const mistake = mistakeAmong(name, { 'operand 1': x }, { ...others, ...namedTensors(params) })
  if (mistake) return mistake
  if (x.shape.length < 2)
    return tensorOf(refuse(name, [nodeOf(x)], { reason: `takes [… , length, width], not rank ${x.shape.length}` }))
  // A norm by itself would take a weight of two axes for one of two normalised axes.
  const width = x.shape.slice(-1)
  const scales = Object.entries(namedTensors(params)).filter(([path]) => path.startsWith('norm'))
  const shaped = Object.fromEntries(scales.map(([path, p]) => [path, [p as Tensor | undefined, width] as const]))
  return misshapen(name, x, shaped, 'weight and bias of a norm are as long as the last axis')
}

/** What a function among the options gives. UsageError where that is no tensor. */
const given = (name: string, what: string, y: Tensor): Tensor =>
  mistakeAmong(name, { [`what the ${what} gives`]: y }) ?? y

/** One half of a block: what it does to its input, its norm, and its place. */
type Sublayer = readonly [f: (x: Tensor) => Tensor, norm: ScaleParams]

/** The input with each sublayer added: `x + f(norm(x))` where norms come first, else `norm(x + f(x))`. */
const stack = (
  name: string,
  x: Tensor,
  sublayers: readonly Sublayer[],
  { normFirst = false, norm = layerNorm, eps, ...options }: EncoderBlockOptions,
): Tensor => {
  const drop = droppingWithin(name, options)
  return sublayers.reduce((y, [f, params], place) => {
    const normed = (t: Tensor): Tensor =>
      isMistake(t) ? t : given(name, 'norm', norm(t, params, eps === undefined ? {} : { eps }))
    const added = (t: Tensor): Tensor => (isMistake(t) ? t : (T.add(y, drop(t, place)) as Tensor))
    return normFirst ? added(f(normed(y))) : normed(added(f(y)))
  }, x)
}

/** Keys of the dropouts inside the sublayers, apart from those of `stack`. */
const innerPlace = 16

const attending =
  (params: MultiHeadParams, place: number, { dropout, dropoutKey, ...rest }: MultiHeadOptions) =>
  (x: Tensor): Tensor =>
    multiHeadAttention(x, params, {
      ...rest,
      ...(dropout === undefined ? {} : { dropout }),
      ...(dropoutKey ? { dropoutKey: foldIn(dropoutKey, innerPlace + place) } : {}),
    })

const feedingForward =
  (name: string, { linear1, linear2 }: EncoderBlockParams, options: EncoderBlockOptions) =>
  (x: Tensor): Tensor => {
    const { activation = relu } = options
    const wide = linear(x, linear1) as Tensor
    if (isMistake(wide)) return wide
    return linear(
      droppingWithin(name, options)(given(name, 'activation', activation(wide)), innerPlace),
      linear2,
    ) as Tensor
  }

/** The options of the attention to itself. */
const own = ({
  heads,
  keyHeads,
  mask,
  causal,
  rotary,
  dropout,
  dropoutKey,
}: EncoderBlockOptions): MultiHeadOptions => ({
  heads,
  mask,
  rotary,
  dropoutKey,
  ...(keyHeads === undefined ? {} : { keyHeads }),
  ...(causal === undefined ? {} : { causal }),
  ...(dropout === undefined ? {} : { dropout }),
})

type EncoderBlock = {
  (
    params: EncoderBlockParams,
    options: EncoderBlockOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    params: EncoderBlockParams,
    options: EncoderBlockOptions,
  ): Tensor<S, D>
}

/**
 * A block of a transformer's encoder (Vaswani et al. 2017; PyTorch's TransformerEncoderLayer): `x` `[…, L, E]` plus its
 * attention to itself, normalised, plus `linear2(activation(linear1(·)))` of that, normalised; norms come before what
 * they feed under `normFirst`. With `causal` and `normFirst` it is the block of GPT. `mask`, `causal`, `keyHeads` and
 * `rotary` are those of `multiHeadAttention`; `dropout` falls on weights, on the inner layer and on what is added, all
 * drawn from `dropoutKey`. Same shape and dtype. ShapeError for parameters that do not fit.
 * @example
 * const params = nn.transformerEncoderBlockInit(random.key(0), 4, 16)
 * const x = random.normal(random.key(1), [2, 3, 4])
 * nn.transformerEncoderBlock(x, params, { heads: 2 }).shape // => [2, 3, 4]
 * const gpt = nn.transformerEncoderBlock(params, { heads: 2, causal: true, normFirst: true, activation: nn.gelu })
 * // What comes later changes nothing of what was before.
 * const [all, first] = T.reference([gpt(x), gpt(T.narrow(x, 0, 1, { axis: 1 }))])
 * all.data.slice(0, 4).every((v, i) => Math.abs(v - first.data[i]!) < 1e-6) // => true
 */
export const transformerEncoderBlock: EncoderBlock = dataFirstWith(
  'nn.transformerEncoderBlock',
  2,
  encoderOptions,
  (x: Tensor, params: EncoderBlockParams, options: EncoderBlockOptions) => {
    const name = 'nn.transformerEncoderBlock'
    demandBlock(name, encoderParts, params, options)
    const wrong = wrongBlock(name, x, { mask: options.mask }, params)
    if (wrong) return wrong
    const sublayers: readonly Sublayer[] = [
      [attending(params.selfAttn, 1, own(options)), params.norm1],
      [feedingForward(name, params, options), params.norm2],
    ]
    return stack(name, x, sublayers, options)
  },
)

type DecoderBlock = {
  (
    memory: Tensor,
    params: DecoderBlockParams,
    options: DecoderBlockOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    memory: Tensor,
    params: DecoderBlockParams,
    options: DecoderBlockOptions,
  ): Tensor<S, D>
}

/**
 * A block of a transformer's decoder (Vaswani et al. 2017; PyTorch's TransformerDecoderLayer): attention of `x` `[…, L,
 * E]` to itself, attention to the `memory` `[…, M, E]`, and the network for each position, each added and normalised as in
 * `transformerEncoderBlock`. `mask`, `causal` and `rotary` are those of the attention to itself, `memoryMask` is that of
 * the attention to the memory. ShapeError for parameters that do not fit.
 * @example
 * const params = nn.transformerDecoderBlockInit(random.key(0), 4, 16)
 * const [x, memory] = [random.normal(random.key(1), [2, 3, 4]), random.normal(random.key(2), [2, 5, 4])]
 * nn.transformerDecoderBlock(x, memory, params, { heads: 2, causal: true }).shape // => [2, 3, 4]
 */
export const transformerDecoderBlock: DecoderBlock = dualWith(
  'nn.transformerDecoderBlock',
  3,
  decoderOptions,
  (x: Tensor, memory: Tensor, params: DecoderBlockParams, options: DecoderBlockOptions) => {
    const name = 'nn.transformerDecoderBlock'
    demandBlock(name, decoderParts, params, options)
    const { mask, memoryMask } = options
    const wrong = wrongBlock(name, x, { memory, mask, memoryMask }, params)
    if (wrong) return wrong
    const { causal: _, rotary: __, ...across } = own(options)
    const sublayers: readonly Sublayer[] = [
      [attending(params.selfAttn, 1, own(options)), params.norm1],
      [attending(params.multiheadAttn, 2, { ...across, mask: memoryMask, key: memory }), params.norm2],
      [feedingForward(name, params, options), params.norm3],
    ]
    return stack(name, x, sublayers, options)
  },
)
