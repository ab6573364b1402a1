/** Small graphs that some layer once got wrong, found by the random tests and shrunk: each goes through all layers. */
import { describe, expect, test } from 'vitest'
import { build as b, constant, freshInputs } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { allocate, type DType } from '../../src/lang/dtype.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Node, TensorType } from '../../src/lang/ir.ts'
import type { Value } from '../../src/lang/primitive.ts'
import type { Sample } from '../../src/testing/sample.ts'
import { expectation } from '../../src/testing/tolerance.ts'
import { runDevice, runKernelInterp } from '../differential.ts'
import { disagreement } from './harness.ts'

const type = (shape: readonly number[], dtype: DType = 'f32'): TensorType => ({ shape, dtype })

/** 1, 2, 3 … in every input (bools alternate). */
const counting = ({ shape, dtype }: TensorType): Value => {
  const data = allocate(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = dtype === 'bool' ? i % 2 : i + 1
  return { shape, dtype, data }
}

const sample = (types: readonly TensorType[], f: (xs: readonly Node[]) => readonly Node[]): Sample => {
  const inputs = freshInputs(types)
  return { graph: { inputs, outputs: f(inputs) }, inputs: types.map(counting) }
}

interface Case {
  readonly types: readonly TensorType[]
  readonly outputs: (...xs: Node[]) => readonly Node[]
}

const sum = (x: Node, axes: readonly number[]): Node => b.reduce([x], { monoid: 'sum', axes })

const cases: Readonly<Record<string, Case>> = {
  'a reflection by a vector whose square is 0': {
    types: [type([2, 2])],
    outputs: (x) => {
      const small = b.const([], { shape: [2, 2], dtype: 'f32', values: [1, 8e-31, 8e-31, 1] })
      const both = b.qr([b.mul([x!, small], {})], { complete: true })
      return [0, 1].map((index) => b.get([both], { index }))
    },
  },
  'an outer product contracts nothing': {
    types: [type([3]), type([5])],
    outputs: (x, y) => [b.dot([x!, y!], { lhs: [0], rhs: [1], out: [1, 0] })],
  },
  'a reduction that only an empty tensor reads': {
    types: [type([5, 5])],
    outputs: (x) => [
      b.window([b.reduce([sum(x!, [1])], { monoid: 'min', axes: [] })], { axis: 0, size: 4, stride: 2, dilation: 3 }),
    ],
  },
  'two axes of a store that could both be vectors': {
    types: [type([1, 8, 1])],
    outputs: (x) => [b.broadcast([x!], { shape: [1, 1, 8, 8, 1], axes: [0, 3] }), sum(x!, [2])],
  },
  'a sum inside a fold, spread over the windows that the fold runs along': {
    types: [type([8, 4])],
    outputs: (x) => {
      const windows = b.broadcast([sum(x!, [1])], { shape: [1, 8, 4], axes: [0, 2] })
      return [b.fold([windows], { axis: 0, n: 11, stride: 2, dilation: 3 })]
    },
  },
  'a maximum inside a fold of cropped windows': {
    types: [type([8, 4])],
    outputs: (x) => {
      const cropped = b.pad([x!], { low: [0, -1], high: [0, 1], interior: [0, 0], value: 9 })
      const most = b.reduce([cropped], { monoid: 'max', axes: [1] })
      return [
        b.fold([b.broadcast([most], { shape: [1, 8, 4], axes: [0, 2] })], { axis: 0, n: 11, stride: 2, dilation: 3 }),
      ]
    },
  },
  'a computed index outside its axis where a guard discards what it reads': {
    types: [type([8, 8])],
    outputs: (x) => {
      const rows = b.iota([], { shape: [8, 3], dtype: 'i32', axis: 0 })
      return [b.fold([b.gather([x!, rows], { batch: 0 })], { axis: 0, n: 15, stride: 1, dilation: 1 })]
    },
  },
  'computed indices differ between the lanes of a vector': {
    types: [type([8])],
    outputs: (x) => [
      b.gather(
        [
          x!,
          constant(
            type([8, 4], 'i32'),
            Array.from({ length: 32 }, (_, i) => (i * 5) % 8),
          ),
        ],
        { batch: 0 },
      ),
    ],
  },
  'more halves and floats than a kernel binds buffers': {
    types: [...Array.from({ length: 6 }, () => type([5], 'f16')), ...Array.from({ length: 6 }, () => type([6]))],
    outputs: (...xs) => xs.map((x) => b.neg([x], {})),
  },
  'a sum of what does not move, beside one of what does': {
    types: [type([8]), type([])],
    outputs: (x, y) => [b.add([sum(x!, [0]), sum(b.broadcast([y!], { shape: [8], axes: [0] }), [0])], {})],
  },
  'a product of what does not move, inside a reduction of what does': {
    types: [type([3, 8]), type([3])],
    outputs: (x, y) => {
      const spread = b.broadcast([y!], { shape: [3, 8], axes: [1] })
      const product = b.reduce([spread], { monoid: 'prod', axes: [1] })
      return [b.div([sum(x!, [1]), product], {}), b.reduce([b.mul([x!, spread], {})], { monoid: 'max', axes: [1] })]
    },
  },
  'two products of matrices in tiles that overlap at the edge, from four tensors': {
    types: [type([48, 33], 'u32'), type([31, 48], 'u32'), type([31, 48], 'u32'), type([48, 33], 'u32')],
    outputs: (x, y, z, w) => {
      const first = b.dot([x!, y!], { lhs: [7, 11], rhs: [2, 7], out: [11, 2] })
      return [b.mul([first, b.dot([z!, w!], { lhs: [5, 8], rhs: [8, 7], out: [7, 5] })], {})]
    },
  },
  'prefixes of lines of one element': {
    types: [type([3, 12, 1], 'u32')],
    outputs: (x) => [b.get([b.cumulate([x!], { monoid: 'max', axis: 2, reverse: false })], { index: 1 })],
  },
  'a loop of whose results nobody reads most': {
    types: [type([1]), type([1, 1])],
    outputs: (x, xs) => {
      const [c, row] = freshInputs([type([1]), type([1])])
      const spread = b.broadcast([sum(row!, [0])], { shape: [1], axes: [0] })
      const next = b.add([c!, b.sin([row!], {})], {})
      const rows = [b.mul([c!, spread], {}), b.cos([row!], {}), spread, c!]
      const body = { inputs: [c!, row!], outputs: [next, ...rows] }
      const loop = b.scan([x!, xs!], { body, carries: 1, slices: 1, length: 1, reverse: false })
      return [2, 3, 4].map((index) => b.get([loop], { index }))
    },
  },
  'a variance of sums of sums': {
    types: [type([8, 8])],
    outputs: (x) => {
      const rows = b.reduce([x!], { monoid: 'logSumExp', axes: [0] })
      const where = constant(type([8], 'i32'), [2, 4, 2, 1, 1, 3, 5, 6])
      const added = b.scatterAdd([where, b.broadcast([rows], { shape: [8, 8], axes: [1] })], { batch: 0, size: 8 })
      const moments = b.reduce([added], { monoid: 'meanVar', axes: [1] })
      return [b.get([moments], { index: 1 }), b.get([moments], { index: 0 })]
    },
  },
  'arguments given away beside one that is read where a remainder says so': {
    types: [type([5, 2, 5]), ...Array.from({ length: 12 }, () => type([1]))],
    outputs: (x, ...rest) => [
      b.pad([x!], { low: [0, 1, -2], high: [0, -1, 2], interior: [0, 0, 0], value: 0 }),
      ...rest.map((y) => b.neg([y], {})),
    ],
  },
}

/** What optimisers of drivers rewrite as if numbers were real, on numbers that are not. */
const unreal: Readonly<Record<string, (x: Node, y: Node, zero: Node) => Node>> = {
  'x·(y/x)': (x, y) => b.mul([x, b.div([y, x], {})], {}),
  '(y/x)·x': (x, y) => b.mul([b.div([y, x], {}), x], {}),
  '(x·y)/x': (x, y) => b.div([b.mul([x, y], {}), x], {}),
  '(y-x)+x': (x, y) => b.add([b.sub([y, x], {}), x], {}),
  'x+(y-x)': (x, y) => b.add([x, b.sub([y, x], {})], {}),
  '(y+x)-x': (x, y) => b.sub([b.add([y, x], {}), x], {}),
  x·0: (x, _y, zero) => b.mul([x, zero], {}),
  '0/x': (x, _y, zero) => b.div([zero, x], {}),
  'x/x': (x) => b.div([x, x], {}),
  'x-x': (x) => b.sub([x, x], {}),
  '0-x': (x, _y, zero) => b.sub([zero, x], {}),
  'x=x': (x) => b.cast([b.eq([x, x], {})], { dtype: 'f32' }),
}

describe('no rewriting as if numbers were real', () => {
  const type = { shape: [8], dtype: 'f32' } as const
  const [x, y] = freshInputs([type, type])
  const zero = b.broadcast([constant({ shape: [], dtype: 'f32' }, [0])], { shape: [8], axes: [0] })
  const graph = { inputs: [x!, y!], outputs: Object.values(unreal).map((f) => f(x!, y!, zero)) }
  const inputs: readonly Value[] = [
    { ...type, data: Float64Array.of(0, Infinity, -Infinity, NaN, 1, -2, 2 ** 25, 0) },
    { ...type, data: Float64Array.of(0, 0, Infinity, 1, Infinity, 0, 1, NaN) },
  ]
  const expected = evaluate(graph, inputs, { precision: 'f32' })
  const names = Object.keys(unreal).map((name, i) => ({ name, i }))
  const device = runDevice(graph, inputs)

  test.each(names)('$name', async ({ i }) => {
    // Zeros by value: their sign is nobody's promise.
    const plain = (v: Value): readonly number[] => Array.from(v.data, (e) => e + 0)
    expect(plain((await device)[i]!)).toEqual(plain(expected[i]!))
    expect(plain(runKernelInterp(graph, inputs)[i]!)).toEqual(plain(expected[i]!))
  })
})

describe('regressions', () => {
  test.each(Object.entries(cases))('%s', (_name, { types, outputs }) => {
    const s = sample(types, (xs) => outputs(...xs))
    const expected = expectation(s)
    if ('discarded' in expected) throw new Error(`discarded: ${expected.discarded}`)
    expect(disagreement(s, expected)).toBeUndefined()
  })
})
