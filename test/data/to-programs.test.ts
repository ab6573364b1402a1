/** What `tensorloom/data` reads and cuts goes into programs as it is. */
import { expect, expectTypeOf, test } from 'vitest'
import * as data from '../../src/data/index.ts'
import * as T from '../../src/index.ts'

test('columns of an IDX file, shorts among them, and the parts of a split, by name', async () => {
  const bytes = Uint8Array.of(0, 0, 11, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 1, 255, 254, 0, 3, 1, 0)
  const x = T.orThrow(data.parseIdx(bytes))
  const [train, rest] = data.split({ x }, [0.5, 0.5])
  expectTypeOf(data.split({ x }, given())).toEqualTypeOf<readonly { x: data.Column }[]>()
  const program = await T.compileOn(await T.defaultDevice(), (n, x) => T.add(T.sum(x), n), [
    T.spec([], 'i32'),
    T.spec([2, 1], 'i32'),
  ])
  let n = await T.put(T.tensor(10))
  for (const batch of data.batches(train, { size: 2 })) n = await program.run(n, batch.x)
  expect(await n.item()).toBe(9)
  expect(await (await program.run(0, rest.x)).item()).toBe(259)
  const unsigned = await T.compileOn(await T.defaultDevice(), (x) => T.add(x, 1), [T.spec([1], 'u32')])
  expect(await (await unsigned.run(Uint16Array.of(65535))).item()).toBe(65536)
  await expect(unsigned.run(Int16Array.of(1))).rejects.toThrow('got Int16Array for u32[1]')
})

const given = (): readonly number[] => [1]
