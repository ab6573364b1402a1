/** What a run takes as an argument, and what it says of the rest, before anything is changed. */
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import { sharedDevice } from '../device.ts'

const double = async (shape: readonly number[], dtype: T.DType = 'f32') => {
  const program = await T.compileOn(await sharedDevice(), (x: T.Tensor) => T.mul(x, 2), [T.spec(shape, dtype)])
  return async (x: unknown): Promise<readonly number[]> => Array.from(await (await program.run(x as never)).read())
}

describe('memory that threads share', () => {
  it.each(['f32', 'i32', 'u32'] as const)('%s is copied, not handed to the device', async (dtype) => {
    const shared = new SharedArrayBuffer(16)
    const values = { f32: new Float32Array(shared), i32: new Int32Array(shared), u32: new Uint32Array(shared) }[dtype]
    values.set([1, 2, 3, 4])
    expect(await (await double([4], dtype))(values)).toEqual([2, 4, 6, 8])
  })
})

describe('what is no argument', () => {
  const cases: readonly (readonly [name: string, value: unknown, text: string])[] = [
    ['nothing', undefined, 'missing: the program takes a f32[2] here'],
    ['a record', {}, 'got object, f32[2] was expected'],
    ['a shape that is null', { shape: null, data: [1, 2] }, 'got object, f32[2] was expected'],
    ['data that is a number', { shape: [2], data: 5 }, 'got object, f32[2] was expected'],
    ['another shape', { shape: [1, 2], data: [1, 2] }, 'got shape [1, 2], f32[2] was expected'],
    ['a DataView', new DataView(new ArrayBuffer(8)), 'got DataView for f32[2]'],
    ['a text', 'ab', 'got string, f32[2] was expected'],
    ['rows', [[1], [2]], 'element 0 is a list, f32[2] was expected'],
  ]
  it.each(cases)('%s', async (_name, value, text) => {
    await expect((await double([2]))(value)).rejects.toThrow(text)
  })

  it('is a result that another copy of the runtime made', async () => {
    const foreign = { kind: 'resident', path: '', shape: [2], dtype: 'f32', consumed: false, read: async () => [1, 2] }
    await expect((await double([2]))(foreign)).rejects.toThrow('it is a result of another copy of the runtime')
  })
})
