/** Summaries: parameters of any tree, operations counted by hand, nothing computed. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'

const key = random.key(0)

test('the table of a network', () => {
  const model = nn.sequential(nn.dense(784, 128), nn.relu, nn.dense(128, 10))
  expect(nn.summary(model.apply, model.init(key), T.spec([32, 784])).text).toBe(
    [
      'parameter   shape       dtype  numbers    bytes      flops',
      '[0].bias    [128]       f32        128      512      4,096',
      '[0].weight  [128, 784]  f32    100,352  401,408  6,422,528',
      '[2].bias    [10]        f32         10       40        320',
      '[2].weight  [10, 128]   f32      1,280    5,120     81,920',
      'in all                         101,770  407,080',
      'result: f32[32, 10]',
      // Products and sums, biases; relu chooses.
      `flops of one call: ${(2 * 32 * (784 * 128 + 128 * 10) + 32 * (128 + 10)).toLocaleString('en-US')}`,
    ].join('\n'),
  )
})

test('specs, several results, other dtypes, a single tensor', () => {
  const f = (w: Tensor, x: Tensor) => ({ product: T.matmul(x, w), mean: T.mean(x) })
  const { rows, count, bytes, outputs, text } = nn.summary(f, T.spec([3, 4], 'bf16'), T.spec([2, 3], 'bf16'))
  expect(rows).toEqual([{ path: '', shape: [3, 4], dtype: 'bf16', count: 12, bytes: 24, flops: 2 * 2 * 3 * 4 }])
  expect([count, bytes]).toEqual([12, 24])
  expect(outputs).toEqual([
    { path: 'mean', shape: [], dtype: 'bf16' },
    { path: 'product', shape: [2, 4], dtype: 'bf16' },
  ])
  expect(text).toContain('(itself)')
  expect(nn.summary((_: null, x: Tensor) => x, null, T.spec([2])).text).toContain('in all')
})

/** A function of one parameter, and its operations. */
const counted: readonly (readonly [
  name: string,
  f: (w: Tensor) => unknown,
  shape: readonly number[],
  flops: number,
])[] = [
  ['nothing', (w) => T.reshape(w, [6]), [2, 3], 0],
  ['elementwise', (w) => T.exp(T.add(w, w)), [2, 3], 12],
  ['a sum', (w) => T.sum(w, { axis: 1 }), [2, 3], 6],
  ['integers', (w) => T.add(T.cast(w, 'i32'), 1), [2, 3], 0],
  ['comparisons and choices of floats', (w) => nn.relu(w), [2, 3], 0],
  ['a shared value once', (w) => [T.exp(w), T.neg(T.exp(w))], [2, 3], 12],
  ['a product', (w) => T.matmul(w, T.ones([3, 5])), [2, 3], 2 * 2 * 3 * 5],
  ['a batched product', (w) => T.matmul(T.ones([7, 4, 2]), w), [7, 2, 3], 2 * 7 * 4 * 2 * 3],
  ['a convolution', (w) => nn.conv2d(T.ones([2, 3, 8, 8]), { weight: w }), [4, 3, 3, 3], 2 * (2 * 4 * 6 * 6) * (3 * 9)],
  ['a loop', (w) => T.scan((c: Tensor, row: Tensor) => [T.add(c, T.exp(row)), []], T.zeros([3]), w)[0], [5, 3], 5 * 6],
  [
    'a branch',
    (w) =>
      T.cond(
        T.less(T.sum(T.stopGradient(w)), 1),
        (v: Tensor) => T.exp(v),
        (v: Tensor) => T.exp(T.neg(v)),
        w,
      ),
    [3],
    3 + 6,
  ],
]

