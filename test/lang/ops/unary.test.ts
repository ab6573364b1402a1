/** Every elementwise op of one operand: values by arbitrary precision, special values, tangents, batching, refusals. */
import { describe, expect, it } from 'vitest'
import { type UnaryOp, unaryOps } from '../../../src/lang/ir.ts'
import {
  checkBatch,
  checkJvp,
  checkTranspose,
  evalOp,
  noise,
  numbers,
  refusal,
  tangentOf,
  type,
  value,
} from './rules.ts'

const f32 = (op: UnaryOp, xs: readonly number[]): number[] => numbers(evalOp(op, {}, value('f32', [xs.length], xs))[0])
const slope = (op: UnaryOp, xs: readonly number[]): number[] => {
  const x = value('f32', [xs.length], xs)
  return tangentOf(
    op,
    {},
    [x],
    [
      value(
        'f32',
        [xs.length],
        xs.map(() => 1),
      ),
    ],
  )[0]!
}

type Pairs = readonly (readonly [number, number])[]
// biome-ignore format: x and f(x), computed to 40 digits
const known: { readonly [K in UnaryOp]?: Pairs } = {
  sqrt: [[3, 1.7320508075688772], [0.3, 0.5477225575051661], [1e-30, 1e-15]],
  rsqrt: [[3, 0.5773502691896257], [0.3, 1.8257418583505538], [1e30, 1e-15]],
  exp: [[0.3, 1.3498588075760032], [-1.7, 0.18268352405273466], [30, 10686474581524.463]],
  exp2: [[0.3, 1.2311444133449163], [-1.7, 0.3077861033362291], [10, 1024]],
  expm1: [[1e-10, 1.00000000005e-10], [0.3, 0.3498588075760031], [-1.7, -0.8173164759472653]],
  log: [[0.3, -1.2039728043259361], [1.0001, 9.999500033329732e-05], [1e30, 69.07755278982137]],
  log2: [[0.3, -1.7369655941662063], [8, 3], [1e-20, -66.43856189774725]],
  log10: [[0.3, -0.5228787452803376], [1000, 3], [1e-20, -20]],
  log1p: [[1e-10, 9.999999999500001e-11], [0.3, 0.26236426446749106], [-0.7, -1.203972804325936]],
  sin: [[0.3, 0.29552020666133955], [-1.7, -0.9916648104524686], [100, -0.5063656411097588]],
  cos: [[0.3, 0.955336489125606], [-1.7, -0.12884449429552464], [100, 0.8623188722876839]],
  tan: [[0.3, 0.30933624960962325], [-1.3, -3.6021024479679786], [3, -0.1425465430742778]],
  asin: [[0.3, 0.3046926540153975], [-0.9, -1.1197695149986342], [1e-05, 1.0000000000166668e-05]],
  acos: [[0.3, 1.2661036727794992], [-0.9, 2.6905658417935308], [1, 0]],
  atan: [[0.3, 0.2914567944778671], [-1.7, -1.039072259536091], [1e6, 1.5707953267948966]],
  sinh: [[0.3, 0.3045202934471426], [-1.7, -2.6456319338372323], [1e-08, 1e-08]],
  cosh: [[0.3, 1.0453385141288605], [-1.7, 2.828315457889967], [20, 242582597.70489514]],
  tanh: [[0.3, 0.2913126124515909], [-1.7, -0.935409070603099], [1e-08, 1e-08]],
  asinh: [[0.3, 0.29567304756342244], [-1.7, -1.300820426840647], [1e-08, 1e-08]],
  acosh: [[1.3, 0.7564329108569596], [20, 3.6882538673612966], [1, 0]],
  atanh: [[0.3, 0.3095196042031117], [-0.9, -1.4722194895832204], [1e-08, 1e-08]],
  erf: [[0.3, 0.3286267594591274], [-1.7, -0.9837904585907745], [1e-08, 1.1283791670955126e-08]],
  erfc: [[0.3, 0.6713732405408726], [-1.7, 1.9837904585907746], [6, 2.1519736712498913e-17]],
  erfinv: [[0.3, 0.2724627147267543], [-0.9, -1.1630871536766743], [0.999999, 3.458910737275499], [1e-10, 8.862269254527581e-11]],
  lgamma: [[0.3, 1.0957979948180756], [1e10, 220258509288.81058], [2.5001, 0.2847531885887332], [-1.7, 0.9218446876946375]],
  digamma: [[0.3, -3.502524222200133], [5.5, 1.6110931485817512], [1e10, 23.025850929890456], [-0.3, 2.113309779635399]],
  sigmoid: [[0.3, 0.574442516811659], [-1.7, 0.1544652650835347], [-40, 4.248354255291589e-18]],
  neg: [[0, -0], [-0, 0], [1.5, -1.5]],
  abs: [[-0, 0], [-1.5, 1.5], [2, 2]],
  sign: [[-0, 0], [0, 0], [-0.3, -1], [7, 1]],
  floor: [[-0, -0], [-0.3, -1], [1.9, 1], [3, 3]],
  ceil: [[-0, -0], [-0.3, -0], [1.1, 2], [3, 3]],
  trunc: [[-0, -0], [-0.3, -0], [1.9, 1], [-1.9, -1]],
  round: [[0.5, 0], [1.5, 2], [2.5, 2], [-0.5, -0], [-1.5, -2], [0.51, 1]],
  isNan: [[1, 0], [0, 0]],
  isInf: [[1, 0], [0, 0]],
}

