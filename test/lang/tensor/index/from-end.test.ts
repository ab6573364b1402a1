/** Negative indices: what they name, what they cost, and what is told of those before the start. */
import { describe, expect, test } from 'vitest'
import { compile, compileOn, dim, orThrow, reference, spec } from '../../../../src/index.ts'
import * as T from '../../../../src/lang/tensor/index.ts'
import { topological } from '../../../../src/lang/topological.ts'
import { nodeOf, type Tensor } from '../../../../src/lang/types/tensor.ts'
import * as nn from '../../../../src/nn/index.ts'
import { checkGrad, checkVmap } from '../../../../src/testing/index.ts'
import { sharedDevice, sharedProcessor } from '../../../device.ts'
import { flat, nested } from '../run.ts'

const x = T.reshape(T.arange(12, { dtype: 'f32' }), [4, 3]) as Tensor
const u = T.tensor([10, 20, 30], { dtype: 'f32' }) as Tensor

/** Every function that indexes, with the index of rows and of a matrix of places. */
const uses = (table: Tensor, i: Tensor): readonly Tensor[] => {
  const column = T.broadcastTo(T.expandDims(i, -1), [3, 3]) as Tensor
  const source = T.broadcastTo(T.expandDims(u, -1), [3, 3]) as Tensor
  return [
    T.take(table, i),
    T.takeAlongAxis(table, column, { axis: 0 }),
    T.gather(table, column),
    T.scatter(table, column, source),
    T.scatterAdd(table, column, source),
    T.scatterMax(table, column, source),
    T.scatterMin(table, column, source),
    T.indexAdd(table, i, source),
    T.atIndices(table, [i, T.tensor([-1, 0, 1])]),
    T.setAtIndices(table, [i], 5),
    T.setAtIndices(table, [i, T.tensor([-1, -3, 1])], u, { accumulate: true }),
  ]
}

const fromEnd = [-1, 1, -4]
const counted = [3, 1, 0]

describe('negative indices', () => {
  test('as constants name what they count to', () => {
    expect(uses(x, T.tensor(fromEnd)).map(flat)).toEqual(uses(x, T.tensor(counted)).map(flat))
    expect(nested(T.take(x, T.tensor([[-1], [0]]), { axis: 1 }))).toEqual(
      [0, 1, 2, 3].map((r) => [[3 * r + 2], [3 * r]]),
    )
    expect(
      flat(
        T.take(
          x,
          T.fromArray(
            Array.from({ length: 100 }, () => -1),
            [100],
          ),
          { axis: -1 },
        ),
      ).slice(0, 2),
    ).toEqual([2, 2])
  })
  test('as arguments, on every device', async () => {
    const f = (i: Tensor, t: Tensor): readonly Tensor[] => uses(t, i)
    const want = uses(x, T.tensor(counted)).map(flat)
    for (const device of [await sharedProcessor(), await sharedDevice()]) {
      const program = await compileOn(device, f, [spec([3], 'i32'), spec([4, 3])])
      const got = await program.run(Int32Array.from(fromEnd), Float32Array.from(flat(x)))
      expect(await Promise.all(got.map(async (o) => Array.from(await o.read())))).toEqual(want)
    }
  })
  test('with gradients, and batched', () => {
    const i = T.tensor(fromEnd)
    const smooth = (t: Tensor): readonly Tensor[] => [
      T.take(t, i),
      T.scatterAdd(t, T.reshape(i, [3, 1]), 2),
      T.setAtIndices(t, [i], 1),
    ]
    checkGrad(smooth as never, [x] as never)
    checkVmap(
      ((j: Tensor) => T.take(x, j)) as never,
      [
        T.tensor([
          [-1, 0],
          [2, -3],
        ]),
      ] as never,
    )
  })
  test('of named sizes', async () => {
    const n = dim('n', { max: 9 })
    const f = (t: Tensor, i: Tensor): readonly Tensor[] => [T.take(t, i), T.take(t, T.tensor([-1, 0]))]
    const program = await compileOn(await sharedProcessor(), f, [spec([n, 2]), spec([3], 'i32')])
    for (const rows of [1, 4, 9]) {
      const data = Float32Array.from({ length: 2 * rows }, (_, k) => k)
      const got = await program.run({ shape: [rows, 2], data }, Int32Array.of(-1, 0, -rows))
      const last = [2 * rows - 2, 2 * rows - 1]
      expect(Array.from(await got[0]!.read())).toEqual([...last, 0, 1, 0, 1])
      expect(Array.from(await got[1]!.read())).toEqual([...last, 0, 1])
      await expect(program.run({ shape: [rows, 2], data }, Int32Array.of(0, 0, -rows - 1))).rejects.toThrow(
        `T.take: index ${-rows - 1} at position [2] is out of range for an axis of size ${rows}`,
      )
    }
  })
})

