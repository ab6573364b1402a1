/** Constructors of the Kernel IR: types, folding of index arithmetic, refusals. Folding must not change a value: checked by running both. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import { runKernel } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Binding, KExpr, Kernel } from '../../../codegen/kernel/kernel.ts'

const i = k.ref('i')
const x: Binding = { name: 'x', element: k.kType('f32', 4), access: 'read' }

describe('folding', () => {
  const cases: readonly (readonly [string, KExpr, KExpr])[] = [
    ['i + 0', k.add(i, k.u32(0)), i],
    ['0 + i', k.add(k.u32(0), i), i],
    ['i * 1', k.mul(i, k.u32(1)), i],
    ['i * 0', k.mul(i, k.u32(0)), k.u32(0)],
    ['2 + 3', k.add(k.u32(2), k.u32(3)), k.u32(5)],
    ['2 - 3 wraps', k.sub(k.u32(2), k.u32(3)), k.u32(2 ** 32 - 1)],
    ['65537 * 65537 wraps', k.mul(k.u32(65537), k.u32(65537)), k.u32(131073)],
    ['(i + 2) + 3', k.add(k.add(i, k.u32(2)), k.u32(3)), k.add(i, k.u32(5))],
    ['2 + (i + 3)', k.add(k.u32(2), k.add(i, k.u32(3))), k.add(i, k.u32(5))],
    ['(i * 2) * 3', k.mul(k.mul(i, k.u32(2)), k.u32(3)), k.mul(i, k.u32(6))],
    ['i / 1', k.div(i, k.u32(1)), i],
    ['i % 1', k.rem(i, k.u32(1)), k.u32(0)],
    ['7 / 2', k.div(k.u32(7), k.u32(2)), k.u32(3)],
    ['-7 / 2', k.div(k.lit(-7, 'i32'), k.lit(2, 'i32')), k.lit(-3, 'i32')],
    ['-7 % 2', k.rem(k.lit(-7, 'i32'), k.lit(2, 'i32')), k.lit(-1, 'i32')],
    ['3 < 4', k.lt(k.u32(3), k.u32(4)), k.bool(true)],
    ['i < 0', k.lt(i, k.u32(0)), k.bool(false)],
    ['true & p', k.and(k.bool(true), k.ref('p', k.kType('bool'))), k.ref('p', k.kType('bool'))],
    ['true | p', k.or(k.bool(true), k.ref('p', k.kType('bool'))), k.bool(true)],
    ['select(true)', k.select(k.bool(true), i, k.u32(7)), i],
    ['lane of a vector', k.lane(k.vec([i, k.u32(4)]), 1), k.u32(4)],
    ['lane of a splat', k.lane(k.splat(i, 4), 3), i],
    ['cast of a constant', k.cast(k.lit(-1.9), 'i32'), k.lit(-1, 'i32')],
    ['cast of NaN', k.cast(k.lit(Number.NaN), 'u32'), k.u32(0)],
  ]
  test.each(cases)('%s', (_name, got, want) => {
    expect(got).toEqual(want)
  })

  test('floats are left alone: x + 0 is not x for -0', () => {
    const v = k.ref('v', k.kType('f32'))
    expect(k.add(v, k.lit(0)).kind).toBe('binary')
    expect(k.mul(v, k.lit(0)).kind).toBe('binary')
  })

  test('a folded tree computes what the plain tree computes', () => {
    const word = fc.oneof(fc.constantFrom(0, 1, 2, 3, 2 ** 31, 2 ** 32 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
    const op = fc.constantFrom(
      'add',
      'sub',
      'mul',
      'div',
      'rem',
      'max',
      'min',
      'and',
      'or',
      'xor',
      'shiftLeft',
      'shiftRight',
    )
    type Tree =
      | { readonly value: number }
      | { readonly name: string }
      | { readonly op: string; readonly a: Tree; readonly b: Tree }
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        word.map((value) => ({ value })),
        fc.constantFrom('p', 'q').map((name) => ({ name })),
        fc.record({ op, a: tie('tree'), b: tie('tree') }),
      ),
    }))
    const build = (t: Tree, scalar: 'u32' | 'i32', folding: boolean): KExpr => {
      if ('value' in t) return k.lit(t.value, scalar)
      if ('name' in t) return k.ref(t.name, k.kType(scalar))
      const [a, b] = [build(t.a, scalar, folding), build(t.b, scalar, folding)]
      return folding
        ? k.binary(t.op as 'add', a, b)
        : { kind: 'binary', op: t.op as 'add', a, b, type: k.kType(scalar) }
    }
    fc.assert(
      fc.property(tree, word, word, fc.constantFrom('u32' as const, 'i32' as const), (t, p, q, scalar) => {
        const out: Binding = { name: 'out', element: k.kType(scalar), access: 'read_write' }
        const kernel: Kernel = {
          name: 'both',
          workgroupSize: 1,
          bindings: [out],
          arrays: [],
          body: [
            k.letStmt('p', k.lit(p, scalar)),
            k.letStmt('q', k.lit(q, scalar)),
            k.store(out, k.u32(0), build(t, scalar, true)),
            k.store(out, k.u32(1), build(t, scalar, false)),
          ],
        }
        const words = new Uint32Array(2)
        runKernel(kernel, 1, [{ buffer: words.buffer }])
        expect(words[0]).toBe(words[1])
      }),
      { seed: 42, numRuns: 500 },
    )
  })
})

describe('refusals', () => {
  const f = k.lit(1)
  const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['operands of two types', () => k.add(f, i), /add of f32 and u32/],
    ['an op off its domain', () => k.unary('exp', i), /exp of u32/],
    ['arithmetic bits of floats', () => k.and(f, f), /and of f32/],
    ['a select by a number', () => k.select(f, f, f), /select by f32/],
    ['an index that is signed', () => k.load(x, k.lit(0, 'i32')), /index of type i32/],
    ['a store to a read-only binding', () => k.store(x, i, k.splat(f, 4)), /read-only/],
    ['a store of another type', () => k.store({ ...x, access: 'read_write' }, i, f), /store of f32 to x: vec4<f32>/],
    ['a lane beyond the width', () => k.lane(k.splat(f, 4), 4), /lane 4 of vec4<f32>/],
    ['a negative u32 constant', () => k.u32(-1), /u32 constant -1/],
    ['a loop that stands still', () => k.forStmt('n', i, i, 0, []), /for n by 0/],
  ]
  test.each(cases)('%s', (_name, make, message) => {
    expect(make).toThrow(message)
  })
})

test('types follow the operands', () => {
  const v = k.load(x, i)
  expect(k.showType(v.type)).toBe('vec4<f32>')
  expect(k.showType(k.lt(v, v).type)).toBe('vec4<bool>')
  expect(k.showType(k.unary('isNan', v).type)).toBe('vec4<bool>')
  expect(k.showType(k.cast(v, 'u32').type)).toBe('vec4<u32>')
  expect(k.showType(k.lane(v, 2).type)).toBe('f32')
  expect(k.showType(k.vec([i, i, i]).type)).toBe('vec3<u32>')
})
