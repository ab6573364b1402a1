/** Initial weights of recurrent networks: shapes of all layers, PyTorch's bounds, and a network that takes them. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { flattenTensors } from '../../src/lang/tree.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { flat } from '../lang/tensor/run.ts'

const key = random.key(5)
const x = T.ones([6, 2, 3])

test('two layers that run both ways', () => {
  const layers = nn.gruInit(key, 3, 8, { layers: 2, bidirectional: true })
  const { paths, leaves } = flattenTensors(layers)
  expect(paths.slice(8).map((path, i) => [path, leaves[8 + i]!.shape])).toEqual([
    ['[1][0].biasHh', [24]],
    ['[1][0].biasIh', [24]],
    ['[1][0].weightHh', [24, 8]],
    ['[1][0].weightIh', [24, 16]],
    ['[1][1].biasHh', [24]],
    ['[1][1].biasIh', [24]],
    ['[1][1].weightHh', [24, 8]],
    ['[1][1].weightIh', [24, 16]],
  ])
  const all = leaves.flatMap(flat)
  const most = Math.max(...all.map(Math.abs))
  expect(most).toBeLessThanOrEqual((1 / Math.sqrt(8)) * (1 + 1e-6))
  expect(most).toBeGreaterThan(0.99 / Math.sqrt(8))
  // Cells are drawn from keys of their own.
  expect(new Set(all).size).toBeGreaterThan(0.99 * all.length)
  expect(nn.gru(x, layers).map((t) => t.shape)).toEqual([
    [6, 2, 16],
    [4, 2, 8],
  ])
})

test('peepholes and projections of several layers', () => {
  const layers = nn.lstmInit(key, 3, 5, { layers: 2, bias: false, peepholes: true, projection: 2 })
  expect(Object.entries(layers[1]!).map(([name, t]) => [name, t.shape])).toEqual([
    ['weightIh', [20, 2]],
    ['weightHh', [20, 2]],
    ['peepholes', [15]],
    ['weightHr', [2, 5]],
  ])
  expect(nn.lstm(x, layers).map((t) => t.shape)).toEqual([
    [6, 2, 2],
    [2, 2, 2],
    [2, 2, 5],
  ])
})

test('forget gates begin with what is asked for, in every layer and both ways', () => {
  const sizes = [key, 3, 2, { layers: 2, bidirectional: true, peepholes: true }] as const
  const drawn = nn.lstmInit(...sizes).flat()
  const asked = nn.lstmInit(key, 3, 2, { ...sizes[3], forgetBias: 1.5 }).flat()
  for (const [i, cell] of asked.entries()) {
    const gates = (bias: T.Tensor | undefined): readonly (readonly number[])[] => {
      const all = Array.from(T.reference(bias!).data)
      return [0, 2, 4, 6].map((at) => all.slice(at, at + 2))
    }
    for (const [name, forget] of [['biasIh', 1.5] as const, ['biasHh', 0] as const])
      expect(gates(cell[name])).toEqual(gates(drawn[i]![name]).with(1, [forget, forget]))
    expect(T.reference(cell.weightHh).data).toEqual(T.reference(drawn[i]!.weightHh).data)
    expect(cell.peepholes!.shape).toEqual([6])
  }
})

test('a cell is an element of the list', () => {
  const [cell] = nn.rnnInit(key, 3, 4)
  expect(nn.rnnCell(T.ones([2, 3]), T.zeros([2, 4]), cell!).shape).toEqual([2, 4])
})

test.each([
  [() => nn.rnnInit(key, -3, 4), 'nn.rnnInit: inputs is -3'],
  [() => nn.gruInit(key, 3, 0.5), 'nn.gruInit: hidden is 0.5'],
  [() => nn.lstmInit('key' as never, 3, 4), "nn.lstmInit: the key is 'key'"],
  [() => nn.lstmInit(key, 3, 4, { forgetBias: 1, bias: false }), 'nn.lstmInit: forgetBias is 1, but { bias: false }'],
  [() => nn.gruInit(key, 3, 4, { forgetBias: 1 } as never), "nn.gruInit: there is no option 'forgetBias'"],
  [() => nn.gruInit(key, 3, 4, { projection: 2 } as never), "nn.gruInit: there is no option 'projection'"],
])('mistake %# is named', (f, message) => {
  expect(f).toThrow(message)
})
