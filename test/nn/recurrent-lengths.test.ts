/** Rows as long as they are: a padded batch is its rows one by one, in both directions, whatever lies past their ends. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { agreesWithReference } from '../../src/testing/agree.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape)

const [steps, features, hidden] = [4, 3, 2]
const counts = [2, 4, 0, 3]
const lengths = T.tensor(counts)
const x = some(1, steps, counts.length, features)
const options = { layers: 2, bidirectional: true } as const
const layers = {
  rnn: nn.rnnInit(random.key(2), features, hidden, options),
  gru: nn.gruInit(random.key(3), features, hidden, options),
  lstm: nn.lstmInit(random.key(4), features, hidden, { ...options, peepholes: true }),
}
const initial = some(5, 4, counts.length, hidden)
const inner = some(6, 4, counts.length, hidden)

type Run = (x: Tensor, rows: { initial: Tensor; inner: Tensor; lengths?: Tensor | undefined }) => readonly Tensor[]
const kinds: readonly (readonly [string, Run])[] = [
  ['rnn', (y, { initial: h, lengths: n }) => nn.rnn(y, layers.rnn, { initial: h, lengths: n })],
  ['gru', (y, { initial: h, lengths: n }) => nn.gru(y, layers.gru, { initial: h, lengths: n })],
  [
    'gru, reset before',
    (y, { initial: h, lengths: n }) => nn.gru(y, layers.gru, { initial: h, lengths: n, resetAfter: false }),
  ],
  ['lstm', (y, { initial: h, inner: c, lengths: n }) => nn.lstm(y, layers.lstm, { initial: [h, c], lengths: n })],
]

const row = (t: Tensor, i: number): Tensor => T.narrow(t, i, 1, { axis: 1 })

describe.each(kinds)('%s', (_, run) => {
  test('is its rows one by one', () => {
    const [output, ...states] = run(x, { initial, inner, lengths })
    counts.forEach((count, i) => {
      const [short, ...last] = run(T.narrow(row(x, i), 0, count), { initial: row(initial, i), inner: row(inner, i) })
      const zeros = Array.from({ length: (steps - count) * 2 * hidden }, () => 0)
      near(row(output!, i), [...flat(short!), ...zeros])
      states.forEach((state, k) => {
        near(row(state, i), flat(last[k]!))
      })
    })
  })

  test('does not look at what lies past the ends, nor do its gradients', () => {
    const past = T.greaterEqual(T.reshape(T.arange(steps), [steps, 1, 1]), T.reshape(lengths, [1, counts.length, 1]))
    const hostile = T.where(past, Number.NaN, x) as Tensor
    expect(run(hostile, { initial, inner, lengths }).map(flat)).toEqual(run(x, { initial, inner, lengths }).map(flat))
    const total = (y: Tensor): Tensor<readonly []> =>
      run(y, { initial, inner, lengths })
        .map((t) => T.sum(T.square(t)) as Tensor<readonly []>)
        .reduce((a, b) => T.add(a, b))
    const slope = flat(T.grad(total)(hostile))
    expect(slope).toEqual(flat(T.grad(total)(x)))
    expect(slope.every(Number.isFinite)).toBe(true)
  })
})

test('batches first, a sequence without a batch, unsigned lengths, and more than there are steps', () => {
  const [plain, state] = nn.gru(x, layers.gru, { lengths })
  const turned = nn.gru(T.swapaxes(x, 0, 1), layers.gru, { lengths, batchFirst: true })
  near(T.swapaxes(turned[0], 0, 1), flat(plain))
  near(turned[1], flat(state))
  const alone = nn.gru(T.select(x, 0, { axis: 1 }) as Tensor, layers.gru, { lengths: T.tensor(2, { dtype: 'u32' }) })
  near(alone[0], flat(T.select(plain, 0, { axis: 1 }) as Tensor))
  near(alone[1], flat(T.select(state, 0, { axis: 1 }) as Tensor))
  near(nn.gru(x, layers.gru, { lengths: T.full([4], 99, { dtype: 'i32' }) })[0], flat(nn.gru(x, layers.gru)[0]))
})

test('gradients are those of finite differences, and rows may be batched', () => {
  const [gru, lstm] = [
    nn.gruInit(random.key(7), 2, 2),
    nn.lstmInit(random.key(8), 2, 2, { peepholes: true, projection: 1 }),
  ]
  const f = (g: typeof gru, l: typeof lstm, data: Tensor): unknown => [
    nn.gru(data, g, { lengths: T.tensor([1, 2]), resetAfter: false }),
    nn.lstm(data, l, { lengths: T.tensor([2, 1]) }),
  ]
  checkGrad(f, [gru, lstm, some(9, 2, 2, 2)], { maxElements: 3 })
  checkVmap(
    (data: Tensor, n: Tensor) => nn.gru(data, gru, { lengths: n }),
    [
      some(10, 3, 2, 2, 2),
      T.tensor([
        [1, 2],
        [0, 1],
        [2, 2],
      ]),
    ],
  )
})

test('devices agree with the reference', async () => {
  const f = (data: Tensor, n: Tensor): unknown => [
    nn.rnn(data, layers.rnn.slice(0, 1), { lengths: n }),
    nn.gru(data, [layers.gru[0]![0]], { lengths: n, resetAfter: false }),
  ]
  for (const device of [await sharedDevice(), await sharedProcessor()])
    expect(await agreesWithReference(f, [x, lengths as Tensor], { device })).toBe(true)
})

test.each([
  [() => nn.gru(x, layers.gru, { lengths: T.tensor([1, 2]) })[0], 'lengths are i32[2], not integers [4]'],
  [() => nn.gru(x, layers.gru, { lengths: T.ones([4]) })[1], 'lengths are f32[4], not integers [4]'],
] as const)('mistake %# is named', (f, reason) => {
  expect(mistakeOf(f())).toMatchObject({ op: 'nn.gru', reason })
})

describe('dropout', () => {
  const key = random.key(11)
  test('falls between layers, never on the last', () => {
    const none = nn.rnn(x, layers.rnn, { dropout: 1, dropoutKey: key })
    const [above] = layers.rnn.slice(1)
    near(none[0], flat(nn.rnn(T.zeros([steps, counts.length, 2 * hidden]), [above!])[0]))
    const single = layers.rnn.slice(0, 1)
    expect(flat(nn.rnn(x, single, { dropout: 0.5, dropoutKey: key })[0])).toEqual(flat(nn.rnn(x, single)[0]))
  })
  test('is drawn from its key', () => {
    const draw = (seed: number): readonly number[] =>
      flat(nn.rnn(x, layers.rnn, { dropout: 0.5, dropoutKey: random.key(seed) })[0])
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })
  test('without a key is refused', () => {
    expect(() => nn.lstm(x, layers.lstm, { dropout: 0.5 })).toThrow('nn.lstm: dropout is 0.5, and there is no key')
  })
})
