import { describe, expect, it } from 'vitest'
import { canonicalRules } from '../../../passes/graph/canonicalise.ts'
import { fastRules } from '../../../passes/graph/rules/fast.ts'
import { exactRules, stopNothing } from '../../../passes/graph/simplify.ts'
import { type Rule, rewriteWithStats } from '../../../passes/rewrite.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import { build, constant } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/fill.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { bool, comparable, f32, i32, program, results, u32 } from './programs.ts'

const b = build
const evaluateF64 = (graph: Graph, inputs: readonly Value[]): readonly (readonly number[])[] =>
  evaluate(graph, inputs).map((v) => Array.from(v.data))
const V = f32(16)
const M = f32(4, 5)
const c = (value: number, type = V): Node => fill(b, type, value)
const ci = (value: number): Node => fill(b, i32(16), value)
const un = (op: 'neg' | 'abs' | 'floor' | 'round' | 'not' | 'exp', x: Node): Node => b[op]([x], {})
const I = i32(16)
const B = bool(16)
const none = (rank: number): readonly number[] => Array.from({ length: rank }, () => 0)
const ones = (rank: number): readonly number[] => Array.from({ length: rank }, () => 1)

/** Programs in which the rule of that name must fire, and keep every bit. */
const exact: Readonly<Record<string, readonly Graph[]>> = {
  foldConstants: [
    program([], () => b.exp([constant(f32(3), [0.1, -0, NaN])], {})),
    program([], () =>
      b.add(
        [
          c(0.1, M),
          constant(
            M,
            Array.from({ length: 20 }, (_, i) => i / 7),
          ),
        ],
        {},
      ),
    ),
    program([], () => b.reduce([constant(i32(2, 2), [1, 2, 3, 2147483647])], { monoid: 'sum', axes: [0] })),
    program([], () => b.concat([constant(f32(2), [1, 2]), constant(f32(0), [])], { axis: 0 })),
  ],
  foldOutput: [
    program([], () => {
      const [k, n] = [constant(u32(2), [1, 2]), constant(u32(2), [3, 4294967295])]
      const block = b.threefry([k, k, n, n], {})
      return [b.get([block], { index: 0 }), b.get([block], { index: 1 })]
    }),
    program([], () => b.get([b.reduce([constant(f32(3), [1, 5, 2])], { monoid: 'argmax', axes: [0] })], { index: 1 })),
  ],
  splatConstant: [program([V], (x) => b.add([x, constant(V, new Array(16).fill(-0))], {}))],
  constantRight: [program([V], (x) => b.add([c(2), x], {})), program([I], (x) => b.eq([ci(3), x], {}))],
  commonOperands: [
    program([V, V], (x, y) => [b.max([x, y], {}), b.max([y, x], {})]),
    program([V, V], (x, y) => b.sub([b.mul([x, y], {}), b.mul([y, x], {})], {})),
  ],
  addZero: [program([V], (x) => b.add([x, c(-0)], {})), program([I], (x) => b.add([x, ci(0)], {}))],
  subZero: [program([V], (x) => b.sub([x, c(0)], {})), program([I], (x) => b.sub([x, ci(0)], {}))],
  zeroSub: [program([V], (x) => b.sub([c(-0), x], {})), program([I], (x) => b.sub([ci(0), x], {}))],
  subSelf: [program([I], (x) => b.sub([x, x], {}))],
  mulOne: [program([V], (x) => b.mul([x, c(1)], {})), program([I], (x) => b.mul([x, ci(1)], {}))],
  mulZero: [program([I], (x) => b.mul([x, ci(0)], {}))],
  mulMinusOne: [program([V], (x) => b.mul([x, c(-1)], {})), program([I], (x) => b.mul([x, ci(-1)], {}))],
  divOne: [program([V], (x) => b.div([x, c(1)], {})), program([I], (x) => b.div([x, ci(1)], {}))],
  divPowerOfTwo: [0.5, -8, 2 ** 126, 2 ** -126].map((d) => program([V], (x) => b.div([x, c(d)], {}))),
  remOne: [program([I], (x) => b.rem([x, ci(1)], {}))],
  negNeg: [program([V], (x) => un('neg', un('neg', x))), program([I], (x) => un('neg', un('neg', x)))],
  addNeg: [
    program([V, V], (x, y) => b.add([x, un('neg', y)], {})),
    program([V, V], (x, y) => b.add([un('neg', x), y], {})),
    program([I, I], (x, y) => b.add([x, un('neg', y)], {})),
  ],
  subNeg: [program([V, V], (x, y) => b.sub([x, un('neg', y)], {}))],
  mulNeg: [
    program([V, V], (x, y) => b.mul([un('neg', x), un('neg', y)], {})),
    program([V], (x) => b.mul([un('neg', x), c(2.5)], {})),
    program([V], (x) => b.div([un('neg', x), c(2.5)], {})),
    program([I, I], (x, y) => b.mul([un('neg', x), un('neg', y)], {})),
  ],
  evenOfNeg: [
    program([V], (x) => un('abs', un('neg', x))),
    program([V], (x) => un('abs', un('abs', x))),
    program([I], (x) => un('abs', un('abs', x))),
    program([V], (x) => b.cos([un('neg', x)], {})),
    program([V], (x) => b.cosh([un('neg', x)], {})),
  ],
  roundTwice: [program([V], (x) => un('floor', un('round', x))), program([V], (x) => un('round', un('floor', x)))],
  idempotent: [program([V], (x) => b.max([x, x], {})), program([I], (x) => b.and([x, x], {}))],
  joinExtrema: [
    program([V], (x) => b.max([b.max([x, c(1)], {}), c(2)], {})),
    program([V], (x) => b.min([b.min([x, c(1)], {}), c(NaN)], {})),
  ],
  joinIntegers: [
    program([I], (x) => b.add([b.add([x, ci(2147483647)], {}), ci(5)], {})),
    program([I], (x) => b.mul([b.mul([x, ci(65537)], {}), ci(65537)], {})),
  ],
  powConstant: [
    ...[0, 1, 2, -1].map((e) => program([V], (x) => b.pow([x, c(e)], {}))),
    program([V], (x) => b.pow([c(1), x], {})),
  ],
  compareSelf: [
    program([I], (x) => [b.eq([x, x], {}), b.le([x, x], {}), b.xor([x, x], {})]),
    program([V], (x) => b.lt([x, x], {})),
  ],
  selectKnown: [
    program([V, V], (x, y) => b.select([fill(b, B, 1), x, y], {})),
    program([V, V], (x, y) => b.select([fill(b, B, 0), x, y], {})),
    program([B, V], (p, x) => b.select([p, x, x], {})),
  ],
  selectNot: [program([B, V, V], (p, x, y) => b.select([un('not', p), x, y], {}))],
  selectBool: [
    program([B], (p) => b.select([p, fill(b, B, 1), fill(b, B, 0)], {})),
    program([B], (p) => b.select([p, fill(b, B, 0), fill(b, B, 1)], {})),
  ],
  selectSame: [
    program([B, V, V, V], (p, x, y, z) => b.select([p, b.select([p, x, y], {}), z], {})),
    program([B, V, V, V], (p, x, y, z) => b.select([p, x, b.select([p, y, z], {})], {})),
  ],
  castSame: [program([V], (x) => b.cast([x], { dtype: 'f32' })), program([I], (x) => b.bitcast([x], { dtype: 'i32' }))],
  castWidened: [program([B], (p) => b.cast([b.cast([p], { dtype: 'i32' })], { dtype: 'f32' }))],
  bitcastTwice: [
    program([I], (x) => b.bitcast([b.bitcast([x], { dtype: 'u32' })], { dtype: 'i32' })),
    program([V], (x) => b.bitcast([b.bitcast([x], { dtype: 'i32' })], { dtype: 'u32' })),
  ],
  notNot: [program([B], (p) => un('not', un('not', p))), program([I], (x) => un('not', un('not', x)))],
  bitsWithConstant: [
    ...(['and', 'or', 'xor'] as const).flatMap((op) => [
      ...[0, -1].map((v) => program([I], (x) => b[op]([x, ci(v)], {}))),
      ...[0, 1].map((v) => program([B], (p) => b[op]([p, fill(b, B, v)], {}))),
    ]),
    program([u32(16)], (x) => b.and([x, fill(b, u32(16), 4294967295)], {})),
  ],
  shiftZero: [program([I], (x) => [b.shiftLeft([x, ci(0)], {}), b.shiftRight([x, ci(0)], {})])],
  eqBool: [0, 1].map((v) => program([B], (p) => b.eq([p, fill(b, B, v)], {}))),
  numberFromBool: [
    program([B], (p) => {
      const x = b.cast([p], { dtype: 'f32' })
      return [b.isNan([x], {}), b.isInf([x], {})]
    }),
  ],
  reshapeSame: [program([M], (x) => b.reshape([x], { shape: [4, 5] }))],
  reshapeTwice: [program([M], (x) => b.reshape([b.reshape([x], { shape: [20] })], { shape: [2, 10] }))],
  reshapeFill: [
    program([f32()], (x) => b.reshape([b.broadcast([x], { shape: [2, 3], axes: [0, 1] })], { shape: [3, 2] })),
    program([f32()], (x) => b.reshape([b.broadcast([x], { shape: [1], axes: [0] })], { shape: [] })),
    program([f32()], (x) => b.reshape([b.broadcast([x], { shape: [0, 3], axes: [0, 1] })], { shape: [0] })),
  ],
  permuteIdentity: [program([M], (x) => b.permute([x], { axes: [0, 1] }))],
  permuteTwice: [program([f32(2, 3, 4)], (x) => b.permute([b.permute([x], { axes: [2, 0, 1] })], { axes: [1, 0, 2] }))],
  permuteUnits: [
    program([f32(1, 3, 1, 4)], (x) => b.permute([x], { axes: [1, 0, 3, 2] })),
    program([f32(1, 1)], (x) => b.permute([x], { axes: [1, 0] })),
    program([f32(0, 1, 3)], (x) => b.permute([x], { axes: [1, 0, 2] })),
  ],
  permuteBroadcast: [
    program([f32(2, 3)], (x) =>
      b.permute([b.broadcast([x], { shape: [4, 2, 5, 3], axes: [0, 2] })], { axes: [3, 2, 1, 0] }),
    ),
    program([f32()], (x) => b.permute([b.broadcast([x], { shape: [4, 2], axes: [0, 1] })], { axes: [1, 0] })),
  ],
  broadcastUnits: [
    program([M], (x) => b.broadcast([x], { shape: [4, 5], axes: [] })),
    program([M], (x) => b.broadcast([x], { shape: [1, 4, 1, 5], axes: [0, 2] })),
  ],
  broadcastTwice: [
    program([f32(3)], (x) =>
      b.broadcast([b.broadcast([x], { shape: [2, 3], axes: [0] })], { shape: [2, 4, 3], axes: [1] }),
    ),
    program([f32(3)], (x) => b.broadcast([x], { shape: [2, 3, 4], axes: [2, 0] })),
  ],
  broadcastUnsqueezed: [
    program([f32(3)], (x) => b.broadcast([b.reshape([x], { shape: [3, 1] })], { shape: [3, 4, 1], axes: [1] })),
    program([f32(1, 3)], (x) =>
      b.broadcast([b.reshape([x], { shape: [1, 1, 3] })], { shape: [1, 2, 1, 3], axes: [1] }),
    ),
  ],
  flipTwice: [
    program([M], (x) => b.flip([b.flip([x], { axes: [0] })], { axes: [0, 1] })),
    program([M], (x) => b.flip([b.flip([x], { axes: [1] })], { axes: [1] })),
    program([f32(1, 3)], (x) => b.flip([x], { axes: [0] })),
    program([f32(1, 3)], (x) => b.flip([x], { axes: [0, 1] })),
  ],
  flipBroadcast: [
    program([f32(3)], (x) => b.flip([b.broadcast([x], { shape: [2, 3], axes: [0] })], { axes: [0, 1] })),
    program([f32(3)], (x) => b.flip([b.broadcast([x], { shape: [2, 3], axes: [0] })], { axes: [0] })),
  ],
  sliceWhole: [program([M], (x) => b.slice([x], { start: [0, 0], stop: [4, 5], step: [1, 1] }))],
  sliceTwice: [
    program([f32(20)], (x) =>
      b.slice([b.slice([x], { start: [1], stop: [18], step: [2] })], { start: [1], stop: [8], step: [3] }),
    ),
    program([f32(20)], (x) =>
      b.slice([b.slice([x], { start: [20], stop: [20], step: [2] })], { start: [0], stop: [0], step: [3] }),
    ),
  ],
  sliceBroadcast: [
    program([f32(5)], (x) =>
      b.slice([b.broadcast([x], { shape: [4, 5], axes: [0] })], { start: [1, 1], stop: [4, 5], step: [2, 2] }),
    ),
    program([f32(5)], (x) =>
      b.slice([b.broadcast([x], { shape: [4, 5], axes: [0] })], { start: [1, 0], stop: [1, 5], step: [1, 1] }),
    ),
  ],
  slicePad: [
    program([f32(6)], (x) =>
      b.slice([b.pad([x], { low: [2], high: [1], interior: [0], value: 9 })], { start: [3], stop: [7], step: [2] }),
    ),
    program([f32(6)], (x) =>
      b.slice([b.pad([x], { low: [-1], high: [1], interior: [0], value: 9 })], { start: [1], stop: [4], step: [1] }),
    ),
  ],
  sliceConcat: [
    program([f32(2, 3), f32(2, 4)], (x, y) =>
      b.slice([b.concat([x, y], { axis: 1 })], { start: [0, 4], stop: [2, 7], step: [1, 2] }),
    ),
  ],
  padCrop: [
    program([M], (x) => b.pad([x], { low: [0, 0], high: [0, 0], interior: [0, 0], value: 1 })),
    program([M], (x) => b.pad([x], { low: [-1, 0], high: [-2, -5], interior: [0, 0], value: 1 })),
    program([f32(1)], (x) => b.pad([x], { low: [0], high: [0], interior: [3], value: 1 })),
  ],
  padFill: [program([], () => b.pad([c(2, M)], { low: [1, 0], high: [0, 3], interior: [1, 0], value: 2 }))],
  padTwice: [
    program([f32(6)], (x) =>
      b.pad([b.pad([x], { low: [2], high: [0], interior: [0], value: 7 })], {
        low: [-3],
        high: [2],
        interior: [0],
        value: 7,
      }),
    ),
    program([f32(0)], (x) =>
      b.pad([b.pad([x], { low: [2], high: [2], interior: [0], value: 7 })], {
        low: [-3],
        high: [0],
        interior: [0],
        value: 7,
      }),
    ),
  ],
  concatFlat: [
    program([M], (x) => b.concat([x], { axis: 1 })),
    program([M, f32(0, 5)], (x, y) => b.concat([y, x, b.concat([x, x], { axis: 0 }), y], { axis: 0 })),
    program([f32(0, 5)], (x) => b.concat([x, x], { axis: 0 })),
  ],
  concatSlices: [
    program([f32(7)], (x) => {
      const cut = (start: number, stop: number): Node => b.slice([x], { start: [start], stop: [stop], step: [1] })
      return b.concat([cut(0, 2), cut(2, 5), cut(4, 7)], { axis: 0 })
    }),
  ],
  reduceUnits: [
    ...(['prod', 'max', 'min'] as const).flatMap((monoid) => [
      program([f32(1, 5)], (x) => b.reduce([x], { monoid, axes: [0] })),
      program([f32(4, 1, 5)], (x) => b.reduce([x], { monoid, axes: [1, 2] })),
      program([V], (x) => b.reduce([x], { monoid, axes: [] })),
    ]),
    program([bool(1, 5)], (x) => b.reduce([x], { monoid: 'all', axes: [0] })),
    program([i32(5, 1)], (x) => b.reduce([x], { monoid: 'sum', axes: [1] })),
  ],
  reduceSorted: [program([f32(2, 3, 4)], (x) => b.reduce([x], { monoid: 'max', axes: [2, 0] }))],
  reduceTwice: [
    program([f32(2, 3, 4)], (x) =>
      b.reduce([b.reduce([x], { monoid: 'max', axes: [1] })], { monoid: 'max', axes: [1] }),
    ),
    program([i32(2, 3, 4)], (x) =>
      b.reduce([b.reduce([x], { monoid: 'sum', axes: [0] })], { monoid: 'sum', axes: [0, 1] }),
    ),
  ],
  reduceRepeated: [
    program([f32(3)], (x) =>
      b.reduce([b.broadcast([x], { shape: [2, 3], axes: [0] })], { monoid: 'max', axes: [0, 1] }),
    ),
    program([bool(3)], (x) =>
      b.reduce([b.broadcast([x], { shape: [0, 2, 3], axes: [0, 1] })], { monoid: 'any', axes: [0, 1] }),
    ),
  ],
  sumRepeated: [
    program([i32(3)], (x) =>
      b.reduce([b.broadcast([x], { shape: [2, 3, 7], axes: [0, 2] })], { monoid: 'sum', axes: [0, 1] }),
    ),
    program([i32(3)], (x) => b.reduce([b.broadcast([x], { shape: [0, 3], axes: [0] })], { monoid: 'sum', axes: [0] })),
    program([], () => b.reduce([c(0, M)], { monoid: 'sum', axes: [0] })),
  ],
  dotEmpty: [program([f32(2, 0), f32(0, 3)], (x, y) => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] }))],
  dotUnits: [
    program([f32(1, 5), f32(5, 3)], (x, y) => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })),
    program([f32(1, 2, 5), f32(1, 5, 1)], (x, y) => b.dot([x, y], { lhs: [0, 1, 2], rhs: [0, 2, 3], out: [3, 0, 1] })),
  ],
  dotPermuted: [
    program([f32(5, 2), f32(3, 5)], (x, y) =>
      b.dot([b.permute([x], { axes: [1, 0] }), b.permute([y], { axes: [1, 0] })], {
        lhs: [0, 1],
        rhs: [1, 2],
        out: [0, 2],
      }),
    ),
    program([f32(4, 5, 2), f32(2, 5, 3)], (x, y) =>
      b.dot([b.permute([x], { axes: [2, 0, 1] }), y], { lhs: [0, 3, 1], rhs: [0, 1, 2], out: [0, 3, 2] }),
    ),
  ],
  permuteDot: [
    program([f32(2, 5), f32(5, 3)], (x, y) =>
      b.permute([b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })], { axes: [1, 0] }),
    ),
  ],
  dotOuter: [
    program([i32(2), i32(3)], (x, y) => b.dot([x, y], { lhs: [0], rhs: [1], out: [1, 0] })),
    program([i32(2, 4), i32(3, 2)], (x, y) => b.dot([x, y], { lhs: [7, 8], rhs: [9, 7], out: [8, 7, 9] })),
  ],
  dotLabels: [program([f32(2, 5), f32(5, 3)], (x, y) => b.dot([x, y], { lhs: [4, 9], rhs: [9, 1], out: [1, 4] }))],
  windowUnit: [
    program([M], (x) => b.window([x], { axis: 0, size: 1, stride: 1, dilation: 3 })),
    program([i32(4, 5, 1)], (x) => b.fold([x], { axis: 1, n: 5, stride: 1, dilation: 2 })),
  ],
  iotaUnit: [
    program([], () => b.iota([], { shape: [3, 1], dtype: 'i32', axis: 1 })),
    program([], () => b.iota([], { shape: [0, 2], dtype: 'f32', axis: 0 })),
  ],
  sinkPointwise: [
    program([f32(3), f32(3)], (x, y) => {
      const wide = (n: Node): Node => b.broadcast([n], { shape: [2, 3], axes: [0] })
      return b.atan2([wide(x), wide(y)], {})
    }),
    program([f32(3), f32(2)], (x, y) =>
      b.div(
        [b.broadcast([x], { shape: [4, 2, 3], axes: [0, 1] }), b.broadcast([y], { shape: [4, 2, 3], axes: [0, 2] })],
        {},
      ),
    ),
    program([bool(), f32(3)], (p, x) =>
      b.select(
        [
          b.broadcast([p], { shape: [2, 3], axes: [0, 1] }),
          b.broadcast([x], { shape: [2, 3], axes: [0] }),
          c(NaN, f32(2, 3)),
        ],
        {},
      ),
    ),
    program([f32(3)], (x) => b.cast([b.broadcast([x], { shape: [0, 3], axes: [0] })], { dtype: 'i32' })),
  ],
  sinkReduce: [
    program([f32(3, 2)], (x) =>
      b.reduce([b.broadcast([x], { shape: [3, 4, 2, 5], axes: [1, 3] })], { monoid: 'sum', axes: [0, 3] }),
    ),
    program([f32(3)], (x) =>
      b.reduce([b.broadcast([x], { shape: [2, 3], axes: [0] })], { monoid: 'logSumExp', axes: [1] }),
    ),
  ],
  sinkDot: [
    program([f32(5), f32(5, 3)], (x, y) =>
      b.dot([b.broadcast([x], { shape: [2, 5], axes: [0] }), y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] }),
    ),
    program([f32(2, 4, 5), f32(5, 3)], (x, y) =>
      b.dot([x, b.broadcast([y], { shape: [2, 5, 3], axes: [0] })], { lhs: [0, 1, 2], rhs: [0, 2, 3], out: [0, 1, 3] }),
    ),
  ],
}

