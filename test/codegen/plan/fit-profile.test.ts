/** Limits that hold for a whole program: the range of an index, the size of a workgroup, how many of them. */
import { expect, test } from 'vitest'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import * as T from '../../../src/index.ts'

const errorOf = (f: (x: T.Tensor) => unknown): unknown => {
  const made = T.compile(f as never, [T.spec([4])])
  return made._tag === 'Left' ? made.left : undefined
}

test('more elements than an index can count', () => {
  const limit = { tag: 'LimitError', limit: 2 ** 32 - 1, needed: 5e9 }
  expect(errorOf(() => T.max(T.arange(5e9, { dtype: 'f32' })))).toMatchObject(limit)
  expect(errorOf((x) => T.sum(T.broadcastTo(T.expandDims(x, 1), [4, 1.25e9])))).toMatchObject(limit)
})

test('a kernel of more invocations or workgroups than the target has', () => {
  const call = (workgroupSize: number, workgroups: number): ((x: T.Tensor) => unknown) =>
    T.customKernel({
      name: 'copied',
      inputs: ['x'],
      outputs: ['y'],
      infer: (inputs) => [inputs[0]!],
      wgsl: 'fn copied(workgroup: u32, local: u32) { y[local] = x[local]; }',
      workgroups: () => workgroups,
      workgroupSize,
      reference: (xs) => [xs[0]!.data],
    }) as (x: T.Tensor) => unknown
  expect(errorOf(call(portable.workgroupThreads + 1, 1))).toMatchObject({ needed: portable.workgroupThreads + 1 })
  expect(errorOf(call(64, 1e12))).toMatchObject({ tag: 'LimitError', what: 'workgroups of copied' })
})
