import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import * as nn from '../../../../src/nn/index.ts'
import * as random from '../../../../src/random/index.ts'
import { type AnyProgram, bind, expectAgreement, type SizedSpec } from './agree.ts'

const n = T.dim('n', { max: 8 })
const m = T.dim('m', { max: 6 })

const f32 = (...shape: SizedSpec['shape']): SizedSpec => ({ shape, dtype: 'f32' })
const i32 = (below: number, ...shape: SizedSpec['shape']): SizedSpec => ({ shape, dtype: 'i32', below })
const bool = (...shape: SizedSpec['shape']): SizedSpec => ({ shape, dtype: 'bool' })

type Case = readonly [name: string, f: AnyProgram, specs: readonly SizedSpec[], least?: number]

const gradOf = (f: AnyProgram): AnyProgram =>
  T.grad((...xs: readonly T.Tensor[]) => T.sum(f(...xs) as T.Tensor)) as never

const cases: readonly Case[] = [
  ['elementwise', (x, y) => T.mul(T.exp(x), T.add(y, 1)), [f32(n, 3), f32(n, 3)]],
  ['a bias', (x, b) => T.add(x, b), [f32(n, 3), f32(3)]],
  ['two names', (x, y) => T.add(T.expandDims(x, 1), y), [f32(n), f32(m)]],
  ['sum of all', (x) => T.sum(x), [f32(n, 3)]],
  ['sum along', (x) => T.sum(x, { axis: 0 }), [f32(n, 3)]],
  ['sum of the others', (x) => T.sum(x, { axis: 1 }), [f32(n, 3)]],
  ['mean of all', (x) => T.mean(x), [f32(n, 3)]],
  ['mean along', (x) => T.mean(x, { axis: 0, keepdims: true }), [f32(n, 3)]],
  ['variance', (x) => T.variance(x, { axis: 0 }), [f32(n, 3)]],
  ['variance with a correction', (x) => T.variance(x, { correction: 1 }), [f32(n, 3)]],
  ['mean and variance', (x) => T.meanVariance(x, { axis: 0 }), [f32(n, 3)]],
  [
    'extremes',
    (x) => [T.max(x), T.min(x, { axis: 0 }), T.argmax(x, { axis: 0 }), T.argmin(x, { axis: 0 })],
    [f32(n, 3)],
  ],
  ['extremes of integers', (x) => [T.max(x), T.min(x, { axis: 0 })], [i32(9, n, 3)]],
  ['prod, all, any', (x, y) => [T.prod(x, { axis: 0 }), T.all(y, { axis: 0 }), T.any(y)], [f32(n, 3), bool(n)]],
  ['logsumexp and softmax', (x) => [T.logsumexp(x, { axis: 0 }), nn.softmax(x, { axis: 0 })], [f32(n, 3)]],
  ['norms', (x) => [T.vectorNorm(x), T.vectorNorm(x, { axis: 0 })], [f32(n, 3)]],
  ['a size as a number', (x) => T.div(T.sum(x), x.shape[0]!), [f32(n, 3)]],
  ['one over a size', (x) => T.mul(T.sum(x), 1 / x.shape[0]!), [f32(n, 3)]],
  ['a linear function of a size', (x) => T.mul(x, 2 * x.shape[0]! - 1), [f32(n, 3)]],
  ['the square root of a size, as a tensor', (x) => T.div(x, T.sqrt(T.mul(T.ones([]), x.shape[0]!))), [f32(n, 3)]],
  ['the product of two sizes', (x) => T.mean(x), [f32(n, m)]],
  ['cumsum both ways', (x) => [T.cumsum(x, { axis: 0 }), T.cumsum(x, { axis: 0, reverse: true })], [f32(n, 3)]],
  ['extremes so far, from the end', (x) => [...T.cummax(x, { axis: 0, reverse: true })], [f32(n, 3)]],
  ['transposition', (x) => T.swapaxes(x, 0, 1), [f32(n, 3)]],
  ['two axes into one', (x) => T.reshape(x, [-1]), [f32(n, 3)]],
  ['and back', (x) => T.reshape(T.mul(T.reshape(x, [-1, 2]), 2), [x.shape[0]!, 3, 2]), [f32(n, 3, 2)]],
  ['windows into one axis', (x) => T.reshape(x, [x.shape[0]!, 6]), [f32(n, 3, 2)]],
  ['all but the last', (x) => T.at(x, ':-1'), [f32(n, 3)]],
  ['all but the first', (x) => T.at(x, '1:'), [f32(n, 3)]],
  ['the last', (x) => T.at(x, -1), [f32(n, 3)]],
  ['the last two', (x) => T.at(x, '-2:'), [f32(n, 3)], 2],
  ['the first two', (x) => T.at(x, ':2'), [f32(n, 3)], 2],
  ['a table cut to a size', (x, t) => T.add(x, T.slice(t, [[0, x.shape[0]!]])), [f32(n, 3), f32(20, 3)]],
  ['a table of as many rows as the bound', (x, t) => T.add(x, T.slice(t, [[0, x.shape[0]!]])), [f32(n, 3), f32(8, 3)]],
  ['the end of a table', (x, t) => T.add(x, T.slice(t, [[8 - x.shape[0]!, 8]])), [f32(n, 3), f32(8, 3)]],
  [
    'the gradient of such a table',
    gradOf((t, x) => T.square(T.add(x, T.slice(t, [[0, x.shape[0]!]])))),
    [f32(8, 3), f32(n, 3)],
  ],
  ['padding up to a known size', (x) => T.pad(x, [[0, 8 - x.shape[0]!]], { value: 7 }), [f32(n)]],
  ['padding in front up to a known size', (x) => T.pad(x, [[9 - x.shape[0]!, 0]], { value: 7 }), [f32(n)]],
  [
    'padding',
    (x) =>
      T.pad(x, [
        [1, 2],
        [0, 1],
      ]),
    [f32(n, 3)],
  ],
  [
    'padding by a value',
    (x) =>
      T.pad(
        x,
        [
          [0, 3],
          [0, 0],
        ],
        { value: 7 },
      ),
    [f32(n, 3)],
  ],
  [
    'padding to a known size',
    (x) =>
      T.pad(
        x,
        [
          [0, 9 - x.shape[0]!],
          [0, 0],
        ],
        { value: 2 },
      ),
    [f32(n, 3)],
  ],
  [
    'padding in front to a known size',
    (x) =>
      T.pad(x, [
        [9 - x.shape[0]!, 0],
        [0, 0],
      ]),
    [f32(n, 3)],
  ],
  ['the end of a table', (x, t) => T.add(x, T.slice(t, [[20 - x.shape[0]!, 20]])), [f32(n, 3), f32(20, 3)]],
  ['flip', (x) => [T.flip(x, { axis: 0 }), T.flip(x)], [f32(n, 3)]],
  ['concat in front', (x, y) => T.concat([y, x], { axis: 0 }), [f32(n, 3), f32(2, 3)]],
  ['concat behind', (x, y) => T.concat([x, y, x], { axis: 0 }), [f32(n, 3), f32(2, 3)]],
  ['concat of two names', (x, y) => T.sum(T.concat([x, y], { axis: 0 })), [f32(n, 3), f32(2, 3)]],
  ['shift by one', (x) => T.roll(x, 1, { axis: 0 }), [f32(n, 3)]],
  ['differences', (x) => T.sub(T.at(x, '1:'), T.at(x, ':-1')), [f32(n, 3)]],
  ['matmul', (x, w) => T.matmul(x, w), [f32(n, 3), f32(3, 4)]],
  ['a contraction of it', (x, y) => T.matmul(T.swapaxes(x, 0, 1), y), [f32(n, 3), f32(n, 4)]],
  ['a Gram matrix', (x) => T.matmul(x, T.swapaxes(x, 0, 1)), [f32(n, 3)]],
  ['attention', (q, k) => T.matmul(nn.softmax(T.matmul(q, T.swapaxes(k, -1, -2))), k), [f32(2, n, 3), f32(2, n, 3)]],
  [
    'causal attention',
    (q, k, v) => nn.scaledDotProductAttention(q, k, v, { causal: true }),
    [f32(2, n, 4), f32(2, n, 4), f32(2, n, 4)],
  ],
  ['attention over another length', (q, k) => nn.scaledDotProductAttention(q, k, k), [f32(n, 4), f32(m, 4)]],
  ['take', (x, i) => T.take(x, i, { axis: 0 }), [f32(5, 3), i32(5, n)]],
  ['take from it', (x) => T.take(x, T.tensor([2, 0, 1]), { axis: 0 }), [f32(n, 3)], 3],
  ['one of each row', (x, i) => T.atIndices(x, [T.arange(x.shape[0]!), i] as never), [f32(n, 3), i32(3, n)]],
  [
    'the rows in the opposite order',
    (x) => T.take(x, T.sub(x.shape[0]! - 1, T.arange(x.shape[0]!)) as never),
    [f32(n, 3)],
  ],
  ['an embedding and its gradient', gradOf((t, i) => T.square(T.take(t, i, { axis: 0 }))), [f32(5, 3), i32(5, n)]],
  ['one of the classes', (x, i) => nn.crossEntropy(x, i), [f32(n, 3), i32(3, n)]],
  ['its gradient', gradOf((x: T.Tensor, i: T.Tensor) => nn.crossEntropy(x, i as never)), [f32(n, 3), i32(3, n)]],
  ['oneHot', (i) => T.oneHot(i, 4), [i32(4, n)]],
  [
    'convolution over a batch',
    (x, w) => nn.conv2d(x, { weight: w }, { padding: 1 }),
    [f32(n, 2, 4, 4), f32(3, 2, 3, 3)],
  ],
  [
    'its gradients',
    gradOf((w, x) => T.square(nn.conv2d(x, { weight: w }, { stride: 2 }))),
    [f32(3, 2, 3, 3), f32(n, 2, 5, 5)],
  ],
  ['pooling', (x) => [nn.maxPool2d(x, { kernelSize: 2 }), nn.avgPool2d(x, { kernelSize: 2 })], [f32(n, 2, 4, 4)]],
  ['convolution along a sequence', (x, w) => nn.conv1d(x, { weight: w }), [f32(2, 3, n), f32(4, 3, 3)], 3],
  [
    'its gradient',
    gradOf((x, w) => T.square(nn.conv1d(x, { weight: w }, { padding: 1 }))),
    [f32(2, 3, n), f32(4, 3, 3)],
    1,
  ],
  [
    'gradient of windows as long as it is, but for two',
    gradOf((x) => T.square(nn.avgPool1d(x, { kernelSize: x.shape[2]! - 2, stride: 1 }))),
    [f32(1, 2, n)],
    3,
  ],
  ['layerNorm', (x) => nn.layerNorm(x), [f32(n, 4)]],
  [
    'batch norm',
    (x) => T.div(T.sub(x, T.mean(x, { axis: 0 })), T.sqrt(T.add(T.variance(x, { axis: 0 }), 1e-5))),
    [f32(n, 4)],
  ],
  ['gradient of a mean', gradOf((x) => T.mean(T.square(x))), [f32(n, 3)]],
  ['gradient of a sum of what is broadcast', gradOf((b, x) => T.add(x, b)), [f32(3), f32(n, 3)]],
  ['gradient of a variance', gradOf((x) => T.variance(x, { axis: 0 })), [f32(n, 3)], 1],
  ['gradient of the last', gradOf((x) => T.square(T.at(x, -1))), [f32(n, 3)], 1],
  ['gradient of a prefix sum', gradOf((x) => T.square(T.cumsum(x, { axis: 0 }))), [f32(n, 3)]],
  ['gradient of concat', gradOf((x, y) => T.square(T.concat([x, y], { axis: 0 }))), [f32(n, 3), f32(2, 3)]],
  ['vmap over it', (x, w) => T.vmap((row: T.Tensor) => T.tanh(T.matmul(w, row)))(x), [f32(n, 3), f32(4, 3)]],
  [
    'gradients an example',
    (w, x) =>
      T.vmap(
        T.grad((w: T.Tensor, row: T.Tensor) => T.sum(T.tanh(T.matmul(w, row)))),
        { inAxes: [null, 0] },
      )(w, x),
    [f32(4, 3), f32(n, 3)],
  ],
  [
    'scan over known steps',
    (x, s) => T.scan((c: T.Tensor, r: T.Tensor) => [T.tanh(T.add(c, r)), T.mul(c, r)], s, x),
    [f32(4, n, 3), f32(n, 3)],
  ],
  [
    'scan over it',
    (x, s) => T.scan((c: T.Tensor, r: T.Tensor) => [T.tanh(T.add(c, r)), T.mul(c, r)], s, x),
    [f32(n, 3), f32(3)],
    1,
  ],
  [
    'gradient of scan over it',
    gradOf(
      (s, x) =>
        (
          T.scan(
            (c: T.Tensor, r: T.Tensor) => [T.tanh(T.add(T.mul(c, 0.5), r)), T.mul(c, r)],
            s,
            x,
          ) as readonly T.Tensor[]
        )[1],
    ),
    [f32(3), f32(n, 3)],
    1,
  ],
  [
    'a loop until all are done',
    (x) =>
      T.whileLoop(
        (c: T.Tensor) => T.any(T.greater(c, 0.01)),
        (c: T.Tensor) => T.mul(c, 0.5),
        T.abs(x),
      ),
    [f32(n)],
  ],
  [
    'a loop of unknown end in each step',
    (x, s) =>
      T.scan(
        (c: T.Tensor, r: T.Tensor) => {
          // Ends where r is a number, and not where it is none.
          const root = T.whileLoop(
            (y: T.Tensor) => T.logicalNot(T.lessEqual(T.abs(T.sub(T.mul(y, y), T.abs(r))), 1e-3)) as never,
            (y: T.Tensor) => T.mul(0.5, T.add(y, T.div(T.abs(r), y))),
            T.add(T.abs(r), 1),
          ) as T.Tensor
          return [T.add(c, root), root]
        },
        s,
        x,
      ),
    [f32(n), f32()],
    1,
  ],
  [
    'a choice',
    (x) =>
      T.cond(
        T.greater(T.sum(x), 0),
        (a: T.Tensor) => T.mul(a, 2),
        (a: T.Tensor) => T.neg(a),
        x,
      ),
    [f32(n, 3)],
  ],
  ['random numbers', (x) => T.mul(x, random.uniform(random.key(3), x.shape)), [f32(n, 3)]],
  ['random numbers along a later axis', (x) => T.mul(x, random.uniform(random.key(3), x.shape)), [f32(2, n, m)]],
  ['dropout of attention', (x) => nn.dropout(T.matmul(x, T.swapaxes(x, 1, 2)), random.key(1)), [f32(m, n, 2)]],
  ['numbers row by row', (x) => T.add(x, T.reshape(T.arange(x.shape[0]! * x.shape[1]!), x.shape)), [f32(n, m)]],
  ['dropout', (x) => nn.dropout(x, random.key(1)), [f32(n, 3)]],
  ['positions', (x) => T.add(x, T.arange(x.shape[0]!)), [f32(n)]],
  ['zeros and ones of its shape', (x) => T.sum(T.add(T.ones(x.shape), T.zerosLike(x))), [f32(n, 3)]],
  [
    'a matrix an element',
    (x) => T.solve(T.add(T.matmul(x, T.swapaxes(x, -1, -2)), T.eye(3)), T.ones([3, 1])),
    [f32(n, 3, 3)],
  ],
  ['where', (x, c) => T.where(c as T.Tensor<T.Shape, 'bool'>, x, 0), [f32(n, 3), bool(n, 3)]],
  ['integers', (x) => [T.sum(x), T.mul(x, x)], [i32(9, n)]],
  ['einsum', (x, y) => T.einsum('bi,bj->ij', x, y), [f32(n, 3), f32(n, 2)]],
]

