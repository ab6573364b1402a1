/** Programs of packed dtypes from end to end: what is moved, what stays on the device, what is refused. */
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { compile, orThrow, spec, toPromise } from '../../src/compile/compile.ts'
import { reference } from '../../src/compile/host.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { storeOf } from '../../src/runtime/resident.ts'
import { sharedDevice } from '../device.ts'

const bf16 = (...xs: number[]): Float32Array => Float32Array.from(xs)

describe('packed dtypes on the device', () => {
  it('move one or two bytes an element', () => {
    const bytesOf = (dtype: 'f32' | 'bf16' | 'i8' | 'u8'): number =>
      orThrow(compile((x) => T.add(x, x), [spec([1024], dtype)])).plan.prediction.bytes
    expect(bytesOf('f32')).toBe(8192)
    expect([bytesOf('bf16'), bytesOf('i8'), bytesOf('u8')]).toEqual([4096, 2048, 2048])
  })

  it('give what the interpreter gives, for sizes that fill words and sizes that do not', async () => {
    for (const n of [1, 3, 4, 9]) {
      const bytes = Int8Array.from({ length: n }, (_, i) => 50 * i - 128)
      const f = (x: Tensor, y: Tensor): readonly Tensor[] => [
        T.add(x, 100),
        T.mul(x, x),
        T.cast(x, 'u8'),
        T.exp(y),
        T.sum(x),
        T.mean(y),
      ]
      const floats = bf16(...Array.from(bytes, (v) => v / 64))
      const args = [T.fromArray(bytes, [n], { dtype: 'i8' }), T.fromArray(floats, [n], { dtype: 'bf16' })] as const
      const loaded = await toPromise(
        orThrow(compile(f, [spec([n], 'i8'), spec([n], 'bf16')])).load(await sharedDevice()),
      )
      const found = await Promise.all((await loaded.run(bytes, floats)).map((o) => o.read()))
      const expected = reference(f(...args)).map((v) => v.data)
      expect(found.slice(0, 3)).toEqual(expected.slice(0, 3))
      expect(found[4]).toEqual(expected[4])
      for (const k of [3, 5]) {
        const far = Array.from(found[k]!, (v, i) => Math.abs(v - expected[k]![i]!) - Math.abs(v) / 128)
        expect(Math.max(...far)).toBeLessThanOrEqual(0)
      }
    }
  })

  it('stay there as state that is given away, run after run', async () => {
    const step = (s: { readonly count: Tensor; readonly mean: Tensor }, x: Tensor) => ({
      count: T.add(s.count, 1),
      mean: T.add(T.mul(s.mean, 0.5), x),
    })
    const specs = [{ count: spec([3], 'u8'), mean: spec([5], 'bf16') }, spec([5], 'bf16')] as const
    const program = orThrow(compile(step as never, specs, { donate: [0] }))
    expect(program.plan.outputs.map((o) => [o.dtype, o.inPlaceOf])).toEqual([
      ['u8', 0],
      ['bf16', 1],
    ])
    const loaded = await toPromise(program.load(await sharedDevice()))
    type State = { readonly count: Uint8Array; readonly mean: Float32Array }
    let state = { count: Uint8Array.of(254, 0, 7), mean: bf16(0, 1, 2, 3, 4) } as unknown
    for (let i = 0; i < 3; i++) state = await loaded.run(state as never, bf16(1, 1, 1, 1, 1) as never)
    const { count, mean } = state as { readonly [K in keyof State]: { readonly read: () => Promise<State[K]> } }
    expect(storeOf(count)?.bytes).toBe(4)
    expect(await count.read()).toEqual(Uint8Array.of(1, 3, 10))
    expect(await mean.read()).toEqual(bf16(1.75, 1.875, 2, 2.125, 2.25))
  })

  it('take host arrays of their kind alone', async () => {
    const loaded = await toPromise(orThrow(compile((x) => T.neg(x), [spec([2], 'i8')])).load(await sharedDevice()))
    const run = loaded.run as (x: unknown) => Promise<{ readonly read: () => Promise<unknown> }>
    expect(await (await run([1, -128])).read()).toEqual(Int8Array.of(-1, -128))
    const refusal = async (x: unknown): Promise<string> => {
      try {
        await run(x)
        return 'taken'
      } catch (e) {
        return e instanceof TensorloomError ? JSON.stringify(e.error) : String(e)
      }
    }
    expect(await refusal([1, 128])).toMatch(/element 1 is 128, which is no i8/)
    expect(await refusal(Uint8Array.of(1, 2))).toMatch(/got Uint8Array for i8\[2\].*give Int8Array/)
  })
})

describe('f16', () => {
  it('is refused at loading where the device has no shader-f16, with the way out', async () => {
    const device = await sharedDevice()
    const program = orThrow(compile((x) => T.exp(x), [spec([4], 'f16')]))
    const loaded = await program.load(device)()
    if (device.gpu.features.has('shader-f16')) expect(E.isRight(loaded)).toBe(true)
    else
      expect(loaded).toMatchObject({
        left: { tag: 'UnsupportedFeature', feature: 'shader-f16', hint: expect.stringMatching(/cast f16 to 'f32'/) },
      })
  })
})
