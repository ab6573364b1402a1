/** Fourier transforms along one axis. Complex tensors are pairs of real ones: `[re, im]`. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../build.ts'
import { floorDiv, type Shape, sizeOf } from '../../dim.ts'
import { type DType, isFloat } from '../../dtype.ts'
import { type Refusal, raise } from '../../errors.ts'
import type { Node, TensorType } from '../../ir.ts'
import { normaliseAxis, showShape } from '../../shape.ts'
import type { FloatOf } from '../../types/broadcast.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandChoice, demandList, type OptionNames, showArgument } from '../arguments.ts'
import { dualWith } from '../dual.ts'
import { binaryNode, likeNode } from '../math/arithmetic.ts'
import { castNode, lift, refuse, reshapeNode, withTypes } from '../operand.ts'
import { permuteNode } from '../shape/axes.ts'
import { padNode } from '../shape/padding.ts'
import { narrowNode } from '../shape/reordering.ts'
import type { Direction } from './fft-constants.ts'
import { transformNode } from './fft-transform.ts'

/** A complex tensor: its real and imaginary part, of one shape. */
export type Complex<S extends Shape = Shape, D extends DType = DType> = readonly [re: Tensor<S, D>, im: Tensor<S, D>]

/** Which direction is divided by n (`backward`, the default: the inverse; `forward`), or both by √n (`ortho`). */
export type FftNorm = 'backward' | 'ortho' | 'forward'

/** Length along the axis (the operand's: cropped, or padded with zeros), the axis (the last), the scaling. */
export interface FftOptions {
  readonly n?: number | undefined
  readonly axis?: number | undefined
  readonly norm?: FftNorm | undefined
}

const fftOptions: OptionNames<FftOptions> = { n: 'integer', axis: 'own', norm: 'own' }

export const norms: readonly FftNorm[] = ['backward', 'ortho', 'forward']

type ComplexTransform = {
  (options?: FftOptions): <D extends DType>(x: Complex<Shape, D>) => Complex<Shape, FloatOf<D>>
  <D extends DType>(x: Complex<Shape, D>, options?: FftOptions): Complex<Shape, FloatOf<D>>
}

/** What a transform is divided by. */
const divisor = (n: number, direction: Direction, norm: FftNorm): number => {
  if (norm === 'ortho') return Math.sqrt(n)
  return (norm === 'forward') === (direction === -1) ? n : 1
}

const scaled = (z: Node, by: number): Node => (by === 1 ? z : binaryNode('mul', z, likeNode(1 / by, typeOf(z))))

/** Cropped or padded with zeros to `n` along an axis. */
const sized = (x: Node, axis: number, n: number): Node => {
  const { shape } = typeOf(x)
  const none = shape.map(() => 0)
  return padNode(x, none, none.with(axis, n - shape[axis]!), 0)
}

/** How one axis is transformed: what comes in, and how much of what comes out. */
interface Task {
  readonly axis: number
  readonly n: number
  readonly norm: FftNorm
  readonly direction: Direction
}

/** The parts (two, or one that is real) transformed along an axis: two parts. */
const alongAxis = (parts: readonly Node[], { axis, n, norm, direction }: Task): readonly Node[] => {
  const { shape } = typeOf(parts[0]!)
  const rank = shape.length
  const others = shape.map((_, i) => i).filter((i) => i !== axis)
  const lead = others.map((i) => shape[i]!)
  const batch = sizeOf(lead)
  const flat = parts.map((p) => reshapeNode(permuteNode(sized(p, axis, n), [...others, axis]), [batch, n]))
  const z =
    flat.length === 1
      ? flat[0]!
      : build.concat(
          flat.map((p) => reshapeNode(p, [batch, 1, n])),
          { axis: 1 },
        )
  const out = scaled(transformNode(z, direction), divisor(n, direction, norm))
  const back = Array.from({ length: rank }, (_, i) => (i < axis ? i : i === axis ? rank - 1 : i - 1))
  return [0, 1].map((i) => permuteNode(reshapeNode(narrowNode(out, 1, i, i + 1), [...lead, n]), back))
}

