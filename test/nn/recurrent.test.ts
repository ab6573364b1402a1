/** Recurrent cells and networks: a network is its cell step by step, in every layout; states, directions, empty sequences. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

/** Fixed small numbers. */
const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape)

const cell = (gates: number, features: number, hidden: number, seed = 1): nn.CellParams => ({
  weightIh: some(seed, gates * hidden, features),
  weightHh: some(seed + 1, gates * hidden, hidden),
  biasIh: some(seed + 2, gates * hidden),
  biasHh: some(seed + 3, gates * hidden),
})

const x = some(50, 3, 2, 3)

describe('cells', () => {
  test('a gated cell without weights halves its state', () => {
    const none = { weightIh: T.zeros([6, 3]), weightHh: T.zeros([6, 2]) }
    expect(flat(nn.gruCell(T.ones([1, 3]), T.tensor([[2, -4]], { dtype: 'f32' }), none))).toEqual([1, -2])
  })

  test('inputs without a batch, and an empty batch', () => {
    const p = cell(4, 3, 2)
    const [h] = nn.lstmCell(T.ones([3]), [T.zeros([2]), T.zeros([2])], p)
    const [batched] = nn.lstmCell(T.ones([1, 3]), [T.zeros([1, 2]), T.zeros([1, 2])], p)
    expect(flat(h)).toEqual(flat(batched))
    expect(nn.rnnCell(T.zeros([0, 3]), T.zeros([0, 2]), cell(1, 3, 2)).shape).toEqual([0, 2])
  })

  test.each([
    ['nn.rnnCell', () => nn.rnnCell(T.ones([1, 3]), T.ones([1, 2]), cell(1, 4, 2))],
    ['nn.gruCell', () => nn.gruCell(T.ones([1, 3]), T.ones([1, 2]), cell(4, 3, 2))],
    ['nn.lstmCell', () => nn.lstmCell(T.ones([1, 3]), [T.ones([1, 2]), T.ones([1, 3])], cell(4, 3, 2))[1]],
  ] as const)('%s names weights that do not fit', (name, f) => {
    const e = mistakeOf(f())
    expect(e.op).toBe(name)
    expect(e.reason).toContain('do not fit')
    expect(e.hint).toContain('weightIh')
  })
})

describe('networks', () => {
  test('a layer is its cell step by step, and batchFirst only turns axes', () => {
    const p = cell(4, 3, 2)
    const [h0, c0] = [some(60, 2, 2), some(61, 2, 2)]
    let state: readonly [Tensor, Tensor] = [h0, c0]
    const each = T.unbind(x).map((at) => (state = nn.lstmCell(at, state, p))[0])
    const initial = [T.expandDims(h0, 0) as Tensor, T.expandDims(c0, 0) as Tensor] as const
    const [output, hidden, memory] = nn.lstm(x, [p], { initial })
    near(output, flat(T.stack(each)))
    near(hidden, flat(state[0]))
    near(memory, flat(state[1]))
    const [turned] = nn.lstm(T.swapaxes(x, 0, 1), [p], { initial, batchFirst: true })
    expect(turned.shape).toEqual([2, 3, 2])
    near(T.swapaxes(turned, 0, 1), flat(output))
  })

  test('a pair of cells reads both ways', () => {
    const [there, back] = [cell(3, 3, 2), cell(3, 3, 2, 20)]
    const [both, hidden] = nn.gru(x, [[there, back]])
    const [forwards] = nn.gru(x, [there])
    const [backwards, first] = nn.gru(T.flip(x, { axis: 0 }) as Tensor, [back])
    expect(both.shape).toEqual([3, 2, 4])
    near(both, flat(T.concat([forwards, T.flip(backwards, { axis: 0 }) as Tensor], { axis: -1 })))
    near(T.select(hidden, 1), flat(first))
  })

  test('layers stand one above the other; only some may run both ways', () => {
    const [low, high] = [cell(1, 3, 2), cell(1, 4, 2, 30)]
    const [output, hidden] = nn.rnn(x, [[low, low], high], { nonlinearity: 'relu' })
    const [below] = nn.rnn(x, [[low, low]], { nonlinearity: 'relu' })
    const [above] = nn.rnn(below, [high], { nonlinearity: 'relu' })
    near(output, flat(above))
    expect(hidden.shape).toEqual([3, 2, 2])
  })

  test('a sequence without a batch, of one step, of none, of an empty batch', () => {
    const p = cell(3, 3, 2)
    const single = T.select(x, 0, { axis: 1 })
    const [output, hidden] = nn.gru(single, [p])
    expect([output.shape, hidden.shape]).toEqual([
      [3, 2],
      [1, 2],
    ])
    near(output, flat(T.select(nn.gru(x, [p])[0], 0, { axis: 1 })))
    const initial = some(70, 1, 2, 2)
    const [none, kept] = nn.gru(T.zeros([0, 2, 3]), [p], { initial })
    expect(none.shape).toEqual([0, 2, 2])
    near(kept, flat(initial))
    expect(nn.gru(T.zeros([4, 0, 3]), [p])[0].shape).toEqual([4, 0, 2])
  })

  test.each([
    [() => nn.rnn(T.ones([3]), [cell(1, 3, 2)])[0], 'not rank 1'],
    [() => nn.rnn(x, [])[1], 'there are no layers'],
    [() => nn.rnn(x, [cell(1, 3, 2)], { initial: T.zeros([2, 2, 2]) })[0], 'not [1, 2, 2]'],
    [() => nn.rnn(x, [cell(1, 3, 2), cell(1, 3, 2)])[1], 'do not fit 2 features'],
  ] as const)('mistake %# is named', (f, reason) => {
    const e = mistakeOf(f())
    expect(e.op).toBe('nn.rnn')
    expect(e.reason).toContain(reason)
  })

  test('gradients are those of finite differences, through time and layers', () => {
    const run = (p: nn.CellParams, q: nn.CellParams, data: Tensor): unknown => [
      nn.rnn(data, [p])[0],
      nn.lstm(data, [q], { initial: [some(80, 1, 2, 1), some(81, 1, 2, 1)] }),
      nn.gru(data, [[cell(3, 3, 1, 5), cell(3, 3, 1, 9)]])[1],
    ]
    checkGrad(run, [cell(1, 3, 2), cell(4, 3, 1), T.narrow(x, 0, 2)], { maxElements: 6 })
  })
})