/** The same for rules that are right for real numbers: inputs are ordinary there, and the last bits are not compared. */
const fast: Readonly<Record<string, Graph>> = {
  fastMulZero: program([V], (x) => b.mul([x, c(-0)], {})),
  fastAddZero: program([V], (x) => b.sub([b.add([x, c(0)], {}), c(-0)], {})),
  fastSubSelf: program([V], (x) => b.sub([x, x], {})),
  fastDivSelf: program([V], (x) => b.div([x, x], {})),
  fastZeroDiv: program([V], (x) => b.div([c(0), x], {})),
  fastDivConstant: program([V], (x) => b.div([x, c(3)], {})),
  fastPow: program([V], (x) => [b.pow([x, c(3)], {}), b.pow([x, c(0.5)], {}), b.pow([x, c(-0.5)], {})]),
  fastNegSub: program([V, V], (x, y) => un('neg', b.sub([x, y], {}))),
  fastLogExp: program([V], (x) => b.log([un('exp', x)], {})),
  fastJoin: program([V], (x) => b.mul([b.mul([x, c(3)], {}), c(0.1)], {})),
  fastSumRepeated: program([f32(3)], (x) =>
    b.reduce([b.broadcast([x], { shape: [2, 3, 5], axes: [0, 2] })], { monoid: 'sum', axes: [0, 1, 2] }),
  ),
  fastReduceTwice: program([f32(2, 3, 4)], (x) =>
    b.reduce([b.reduce([x], { monoid: 'sum', axes: [0] })], { monoid: 'sum', axes: [1] }),
  ),
}