/** The two parts of a complex tensor. */
const partsOf = (name: string, x: Complex): Complex =>
  Array.isArray(x) && x.length === 2
    ? x
    : raise({
        tag: 'UsageError',
        message: `${name} takes a pair [re, im], not ${Array.isArray(x) ? `an array of ${x.length}` : showArgument(x)}`,
        hint: 'of a real tensor x write the pair [x, T.zerosLike(x)]',
      })

/** Transforms one axis after another of the parts: two, or one that is real. */
const transformed = (
  name: string,
  given: readonly Tensor[],
  tasks: (shape: Shape) => E.Either<Refusal, readonly Task[]>,
  finish: (parts: readonly Node[], tasks: readonly Task[]) => readonly Node[] = (parts) => parts,
  prepare: (parts: readonly Node[], tasks: readonly Task[]) => readonly Node[] = (parts) => parts,
): readonly Tensor[] => {
  const nodes = given.map((t, i) => lift(name, t, i))
  const part = (i: number): Tensor =>
    tensorOf(
      withTypes(name, nodes, (types) => {
        const bad = unlike(types)
        if (bad) return refuse(name, nodes, bad)
        const { shape, dtype } = types[0]!
        const found = tasks(shape)
        if (E.isLeft(found)) return refuse(name, nodes, found.left)
        const ready = prepare(
          nodes.map((n) => castNode(n, 'f32')),
          found.right,
        )
        const out = found.right.reduce(alongAxis, ready)
        return castNode(finish(out, found.right)[i]!, isFloat(dtype) ? dtype : 'f32')
      }),
    )
  return finish === realOnly ? [part(0)] : [part(0), part(1)]
}

/** The real part alone. */
const realOnly = ([re]: readonly Node[]): readonly Node[] => [re!]

const unlike = ([a, b]: readonly TensorType[]): Refusal | undefined => {
  if (!b) return undefined
  if (a!.dtype !== b.dtype) return { reason: `the parts have dtypes ${a!.dtype} and ${b.dtype}` }
  return showShape(a!.shape) === showShape(b.shape)
    ? undefined
    : { reason: `the parts have shapes ${showShape(a!.shape)} and ${showShape(b.shape)}` }
}

/** One axis resolved, and its length. */
const taskOf = (
  shape: Shape,
  { n, axis = -1, norm = 'backward' }: FftOptions,
  direction: Direction,
  length = (size: number): number => size,
): E.Either<Refusal, Task> => {
  const at = normaliseAxis(axis, shape.length)
  if (E.isLeft(at)) return E.left({ reason: at.left, axis })
  const size = n ?? length(shape[at.right]!)
  if (!Number.isInteger(size) || size < 1)
    return E.left({ reason: `a transform of ${size} elements`, axis, hint: 'the length n is a whole number ≥ 1' })
  return E.right({ axis: at.right, n: size, norm, direction })
}

const one = (
  name: string,
  o: FftOptions,
  direction: Direction,
  length?: (size: number) => number,
): ((shape: Shape) => E.Either<Refusal, readonly Task[]>) => {
  demandChoice(name, 'norm', o.norm, norms)
  return (shape) => E.map((t: Task) => [t])(taskOf(shape, o, direction, length))
}

/**
 * The discrete Fourier transform Xₖ = Σⱼ xⱼ e^(-2πi jk/n) of a pair `[re, im]` along `axis` (the last), of the operand's length or
 * `n` (cropped, padded with zeros). `norm` says what is scaled: `backward` only the inverse, `ortho` both, `forward` this one. Computed
 * in f32: O(n log n) by factors of n, large prime factors too. ShapeError for unlike parts, n < 1, an axis out of
 * range (numpy.fft.fft).
 * @example
 * const x = T.tensor([1, 0, 0, 0])
 * T.reference(T.fft([x, T.zerosLike(x)])).map((t) => t.data) // => [[1, 1, 1, 1], [0, 0, 0, 0]]
 */
