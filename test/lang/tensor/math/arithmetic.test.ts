/** fmax and fmin where their operands tie or are NaN. */
import { expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { Tensor } from '../../../../src/lang/types/tensor.ts'
import { flat } from '../run.ts'

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
