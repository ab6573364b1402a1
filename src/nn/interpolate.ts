/** Images and signals resized: along one axis after the other, each output a weighted sum of a few elements. */
import { constant, typeOf } from '../lang/build.ts'
import { type DType, isFloat } from '../lang/dtype.ts'
import type { Refusal } from '../lang/errors.ts'
import type { Node } from '../lang/ir.ts'
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import { take } from '../lang/tensor/index/picking.ts'
import { binaryNode } from '../lang/tensor/math/arithmetic.ts'
import { expandNode, inSingle, lift, onTensor, refuse, reshapeNode, toElement } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './adaptive-pool.ts'
import { type Sampling, type Tap, taps } from './resampling.ts'
import { type PerAxis, perAxis } from './windows.ts'

/** How an output is made of its neighbours; `'area'` averages bins as adaptive pooling does. */
export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area'

/**
 * Options of `interpolate`: the new sizes, or the factors that give them (rounded down); whether the centres of the corner
 * elements stay in place (linear and cubic modes).
 */
export interface InterpolateOptions {
  readonly size?: PerAxis | undefined
  readonly scaleFactor?: PerAxis | undefined
  readonly mode?: InterpolationMode | undefined
  readonly alignCorners?: boolean | undefined
}

const interpolateOptions: OptionNames<InterpolateOptions> = {
  size: 'integers',
  scaleFactor: 'factors',
  mode: 'own',
  alignCorners: 'boolean',
}

type Interpolate = {
  (options: InterpolateOptions): <D extends DType>(x: Tensor<Tensor['shape'], D>) => Tensor<Tensor['shape'], D>
  <D extends DType>(x: Tensor<Tensor['shape'], D>, options: InterpolateOptions): Tensor<Tensor['shape'], D>
}

/** What each mode does along an axis, and the number of spatial axes it is for (any when absent). */
const modes: { readonly [M in InterpolationMode]: { readonly sampling?: Sampling; readonly spatial?: number } } = {
  nearest: { sampling: 'nearest' },
  'nearest-exact': { sampling: 'nearest-exact' },
  linear: { sampling: 'linear', spatial: 1 },
  bilinear: { sampling: 'linear', spatial: 2 },
  trilinear: { sampling: 'linear', spatial: 3 },
  bicubic: { sampling: 'cubic', spatial: 2 },
  area: {},
}

const areas = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d]

/** Every element `times` times in place, as a view. */
const repeated = (n: Node, axis: number, times: number): Node => {
  const { shape } = typeOf(n)
  const [before, after] = [shape.slice(0, axis + 1), shape.slice(axis + 1)]
  const grown = expandNode(reshapeNode(n, [...before, 1, ...after]), [...before, times, ...after])
  return reshapeNode(grown, [...shape.slice(0, axis), shape[axis]! * times, ...after])
}

/** The weighted sum of what each tap picks along `axis`. */
const resampled = (n: Node, axis: number, list: readonly Tap[]): Node => {
  const { dtype } = typeOf(n)
  const terms = list.map(({ index, weight }) => {
    const at = tensorOf(constant({ shape: [index.length], dtype: 'i32' }, index))
    const picked = nodeOf(take(tensorOf(n), at, { axis }))
    if (!weight) return picked
    const { shape } = typeOf(picked)
    const laid = shape.map((_, i) => (i === axis ? index.length : 1))
    const factors = reshapeNode(
      constant(
        { shape: [index.length], dtype },
        weight.map((w) => toElement(w, dtype)),
      ),
      laid,
    )
    return binaryNode('mul', picked, expandNode(factors, shape))
  })
  return terms.reduce((a, b) => binaryNode('add', a, b))
}

/** One axis resized, `step` elements of the old one apart unless corners are aligned. */
const along = (n: Node, axis: number, out: number, step: number, sampling: Sampling, aligned: boolean): Node => {
  const size = typeOf(n).shape[axis]!
  if (out === size && step === 1) return n
  const times = out / size
  return sampling === 'nearest' && Number.isInteger(times) && step === 1 / times
    ? repeated(n, axis, times)
    : resampled(n, axis, taps(sampling, size, out, step, aligned))
}