const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN]
// f(inf), f(-inf), f(NaN), f(0), f(-1)
const special: { readonly [K in UnaryOp]?: readonly number[] } = {
  neg: [-inf, inf, nan, -0, 1],
  abs: [inf, inf, nan, 0, 1],
  sign: [1, -1, nan, 0, -1],
  floor: [inf, -inf, nan, 0, -1],
  ceil: [inf, -inf, nan, 0, -1],
  trunc: [inf, -inf, nan, 0, -1],
  round: [inf, -inf, nan, 0, -1],
  sqrt: [inf, nan, nan, 0, nan],
  rsqrt: [0, nan, nan, inf, nan],
  exp: [inf, 0, nan, 1, Math.E ** -1],
  exp2: [inf, 0, nan, 1, 0.5],
  expm1: [inf, -1, nan, 0, Math.E ** -1 - 1],
  log: [inf, nan, nan, -inf, nan],
  log2: [inf, nan, nan, -inf, nan],
  log10: [inf, nan, nan, -inf, nan],
  log1p: [inf, nan, nan, 0, -inf],
  sin: [nan, nan, nan, 0, -0.8414709848078965],
  cos: [nan, nan, nan, 1, 0.5403023058681398],
  tan: [nan, nan, nan, 0, -1.5574077246549023],
  asin: [nan, nan, nan, 0, -Math.PI / 2],
  acos: [nan, nan, nan, Math.PI / 2, Math.PI],
  atan: [Math.PI / 2, -Math.PI / 2, nan, 0, -Math.PI / 4],
  sinh: [inf, -inf, nan, 0, -1.1752011936438014],
  cosh: [inf, inf, nan, 1, 1.5430806348152437],
  tanh: [1, -1, nan, 0, -0.7615941559557649],
  asinh: [inf, -inf, nan, 0, -0.881373587019543],
  acosh: [inf, nan, nan, nan, nan],
  atanh: [nan, nan, nan, 0, -inf],
  erf: [1, -1, nan, 0, -0.8427007929497149],
  erfc: [0, 2, nan, 1, 1.842700792949715],
  erfinv: [nan, nan, nan, 0, -inf],
  lgamma: [inf, inf, nan, inf, inf],
  digamma: [inf, nan, nan, -inf, nan],
  sigmoid: [1, 0, nan, 0.5, 0.2689414213699951],
  isNan: [0, 0, 1, 0, 0],
  isInf: [1, 1, 0, 0, 0],
}

const floatOps = unaryOps.filter((op) => op !== 'not')

