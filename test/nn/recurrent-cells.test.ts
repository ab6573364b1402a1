/** Cells against loops over numbers: peepholes, projections, and the reset gate before or after the product. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape)

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v))

/** Element `row` of `m·v + b`. */
const product = (m: Tensor, v: readonly number[], row: number, b?: Tensor): number =>
  v.reduce((sum, e, k) => sum + flat(m)[row * v.length + k]! * e, b ? flat(b)[row]! : 0)

const [features, hidden] = [3, 2]
const cell = (gates: number, state = hidden): nn.CellParams => ({
  weightIh: some(1, gates * hidden, features),
  weightHh: some(2, gates * hidden, state),
  biasIh: some(3, gates * hidden),
  biasHh: some(4, gates * hidden),
})
const units = Array.from({ length: hidden }, (_, i) => i)

describe('lstmCell', () => {
  const x = some(5, features)
  const run = (p: nn.LstmCellParams, h: readonly number[], c: readonly number[]) => {
    const gate = (g: number, u: number): number =>
      product(p.weightIh, flat(x), g * hidden + u, p.biasIh!) + product(p.weightHh, h, g * hidden + u, p.biasHh!)
    const peephole = (g: number, u: number): number => (p.peepholes ? flat(p.peepholes)[g * hidden + u]! : 0)
    const next = units.map((u) => {
      const forget = sigmoid(gate(1, u) + peephole(1, u) * c[u]!)
      return forget * c[u]! + sigmoid(gate(0, u) + peephole(0, u) * c[u]!) * Math.tanh(gate(2, u))
    })
    const out = units.map((u) => sigmoid(gate(3, u) + peephole(2, u) * next[u]!) * Math.tanh(next[u]!))
    return [p.weightHr ? Array.from({ length: h.length }, (_, r) => product(p.weightHr!, out, r)) : out, next]
  }

  test.each([
    ['with peepholes', { ...cell(4), peepholes: some(6, 3 * hidden) }, hidden],
    ['projected', { ...cell(4, 1), weightHr: some(7, 1, hidden) }, 1],
    ['both', { ...cell(4, 3), peepholes: some(6, 3 * hidden), weightHr: some(7, 3, hidden) }, 3],
  ] as const)('%s', (_, params, size) => {
    const [h, c] = [some(8, size), some(9, hidden)]
    const [out, next] = nn.lstmCell(x, [h, c], params)
    const [wantOut, wantNext] = run(params, flat(h), flat(c))
    near(out, wantOut!)
    near(next, wantNext!)
  })

  test.each([
    [{ ...cell(4), peepholes: T.ones([8]) }, 'peepholes has shape [8], not [6]'],
    [{ ...cell(4, 1), weightHr: T.ones([2, 2]) }, 'weightHr has shape [2, 2], not [1, 2]'],
  ])('mistake %# is named', (params, reason) => {
    const size = params.weightHh.shape[1]!
    expect(mistakeOf(nn.lstmCell(x, [T.ones([size]), T.ones([hidden])], params)[0])).toMatchObject({
      op: 'nn.lstmCell',
      reason,
    })
  })
})

test.each([true, false])('gruCell with resetAfter %s', (resetAfter) => {
  const p = cell(3)
  const [x, h] = [some(5, features), some(8, hidden)]
  const [xs, hs] = [flat(x), flat(h)]
  const own = (g: number, u: number): number => product(p.weightIh, xs, g * hidden + u, p.biasIh!)
  const state = (g: number, u: number, v = hs): number => product(p.weightHh, v, g * hidden + u, p.biasHh!)
  const reset = units.map((u) => sigmoid(own(0, u) + state(0, u)))
  const want = units.map((u) => {
    const update = sigmoid(own(1, u) + state(1, u))
    const seen = hs.map((v, k) => v * reset[k]!)
    const candidate = Math.tanh(own(2, u) + (resetAfter ? reset[u]! * state(2, u) : state(2, u, seen)))
    return (1 - update) * candidate + update * hs[u]!
  })
  near(nn.gruCell(x, h, { ...p, resetAfter }), want)
  const sequence = nn.gru(T.expandDims(x, 0) as Tensor, [p], { initial: T.expandDims(h, 0) as Tensor, resetAfter })
  near(sequence[1], want)
})
