/** Arguments as callers hold them: what is absent, what is one too many, and what is missing. */
import { expect, test } from 'vitest'
import type { InputSlot } from '../../codegen/plan/plan.ts'
import type { TreeShape } from '../../src/lang/tree.ts'
import { argumentLeaves } from '../../src/runtime/tree-arguments.ts'

const slot = { shape: [2], dtype: 'f32' } as unknown as InputSlot
const inputTree: TreeShape = {
  list: [{ record: { w: 0, b: { empty: 'undefined' }, rest: { list: [{ empty: 'null' }, 1] } } }],
}
const leaves = (args: unknown): readonly unknown[] => argumentLeaves({ inputs: [slot, slot], inputTree }, [args])

test.each([
  [{ w: 'x', rest: [null, 'y'] }],
  [{ rest: [undefined, 'y'], b: null, w: 'x' }],
  [{ w: 'x', b: undefined, rest: [null, 'y'], more: undefined, none: null }],
])('takes %j', (args) => {
  expect(leaves(args)).toEqual(['x', 'y'])
})

test.each([
  [{ w: 'x', b: [1, 2], rest: [null, 'y'] }, '[0].b: the program was compiled with undefined here'],
  [{ w: 'x', rest: ['z', 'y'] }, '[0].rest[0]: the program was compiled with null here'],
  [{ w: 'x', rest: [null, 'y'], extra: [3] }, '[0].extra: is one key too many: the program takes w, b, rest here'],
  [{ rest: [null, 'y'] }, '[0].w: missing: the program takes a f32[2] here'],
  [{ w: 'x', rest: [null, undefined] }, '[0].rest[1]: missing'],
])('refuses %j by name', (args, message) => {
  expect(() => leaves(args)).toThrow(message)
})
