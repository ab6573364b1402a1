/** Late errors name the line that made the node where it was asked to be remembered, and else say how to ask. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { sharedDevice } from '../device.ts'

const textOf = (result: T.Compiled): string => (result._tag === 'Left' ? T.showError(result.left) : 'no error')

test('a constant index, a limit of the target', () => {
  const wrong = (i: T.Tensor): T.Tensor => T.add(i, T.sum(T.take(T.ones([4]), T.tensor([9]))))
  expect(textOf(T.compile(wrong, [T.spec([2])], { provenance: true }))).toMatch(
    /^T\.take: index 9 at position \[0\] is out of range for an axis of size 4\n {2}at .*provenance\.test\.ts:\d+:\d+\n {2}hint: indices of this axis go from -4 to 3$/,
  )
  const tall = (x: T.Tensor): T.Tensor => T.sum(T.broadcastTo(x, [100_000, 100_000]))
  expect(textOf(T.compile(tall, [T.spec([])], { provenance: true }))).toMatch(/provenance\.test\.ts:\d+:\d+/)
  const narrow = { ...T.portable, storageBuffers: 1 }
  const copy = (x: T.Tensor): T.Tensor => T.add(x, 1)
  expect(textOf(T.compile(copy, [T.spec([10_000])], { profile: narrow, provenance: true }))).toMatch(
    /^storage buffers of one kernel: needs 2[\s\S]*provenance\.test\.ts:\d+:\d+/,
  )
})

test('an index that comes as an argument', async () => {
  const f = (i: T.Tensor<readonly [2], 'i32'>): T.Tensor => T.take(T.ones([4]), T.flip(i))
  const run = async (options: T.CompileOptions): Promise<string> => {
    const program = await T.compileOn(await sharedDevice(), f, [T.spec([2], 'i32')], options)
    return program.run([1, 7]).then(
      () => 'no error',
      (e: Error) => e.message,
    )
  }
  expect(await run({ provenance: true })).toMatch(/index 7 at position \[1\][\s\S]*provenance\.test\.ts:\d+:\d+/)
  // Indices are always told of late, so who indexes is remembered without being asked.
  expect(await run({})).toMatch(/^T\.take: index 7 at position \[1\][\s\S]*provenance\.test\.ts:\d+:\d+/)
})

test('the graph is the same, and so is its digest', () => {
  const f = (x: T.Tensor): T.Tensor => T.exp(T.mul(x, 2))
  const plan = (options: T.CompileOptions): unknown => T.orThrow(T.compile(f, [T.spec([4])], options)).plan
  expect(plan({ provenance: true })).toEqual(plan({}))
})