describe('every rule', () => {
  it('has a case, and a name of its own', () => {
    const names = [...exactRules, ...canonicalRules].map((r) => r.name)
    expect(Object.keys(exact).toSorted()).toEqual([...new Set(names)].toSorted())
    expect(Object.keys(fast).toSorted()).toEqual(fastRules.map((r) => r.name).toSorted())
    expect(new Set(exactRules.map((r) => r.name)).size).toBe(exactRules.length)
  })

  const byName = new Map<string, Rule>(exactRules.map((r) => [r.name, r]))
  it.each(Object.keys(exact))('%s fires and keeps every bit', (name) => {
    for (const graph of exact[name]!) {
      expect(verifyGraph(graph, 'checked')).toEqual([])
      const { graph: after, stats } = rewriteWithStats([byName.get(name)!])(graph)
      expect(stats.fired.get(name)).toBeGreaterThan(0)
      expect(stats.bounded).toBe(0)
      expect(verifyGraph(after, 'checked')).toEqual([])
      for (const round of [0, 1, 2])
        expect(comparable(results(after, round), true)).toEqual(comparable(results(graph, round), true))
      const again = rewriteWithStats([byName.get(name)!])(after)
      expect(again.graph.outputs).toEqual(after.outputs)
    }
  })

  it.each(fastRules)('$name fires and is right for real numbers', (r) => {
    const graph = fast[r.name]!
    const { graph: after, stats } = rewriteWithStats([r])(graph)
    expect(stats.fired.get(r.name)).toBeGreaterThan(0)
    const ordinary = graph.inputs.map(({ params: { shape, dtype } }, i) => ({
      shape,
      dtype,
      data: Float64Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, k) => 0.3 + ((k * 7 + i * 3) % 11) / 5),
    }))
    const [want, got] = [graph, after].map((g) => evaluateF64(g, ordinary))
    for (const [i, v] of want!.entries()) for (const [k, x] of v.entries()) expect(got![i]![k]).toBeCloseTo(x, 6)
  })

  it('stopNothing drops stopGradient', () => {
    const graph = program([V], (x) => b.exp([b.stopGradient([x], {})], {}))
    expect(rewriteWithStats([stopNothing])(graph).graph.outputs).toEqual([un('exp', graph.inputs[0]!)])
  })
})