export const fft: ComplexTransform = dualWith('T.fft', 1, fftOptions, (x: Complex, o: FftOptions = {}) =>
  transformed('T.fft', partsOf('T.fft', x), one('T.fft', o, -1)),
)

/**
 * The inverse of `fft`, with the same options: xⱼ = Σₖ Xₖ e^(2πi jk/n) / n (numpy.fft.ifft).
 * @example
 * const x = T.tensor([1, 1, 1, 1])
 * T.reference(T.ifft([x, T.zerosLike(x)])).map((t) => t.data) // => [[1, 0, 0, 0], [0, 0, 0, 0]]
 */
export const ifft: ComplexTransform = dualWith('T.ifft', 1, fftOptions, (x: Complex, o: FftOptions = {}) =>
  transformed('T.ifft', partsOf('T.ifft', x), one('T.ifft', o, 1)),
)

type RealTransform = {
  (options?: FftOptions): <D extends DType>(x: Tensor<Shape, D>) => Complex<Shape, FloatOf<D>>
  <D extends DType>(x: Tensor<Shape, D>, options?: FftOptions): Complex<Shape, FloatOf<D>>
}

/**
 * The first ⌊n/2⌋ + 1 elements of the Fourier transform of a real tensor, which the others mirror; options as `fft`
 * (numpy.fft.rfft).
 * @example
 * T.reference(T.rfft(T.tensor([1, 2, 3, 4]))).map((t) => t.data) // => [[10, -2, -2], [0, 2, 0]]
 */
export const rfft: RealTransform = dualWith('T.rfft', 1, fftOptions, (x: Tensor, o: FftOptions = {}) =>
  transformed('T.rfft', [x], one('T.rfft', o, -1), (parts, [task]) =>
    parts.map((p) => narrowNode(p, task!.axis, 0, floorDiv(task!.n, 2) + 1)),
  ),
)

/** All n elements of a transform that is known up to the middle: those beyond mirror the conjugates of the first. */
const mirrored = (parts: readonly Node[], { axis, n }: Task): readonly Node[] => {
  const count = floorDiv(n, 2) + 1
  const known = parts.map((p) => sized(p, axis, count))
  const rest = n - count
  if (rest === 0) return known
  return known.map((p, i) => {
    const tail = build.flip([narrowNode(p, axis, 1, 1 + rest)], { axes: [axis] })
    return build.concat([p, i === 0 ? tail : build.neg([tail], {})], { axis })
  })
}

type RealInverse = {
  (options?: FftOptions): <D extends DType>(x: Complex<Shape, D>) => Tensor<Shape, FloatOf<D>>
  <D extends DType>(x: Complex<Shape, D>, options?: FftOptions): Tensor<Shape, FloatOf<D>>
}

/**
 * The inverse of `rfft`: a real tensor of `n` elements, 2 (m - 1) of them by default, from the first m elements of its
 * transform. What the imaginary parts of the first and of the middle element would add is dropped (numpy.fft.irfft).
 * @example
 * T.reference(T.irfft([T.tensor([10, -2, -2]), T.tensor([0, 2, 0])])).data // => [1, 2, 3, 4]
 */
export const irfft: RealInverse = dualWith('T.irfft', 1, fftOptions, (x: Complex, o: FftOptions = {}) => {
  const tasks = one('T.irfft', o, 1, (m) => 2 * (m - 1))
  return transformed('T.irfft', partsOf('T.irfft', x), tasks, realOnly, (parts, [task]) => mirrored(parts, task!))[0]!
})

