/** The default device: one for all who ask, and a new one where the old one is lost or did not come. */
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'

const lose = async (device: T.Device): Promise<void> => {
  device.destroy()
  await device.whenLost
}

describe('defaultDevice', () => {
  it('is opened anew after a loss, once for all who ask at the same time', async () => {
    const first = await T.defaultDevice()
    await lose(first)
    const [a, b] = await Promise.all([T.defaultDevice(), T.defaultDevice()])
    expect(a).not.toBe(first)
    expect(a).toBe(b)
    expect(a.lost()).toBeUndefined()
    expect(await T.defaultDevice()).toBe(a)
  })
})

describe('jit', () => {
  it('goes on after the device was lost', async () => {
    const double = T.jit((x: T.Tensor) => T.mul(x, 2))
    expect(Array.from((await double(T.tensor([1, 2]))).data)).toEqual([2, 4])
    await lose(await T.defaultDevice())
    expect(Array.from((await double(T.tensor([3, 4]))).data)).toEqual([6, 8])
  })

  it('takes numbers, booleans and strings as parts of the program', async () => {
    let traced = 0
    interface Options {
      readonly scale: number
      readonly shift?: boolean
      readonly mode: 'add' | 'mul'
    }
    const f = T.jit((x: T.Tensor, times: number, { scale, shift = false, mode }: Options) => {
      traced++
      const y = T.mul(x, times * scale)
      return shift ? (mode === 'add' ? T.add(y, x) : T.mul(y, x)) : y
    })
    const x = T.tensor([1, 2])
    const of = async (times: number, options: Options) => Array.from((await f(x, times, options)).data)
    expect(await of(2, { scale: 5, mode: 'add' })).toEqual([10, 20])
    expect(await of(2, { scale: 5, mode: 'add', shift: true })).toEqual([11, 22])
    expect(await of(2, { scale: 5, mode: 'mul', shift: true })).toEqual([10, 40])
    expect(await of(3, { scale: 5, mode: 'add' })).toEqual([15, 30])
    expect(traced).toBe(4)
    expect(await of(2, { scale: 5, mode: 'add' })).toEqual([10, 20])
    expect(traced).toBe(4)
  })

  it('says again what does not compile', async () => {
    const wrong = T.jit((x: T.Tensor) => T.add(x, T.ones([3])))
    const told = 'T.add: shapes [2] and [3] do not broadcast'
    for (let i = 0; i < 2; i++) await expect(wrong(T.tensor([1, 2]))).rejects.toThrow(told)
  })
})