describe('values', () => {
  it.each(floatOps)('%s', (op) => {
    for (const [x, want] of known[op]!) {
      const [got] = f32(op, [x])
      if (want === 0 || Number.isInteger(want)) expect(got).toBe(want)
      else expect(Math.abs(got! / want - 1)).toBeLessThan(1e-15)
    }
    f32(op, [inf, -inf, nan, 0, -1]).forEach((got, i) => {
      const want = special[op]![i]!
      if (Number.isFinite(want) && want !== 0) expect(got).toBeCloseTo(want, 14)
      else expect(got).toBe(want)
    })
    expect(f32(op, [])).toEqual([])
    expect(evalOp(op, {}, value('f32', [], [0.5]))[0]!.shape).toEqual([])
  })

  it('wrap on integers', () => {
    const i32 = (op: UnaryOp): number[] => numbers(evalOp(op, {}, value('i32', [4], [-(2 ** 31), -5, 0, 7]))[0])
    const u32 = (op: UnaryOp): number[] => numbers(evalOp(op, {}, value('u32', [3], [0, 1, 2 ** 32 - 1]))[0])
    expect(i32('neg')).toEqual([-(2 ** 31), 5, 0, -7])
    expect(i32('abs')).toEqual([-(2 ** 31), 5, 0, 7])
    expect(i32('sign')).toEqual([-1, -1, 0, 1])
    expect(i32('not')).toEqual([2 ** 31 - 1, 4, -1, -8])
    expect(u32('neg')).toEqual([0, 2 ** 32 - 1, 1])
    expect(u32('abs')).toEqual([0, 1, 2 ** 32 - 1])
    expect(u32('sign')).toEqual([0, 1, 1])
    expect(u32('not')).toEqual([2 ** 32 - 1, 2 ** 32 - 2, 0])
    expect(numbers(evalOp('not', {}, value('bool', [2], [0, 1]))[0])).toEqual([1, 0])
  })
})

const flat: readonly UnaryOp[] = ['sign', 'floor', 'ceil', 'trunc', 'round', 'isNan', 'isInf']

describe('tangents', () => {
  it.each(floatOps.filter((op) => !flat.includes(op)))('%s agrees with finite differences', (op) => {
    const positive = op === 'sqrt' || op === 'rsqrt' || op === 'digamma' || op.startsWith('log')
    const inside = op === 'asin' || op === 'acos' || op === 'atanh' || op === 'erfinv'
    const xs = op === 'acosh' ? [1.2, 1.9, 4] : positive ? [0.4, 1.3, 3] : inside ? [-0.7, 0.1, 0.6] : [-1.1, 0.3, 0.8]
    checkJvp(op, {}, [value('f32', [3], xs)], 5)
    checkJvp(op, {}, [value('f32', [], xs.slice(0, 1))], 5)
    checkJvp(op, {}, [value('f32', [2, 0], [])])
  })
  it.each(flat)('%s has none', (op) => {
    expect(slope(op, [-1.2, 0, 0.5])).toEqual([0, 0, 0])
  })
  it('follow the conventions at kinks and ends', () => {
    expect(slope('abs', [0, -0, -2, 2])).toEqual([0, 0, -1, 1])
    expect(slope('sqrt', [0, 1, 4])).toEqual([inf, 0.5, 0.25])
    expect(slope('log', [0, 2])).toEqual([inf, 0.5])
    expect(slope('sigmoid', [1000, -1000])).toEqual([0, 0])
    expect(slope('tanh', [1000, -1000, 0])).toEqual([0, 0, 1])
    expect(slope('asin', [1, -1])).toEqual([inf, inf])
    expect(slope('acos', [1, -1])).toEqual([-inf, -inf])
    expect(slope('atan', [inf, 1e30])[0]).toBe(0)
    expect(slope('erf', [30, -30])).toEqual([0, 0])
    expect(slope('exp', [-inf])).toEqual([0])
  })
  it('neg is its own transpose', () => {
    checkTranspose('neg', {}, [noise('f32', [2, 3], 5)])
  })
})

describe('batching', () => {
  it.each(unaryOps)('%s', (op) => {
    const dtype = op === 'not' ? 'bool' : 'f32'
    for (const size of [0, 1, 3]) checkBatch(op, {}, [noise(dtype, [size, 2], 3)], size)
  })
})

describe('refusals', () => {
  it('name the dtype and the way out', () => {
    expect(refusal('exp', {}, type([2], 'i32'))).toBe(
      "the operand must be float, got i32 (convert with T.cast(x, 'f32'))",
    )
    expect(refusal('neg', {}, type([2], 'bool'))).toBe(
      "the operand must be float or i32 or u32, got bool (convert with T.cast(x, 'f32'))",
    )
    expect(refusal('not', {}, type([2]))).toBe(
      "the operand must be i32 or u32 or bool, got f32 (convert with T.cast(x, 'i32'))",
    )
    expect(refusal('neg', {})).toBe('takes 1 operand, got 0')
  })
  it('spare f16', () => {
    expect(refusal('exp', {}, type([2], 'f16'))).toBe('accepted: [{"shape":[2],"dtype":"f16"}]')
    expect(refusal('isNan', {}, type([2], 'f16'))).toBe('accepted: [{"shape":[2],"dtype":"bool"}]')
  })
})
