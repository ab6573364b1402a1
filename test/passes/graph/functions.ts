/** Composite functions for derivative tests: what each takes, and inputs at which it is smooth. */
import { build, constant, typeOf } from '../../../src/lang/build.ts'
import type { Node, TensorType } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { f32 } from './programs.ts'

const b = build

/** A function of float tensors to one tensor of any shape. */
export interface Differentiable {
  readonly name: string
  readonly types: readonly TensorType[]
  readonly f: (...xs: Node[]) => Node
  /** Where inputs are drawn from; (-1.5, 1.5) unless said. */
  readonly from?: readonly [number, number]
}

const like = (x: Node, value: number): Node => fill(b, typeOf(x), value)
const add = (x: Node, y: Node): Node => b.add([x, y], {})
const sub = (x: Node, y: Node): Node => b.sub([x, y], {})
const mul = (x: Node, y: Node): Node => b.mul([x, y], {})
const div = (x: Node, y: Node): Node => b.div([x, y], {})
const exp = (x: Node): Node => b.exp([x], {})
const sum = (x: Node, ...axes: number[]): Node => b.reduce([x], { monoid: 'sum', axes })
const matmul = (x: Node, y: Node): Node => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
const wide = (x: Node, shape: readonly number[], ...axes: number[]): Node => b.broadcast([x], { shape, axes })
const index = (...values: number[]): Node => constant({ shape: [values.length], dtype: 'i32' }, values)

const softmax = (x: Node): Node => {
  const { shape } = typeOf(x)
  const last = shape.length - 1
  const e = exp(sub(x, wide(b.stopGradient([b.reduce([x], { monoid: 'max', axes: [last] })], {}), shape, last)))
  return div(e, wide(sum(e, last), shape, last))
}

const layerNorm = (x: Node, scale: Node): Node => {
  const { shape } = typeOf(x)
  const stats = b.reduce([x], { monoid: 'meanVar', axes: [1] })
  const mean = wide(b.get([stats], { index: 0 }), shape, 1)
  const spread = wide(
    b.rsqrt([add(b.get([stats], { index: 1 }), like(b.get([stats], { index: 1 }), 0.125))], {}),
    shape,
    1,
  )
  return mul(mul(sub(x, mean), spread), wide(scale, shape, 0))
}