describe('operations', () => {
  test.each(counted)('%s', (_, f, shape, flops) => {
    expect(nn.summary(f, T.spec(shape)).flops).toBe(flops)
  })
  test('those of a gradient are about three times those of the loss', () => {
    const model = nn.sequential(nn.dense(64, 64, { bias: false }), nn.dense(64, 64, { bias: false }))
    const start = model.init(key)
    const loss = (p: typeof start, x: Tensor) => T.sum(model.apply(p, x)) as Tensor<readonly []>
    const forward = nn.summary(loss, start, T.spec([8, 64])).flops
    const both = nn.summary((p: typeof start, x: Tensor) => T.valueAndGrad(loss)(p, x), start, T.spec([8, 64])).flops
    expect(both / forward).toBeGreaterThan(2.4)
    expect(both / forward).toBeLessThan(3.1)
  })
})

/** A function of two parameters, and the operations that take each. */
const taken: readonly (readonly [
  name: string,
  f: (a: Tensor, b: Tensor) => unknown,
  shapes: readonly [readonly number[], readonly number[]],
  flops: readonly [number, number],
])[] = [
  [
    'what follows is not theirs',
    (a, b) => T.exp(T.matmul(a, b)),
    [
      [2, 3],
      [3, 4],
    ],
    [48, 48],
  ],
  [
    'moved ones are still theirs',
    (a, b) => T.mul(T.flip(T.matrixTranspose(a)), T.at(b, '1:')),
    [
      [3, 2],
      [3, 3],
    ],
    [6, 6],
  ],
  ['cast ones, too', (a, b) => T.add(T.cast(a, 'f16'), T.cast(T.sum(b), 'f16')), [[4], [5]], [4, 5]],
  ['once where both operands are one', (a, b) => [T.mul(a, a), T.reshape(b, [1])], [[4], [1]], [4, 0]],
  ['each use', (a, b) => T.add(T.exp(a), T.mul(a, b)), [[4], [4]], [8, 4]],
  [
    'each turn of a loop',
    (a, b) => T.scan((c: Tensor, row: Tensor) => [T.add(T.matmul(a, c), row), []], T.ones([2]), b)[0],
    [
      [2, 2],
      [5, 2],
    ],
    [5 * 8, 5 * 2],
  ],
  [
    'those of the longer branch',
    (a, b) =>
      T.cond(
        T.tensor(true),
        (x: Tensor, y: Tensor) => T.exp(T.neg(T.mul(x, y))),
        (x: Tensor, _: Tensor) => x,
        a,
        b,
      ),
    [[3], [3]],
    [3, 3],
  ],
  [
    'those of a checkpoint',
    (a, b) => T.checkpoint((x: Tensor, y: Tensor) => T.exp(T.add(x, y)) as Tensor)(a, b),
    [[3], [3]],
    [3, 3],
  ],
  [
    'one turn of a loop without a number',
    (a, b) =>
      T.whileLoop(
        (x: Tensor) => T.less(T.sum(T.mul(x, b)), 9),
        (x: Tensor) => T.add(x, T.exp(b)) as Tensor,
        a,
      ),
    [[3], [3]],
    [3 + 3, 3 + 3],
  ],
]

test.each(taken)('operations of a parameter: %s', (_, f, [a, b], flops) => {
  expect(
    nn.summary((p: readonly Tensor[]) => f(p[0]!, p[1]!), [T.spec(a), T.spec(b)]).rows.map((r) => r.flops),
  ).toEqual(flops)
})

test('a recurrent network multiplies its weights at each step', () => {
  const cells = nn.lstmInit(key, 3, 4)
  const { rows } = nn.summary((p: typeof cells, x: Tensor) => nn.lstm(x, p), cells, T.spec([7, 2, 3]))
  const of = Object.fromEntries(rows.map((r) => [r.path, r.flops]))
  expect(of['[0].weightHh']).toBe(7 * 2 * (2 * 4 * 16))
  expect(of['[0].weightIh']).toBe(7 * 2 * (2 * 3 * 16))
})

test('mistakes are told', () => {
  expect(() => nn.summary(3 as never, {})).toThrow('nn.summary: the first argument is 3, not a function')
  expect(() => nn.summary((w: Tensor) => w, { w: 3 })).toThrow('w is the number 3')
  const wrong = () => nn.summary((w: Tensor) => T.matmul(w, T.ones([4, 2])), T.spec([2, 3]))
  expect(wrong).toThrow('T.matmul: inner dimensions 3 and 4 differ')
})
