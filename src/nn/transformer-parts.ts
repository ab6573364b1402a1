/** What blocks of transformers are made of: their parameters and options, sublayers, and how these are stacked. */
import { raise } from '../lang/errors.ts'
import { demandRecord, type Names, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
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
  readonly keyHeads?: number | undefined
  readonly mask?: Tensor | undefined
  readonly causal?: boolean | undefined
  readonly rotary?: RotaryOptions | undefined
  /** Whether norms come before what they feed (true) or after it is added (false, as in the paper and in PyTorch). */
  readonly normFirst?: boolean | undefined
  /** What is between the two linear layers: `nn.relu`. */
  readonly activation?: ((x: Tensor) => Tensor) | undefined
  /** The norm, `nn.layerNorm` unless given: `nn.rmsNorm`, say. */
  readonly norm?: ((x: Tensor, params: ScaleParams, options: EpsOptions) => Tensor) | undefined
  /** The least addition to a variance, that of the norm unless given. */
  readonly eps?: number | undefined
}

export const encoderOptions: OptionNames<EncoderBlockOptions> = {
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

export const decoderOptions: OptionNames<DecoderBlockOptions> = { ...encoderOptions, memoryMask: 'tensor' }

/** The parts of the blocks, and the parameters of each. */
export const encoderParts: Readonly<Record<keyof EncoderBlockParams, Names>> = {
  selfAttn: multiHeadParams,
  linear1: linearParams,
  linear2: linearParams,
  norm1: scaleParams,
  norm2: scaleParams,
}
export const decoderParts: Readonly<Record<keyof DecoderBlockParams, Names>> = {
  ...encoderParts,
  multiheadAttn: multiHeadParams,
  norm3: scaleParams,
}

/** UsageError for parameters or options that are not what they must be; what is asked beneath is asked by this name. */
export const demandBlock = (
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
export const wrongBlock = (
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
export type Sublayer = readonly [f: (x: Tensor) => Tensor, norm: ScaleParams]

/** The input with each sublayer added: `x + f(norm(x))` where norms come first, else `norm(x + f(x))`. */
export const stack = (
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

export const attending =
  (params: MultiHeadParams, place: number, { dropout, dropoutKey, ...rest }: MultiHeadOptions) =>
  (x: Tensor): Tensor =>
    multiHeadAttention(x, params, {
      ...rest,
      ...(dropout === undefined ? {} : { dropout }),
      ...(dropoutKey ? { dropoutKey: foldIn(dropoutKey, innerPlace + place) } : {}),
    })

export const feedingForward =
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
export const own = ({
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
