/** Tensors larger than a binding are bound in parts, and neighbours share a binding where there are too few. */
import { describe, expect, test } from 'vitest'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { build as b, freshInputs } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { planOf, runDevice } from '../../differential.ts'

const f32 = (shape: readonly number[]) => ({ shape, dtype: 'f32' as const })
const filled = ({ params: { shape, dtype } }: Graph['inputs'][number], limit: number): Value => {
  const size = shape.reduce((n, d) => n * d, 1)
  const numbers = Array.from({ length: size }, (_, i) =>
    dtype === 'f32' ? ((i * 37) % 101) / 16 - 3 : (i * 7) % limit,
  )
  return { shape, dtype, data: dtype === 'f32' ? Float64Array.from(numbers) : Int32Array.from(numbers) }
}

const cases: Readonly<Record<string, () => Graph>> = {
  'a map over three parts': () => {
    const inputs = freshInputs([f32([40, 8]), f32([40, 8])])
    return { inputs, outputs: [b.add([...inputs], {}) as Node] }
  },
  'rows gathered from three parts': () => {
    const inputs = freshInputs([f32([40, 8]), { shape: [13], dtype: 'i32' }])
    return { inputs, outputs: [b.gather([...inputs], { batch: 0 }) as Node] }
  },
  'a contraction of tensors in parts': () => {
    const inputs = freshInputs([f32([12, 20]), f32([20, 16])])
    return { inputs, outputs: [b.dot([...inputs], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] }) as Node] }
  },
  'odd sizes, one element at a time': () => {
    const inputs = freshInputs([f32([13, 11])])
    return { inputs, outputs: [b.permute([...inputs], { axes: [1, 0] }) as Node] }
  },
}

describe('bindings of at most 512 bytes', () => {
  const profile = { ...portable, maxBindingBytes: 512, storageBuffers: 12 }
  test.each(Object.entries(cases))('%s', async (_name, make) => {
    const graph = make()
    const { plan } = planOf(graph, profile)
    const sizes = plan.steps.flatMap((s) => (s.kind === 'dispatch' ? s.bindings.map((p) => p.bytes) : []))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(512)
    expect(sizes.length).toBeGreaterThan(graph.inputs.length + 1)
    const inputs = graph.inputs.map((n) => filled(n, 40))
    const [want] = evaluate(graph, inputs)
    const [got] = await runDevice(graph, inputs, profile)
    for (const [i, x] of got!.data.entries()) expect(Math.abs(x - want!.data[i]!)).toBeLessThan(1e-4)
  })
})

test('what cannot be bound is a typed error that counts', () => {
  const profile = { ...portable, maxBindingBytes: 256, storageBuffers: 2 }
  expect(() => planOf(cases['a map over three parts']!(), profile)).toThrow(
    'storage buffers of one kernel: needs 3, the target allows 2',
  )
})
