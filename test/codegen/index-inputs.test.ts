/** Arguments that the host must check before they are uploaded, because a kernel indexes with them. */
import { describe, expect, it } from 'vitest'
import { indexInputs } from '../../codegen/index-inputs.ts'
import { build as b, constant } from '../../src/lang/build.ts'
import type { Node, TensorType } from '../../src/lang/ir.ts'
import { f32, i32, program } from '../passes/graph/programs.ts'

/** What is found for each argument: the bound and the op, or nothing. */
const found = (types: readonly TensorType[], f: (...xs: Node[]) => Node | readonly Node[]): readonly unknown[] => {
  const graph = program(types, f)
  const checked = indexInputs(graph)
  return graph.inputs.map((n) => checked.get(n))
}

const gather = (x: Node, i: Node): Node => b.gather([x, i], { batch: 0 })
const of = (size: number, op = 'gather'): unknown => ({ size, op })

describe('indices among the arguments', () => {
  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['of a gather: the axis', found([f32(7, 2), i32(3)], gather), [undefined, of(7)]],
    [
      'of a gather in a batch: the axis after it',
      found([f32(2, 7), i32(2, 3)], (x, i) => b.gather([x, i], { batch: 1 })),
      [undefined, of(7)],
    ],
    [
      'of a scatter: the size of its result',
      found([i32(3), f32(3)], (i, u) => b.scatterAdd([i, u], { batch: 0, size: 5 })),
      [of(5, 'scatterAdd'), undefined],
    ],
    [
      'of two uses: the smaller axis',
      found([f32(7), f32(4), i32(3)], (x, y, i) => [gather(x, i), gather(y, i)]),
      [undefined, undefined, of(4)],
    ],
    [
      'through what only moves elements',
      found([f32(7), i32(2, 3)], (x, i) =>
        gather(x, b.reshape([b.flip([b.permute([i], { axes: [1, 0] })], { axes: [0] })], { shape: [6] })),
      ),
      [undefined, of(7)],
    ],
    [
      'not through arithmetic, which the kernel keeps inside the axis',
      found([f32(7), i32(3)], (x, i) => gather(x, b.abs([i], {}))),
      [undefined, undefined],
    ],
    ['not a constant', found([f32(7)], (x) => gather(x, constant(i32(2), [1, 2]))), [undefined]],
    ['not what is gathered from', found([i32(7), i32(2)], (x, i) => gather(x, i)), [undefined, of(7)]],
    [
      'but an index that is gathered and then gathers',
      found([f32(9), i32(7), i32(2)], (x, i, j) => gather(x, gather(i, j))),
      [undefined, undefined, of(7)],
    ],
    [
      'none where nothing indexes',
      found([f32(3), i32(3)], (x, i) => b.add([x, b.cast([i], { dtype: 'f32' })], {})),
      [undefined, undefined],
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected)
  })
})
