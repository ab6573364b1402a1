/** fmax and fmin where their operands tie or are NaN; quotients and powers that no integer is. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat, mistakeOf } from '../run.ts'

const a = T.tensor([1, 2, Number.NaN, 3, Number.NaN, 5], { dtype: 'f32' })
const b = T.tensor([1, 3, 4, Number.NaN, Number.NaN, 2], { dtype: 'f32' })
const slopes = (f: (x: Tensor, y: Tensor) => Tensor): readonly (readonly number[])[] =>
  (T.grad((p: readonly Tensor[]) => T.sum(f(p[0]!, p[1]!)))([a, b]) as readonly Tensor[]).map(flat)

test('numbers win over NaN, and the first operand has the gradient of a tie', () => {
  expect(flat(T.fmax(a, b))).toEqual([1, 3, 4, 3, Number.NaN, 5])
  expect(flat(T.fmin(a, b))).toEqual([1, 2, 4, 3, Number.NaN, 2])
  expect(slopes(T.fmax)).toEqual([
    [1, 0, 0, 1, 1, 1],
    [0, 1, 1, 0, 0, 0],
  ])
  expect(slopes(T.fmin)).toEqual([
    [1, 1, 0, 1, 1, 0],
    [0, 0, 1, 0, 0, 1],
  ])
})

test('a quotient is rounded down where the remainder is smaller than a device holds', async () => {
  const [x, y] = [
    [-1.6625447791064356e-38, 1.6625447791064356e-38, -7, 3e38, -0, 5],
    [1.377192487362423e-38, 1.377192487362423e-38, 2, 2e-38, 2e-38, 0],
  ].map((data) => T.tensor(data, { dtype: 'f32' }))
  const want = [-2, 1, -4, Infinity, -0, Infinity]
  const device = (await T.jit(T.floorDivide as never)(x as never, y as never)) as unknown as T.HostTensor
  for (const got of [flat(T.floorDivide(x!, y!)), Array.from(device.data)])
    expect(got.map((v) => v + 0)).toEqual(want.map((v) => v + 0))
})

describe('what no integer is the result of', () => {
  const ints = T.tensor([7, -7, 0])
  const large = T.fromArray(
    Array.from({ length: 100 }, (_, i) => i - 50),
    [100],
    { dtype: 'i32' },
  )
  const byZero: readonly T.Tensor[] = [
    T.tensor([1, 0, 2]),
    T.cast(T.tensor([1, 0, 2], { dtype: 'u8' }), 'i32'),
    T.reshape(T.zeros([1], { dtype: 'i32' }), []),
  ]

  test.each(['floorDivide', 'remainder', 'fmod'] as const)('%s by a constant 0 is refused', (name) => {
    const f = T[name] as (a: unknown, b: unknown) => T.Tensor
    for (const [a, b] of [[ints, 0], [large, large], [7, T.tensor([1, 0])], ...byZero.map((b) => [ints, b])])
      expect(mistakeOf(f(a, b))).toMatchObject({
        op: `T.${name}`,
        reason: 'divides i32 by 0, which no integer is the result of',
      })
    expect(mistakeOf(T.pipe(ints, (f as (b: number) => never)(0))).op).toBe(`T.${name}`)
    // Floats have a result, bools are no divisors, and what is only known when the program runs is documented.
    expect(flat(f(T.tensor([1.5]), 0))).toEqual([name === 'floorDivide' ? Number.POSITIVE_INFINITY : Number.NaN])
    expect(flat(f(ints, T.tensor([2, 3, 4])))).toHaveLength(3)
    expect(flat(f(ints, T.cast(T.tensor([0.5, 1, 2]), 'bool') as never))).toHaveLength(3)
    expect(T.compile((b) => f(T.tensor([7]), b), [T.spec([1], 'i32')])).toMatchObject({ _tag: 'Right' })
  })

  test('pow with a constant exponent below 0 is refused', () => {
    const refused = { op: 'T.pow', reason: 'the exponent is negative, and i32 has no fractions' }
    for (const made of [
      T.pow(T.tensor([2]), -1),
      T.pow(2, T.tensor([1, -1])),
      T.pow(large, large),
      T.pow(T.tensor([2]), T.reshape(T.tensor([-2]), [])),
      T.pipe(ints, T.pow(-1)),
    ])
      expect(mistakeOf(made as never)).toMatchObject(refused)
    expect(flat(T.pow(T.tensor([2.5]), -1))).toEqual([Math.fround(0.4)])
    expect(flat(T.pow(ints, T.tensor([2, 3, 0])))).toEqual([49, -343, 1])
    expect(flat(T.pow(ints, T.cast(T.tensor([-0.5]), 'i32')))).toEqual([1, 1, 1])
    // u32 wraps what is cast to it: its exponents are never below 0.
    expect(T.pow(T.tensor([2], { dtype: 'u32' }), T.cast(T.tensor([-1]), 'u32')).dtype).toBe('u32')
    expect(T.compile((b) => T.pow(T.tensor([2]), b), [T.spec([1], 'i32')])).toMatchObject({ _tag: 'Right' })
  })
})
