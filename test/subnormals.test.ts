/** `compile` with `subnormals: 'keep'`: whole programs below 2^-126 give on the device what the reference gives. */
import { expect, test } from 'vitest'
import * as T from '../src/index.ts'
import { sharedDevice } from './device.ts'

const subnormals = 'keep'
const tiny = (n: number): T.Tensor => T.mul(T.sin(T.arange(1, n + 1, { dtype: 'f32' })), 2 ** -130)

const matching = (x: T.Tensor): Readonly<Record<string, T.Tensor>> => {
  const square = T.reshape(x, [8, 8])
  return {
    sum: T.sum(x),
    mean: T.mean(square, { axis: 1 }),
    product: T.matmul(square, T.mul(T.eye(8), 3)),
    largest: T.argmax(x),
    sorted: T.sort(x),
    running: T.cumsum(x),
    sign: T.sign(x),
    above: T.greater(x, 0),
    middle: T.clamp(x, { min: -1e-39, max: 1e-39 }),
    chosen: T.where(T.equal(x, 0), 1, T.div(x, 2 ** -140)),
    looped: T.foriLoop(0, 3, (_i, c) => T.mul(c, 0.5), x),
    gradient: T.grad((v: T.Tensor) => T.sum(T.mul(v, T.mul(v, 2 ** 100))))(x),
  }
}

test('reductions, products, routines, loops and gradients', async () => {
  const x = T.reference(tiny(64))
  const program = await T.compileOn(await sharedDevice(), matching, [T.spec([64])], { subnormals })
  const got = await program.run(x)
  const want = T.reference(matching(T.fromArray(x.data, [64])))
  for (const [name, { read }] of Object.entries(got)) {
    const { data, dtype } = want[name]!
    // Sums differ by the order of their terms.
    const unit = dtype === 'f32' ? 2 ** -149 : 0
    for (const [i, y] of Array.from(await read()).entries())
      expect(Math.abs(Number(y) - Number(data[i])), `${name}[${i}]`).toBeLessThanOrEqual(
        8 * unit + 2 ** -20 * Math.abs(Number(data[i])),
      )
  }
  expect(want['sum']!.data[0]).not.toBe(0)
})

test('constants', async () => {
  const program = await T.compileOn(await sharedDevice(), (x: T.Tensor) => T.add(x, 1e-40), [T.spec([2])], {
    subnormals,
  })
  expect([...(await (await program.run([0, -1e-40])).read())]).toEqual([Math.fround(1e-40), 0])
})

test('an emitted plan says so', () => {
  const compiled = (options: T.CompileOptions) =>
    T.orThrow(T.compile((x: T.Tensor) => T.add(x, 1), [T.spec([2])], options))
  expect(compiled({ subnormals }).plan.subnormals).toBe('keep')
  expect(compiled({}).plan.subnormals).toBe('device')
  expect(compiled({}).plan.kernels[0]!.wgsl).not.toContain('kept')
})
