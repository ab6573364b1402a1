/** Fourier transforms against the sum that defines them, their laws, derivatives, options, and how many dispatches they take. */
import { describe, expect, it, test } from 'vitest'
import { hardware, software } from '../../../../codegen/targets/wgsl/profiles.ts'
import { vmap } from '../../../../passes/transform/vmap.ts'
import { freshInputs } from '../../../../src/lang/build.ts'
import type { Complex, FftNorm, FftnOptions, FftOptions } from '../../../../src/lang/tensor/index.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import { checkGrad } from '../../../../src/testing/check-grad.ts'
import { planOf, runDevice, runKernelInterp } from '../../../differential.ts'
import { noise } from '../../ops/rules.ts'
import { flat, mistakeOf } from '../run.ts'

type Numbers = readonly [re: readonly number[], im: readonly number[]]

const drawn = (n: number, seed: number): readonly number[] => Array.from(noise('f32', [n], seed).data, Math.fround)
const pairOf = (n: number): Numbers => [drawn(n, n + 1), drawn(n, n + 2)]
const vector = (x: readonly number[]): Tensor => T.fromArray(Float32Array.from(x), [x.length]) as Tensor
const tensors = ([re, im]: Numbers): Complex => [vector(re), vector(im)]

/** The sum that defines the transform, in Float64. */
const naive = ([re, im]: Numbers, sign: number): Numbers => {
  const n = re.length
  const out: [number[], number[]] = [[], []]
  for (let k = 0; k < n; k++) {
    let [a, b] = [0, 0]
    for (let j = 0; j < n; j++) {
      const angle = (sign * 2 * Math.PI * ((j * k) % n)) / n
      a += re[j]! * Math.cos(angle) - im[j]! * Math.sin(angle)
      b += re[j]! * Math.sin(angle) + im[j]! * Math.cos(angle)
    }
    out[0].push(a)
    out[1].push(b)
  }
  return out
}

/** The largest error, relative to the norm of what is wanted. */
const errorOf = (got: readonly ArrayLike<number>[], want: readonly (readonly number[])[]): number => {
  const norm = Math.hypot(...want.flat()) || 1
  return Math.max(...want.map((w, i) => Math.max(...w.map((x, k) => Math.abs(x - got[i]![k]!))))) / norm
}

const lengths = [...Array.from({ length: 40 }, (_, i) => i + 1), 64, 97, 128, 134, 1000]

describe('against the definition', () => {
  test.each(lengths)('%i elements', (n) => {
    const x = pairOf(n)
    expect(errorOf(T.fft(tensors(x)).map(flat), naive(x, -1))).toBeLessThan(1e-6)
    const back = naive(x, 1).map((p) => p.map((v) => v / n))
    expect(errorOf(T.ifft(tensors(x)).map(flat), back)).toBeLessThan(1e-6)
    const half = naive([x[0], x[0].map(() => 0)], -1).map((p) => p.slice(0, Math.floor(n / 2) + 1))
    expect(errorOf(T.rfft(vector(x[0])).map(flat), half)).toBeLessThan(1e-6)
    expect(errorOf([flat(T.irfft(T.rfft(vector(x[0])), { n }))], [x[0]])).toBeLessThan(1e-6)
  })
  test('in kernels, which round every term', async () => {
    const sizes = [5, 12, 67, 97, 128, 1000]
    const inputs = freshInputs(sizes.flatMap((n) => [0, 1].map(() => ({ shape: [n], dtype: 'f32' }) as const)))
    const pairs = sizes.map((_, i) => [tensorOf(inputs[2 * i]!), tensorOf(inputs[2 * i + 1]!)] as Complex)
    const graph = { inputs, outputs: pairs.flatMap((p) => T.fft(p)).map(nodeOf) }
    const values = sizes.flatMap((n) =>
      pairOf(n).map((data) => ({ shape: [n], dtype: 'f32' as const, data: Float64Array.from(data) })),
    )
    for (const got of [runKernelInterp(graph, values), await runDevice(graph, values, software)])
      sizes.forEach((n, i) => {
        const parts = got.slice(2 * i, 2 * i + 2).map((v) => v.data)
        expect(errorOf(parts, naive(pairOf(n), -1)), `length ${n}`).toBeLessThan(1e-6)
      })
  })
})