/** Lengths and axes (all by default), and the scaling. */
export interface FftnOptions {
  readonly s?: readonly number[] | undefined
  readonly axes?: readonly number[] | undefined
  readonly norm?: FftNorm | undefined
}

const fftnOptions: OptionNames<FftnOptions> = { s: 'own', axes: 'own', norm: 'own' }

type ManyTransform = {
  (options?: FftnOptions): <D extends DType>(x: Complex<Shape, D>) => Complex<Shape, FloatOf<D>>
  <D extends DType>(x: Complex<Shape, D>, options?: FftnOptions): Complex<Shape, FloatOf<D>>
}

const several =
  (name: string, direction: Direction, otherwise: ((rank: number) => readonly number[]) | undefined) =>
  (x: Complex, { s, axes, norm }: FftnOptions = {}): readonly Tensor[] => {
    demandChoice(name, 'norm', norm, norms)
    if (s !== undefined) demandList(name, s, 'lengths s', `${name}(x, { s: [4, 4] })`)
    if (axes !== undefined) demandList(name, axes, 'axes', `${name}(x, { axes: [0, 1] })`)
    return transformed(name, partsOf(name, x), (shape) => {
      const all = shape.map((_, i) => i)
      const chosen = axes ?? otherwise?.(shape.length) ?? (s ? all.slice(all.length - s.length) : all)
      if (s && s.length !== chosen.length) return E.left({ reason: `${s.length} lengths for ${chosen.length} axes` })
      const tasks: Task[] = []
      for (const [i, axis] of chosen.entries()) {
        const task = taskOf(shape, { axis, ...(s ? { n: s[i]! } : {}), ...(norm ? { norm } : {}) }, direction)
        if (E.isLeft(task)) return task
        if (tasks.some((t) => t.axis === task.right.axis))
          return E.left({ reason: `axis ${axis} is named twice`, axis })
        tasks.push(task.right)
      }
      return E.right(tasks)
    })
  }

const lastTwo = (): readonly number[] => [-2, -1]

/**
 * The Fourier transform along several `axes` (all of them, or as many of the last as `s` has lengths); `norm` as `fft`
 * (numpy.fft.fftn).
 * @example
 * const x = T.tensor([[1, 0], [0, 0]])
 * T.reference(T.fftn([x, T.zerosLike(x)])).map((t) => t.data) // => [[1, 1, 1, 1], [0, 0, 0, 0]]
 */
export const fftn: ManyTransform = dualWith('T.fftn', 1, fftnOptions, several('T.fftn', -1, undefined))

/**
 * The inverse of `fftn`, with the same options (numpy.fft.ifftn).
 * @example
 * const x = T.tensor([[4, 0], [0, 0]])
 * T.reference(T.ifftn([x, T.zerosLike(x)])).map((t) => t.data) // => [[1, 1, 1, 1], [0, 0, 0, 0]]
 */
export const ifftn: ManyTransform = dualWith('T.ifftn', 1, fftnOptions, several('T.ifftn', 1, undefined))

/**
 * The Fourier transform along the last two axes, or two others; options as `fftn` (numpy.fft.fft2).
 * @example
 * const x = T.tensor([[1, 0], [0, 0]])
 * T.reference(T.fft2([x, T.zerosLike(x)])).map((t) => t.data) // => [[1, 1, 1, 1], [0, 0, 0, 0]]
 */
export const fft2: ManyTransform = dualWith('T.fft2', 1, fftnOptions, several('T.fft2', -1, lastTwo))

/**
 * The inverse of `fft2`, with the same options (numpy.fft.ifft2).
 * @example
 * const x = T.tensor([[4, 0], [0, 0]])
 * T.reference(T.ifft2([x, T.zerosLike(x)])).map((t) => t.data) // => [[1, 1, 1, 1], [0, 0, 0, 0]]
 */
export const ifft2: ManyTransform = dualWith('T.ifft2', 1, fftnOptions, several('T.ifft2', 1, lastTwo))
