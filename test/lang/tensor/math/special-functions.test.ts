/** polygamma against values computed to 40 digits, derivatives of any order against its next ones, on the interpreter and in WGSL. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import { freshInputs } from '../../../../src/lang/build.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Value } from '../../../../src/lang/primitive.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../../src/lang/types/tensor.ts'
import { runDevice } from '../../../differential.ts'
import { mistakeOf } from '../run.ts'

const x: Value = { shape: [6], dtype: 'f32', data: Float64Array.of(0.5, 3, 20, 0.1, -0.3, -1.25).map(Math.fround) }

type Function = (x: Tensor) => Tensor
const slope =
  (f: Function): Function =>
  (at) =>
    T.grad((v: Tensor) => T.sum(f(v)))(at)

/** Both backends' values of functions of x. */
const both = async (...fs: readonly Function[]): Promise<readonly (readonly [Value, Value])[]> => {
  const inputs = freshInputs([x])
  const graph = { inputs, outputs: fs.map((f) => nodeOf(f(tensorOf(inputs[0]!)))) }
  const exact = evaluate(graph, [x])
  return (await runDevice(graph, [x])).map((got, i) => [exact[i]!, got])
}

const close = (got: Value, want: ArrayLike<number>, relative: number): void =>
  got.data.forEach((v, i) => {
    expect(Math.abs(v / want[i]! - 1), `${v} at ${x.data[i]}, not ${want[i]}`).toBeLessThan(relative)
  })

// biome-ignore format: polygamma(n, x) by arbitrary precision, a line an order
const known: readonly (readonly number[])[] = [
  [4.934802200544679, 0.39493406684822646, 0.05127082293520312, 101.43329616778679, 13.945159461485094, 19.181879647671607],
  [-16.82879664423432, -0.15411380631918858, -0.0026281224023146548, -2001.8613679646548, 67.63907206106259, 123.72136678366236],
  [97.40909103400244, 0.11893940226682916, 0.0002693742213396389, 60004.509300488455, 766.6197744066671, 1558.2209125348506],
  [-771.4742498266672, -0.13626612344087824, -4.140597772639667e-05, -2400015.4283891665, 9731.832981718053, 24481.063714184584],
]

describe('polygamma', () => {
  test('is the n-th derivative of digamma, which is the one of lgamma', async () => {
    const results = await both(...[1, 2, 3, 4].map((n) => T.polygamma(n)))
    results.forEach(([exact, got], i) => {
      close(exact, known[i]!, 1e-6)
      close(got, known[i]!, 5e-6)
    })
  })
  test('derivatives of every order agree with it', async () => {
    const second = slope(slope(T.lgamma))
    const results = await both(second, slope(second), slope(slope(second)), slope(T.polygamma(3)))
    results.forEach(([exact, got], i) => {
      close(exact, known[i]!, 1e-6)
      close(got, known[i]!, 1e-5)
    })
  })
  test('poles, n = 0 and mistakes', () => {
    const at = T.tensor([0, -2, Number.POSITIVE_INFINITY])
    expect(T.reference(T.polygamma(at, 1)).data).toEqual(Float32Array.of(Infinity, Infinity, 0))
    expect(T.polygamma(at, 0)).toBe(T.digamma(at))
    expect(mistakeOf(T.polygamma(at, -1))).toMatchObject({ tag: 'ShapeError', op: 'T.polygamma' })
    for (const n of [1.5, 171, 1e10]) expect(mistakeOf(T.polygamma(at, n)).reason).toContain(`n = ${n} is not`)
  })
})

test('erfinv differentiates twice: y = √π/2·exp(y²), y″ = 2·y·y′²', async () => {
  const f: Function = (v) => T.erfinv(T.mul(v, 0.04) as Tensor)
  const [[, y], [exact, first], [, second]] = (await both(f, slope(f), slope(slope(f)))) as [
    readonly [Value, Value],
    readonly [Value, Value],
    readonly [Value, Value],
  ]
  const want = Array.from(y.data, (v) => 0.04 * (Math.sqrt(Math.PI) / 2) * Math.exp(v * v))
  close(exact, want, 1e-6)
  close(first, want, 1e-6)
  close(
    second,
    want.map((d, i) => 2 * y.data[i]! * d * d),
    2e-6,
  )
})
