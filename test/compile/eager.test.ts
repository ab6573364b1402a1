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

  it('keeps on the device what is donated, and takes columns of any length', async () => {
    let traced = 0
    const f = (sums: { total: T.Tensor; count: T.Tensor }, { xs }: { xs: T.Tensor }) => {
      traced++
      const total = T.add(sums.total, T.sum(T.cast(xs, 'i32')))
      return { sums: { total, count: T.add(sums.count, 1) }, largest: T.max(xs) }
    }
    const start = { total: T.tensor(0), count: T.tensor(0) }
    const add = T.jit(f, { donate: [0] })
    const column = (...values: number[]) => ({ xs: { shape: [values.length], data: Uint8Array.from(values) } })
    const first = await add(start, column(1, 200))
    expect([first.sums.total.kind, first.sums.total.dtype]).toEqual(['resident', 'i32'])
    const second = await add(first.sums, column(3, 4))
    expect(first.sums.total.consumed).toBe(true)
    expect(traced).toBe(1)
    // A last batch that is smaller, and one of another dtype, are programs of their own.
    const third = await add(second.sums, column(5))
    expect([await third.largest.item(), third.largest.dtype]).toEqual([5, 'u8'])
    const { sums } = await add(third.sums, { xs: { shape: [1], data: Int16Array.of(-13) } })
    expect(traced).toBe(3)
    expect(await T.read(sums)).toEqual({ total: Int32Array.of(200), count: Int32Array.of(4) })
    await expect(add(sums, { xs: { shape: [2], data: Uint8Array.of(1) } })).rejects.toThrow(
      'got 1 elements, u8[2] has 2',
    )
    expect(await sums.total.item()).toBe(200)
  })

  it('gives handles of what is kept, without donating', async () => {
    const twice = T.jit((x: T.Tensor) => ({ x: T.mul(x, 2), sum: T.sum(x) }), { keep: ['x'] })
    const once = await twice({ shape: [2], data: Float32Array.of(1, 2) })
    expect([once.x.kind, once.sum.kind, await once.sum.item()]).toEqual(['resident', 'value', 3])
    await twice(once.x)
    expect(Array.from(await once.x.read())).toEqual([2, 4])
  })
})
