/** Tensors that lie in several buffers: uploaded, kept, given back, moved out of the way and read like any other. */
import { expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import { sharedDevice } from '../device.ts'

const profile = { ...T.portable, maxBindingBytes: 1024, maxBufferBytes: 2048 }
const n = 3000
const start = Float32Array.from({ length: n }, (_, i) => i)

it('state is updated in place, other results lie in buffers of their own', async () => {
  const device = await sharedDevice()
  const f = ({ x }: { readonly x: T.Tensor }, y: T.Tensor): unknown => ({
    x: T.add(x, y),
    double: T.mul(x, 2),
    sum: T.sum(y),
  })
  const program = await T.compileOn(device, f as never, [{ x: T.spec([n]) }, T.spec([n])] as never, {
    donate: [0],
    keep: ['double'],
    profile,
  })
  type Results = { readonly [K in 'x' | 'double' | 'sum']: { readonly read: () => Promise<Float32Array> } }
  const run = program.run as unknown as (...xs: readonly unknown[]) => Promise<Results>
  const ones = new Float32Array(n).fill(1)
  const first = await run({ x: start }, ones)
  const second = await run({ x: first.x }, first.double)
  expect(Array.from(await first.double.read())).toEqual(Array.from(start, (x) => 2 * x))
  expect(Array.from(await second.x.read())).toEqual(Array.from(start, (x) => x + 1 + 2 * x))
  // A new start: what the arena held moves out of its way first.
  const third = await run({ x: start }, ones)
  expect(Array.from(await second.x.read())).toEqual(Array.from(start, (x) => 3 * x + 1))
  expect(Array.from(await third.x.read())).toEqual(Array.from(start, (x) => x + 1))
  expect((await third.sum.read())[0]).toBe(n)
})