describe('laws', () => {
  test.each([1, 7, 30, 97, 128])('of %i elements', (n) => {
    const x = pairOf(n)
    for (const norm of ['backward', 'ortho', 'forward'] as const satisfies readonly FftNorm[])
      expect(errorOf(T.ifft(T.fft(tensors(x), { norm }), { norm }).map(flat), x)).toBeLessThan(1e-6)
    const energy = (z: readonly (readonly number[])[]): number => z.flat().reduce((s, v) => s + v * v, 0)
    expect(energy(T.fft(tensors(x), { norm: 'ortho' }).map(flat)) / energy(x)).toBeCloseTo(1, 5)
  })
  it('goes along any axis, of any length', () => {
    const x = drawn(24, 3)
    const cube = T.reshape(vector(x), [2, 3, 4]) as Tensor
    const zero = T.zerosLike(cube)
    const [re, im] = T.fft([cube, zero], { axis: 1, n: 5 })
    expect(re.shape).toEqual([2, 5, 4])
    const column = (p: Tensor): readonly number[] => flat(T.select(T.select(p, 1), 2, { axis: 1 }))
    const line = [...column(cube), 0, 0]
    expect(errorOf([column(re), column(im)], naive([line, line.map(() => 0)], -1))).toBeLessThan(1e-6)
    expect(T.fft([cube, zero], { n: 2 })[0].shape).toEqual([2, 3, 2])
    expect(T.irfft([cube, zero])).toHaveProperty('shape', [2, 3, 6])
  })
  it('of several axes is one of each after another', () => {
    const pair: Complex = [T.reshape(vector(drawn(12, 3)), [3, 4]), T.reshape(vector(drawn(12, 4)), [3, 4])] as never
    const want = T.fft(T.fft(pair, { axis: 0 }), { axis: 1 }).map(flat)
    const close = (z: Complex, w: readonly (readonly number[])[]): void =>
      expect(errorOf(z.map(flat), w)).toBeLessThan(1e-6)
    close(T.fftn(pair), want)
    close(T.fft2(pair), want)
    close(T.ifftn(T.fftn(pair, { norm: 'ortho' }), { norm: 'ortho' }), pair.map(flat))
    close(T.ifft2(T.fft2(pair)), pair.map(flat))
    expect(T.fftn(pair, { s: [8] })[0].shape).toEqual([3, 8])
    expect(T.fftn(pair, { s: [5, 8] })[1].shape).toEqual([5, 8])
  })
  it('takes batches without elements, and maps over batches', () => {
    expect(T.fft([T.zeros([0, 4]), T.zeros([0, 4])])[0].shape).toEqual([0, 4])
    const x = T.reshape(vector(drawn(70, 5)), [2, 35]) as Tensor
    const got = vmap((v: Tensor) => T.rfft(v))(x as never) as unknown as Complex
    expect(errorOf(got.map(flat), T.rfft(x).map(flat))).toBeLessThan(1e-6)
  })
  it('shifts and counts frequencies', () => {
    expect(flat(T.fftfreq(5, { d: 2 }))).toEqual([0, 0.1, 0.2, -0.2, -0.1].map(Math.fround))
    expect(flat(T.rfftfreq(5))).toEqual([0, 0.2, 0.4].map(Math.fround))
    expect(flat(T.fftshift(T.arange(5)))).toEqual([3, 4, 0, 1, 2])
    for (const n of [4, 5]) expect(flat(T.ifftshift(T.fftshift(T.arange(n))))).toEqual(flat(T.arange(n)))
  })
})

test.each([6, 36, 67])('derivatives of %i elements', (n) => {
  const [re, im] = tensors(pairOf(n))
  checkGrad((x: Tensor, y: Tensor) => T.fft([x, y]), [re, im], { maxElements: 6 })
  checkGrad((x: Tensor) => T.rfft(x), [re], { maxElements: 6 })
  checkGrad((x: Tensor, y: Tensor) => T.irfft([x, y]), [re, im], { maxElements: 6 })
})

test('a thousand and twenty-four elements take few dispatches', () => {
  const inputs = freshInputs([0, 1].map(() => ({ shape: [8, 1024], dtype: 'f32' }) as const))
  const pair = inputs.map((n) => tensorOf(n)) as unknown as Complex
  const count = (outputs: readonly Tensor[], profile = software): number =>
    planOf({ inputs, outputs: outputs.map(nodeOf) }, profile).plan.prediction.dispatches
  expect([count(T.fft(pair)), count(T.rfft(pair[0])), count(T.fft(pair), hardware)]).toEqual([4, 4, 2])
})

test('refusals', () => {
  const x = T.ones([4])
  const refused = (o: FftOptions): string => mistakeOf(T.fft([x, x], o)[0]).reason
  const refusedMany = (o: FftnOptions): string => mistakeOf(T.fftn([x, x], o)[0]).reason
  expect(refused({ axis: 1 })).toMatch(/axis 1/)
  expect(refused({ n: 0 })).toBe('a transform of 0 elements')
  expect(mistakeOf(T.fft([x, T.ones([3])])[1]).reason).toBe('the parts have shapes [4] and [3]')
  expect(refusedMany({ s: [2, 2], axes: [0] })).toBe('2 lengths for 1 axes')
  expect(refusedMany({ axes: [0, -1] })).toBe('axis -1 is named twice')
  expect(() => T.fftfreq(0)).toThrow('T.fftfreq of 0 samples')
})
