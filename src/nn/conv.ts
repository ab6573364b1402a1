/** Convolutions in any number of dimensions: overlapping windows as views, contracted with the weights in one product. */
import { build, typeOf } from '../lang/build.ts'
import type { Shape } from '../lang/dim.ts'
import type { DType } from '../lang/dtype.ts'
import type { Node } from '../lang/ir.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { pairOf } from '../lang/tensor/linalg/contraction.ts'
import { refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { padNode } from '../lang/tensor/shape/padding.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import type { Convolved } from '../lang/types/windows.ts'
import { misshapen, mistakeAmong } from './operands.ts'
import { type Padding, type PerAxis, perAxis, range, type Sides, sidesOf, windowsNode } from './windows.ts'

/** Parameters of a convolution: weight `[out, in / groups, …kernel]`, bias `[out]`. */
export interface ConvParams {
  readonly weight: Tensor
  readonly bias?: Tensor | undefined
}

export const convParams: OptionNames<ConvParams> = { weight: 'must tensor', bias: 'tensor' }

/** Options of a convolution. Padding `'same'` gives ⌈size / stride⌉ positions, `'valid'` is none. */
export interface ConvOptions {
  readonly stride?: PerAxis | undefined
  readonly padding?: Padding | undefined
  readonly dilation?: PerAxis | undefined
  readonly groups?: number | undefined
}

export const convOptions: OptionNames<ConvOptions> = {
  stride: 'integers',
  padding: 'padding',
  dilation: 'integers',
  groups: 'count',
}

/** A convolution, dual: its sizes are known where those of the input, the weights and the options are. */
type Conv = {
  <P extends ConvParams, const O extends ConvOptions>(
    params: P,
    options?: O & Only<O, ConvOptions>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Convolved<S, P['weight']['shape'], O>, D>
  <S extends Shape, D extends DType, P extends ConvParams, const O extends ConvOptions>(
    x: Tensor<S, D>,
    params: P,
    options?: O & Only<O, ConvOptions>,
  ): Tensor<Convolved<S, P['weight']['shape'], O>, D>
}

/** A dual function of a tensor, a record of parameters and options. */
export interface ConvLayer<O> {
  (params: ConvParams, options?: O): <D extends DType>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends DType>(x: Tensor<Tensor['shape'], D>, params: ConvParams, options?: O): Tensor<Tensor['shape'], D>
}

/** What a convolution does along each spatial axis, worked out. */
interface Geometry extends Sides {
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
}

/** The convolution of padded operands: x `[N, G·I, …]`, weight `[G·O, I, …kernel]` → `[N, G·O, …]`. */
const correlate = (x: Node, weight: Node, geometry: Geometry, groups: number): Node => {
  const spatial = geometry.stride.length
  const none = [0, 0]
  const padded = padNode(x, [...none, ...geometry.low], [...none, ...geometry.high], 0)
  const [outs, ins, ...kernel] = typeOf(weight).shape
  const windows = windowsNode(padded, kernel, geometry)
  const [batch, , ...rest] = typeOf(windows).shape
  const sizes = rest.slice(0, spatial)
  // Labels: 0 batch, 1 group, 2 in, 3 out, then positions, then kernel.
  const [at, tap] = [range(spatial, 4), range(spatial, 4 + spatial)]
  if (groups === 1)
    return build.dot([windows, weight], { lhs: [0, 2, ...at, ...tap], rhs: [3, 2, ...tap], out: [0, 3, ...at] })
  const split = reshapeNode(windows, [batch!, groups, ins!, ...rest])
  const grouped = reshapeNode(weight, [groups, outs! / groups, ins!, ...kernel])
  const y = build.dot([split, grouped], {
    lhs: [0, 1, 2, ...at, ...tap],
    rhs: [1, 3, 2, ...tap],
    out: [0, 1, 3, ...at],
  })
  return reshapeNode(y, [batch!, outs!, ...sizes])
}

const positive = (...lists: readonly (readonly number[])[]): boolean =>
  lists.every((list) => list.every((v) => Number.isInteger(v) && v > 0))

/** `y` and a bias for each of its channels. */
const addBias = (name: string, y: Tensor, bias: Tensor | undefined, spatial: number): Tensor => {
  if (!bias) return y
  const mistake = mistakeAmong(name, { 'the result': y, 'the bias': bias })
  if (mistake) return mistake
  const channels = y.shape.at(-1 - spatial)!
  const wrong = misshapen(name, y, { 'the bias': [bias, [channels]] }, 'give one number for each output channel')
  return wrong ?? T.add(y, T.reshape(bias, [-1, ...range(spatial).map(() => 1)]))
}

const conv = <F>(name: string, spatial: number): F =>
  dataFirstWith(name, 2, convOptions, (x: Tensor, params: ConvParams, options: ConvOptions = {}) => {
    demandRecord(name, convParams, params, 'parameter')
    const { weight, bias } = params
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options
    const [s, d] = [perAxis(name, 'stride', stride, spatial), perAxis(name, 'dilation', dilation, spatial)]
    const y = pairOf(name, x, weight, (a, w, ta, tw) => {
      const single = ta.shape.length === spatial + 1
      if ((!single && ta.shape.length !== spatial + 2) || tw.shape.length !== spatial + 2)
        return refuse(name, [a, w], {
          reason: `takes an input and a weight of rank ${spatial + 2}`,
          hint: 'input [batch, channels, …], weight [out, in / groups, …kernel]',
        })
      const n = single ? reshapeNode(a, [1, ...ta.shape]) : a
      const [, channels, ...sizes] = typeOf(n).shape
      const [outs, ins, ...kernel] = tw.shape
      if (!positive(s, d, [groups], kernel) || s.length !== spatial || d.length !== spatial)
        return refuse(name, [a, w], {
          reason: `stride, dilation, groups and kernel must be positive whole numbers, ${spatial} of each`,
        })
      if (channels !== ins! * groups || outs! % groups !== 0)
        return refuse(name, [a, w], {
          reason: `${channels} input channels and ${outs} output channels do not fit a weight for ${ins} channels in ${groups} group${groups === 1 ? '' : 's'}`,
          axis: 1,
          hint: 'the weight has shape [out, in / groups, …kernel]',
        })
      const reach = kernel.map((k, i) => d[i]! * (k - 1) + 1)
      const sides = sidesOf(padding, sizes, { reach, stride: s })
      if (typeof sides === 'string') return refuse(name, [a, w], { reason: sides })
      const small = reach.findIndex((r, i) => sizes[i]! + sides.low[i]! + sides.high[i]! < r)
      if (small >= 0)
        return refuse(name, [a, w], {
          reason: `a kernel of ${kernel[small]} does not fit axis ${small + 2} of size ${sizes[small]}`,
          axis: small + 2,
          hint: 'pad the input or take a smaller kernel',
        })
      const out = correlate(n, w, { stride: s, ...sides, dilation: d }, groups)
      return single ? reshapeNode(out, typeOf(out).shape.slice(1)) : out
    })
    return addBias(name, y, bias, spatial)
  })

/**
 * Cross-correlation over one axis (torch.nn.functional.conv1d): x `[N, C, L]` (or `[C, L]`), weight `[O, C / groups,
 * k]`, bias `[O]` → `[N, O, ⌊(L + 2·padding - dilation·(k-1) - 1) / stride⌋ + 1]`. Padding is one number an axis, or a pair,
 * `[[before, after]]`; `'same'` gives ⌈L / stride⌉, the odd element after (TensorFlow's SAME; PyTorch knows it for stride 1
 * alone), `'valid'` is none. ShapeError for channels that do not fit the groups and kernels larger than the padded input.
 * @example
 * const weight = T.tensor([[[1, 10]]])
 * T.reference(nn.conv1d(T.tensor([[[1, 2, 3]]]), { weight })).data // => [21, 32]
 * T.reference(nn.conv1d(T.tensor([[[1, 2, 3]]]), { weight }, { padding: 'same', stride: 2 })).data // => [21, 3]
 */
export const conv1d: Conv = conv('nn.conv1d', 1)

/**
 * Cross-correlation over two axes: x `[N, C, H, W]` (or `[C, H, W]`), weight `[O, C / groups, kh, kw]`, bias `[O]`.
 * Output sizes and errors as in `conv1d`.
 * @example
 * const x = T.tensor([[[[1, 2], [3, 4]]]])
 * T.reference(nn.conv2d(x, { weight: T.tensor([[[[1, 10]]]]), bias: T.tensor([100]) })).data // => [121, 143]
 * nn.conv2d(x, { weight: T.ones([5, 1, 3, 3], { dtype: 'i32' }) }, { padding: 'same' }).shape // => [1, 5, 2, 2]
 */
export const conv2d: Conv = conv('nn.conv2d', 2)

/**
 * Cross-correlation over three axes: x `[N, C, D, H, W]` (or without N), weight `[O, C / groups, kd, kh, kw]`, bias
 * `[O]`. Output sizes and errors as in `conv1d`.
 * @example
 * nn.conv3d(T.zeros([1, 2, 4, 5, 6]), { weight: T.zeros([3, 2, 2, 2, 2]) }).shape // => [1, 3, 3, 4, 5]
 * T.reference(nn.conv3d(T.ones([1, 1, 1, 2]), { weight: T.full([1, 1, 1, 1, 2], 3) })).data // => [6]
 */
export const conv3d: Conv = conv('nn.conv3d', 3)

/** Options of a transposed convolution. */
export interface ConvTransposeOptions {
  readonly stride?: PerAxis | undefined
  readonly padding?: PerAxis | undefined
  readonly outputPadding?: PerAxis | undefined
  readonly dilation?: PerAxis | undefined
  readonly groups?: number | undefined
}

export const convTransposeOptions: OptionNames<ConvTransposeOptions> = {
  stride: 'integers',
  padding: 'integers',
  outputPadding: 'integers',
  dilation: 'integers',
  groups: 'count',
}

/** The transpose of `correlate`: x `[N, G·I, …]`, weight `[G·I, O, …kernel]` → `[N, G·O, …]`, where windows add up where they overlap. */
const scattered = (x: Node, weight: Node, { stride, dilation, low, high }: Geometry, groups: number): Node => {
  const spatial = stride.length
  const [batch, ins, ...sizes] = typeOf(x).shape
  const [, outs, ...kernel] = typeOf(weight).shape
  // Labels as in `correlate`.
  const [at, tap] = [range(spatial, 4), range(spatial, 4 + spatial)]
  const y = build.dot(
    [
      reshapeNode(x, [batch!, groups, ins! / groups, ...sizes]),
      reshapeNode(weight, [groups, ins! / groups, outs!, ...kernel]),
    ],
    { lhs: [0, 1, 2, ...at], rhs: [1, 2, 3, ...tap], out: [0, 1, 3, ...at, ...tap] },
  )
  const windows = reshapeNode(y, [batch!, groups * outs!, ...sizes, ...kernel])
  const whole = range(spatial).reduceRight((w, i) => {
    const [s, d] = [stride[i]!, dilation[i]!]
    const n = (sizes[i]! - 1) * s + d * (kernel[i]! - 1) + 1
    return build.fold([w], { axis: i + 2, n, stride: s, dilation: d })
  }, windows)
  const none = [0, 0]
  return padNode(whole, [...none, ...low], [...none, ...high], 0)
}

const convTranspose = <F>(name: string, spatial: number): F =>
  dataFirstWith(name, 2, convTransposeOptions, (x: Tensor, params: ConvParams, options: ConvTransposeOptions = {}) => {
    demandRecord(name, convParams, params, 'parameter')
    const { weight, bias } = params
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options
    const [s, d, p, extra] = Object.entries({ stride, dilation, padding, outputPadding }).map(([what, v]) =>
      perAxis(name, what, v, spatial),
    )
    const y = pairOf(name, x, weight, (a, w, ta, tw) => {
      const single = ta.shape.length === spatial + 1
      if ((!single && ta.shape.length !== spatial + 2) || tw.shape.length !== spatial + 2)
        return refuse(name, [a, w], {
          reason: `takes an input and a weight of rank ${spatial + 2}`,
          hint: 'input [batch, channels, …], weight [in, out / groups, …kernel]',
        })
      const n = single ? reshapeNode(a, [1, ...ta.shape]) : a
      const [ins, , ...kernel] = tw.shape
      if (!positive(s!, d!, [groups], kernel))
        return refuse(name, [a, w], { reason: 'stride, dilation, groups and kernel must be positive whole numbers' })
      const lists = { stride: s!, dilation: d!, padding: p!, outputPadding: extra! }
      const odd = Object.entries(lists).find(([, l]) => l.length !== spatial || !l.every(Number.isInteger))
      if (odd)
        return refuse(name, [a, w], { reason: `the ${odd[0]} [${odd[1].join(', ')}] is not ${spatial} whole numbers` })
      if (ins === undefined || typeOf(n).shape[1] !== ins || ins % groups !== 0)
        return refuse(name, [a, w], {
          reason: `${typeOf(n).shape[1]} input channels do not fit a weight for ${ins} in ${groups} groups`,
          axis: 1,
          hint: 'the weight has shape [in, out / groups, …kernel]',
        })
      const sizes = typeOf(n).shape.slice(2)
      const reached = sizes.map((v, i) => (v - 1) * s![i]! + d![i]! * (kernel[i]! - 1) + 1 + extra![i]!)
      const wide = reached.findIndex((v, i) => v < 2 * p![i]!)
      if (wide >= 0)
        return refuse(name, [a, w], {
          reason: `a padding of ${p![wide]} takes away more than the ${reached[wide]} positions of axis ${wide + 2}`,
          axis: wide + 2,
          hint: 'padding is what is cut off at both ends: pad less, or take a larger kernel or stride',
        })
      const low = p!.map((v) => -v)
      const out = scattered(n, w, { stride: s!, dilation: d!, low, high: low.map((v, i) => v + extra![i]!) }, groups)
      return single ? reshapeNode(out, typeOf(out).shape.slice(1)) : out
    })
    return addBias(name, y, bias, spatial)
  })

/**
 * The transpose of `conv1d` as a linear map (torch's conv_transpose1d): x `[N, C, L]` (or `[C, L]`), weight `[C, O /
 * groups, k]`, bias `[O]` → `[N, O, (L-1)·stride - 2·padding + dilation·(k-1) + outputPadding + 1]`. ShapeError for
 * channels that do not fit the groups.
 * @example
 * const weight = T.tensor([[[1, 10]]])
 * T.reference(nn.convTranspose1d(T.tensor([[[1, 2]]]), { weight })).data // => [1, 12, 20]
 */
export const convTranspose1d: ConvLayer<ConvTransposeOptions> = convTranspose('nn.convTranspose1d', 1)

/**
 * The transpose of `conv2d`: x `[N, C, H, W]` (or `[C, H, W]`), weight `[C, O / groups, kh, kw]`, bias `[O]`. Output
 * sizes and errors as in `convTranspose1d`.
 * @example
 * const weight = T.tensor([[[[1, 10]]]])
 * T.reference(nn.convTranspose2d(T.tensor([[[[1, 2]]]]), { weight }, { stride: 2 })).data // => [1, 10, 2, 20]
 */
export const convTranspose2d: ConvLayer<ConvTransposeOptions> = convTranspose('nn.convTranspose2d', 2)

/**
 * The transpose of `conv3d`: x `[N, C, D, H, W]` (or without N), weight `[C, O / groups, kd, kh, kw]`, bias `[O]`.
 * Output sizes and errors as in `convTranspose1d`.
 * @example
 * const weight = T.tensor([[[[[1, 10]]]]])
 * T.reference(nn.convTranspose3d(T.tensor([[[[[1, 2]]]]]), { weight })).data // => [1, 12, 20]
 */
export const convTranspose3d: ConvLayer<ConvTransposeOptions> = convTranspose('nn.convTranspose3d', 3)