export const functions: readonly Differentiable[] = [
  { name: 'polynomial', types: [f32(3)], f: (x) => add(mul(x, mul(x, x)), mul(like(x, -2), x)) },
  { name: 'used twice, and its own square', types: [f32(3), f32(3)], f: (x, y) => add(mul(x, y), mul(mul(x, y), x)) },
  { name: 'quotient', types: [f32(4), f32(4)], f: (x, y) => div(x, add(mul(y, y), like(y, 1))) },
  {
    name: 'chain of elementary functions',
    types: [f32(5)],
    f: (x) => b.tanh([b.sin([exp(mul(like(x, 0.5), x))], {})], {}),
  },
  {
    name: 'logarithms',
    types: [f32(5)],
    f: (x) => add(b.log([x], {}), mul(b.log1p([x], {}), b.log2([x], {}))),
    from: [0.5, 2],
  },
  { name: 'power of two tensors', types: [f32(4), f32(4)], f: (x, y) => b.pow([x, y], {}), from: [0.5, 2] },
  {
    name: 'sqrt, rsqrt and expm1',
    types: [f32(4)],
    f: (x) => add(mul(b.sqrt([x], {}), b.expm1([x], {})), b.rsqrt([x], {})),
    from: [0.5, 2],
  },
  { name: 'erf and sigmoid', types: [f32(4)], f: (x) => mul(b.erf([x], {}), b.sigmoid([x], {})) },
  {
    name: 'broadcast over rows and columns',
    types: [f32(3), f32(2)],
    f: (x, y) => mul(wide(x, [2, 3], 0), exp(wide(y, [2, 3], 1))),
  },
  { name: 'scalar times tensor', types: [f32(), f32(2, 3)], f: (s, x) => mul(wide(s, [2, 3], 0, 1), b.sin([x], {})) },
  {
    name: 'sums and products of sums',
    types: [f32(3, 4)],
    f: (x) => mul(sum(mul(x, x), 1), sum(b.permute([x], { axes: [1, 0] }), 0)),
  },
  { name: 'product', types: [f32(2, 4)], f: (x) => b.reduce([x], { monoid: 'prod', axes: [1] }) },
  {
    name: 'maximum over an axis',
    types: [f32(3, 4)],
    f: (x) => mul(b.reduce([x], { monoid: 'max', axes: [0] }), sum(x, 0)),
  },
  {
    name: 'argmax value',
    types: [f32(3, 4)],
    f: (x) => b.get([b.reduce([x], { monoid: 'argmax', axes: [1] })], { index: 0 }),
  },
  { name: 'logSumExp', types: [f32(3, 4)], f: (x) => b.reduce([x], { monoid: 'logSumExp', axes: [0, 1] }) },
  { name: 'softmax with a stopped maximum', types: [f32(2, 5), f32(2, 5)], f: (x, y) => mul(softmax(x), y) },
  { name: 'layer normalisation', types: [f32(3, 5), f32(5)], f: layerNorm },
  {
    name: 'two layers of a network',
    types: [f32(2, 3), f32(3, 4), f32(4), f32(4, 2)],
    f: (x, v, c, w) => matmul(b.tanh([add(matmul(x, v), wide(c, [2, 4], 0))], {}), w),
  },
  { name: 'a matrix times itself', types: [f32(3, 3)], f: (x) => matmul(x, matmul(x, x)) },
  {
    name: 'batched contraction',
    types: [f32(2, 3, 4), f32(2, 5, 4)],
    f: (x, y) => b.dot([x, y], { lhs: [0, 1, 2], rhs: [0, 3, 2], out: [3, 0, 1] }),
  },
  {
    name: 'gather with a repeated row',
    types: [f32(4, 2)],
    f: (x) => {
      const g = b.gather([x, index(2, 0, 2)], { batch: 0 })
      return mul(g, g)
    },
  },
  {
    name: 'scatterAdd with a collision',
    types: [f32(3, 2)],
    f: (x) => exp(b.scatterAdd([index(1, 3, 1), x], { batch: 0, size: 4 })),
  },
  {
    name: 'windows, as in a convolution',
    types: [f32(7), f32(3)],
    f: (x, k) =>
      b.dot([b.window([x], { axis: 0, size: 3, stride: 2, dilation: 1 }), k], { lhs: [0, 1], rhs: [1], out: [0] }),
  },
  {
    name: 'fold of squared windows',
    types: [f32(6)],
    f: (x) => {
      const w = b.window([x], { axis: 0, size: 3, stride: 1, dilation: 2 })
      return b.fold([mul(w, w)], { axis: 0, n: 6, stride: 1, dilation: 2 })
    },
  },
  {
    name: 'concat with itself and a slice',
    types: [f32(2, 3), f32(2, 2)],
    f: (x, y) => {
      const c = b.concat([x, mul(y, y), b.slice([x], { start: [0, 1], stop: [2, 3], step: [1, 1] })], { axis: 1 })
      return mul(c, c)
    },
  },
  {
    name: 'strided slice and interior pad',
    types: [f32(7)],
    f: (x) => {
      const s = b.slice([x], { start: [1], stop: [7], step: [2] })
      return mul(x, b.pad([mul(s, s)], { low: [1], high: [-1], interior: [2], value: 3 }))
    },
  },
  { name: 'flip', types: [f32(3, 2)], f: (x) => mul(x, b.flip([x], { axes: [0] })) },
  { name: 'select by sign', types: [f32(6)], f: (x) => b.select([b.lt([x, like(x, 0)], {}), mul(x, x), exp(x)], {}) },
  { name: 'maximum of two', types: [f32(6), f32(6)], f: (x, y) => mul(b.max([x, y], {}), b.min([x, mul(y, y)], {})) },
  {
    name: 'atan2 and remainder',
    types: [f32(4), f32(4)],
    f: (x, y) => add(b.atan2([x, y], {}), b.rem([mul(like(x, 7), x), y], {})),
    from: [0.6, 1.4],
  },
]
