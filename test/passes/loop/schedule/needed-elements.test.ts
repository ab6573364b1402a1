import { expect, test } from 'vitest'
import { neededIn } from '../../../../passes/loop/schedule/needed-elements.ts'
import * as T from '../../../../src/index.ts'
import type { Node, Op } from '../../../../src/lang/ir.ts'
import { showSize } from '../../../../src/lang/size.ts'
import { topological } from '../../../../src/lang/topological.ts'
import { type AnyProgram, bind, type SizedSpec } from '../../graph/sizes/agree.ts'

const n = T.dim('n', { max: 8 })

/** What is needed of the nodes of these operations, in the order of the graph: `all`, or how many elements in a row. */
const neededOf = (f: AnyProgram, specs: readonly SizedSpec[], ...ops: readonly Op[]): readonly string[] => {
  const { graph, sizes } = bind(f, specs)
  const needed = neededIn(graph, sizes.inputs, ['n']).inRow
  const found = topological(graph.outputs).filter((x: Node) => ops.includes(x.op))
  return found.map((x) => {
    const size = needed.get(x)
    return `${x.op} ${size ? showSize(size) : 'all'}`
  })
}

const x = { shape: [n, 3], dtype: 'f32' } as const

test('what is computed element by element is needed as far as its operands are', () => {
  const f: AnyProgram = (a, b) => T.exp(T.add(a, b))
  expect(neededOf(f, [x, { shape: [3], dtype: 'f32' }], 'exp', 'add', 'broadcast')).toEqual([
    'broadcast all',
    'add 3·n',
    'exp 3·n',
  ])
})

test('a mask is needed whole, and so is what is computed from it', () => {
  const sums: AnyProgram = (a) => T.sum(T.exp(a), { axis: 0 })
  expect(neededOf(sums, [x], 'exp', 'lt', 'select', 'reduce')).toEqual([
    'lt all',
    'exp 3·n',
    'select all',
    'reduce all',
  ])
  const padded: AnyProgram = (a) =>
    T.neg(
      T.pad(a, [
        [0, 2],
        [0, 0],
      ]),
    )
  expect(neededOf(padded, [x], 'select', 'neg')).toEqual(['select all', 'neg all'])
})

test('a sum along another axis is needed as its operand is', () => {
  expect(neededOf((a) => T.sum(a, { axis: 1 }), [x], 'reduce')).toEqual(['reduce n'])
})

test('a contraction is needed along the axes that are left', () => {
  const f: AnyProgram = (a, w) => T.matmul(a, w)
  expect(neededOf(f, [x, { shape: [3, 5], dtype: 'f32' }], 'dot')).toEqual(['dot 5·n'])
  expect(neededOf((a) => T.matmul(T.swapaxes(a, 0, 1), a), [x], 'dot')).toEqual(['dot all'])
})

test('views keep what does not move', () => {
  const f: AnyProgram = (a) => [T.reshape(a, [-1]), T.swapaxes(a, 0, 1), T.at(a, ':', '1:')]
  expect(neededOf(f, [x], 'reshape', 'permute', 'slice')).toEqual(['reshape 3·n', 'permute all', 'slice 2·n'])
  expect(neededOf((a) => T.at(a, '1:'), [x], 'slice')).toEqual(['slice all'])
})

test('rows that an index picks are needed as the index was', () => {
  const f: AnyProgram = (t, i) => T.take(t, i, { axis: 0 })
  const specs = [
    { shape: [5, 3], dtype: 'f32' },
    { shape: [n], dtype: 'i32', below: 5 },
  ] as const
  expect(neededOf(f, specs, 'gather')).toEqual(['gather 3·n'])
})
