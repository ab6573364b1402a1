/** Cases of the rules of movement, cropping, contraction and sinking. */
import { build, constant } from '../../../src/lang/build.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { bool, f32, i32, program } from './programs.ts'

const b = build
const V = f32(16)
const M = f32(4, 5)
const c = (value: number, type = V): Node => fill(b, type, value)

/** Programs in which the rule of that name must fire, and keep every bit. */
export const structureCases: Readonly<Record<string, readonly Graph[]>> = {
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
  sumNeg: [program([i32(2, 3)], (x) => b.reduce([b.neg([x], {})], { monoid: 'sum', axes: [1] }))],
  sumScattered: [
    program([i32(3, 1, 2)], (x) => {
      const at = constant(i32(3, 1), [4, 0, 2])
      return b.reduce([b.scatterAdd([at, x], { batch: 1, size: 5 })], { monoid: 'sum', axes: [1] })
    }),
    program([i32()], (x) => {
      const at = constant(i32(), [4])
      return b.reduce([b.scatterAdd([at, x], { batch: 0, size: 5 })], { monoid: 'sum', axes: [0] })
    }),
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
  sinkReshape: [
    program([f32(2, 3), f32(2, 3)], (x, y) => {
      const flat = (n: Node): Node => b.reshape([n], { shape: [6] })
      return b.select([b.lt([flat(x), c(-0, f32(6))], {}), flat(y), c(NaN, f32(6))], {})
    }),
    program([f32(1)], (x) => b.atan2([b.reshape([x], { shape: [] }), c(-0, f32())], {})),
    program([f32(0, 3)], (x) => b.exp([b.reshape([x], { shape: [0] })], {})),
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