/** The new sizes and the steps along each axis, or the refusal. */
const target = (
  sizes: readonly number[],
  { size, scaleFactor }: InterpolateOptions,
): Refusal | { readonly outs: readonly number[]; readonly steps: readonly number[] } => {
  const given = size ?? scaleFactor
  if (given === undefined || (size !== undefined && scaleFactor !== undefined))
    return { reason: 'takes either a size or a scaleFactor', hint: 'as in { size: [64, 64] } or { scaleFactor: 2 }' }
  const list = perAxis('nn.interpolate', size === undefined ? 'scaleFactor' : 'size', given, sizes.length)
  if (list.length !== sizes.length || !list.every((v) => v > 0 && Number.isFinite(v)))
    return { reason: `[${list.join(', ')}] are not ${sizes.length} positive numbers`, hint: 'one stands for all axes' }
  const outs = size === undefined ? list.map((f, i) => Math.floor(sizes[i]! * f)) : list
  if (!outs.every((d) => Number.isInteger(d) && d > 0))
    return { reason: `[${outs.join(', ')}] are no sizes`, hint: 'sizes are positive whole numbers' }
  return { outs, steps: size === undefined ? list.map((f) => 1 / f) : outs.map((d, i) => sizes[i]! / d) }
}

/**
 * `x` `[N, C, …]` with one to three spatial axes resized to `size` or by `scaleFactor`, as torch. `'nearest'` (default)
 * takes elements; `'linear'`, `'bilinear'`, `'trilinear'` (one, two, three axes) and `'bicubic'` (two; a = -0.75) mix
 * neighbours, edges repeated, and with `alignCorners` map corner centres onto corner centres; `'area'` averages. Any
 * dtype under the nearest modes, else floats. ShapeError for sizes, ranks or dtypes that do not go with the mode.
 * @example
 * const x = T.tensor([[[1.5, 2.5]]])
 * T.reference(nn.interpolate(x, { scaleFactor: 2 })).data // => [1.5, 1.5, 2.5, 2.5]
 * T.reference(nn.interpolate(x, { size: 4, mode: 'linear' })).data // => [1.5, 1.75, 2.25, 2.5]
 * T.reference(nn.interpolate(x, { size: 3, mode: 'linear', alignCorners: true })).data // => [1.5, 2, 2.5]
 */
export const interpolate: Interpolate = dataFirstWith(
  'nn.interpolate',
  1,
  interpolateOptions,
  (x: Tensor, options: InterpolateOptions = {}) =>
    onTensor('nn.interpolate', x, (n, { shape, dtype }) => {
      const { mode = 'nearest', alignCorners = false } = options
      demandChoice('nn.interpolate', 'mode', mode, Object.keys(modes) as InterpolationMode[])
      const { sampling, spatial } = modes[mode]
      const fail = (refusal: Refusal): Node => refuse('nn.interpolate', [n], refusal)
      const sizes = shape.slice(2)
      if (sizes.length < 1 || sizes.length > 3 || (spatial !== undefined && sizes.length !== spatial))
        return fail({
          reason: `mode '${mode}' takes [N, C, …] with ${spatial ?? '1 to 3'} spatial axes, not rank ${shape.length}`,
        })
      const nearest = sampling === 'nearest' || sampling === 'nearest-exact'
      if (alignCorners && (nearest || !sampling)) return fail({ reason: `mode '${mode}' has no corners to align` })
      if (!nearest && !isFloat(dtype))
        return fail({ reason: `mode '${mode}' is not defined on ${dtype}`, hint: "cast first: T.cast(x, 'f32')" })
      if (sizes.includes(0))
        return fail({ reason: `axis ${2 + sizes.indexOf(0)} has no elements`, axis: 2 + sizes.indexOf(0) })
      const to = target(sizes, options)
      if ('reason' in to) return fail(to)
      if (!sampling) return lift('nn.interpolate', areas[sizes.length - 1]!(x, to.outs))
      const resized = (m: Node): Node =>
        to.outs.reduce((y, out, i) => along(y, 2 + i, out, to.steps[i]!, sampling, alignCorners), m)
      return nearest ? resized(n) : inSingle(n, resized)
    }),
)
