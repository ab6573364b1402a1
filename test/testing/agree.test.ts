/** agreesWithReference runs a user's function on the device and judges it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { agreesWithReference } from '../../src/testing/agree.ts'
import { arbTensor } from '../../src/testing/arbitrary.ts'
import { sharedDevice } from '../device.ts'

describe('agreesWithReference', () => {
  test('holds for a function over trees, special values included', async () => {
    const device = await sharedDevice()
    const leaf = arbTensor({ shape: [3, 5], dtype: 'f32' } as const)
    const f = (p: { readonly a: Tensor; readonly b: Tensor }) => [T.tanh(T.mul(p.a, p.b)), T.max(p.a, { axis: 1 })]
    await fc.assert(
      fc.asyncProperty(leaf, leaf, async (a, b) => {
        await agreesWithReference(f, [{ a, b }], { device })
      }),
      { seed: 42, numRuns: 8 },
    )
  })

  test('is false where rounding decides', async () => {
    const device = await sharedDevice()
    const x = T.tensor([1], { dtype: 'f32' })
    const f = (y: Tensor): Tensor => T.floor(T.add(T.add(T.div(y, 3), T.div(y, 3)), T.div(y, 3)))
    expect(await agreesWithReference(f, [x], { device })).toBe(false)
  })
})

describe('agreesWithReference on random arguments', () => {
  const vector = fc.integer({ min: 1, max: 100 }).chain((n) => arbTensor({ shape: [n], dtype: 'f32' }))

  /** Its last workgroup is missing where the length is no multiple of 16. */
  const short = T.customKernel({
    name: 'short_by_a_part',
    inputs: ['x'],
    outputs: ['y'],
    infer: ([x]) => [x!],
    wgsl: `fn short_by_a_part(workgroup: u32, local: u32) {
      let i = workgroup * 16 + local;
      if i < x_size { y[i] = x[i] + 1; }
    }`,
    workgroupSize: 16,
    workgroups: ([x]) => Math.max(1, Math.floor(x!.shape[0]! / 16)),
    reference: ([x]) => [x!.data.map((v) => v + 1)],
  })

  test('holds for several of them', async () => {
    const device = await sharedDevice()
    const f = (x: Tensor): Tensor => T.mul(x, 3)
    expect(await agreesWithReference(f, [vector], { device, seed: 1, numRuns: 6 })).toBe(true)
  })

  test('gives the smallest that differs, element by element', async () => {
    const device = await sharedDevice()
    const error = await agreesWithReference((x: Tensor) => short(x), [vector], { device, seed: 1 }).catch((e) => e)
    expect(error).toBeInstanceOf(Error)
    const { message, cause } = error as Error
    expect(message).toContain('[[f32[17] [0 ×17]]]')
    expect((cause as Error).message).toMatch(/^agreesWithReference: output 0 \(kernel\) at \[16\] is .*, not 1 ± /)
  })

  test('is false where nothing can be said', async () => {
    const device = await sharedDevice()
    const f = (x: Tensor): Tensor => T.floor(T.mul(T.div(T.sum(x), T.sum(x)), 1))
    const never = fc.constant(T.tensor([0.1, 0.2], { dtype: 'f32' }))
    expect(await agreesWithReference(f, [never], { device, numRuns: 2 })).toBe(false)
  })
})
