/** The Loop IR's text: a softmax row and a padded read, as explain prints them. */
import { expect, test } from 'vitest'
import { portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import { fuse } from '../../../../passes/loop/fuse/fuse.ts'
import { showSchedule } from '../../../../passes/loop/schedule/print-cluster.ts'
import { build as b, freshInputs } from '../../../../src/lang/build.ts'
import type { Node } from '../../../../src/lang/ir.ts'

const show = (inputs: ReturnType<typeof freshInputs>, output: Node): string => {
  const { kernels } = fuse({ inputs, outputs: [output] }, [output], [], portable)
  return kernels.flatMap((k) => k.map((f) => showSchedule(f.schedule, (id) => `b${id}`))).join('\n')
}

test('a row is reduced once and scaled in a loop', () => {
  const [x] = freshInputs([{ shape: [4, 8], dtype: 'f32' }])
  const sum = b.reduce([x!], { monoid: 'sum', axes: [1] }) as Node
  const wide = b.broadcast([sum], { shape: [4, 8], axes: [1] }) as Node
  expect(show([x!], b.div([x!, wide], {}) as Node)).toMatchInlineSnapshot(`
    "grid r0 < 4, r1 < 8 by vec4
      v2 = sum of v1 over r2: f32
      for r2 < 8 by vec4
        v1 = b0[8*r0 + r2]: f32
        accumulate v2
      v0 = b0[8*r0 + r1]: f32
      v3 = div(v0, v2): f32
      b1[8*r0 + r1] = v3"
  `)
})

test('a padded read says where it reads', () => {
  const [x] = freshInputs([{ shape: [6], dtype: 'f32' }])
  const padded = b.pad([x!], { low: [2], high: [1], interior: [0], value: 7 }) as Node
  expect(show([x!], padded)).toMatchInlineSnapshot(`
    "grid r0 < 9
      v1 = b0[r0 - 2] where 0 <= r0 - 2 < 6: f32
      v0 = 7: f32
      v2 = v1 where 0 <= r0 - 2 < 6 else v0: f32
      b1[r0] = v2"
  `)
})
