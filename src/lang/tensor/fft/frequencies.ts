/** The frequencies that the elements of a Fourier transform stand for, and their order. */
import * as E from '#fp/Either'
import { constant } from '../../build.ts'
import { ceilDiv, floorDiv, type Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import { raise } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandRecord, type OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { onTensor, refuse, resolveAxes } from '../operand.ts'
import { type AxisOptions, axisOptions, rollNode } from '../shape/reordering.ts'

/** The distance of the samples, 1 by default. */
export interface FrequencyOptions {
  readonly d?: number | undefined
}

const frequencyOptions: OptionNames<FrequencyOptions> = { d: 'finite' }

const frequencies = (
  name: string,
  n: number,
  options: FrequencyOptions,
  indexOf: (n: number) => readonly number[],
): Tensor<readonly [number], 'f32'> => {
  demandRecord(name, frequencyOptions, options)
  const { d = 1 } = options
  return Number.isInteger(n) && n >= 1
    ? tensorOf(
        constant(
          { shape: [indexOf(n).length], dtype: 'f32' },
          indexOf(n).map((k) => Math.fround(k / (n * d))),
        ),
      )
    : raise({
        tag: 'UsageError',
        message: `${name} of ${n} samples`,
        hint: 'give a whole number of samples, at least 1',
      })
}

/**
 * The frequencies k / (n d) of the elements of a Fourier transform of `n` samples at distance `d`: 0 and the positive ones,
 * then the negative ones (numpy.fft.fftfreq). UsageError unless n is a whole number ≥ 1.
 * @example
 * T.reference(T.fftfreq(4)).data // => [0, 0.25, -0.5, -0.25]
 */
export const fftfreq = (n: number, options: FrequencyOptions = {}): Tensor<readonly [number], 'f32'> =>
  frequencies('T.fftfreq', n, options, (count) =>
    Array.from({ length: count }, (_, k) => (k < ceilDiv(count, 2) ? k : k - count)),
  )

/**
 * The frequencies k / (n d) of the ⌊n/2⌋ + 1 elements of `rfft` (numpy.fft.rfftfreq). UsageError unless n is a whole
 * number ≥ 1.
 * @example
 * T.reference(T.rfftfreq(4)).data // => [0, 0.25, 0.5]
 */
export const rfftfreq = (n: number, options: FrequencyOptions = {}): Tensor<readonly [number], 'f32'> =>
  frequencies('T.rfftfreq', n, options, (count) => Array.from({ length: floorDiv(count, 2) + 1 }, (_, k) => k))

type Shift = {
  (options?: AxisOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: AxisOptions): Tensor<S, D>
}

const shifting =
  (name: string, by: (n: number) => number) =>
  (x: Tensor, { axis }: AxisOptions = {}): Tensor =>
    onTensor(name, x, (n, { shape }) => {
      const axes = resolveAxes(axis, shape.length)
      if (E.isLeft(axes)) return refuse(name, [n], axes.left)
      return axes.right.reduce((m: Node, a) => rollNode(m, a, by(shape[a]!)), n)
    })

/**
 * The element of frequency 0 moved to the middle of `axis` (one, several, all by default); of a pair, each part by itself
 * (numpy.fft.fftshift).
 * @example
 * T.reference(T.fftshift(T.fftfreq(4))).data // => [-0.5, -0.25, 0, 0.25]
 */
export const fftshift: Shift = dataFirstWith(
  'T.fftshift',
  1,
  axisOptions,
  shifting('T.fftshift', (n) => floorDiv(n, 2)),
)

/**
 * The inverse of `fftshift` (numpy.fft.ifftshift).
 * @example
 * T.reference(T.ifftshift(T.fftshift(T.fftfreq(5)))).data // => [0, 0.2, 0.4, -0.4, -0.2]
 */
export const ifftshift: Shift = dataFirstWith(
  'T.ifftshift',
  1,
  axisOptions,
  shifting('T.ifftshift', (n) => -floorDiv(n, 2)),
)