describe('a program of named sizes gives at every size what it gives for known ones', () => {
  test.each(cases.map(([name, f, specs, least = 1]) => ({ name, f, specs, least })))('$name', ({ f, specs, least }) => {
    const sizes = [1, 2, 5, 8].filter((k) => k >= least).map((k) => ({ n: k, m: Math.min(6, 9 - k) }))
    const used = new Set(specs.flatMap((s) => s.shape.flatMap((d) => (typeof d === 'number' ? [] : [d.dim]))))
    const order = [...used]
    expectAgreement(
      f,
      specs,
      sizes.map((s) => Object.fromEntries(order.map((name) => [name, s[name as 'n' | 'm']]))),
    )
  })
})

describe('what needs a size says so', () => {
  const refused: readonly (readonly [string, AnyProgram, readonly SizedSpec[], RegExp])[] = [
    ['sorting along it', (x) => T.sort(x, { axis: 0 }), [f32(n, 3)], /sorted along axis 0/],
    [
      'an axis in the middle joined to the one before',
      (x) => T.reshape(x, [-1]),
      [f32(3, n)],
      /reshape joins or divides axis 1/,
    ],
    ['a known size beside it', (x, y) => T.add(x, y), [f32(n, 3), f32(8, 3)], /'n' was 7 here/],
    ['two names', (x, y) => T.add(x, y), [f32(n), f32(T.dim('k', { max: 8 }))], /shapes/],
    ['half of it', (x) => T.at(x, '::2'), [f32(n, 3)], /no multiple of a named size/],
    ['a number that is no line', (x) => T.mul(x, Math.sqrt(x.shape[0]!)), [f32(n, 3)], /neither linear/],
    ['another program', (x) => (x.shape[0]! > 4 ? T.exp(x) : T.sin(x)), [f32(n, 3)], /built differently/],
    [
      'as many steps as it has bits',
      (x) => T.associativeScan((a: T.Tensor, b: T.Tensor) => T.add(a, b), x),
      [f32(n, 3)],
      /built differently/,
    ],
    [
      'another result of one operation',
      (x) => T.cummax(x, { axis: 0 })[x.shape[0]! > 4 ? 0 : 1]!,
      [i32(9, n)],
      /built differently/,
    ],
    ['another tree', (x) => (x.shape[0]! > 4 ? { a: x } : { b: x }), [f32(n, 3)], /another tree at other sizes of 'n'/],
    ['more results', (x) => (x.shape[0]! > 4 ? [x] : [x, x]), [f32(n, 3)], /another tree/],
    ['more that is looked at', (x) => (x.shape[0]! > 4 ? T.debug(x, 'x') : x), [f32(n, 3)], /built differently/],
    ['an inverse of it', (x) => T.inv(T.matmul(x, T.swapaxes(x, 0, 1))), [f32(n, 3)], /whole matrix/],
  ]
  test.each(refused)('%s', (_name, f, specs, message) => {
    expect(() => bind(f, specs)).toThrow(message)
  })
  test('with the line', () => {
    expect(() => bind((x) => T.sort(x, { axis: 0 }), [f32(n, 3)])).toThrow(/bind-sizes\.test\.ts:\d+/)
  })
  test('with the line of what a mistake is part of, once for each', () => {
    const sums: AnyProgram = (x) => T.associativeScan((a: T.Tensor, b: T.Tensor) => T.add(a, b), x)
    expect(() => bind(sums, [f32(n, 3)])).toThrow(/^(?!\d+ errors)[\s\S]*bind-sizes\.test\.ts:\d+/)
  })
  test('all at once', () => {
    const both: AnyProgram = (x) => [T.sort(x, { axis: 0 }), T.mul(x, Math.sqrt(x.shape[0]!))]
    expect(() => bind(both, [f32(n, 3)])).toThrow(/sorted along[\s\S]*neither linear/)
  })
})

test('how many there must be is known', () => {
  const least = (f: AnyProgram) => bind(f, [f32(n, 3)]).sizes.names[0]!.least
  expect(least((x) => T.sum(x))).toBe(0)
  expect(least((x) => T.at(x, '2:'))).toBe(2)
  expect(least((x) => T.at(x, ':2'))).toBe(2)
  expect(least((x) => T.at(x, -1))).toBe(1)
  expect(least((x) => T.max(x, { axis: 0 }))).toBe(1)
  expect(least((x) => T.max(x, { axis: 1 }))).toBe(0)
  expect(least((x) => T.take(x, T.arange(x.shape[0]!)))).toBe(0)
})
