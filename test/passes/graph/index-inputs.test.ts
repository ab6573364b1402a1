/** Arguments that the host must check before they are uploaded, because a kernel indexes with them. */
import { describe, expect, it } from 'vitest'
import { indexInputs } from '../../../passes/graph/index-inputs.ts'
import * as T from '../../../src/index.ts'
import { build as b, constant } from '../../../src/lang/build.ts'
import type { Node, TensorType } from '../../../src/lang/ir.ts'
import { sharedDevice } from '../../device.ts'
import { f32, i32, program } from './programs.ts'

/** What is found for each argument: the bound and the op, or nothing. */
const found = (types: readonly TensorType[], f: (...xs: Node[]) => Node | readonly Node[]): readonly unknown[] => {
  const graph = program(types, f)
  const checked = indexInputs(graph)
  return graph.inputs.map((n) => checked.get(n))
}

const gather = (x: Node, i: Node): Node => b.gather([x, i], { batch: 0 })
const of = (size: number, op = 'gather'): unknown => [{ size, op }]

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
    [
      'as elements that are used, of a slice',
      found([f32(7), i32(2, 5)], (x, i) => gather(x, b.slice([i], { start: [0, 1], stop: [2, 5], step: [1, 2] }))),
      [undefined, [{ size: 7, op: 'gather', region: { start: [0, 1], stop: [2, 5], step: [1, 2] } }]],
    ],
    [
      'not of a slice of what is no argument itself',
      found([f32(7), i32(2, 5)], (x, i) =>
        gather(x, b.slice([b.reshape([i], { shape: [10] })], { start: [0], stop: [4], step: [1] })),
      ),
      [undefined, undefined],
    ],
    [
      'through a join and from unsigned numbers',
      found([f32(7), i32(2), { shape: [3], dtype: 'u32' }], (x, i, j) =>
        gather(x, b.concat([i, b.cast([j], { dtype: 'i32' })], { axis: 0 })),
      ),
      [undefined, of(7), of(7)],
    ],
    [
      'but for the number that a choice replaces',
      found([f32(7), i32(2)], (x, i) => {
        const class100 = b.broadcast([b.const([], { shape: [], dtype: 'i32', values: [-100] })], {
          shape: [2],
          axes: [0],
        })
        const zero = b.broadcast([b.const([], { shape: [], dtype: 'i32', values: [0] })], { shape: [2], axes: [0] })
        return gather(x, b.select([b.not([b.eq([i, class100], {})], {}), i, zero], {}))
      }),
      [undefined, [{ size: 7, op: 'gather', except: -100 }]],
    ],
    [
      'not where the choice is another',
      found([f32(7), i32(2)], (x, i) => {
        const zero = b.broadcast([b.const([], { shape: [], dtype: 'i32', values: [0] })], { shape: [2], axes: [0] })
        return gather(x, b.select([b.lt([i, zero], {}), zero, i], {}))
      }),
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

  it('inside a loop, as slices of an argument, and all of it', () => {
    const table = T.zeros([9]) as T.Tensor
    const ranges = (f: (rows: T.Tensor, fixed: T.Tensor) => T.Tensor): readonly unknown[] => {
      const { inputs } = T.orThrow(T.compile(f, [T.spec([4, 3], 'i32'), T.spec([2], 'i32')])).plan
      return inputs.map((slot) => slot.indexOf?.map(({ site: _, ...range }) => range))
    }
    const sum = (...xs: readonly T.Tensor[]): T.Tensor =>
      xs.map((x) => T.sum(T.take(table, x)) as T.Tensor).reduce((a, c) => T.add(a, c) as T.Tensor)
    expect(ranges((rows, fixed) => T.sum(T.map((row: T.Tensor) => sum(row, fixed), rows)) as T.Tensor)).toEqual([
      [{ size: 9, op: 'T.take', fromEnd: true }],
      [{ size: 9, op: 'T.take', fromEnd: true }],
    ])
    const part = { start: [0, 0], stop: [4, 2], step: [1, 1] }
    expect(
      ranges((rows) => T.sum(T.map((row: T.Tensor) => sum(T.slice(row, [[0, 2]]) as T.Tensor), rows)) as T.Tensor),
    ).toEqual([[{ size: 9, op: 'T.take', region: part, fromEnd: true }], undefined])
  })

  it('only elements that are used are refused', async () => {
    const f = (i: T.Tensor): T.Tensor => T.sum(T.take(T.ones([4]), T.slice(i, [[], [0, 2]]))) as T.Tensor
    const program = await T.compileOn(await sharedDevice(), f, [T.spec([2, 3], 'i32')])
    expect([...(await (await program.run([0, 3, -100, 1, 2, 99])).read())]).toEqual([4])
    await expect(program.run([0, 3, 0, 1, 4, 0])).rejects.toThrow('index 4 at position [1, 1] is out of range')
  })
})