describe('an index before the start is told as it was written', () => {
  const text = (index: number, where: string): RegExp =>
    new RegExp(
      `T\\.take: index ${index} at position ${where} is out of range for an axis of size 4[\\s\\S]*from -4 to 3`,
    )
  test('as a constant, and as what constants give', () => {
    const given = T.take(x, T.tensor([-1, -5]))
    const made = T.take(x, T.mul(T.tensor([1, -1]), 5) as Tensor)
    expect(() => reference(given)).toThrow(text(-5, '\\[1\\]'))
    expect(() => orThrow(compile(() => given, []))).toThrow(text(-5, '\\[1\\]'))
    expect(() => reference(made)).toThrow(text(5, '\\[0\\]'))
    const before = T.take(x, T.mul(T.tensor([1, 3]), -2) as Tensor)
    expect(() => reference(before)).toThrow(text(-6, '\\[1\\]'))
    expect(() => orThrow(compile(() => before, []))).toThrow(text(-6, '\\[1\\]'))
  })
  test('as an argument, before anything is uploaded', async () => {
    const f = (i: Tensor): readonly Tensor[] => [T.take(x, i), T.gather(x, T.expandDims(i, -1) as Tensor)]
    const program = await compileOn(await sharedProcessor(), f, [spec([2], 'i32')])
    await expect(program.run(Int32Array.of(3, -5))).rejects.toThrow('index -5 at position [1] is out of range')
    await expect(program.run(Int32Array.of(4, 0))).rejects.toThrow('index 4 at position [0] is out of range')
    expect(Array.from(await (await program.run(Int32Array.of(-4, -1)))[0]!.read())).toEqual([0, 1, 2, 9, 10, 11])
  })
  test('of an axis of nothing', () => {
    expect(() => reference(T.take(T.zeros([0]), T.tensor([-1])))).toThrow(/index -1[\s\S]*the axis is empty/)
  })
})

test('numbers of rows and classes do not count from the end', async () => {
  const scores = T.ones([2, 3])
  const calls: readonly ((i: Tensor) => Tensor)[] = [
    (i) => nn.embedding(i, scores),
    (i) => nn.embeddingBag(T.expandDims(i, 0) as Tensor, scores),
    (i) => nn.nllLoss(scores, i) as Tensor,
    (i) => nn.crossEntropy(scores, i) as Tensor,
    (i) => nn.multiMarginLoss(scores, i) as Tensor,
  ]
  for (const f of calls) {
    expect(() => reference(f(T.tensor([0, -1])))).toThrow(/index -1 [\s\S]*indices of this axis go from 0 to/)
    const program = await compileOn(await sharedProcessor(), f, [spec([2], 'i32')])
    await expect(program.run(Int32Array.of(0, -1))).rejects.toThrow('index -1 ')
  }
})

test('what cannot be negative costs nothing', () => {
  const hasChoice = (y: Tensor): boolean => topological([nodeOf(y)]).some((n) => n.op === 'select')
  const rows = T.ones([4, 5])
  const indices: readonly Tensor[] = [
    T.tensor([1, 2]),
    T.arange(3),
    T.flip(T.arange(3)),
    T.cast(T.tensor([1, 2], { dtype: 'u8' }), 'i32'),
    T.tensor([1, 2], { dtype: 'u32' }),
    T.argmax(rows, { axis: 0 }),
    T.argsort(T.ones([4])),
    T.countNonzero(T.greater(rows, 2), { axis: 1 }),
  ]
  for (const i of indices) expect(hasChoice(T.take(rows, i))).toBe(false)
  expect(hasChoice(T.take(rows, T.neg(T.arange(3))))).toBe(true)
})
