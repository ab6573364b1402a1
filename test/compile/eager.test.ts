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

  it('says again what does not compile', async () => {
    const wrong = T.jit((x: T.Tensor) => T.add(x, T.ones([3])))
    const told = 'T.add: shapes [2] and [3] do not broadcast'
    for (let i = 0; i < 2; i++) await expect(wrong(T.tensor([1, 2]))).rejects.toThrow(told)
  })
})