describe('what must not be rewritten', () => {
  const same = (graph: Graph): void => {
    const { graph: after } = rewriteWithStats(exactRules)(graph)
    for (const round of [0, 1, 2])
      expect(comparable(results(after, round), true)).toEqual(comparable(results(graph, round), true))
    expect(after.outputs).toEqual(graph.outputs)
  }
  it.each<[string, Graph]>([
    ['x + 0 turns -0 into 0', program([V], (x) => b.add([x, c(0)], {}))],
    ['x - (-0) turns -0 into 0', program([V], (x) => b.sub([x, c(-0)], {}))],
    ['0 - x is 0 where -x is -0', program([V], (x) => b.sub([c(0), x], {}))],
    ['x * 0 is NaN at infinity', program([V], (x) => b.mul([x, c(0)], {}))],
    ['x - x is NaN at infinity', program([V], (x) => b.sub([x, x], {}))],
    ['x / x is NaN at 0', program([V], (x) => b.div([x, x], {}))],
    ['x = x is false for NaN', program([V], (x) => b.eq([x, x], {}))],
    ['x / 3 is not x * (1/3)', program([V], (x) => b.div([x, c(3)], {}))],
    ['√(-∞) is not (-∞)^½', program([V], (x) => b.pow([x, c(0.5)], {}))],
    ['f32 loses bits of i32', program([I], (x) => b.cast([b.cast([x], { dtype: 'f32' })], { dtype: 'i32' }))],
    [
      'bits of a float do not survive as a number',
      program([I], (x) => b.bitcast([b.bitcast([x], { dtype: 'f32' })], { dtype: 'i32' })),
    ],
    [
      'interior padding is not cropping',
      program([f32(3)], (x) => b.pad([x], { low: none(1), high: none(1), interior: ones(1), value: 0 })),
    ],
    [
      'a crop before padding loses elements',
      program([f32(6)], (x) =>
        b.pad([b.slice([x], { start: [2], stop: [6], step: [1] })], { low: [2], high: [0], interior: [0], value: 0 }),
      ),
    ],
  ])('%s', (_, graph) => same(graph))
})
