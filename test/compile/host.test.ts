/** Trees of arguments: which of their parts are values, and which are records whose keys only look like those of one. */
import { expect, it } from 'vitest'
import { hostArguments } from '../../src/compile/host.ts'
import * as T from '../../src/index.ts'
import { sharedDevice } from '../device.ts'

it('takes constant tensors apart, however deep they are', () => {
  const two = { shape: [1], dtype: 'i32', data: Int32Array.of(2) }
  expect(hostArguments([{ a: T.tensor([2]) }, [T.tensor([2]), 3]])).toEqual([{ a: two }, [two, 3]])
})

it.each(['read', 'write', 'data', 'dtype', 'shape', 'kind', 'gpu'])('a record may have a key %s', async (key) => {
  const f = (p: Readonly<Record<string, T.Tensor>>): T.Tensor => T.mul(p[key]!, p['other']!)
  const specs = { [key]: T.spec([2]), other: T.spec([2]) }
  const program = await T.compileOn(await sharedDevice(), f as never, [specs])
  const run = program.run as (p: unknown) => Promise<{ readonly read: () => Promise<ArrayLike<number>> }>
  const given = { [key]: T.tensor([1, 2], { dtype: 'f32' }), other: [3, 4] }
  expect(Array.from(await (await run(given)).read())).toEqual([3, 8])
})
