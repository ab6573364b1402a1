/** Clusters of equal structure have equal keys, whatever tensors they are over; others have not. */
import { expect, test } from 'vitest'
import { isBufferLeaf } from '../../../../passes/loop/fuse/stored-nodes.ts'
import { structureOf } from '../../../../passes/loop/fuse/structure.ts'
import { build as b, freshInputs } from '../../../../src/lang/build.ts'
import type { Node, TensorType } from '../../../../src/lang/ir.ts'

const f32 = (...shape: number[]): TensorType => ({ shape, dtype: 'f32' })
const keyOf = (types: readonly TensorType[], f: (...xs: Node[]) => Node): string =>
  structureOf(
    [f(...freshInputs(types))],
    (n) => !isBufferLeaf(n),
    () => undefined,
  ).key
const number = (x: number): Node => b.const([], { shape: [], dtype: 'f32', values: [x] })
const filled = (x: number): Node => b.broadcast([number(x)], { shape: [4], axes: [0] })

test('other tensors of the same types are the same structure', () => {
  const f = (x: Node, y: Node): Node => b.mul([b.add([x, y], {}), x], {})
  expect(keyOf([f32(4), f32(4)], f)).toBe(keyOf([f32(4), f32(4)], f))
})

test.each<[string, readonly TensorType[], (...xs: Node[]) => Node, readonly TensorType[], (...xs: Node[]) => Node]>([
  [
    'operands that are one tensor or two',
    [f32(4), f32(4)],
    (x, y) => b.add([x!, y!], {}),
    [f32(4)],
    (x) => b.add([x!, x!], {}),
  ],
  ['sizes', [f32(4)], (x) => b.neg([x!], {}), [f32(8)], (x) => b.neg([x!], {})],
  ['operations', [f32(4)], (x) => b.neg([x!], {}), [f32(4)], (x) => b.abs([x!], {})],
  ['constants 0 and -0', [f32(4)], (x) => b.mul([x!, filled(0)], {}), [f32(4)], (x) => b.mul([x!, filled(-0)], {})],
  [
    'NaN and infinity',
    [f32(4)],
    (x) => b.mul([x!, filled(Number.NaN)], {}),
    [f32(4)],
    (x) => b.mul([x!, filled(Number.POSITIVE_INFINITY)], {}),
  ],
  [
    'the sizes of what is read in part',
    [f32(2, 8)],
    (x) => b.slice([x!], { start: [0, 0], stop: [2, 4], step: [1, 1] }),
    [f32(2, 9)],
    (x) => b.slice([x!], { start: [0, 0], stop: [2, 4], step: [1, 1] }),
  ],
  [
    'which operand comes first',
    [f32(4), f32(4)],
    (x, y) => b.add([b.sub([x!, y!], {}), x!], {}),
    [f32(4), f32(4)],
    (x, y) => b.add([b.sub([x!, y!], {}), y!], {}),
  ],
])('%s make another structure', (_, types, f, otherTypes, g) => {
  expect(keyOf(types, f)).not.toBe(keyOf(otherTypes, g))
})
