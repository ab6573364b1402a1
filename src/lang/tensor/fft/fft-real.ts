/** Fourier transforms of real tensors along several axes: that of a real one along the last, complex ones along the rest. */
import * as E from '#fp/Either'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Refusal } from '../../errors.ts'
import { normaliseAxis } from '../../shape.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandChoice, demandList, type OptionNames } from '../arguments.ts'
import { isMistake } from '../ask.ts'
import { dualWith } from '../dual.ts'
import { refuse } from '../operand.ts'
import { type Complex, type FftnOptions, type FftOptions, fftn, ifftn, irfft, norms, rfft } from './fft.ts'

const fftnOptions: OptionNames<FftnOptions> = { s: 'own', axes: 'own', norm: 'own' }

type RealTransform = {
  (options?: FftnOptions): <D extends DType>(x: Tensor<Shape, D>) => Complex<Shape, FloatOf<D>>
  <D extends DType>(x: Tensor<Shape, D>, options?: FftnOptions): Complex<Shape, FloatOf<D>>
}

type RealInverse = {
  (options?: FftnOptions): <D extends DType>(x: Complex<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(x: Complex<Shape, D>, options?: FftnOptions): Tensor<Shape, FloatOf<D>>
}

/** The options of the last axis and those of the others, undefined where there are none. */
type Split = readonly [last: FftOptions, rest: FftnOptions | undefined]

const split = (rank: number, { s, axes, norm }: FftnOptions): E.Either<Refusal, Split> => {
  const all = Array.from({ length: rank }, (_, i) => i)
  const chosen = axes ?? (s ? all.slice(Math.max(0, rank - s.length)) : all)
  if (s && s.length !== chosen.length) return E.left({ reason: `${s.length} lengths for ${chosen.length} axes` })
  if (chosen.length === 0) return E.left({ reason: 'there is no axis to transform', hint: 'name one in axes' })
  const places: number[] = []
  for (const axis of chosen) {
    const at = normaliseAxis(axis, rank)
    if (E.isLeft(at)) return E.left({ reason: at.left, axis })
    if (places.includes(at.right)) return E.left({ reason: `axis ${axis} is named twice`, axis })
    places.push(at.right)
  }
  const scaling = norm ? { norm } : {}
  const last = { axis: places.at(-1)!, ...(s ? { n: s.at(-1)! } : {}), ...scaling }
  if (places.length === 1) return E.right([last, undefined])
  return E.right([last, { axes: places.slice(0, -1), ...(s ? { s: s.slice(0, -1) } : {}), ...scaling }])
}

const demandOwn = (name: string, { s, axes, norm }: FftnOptions): void => {
  if (s !== undefined) demandList(name, s, 'lengths s', `${name}(x, { s: [4, 4] })`)
  if (axes !== undefined) demandList(name, axes, 'axes', `${name}(x, { axes: [0, 1] })`)
  demandChoice(name, 'norm', norm, norms)
}

/**
 * The Fourier transform of a real tensor along several `axes` (all of them, or as many of the last as `s` has lengths): of
 * the last one named the first ⌊n/2⌋ + 1 elements, which the others mirror. `norm` as `fft` (numpy.fft.rfftn).
 * @example
 * T.reference(T.rfftn(T.tensor([[1, 2], [3, 4]]))).map((t) => t.data) // => [[10, -2, -4, 0], [0, 0, 0, 0]]
 */
export const rfftn: RealTransform = dualWith('T.rfftn', 1, fftnOptions, (x: Tensor, o: FftnOptions = {}) => {
  demandOwn('T.rfftn', o)
  if (isMistake(x)) return rfft(x)
  const found = split(x.shape.length, o)
  if (E.isLeft(found)) {
    const refused = tensorOf(refuse('T.rfftn', [nodeOf(x)], found.left))
    return [refused, refused]
  }
  const [last, rest] = found.right
  const half = rfft(x, last)
  return rest ? fftn(half, rest) : half
})

/**
 * The inverse of `rfftn`, with the same options: a real tensor, of 2 (m - 1) elements along the last axis named where `s` does
 * not say so (numpy.fft.irfftn).
 * @example
 * const z = [T.tensor([[10, -2], [-4, 0]]), T.zeros([2, 2], { dtype: 'i32' })] as const
 * T.reference(T.irfftn(z)).data // => [1, 2, 3, 4]
 */
export const irfftn: RealInverse = dualWith('T.irfftn', 1, fftnOptions, (x: Complex, o: FftnOptions = {}) => {
  demandOwn('T.irfftn', o)
  // A pair that is none, or of unlike parts, is for irfft to refuse.
  const re = Array.isArray(x) ? (x as Complex)[0] : undefined
  if (re === undefined || isMistake(re)) return irfft(x)
  const found = split(re.shape.length, o)
  if (E.isLeft(found)) return tensorOf(refuse('T.irfftn', [nodeOf(re)], found.left))
  const [last, rest] = found.right
  return irfft(rest ? ifftn(x, rest) : x, last)
})
