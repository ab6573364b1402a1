/** Cases of the rules of arithmetic, logic, order and folding. */
import { build, constant } from '../../../src/lang/build.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { bool, f32, i32, program, u32 } from './programs.ts'

const b = build
const V = f32(16)
const M = f32(4, 5)
const I = i32(16)
const B = bool(16)
const c = (value: number, type = V): Node => fill(b, type, value)
const ci = (value: number): Node => fill(b, I, value)
const un = (op: 'neg' | 'abs' | 'floor' | 'round' | 'not' | 'exp', x: Node): Node => b[op]([x], {})

/** Programs in which the rule of that name must fire, and keep every bit. */
export const arithmeticCases: Readonly<Record<string, readonly Graph[]>> = {
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
}
