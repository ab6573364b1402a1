/** agreesWithReference runs a user's function on the device and judges it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types.ts'
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
