/** Scalar reference functions against values computed to 40 digits, and against definitions spelled out. */
import { describe, expect, it } from 'vitest'
import { digamma, lgamma } from '../../src/lang/log-gamma.ts'
import { erf, erfc, erfinv, pow, powInteger, roundHalfEven, sigmoid, sign } from '../../src/lang/scalar-functions.ts'

const relative = (got: number, want: number): number => (want === 0 ? Math.abs(got) : Math.abs(got / want - 1))

describe('erf and erfc', () => {
  // biome-ignore format: x, erf(x), erfc(x) by arbitrary precision, in every interval of the approximation
  const cases: readonly (readonly [number, number, number])[] = [
    [0, 0, 1], [1e-10, 1.1283791670955126e-10, 0.999999999887162], [0.1, 0.1124629160182849, 0.887537083981715],
    [0.3, 0.3286267594591274, 0.6713732405408726], [-0.3, -0.3286267594591274, 1.3286267594591274],
    [0.84, 0.7651427114549945, 0.23485728854500548], [-0.84, -0.7651427114549945, 1.7651427114549945],
    [0.85, 0.7706680576083526, 0.22933194239164748], [-0.85, -0.7706680576083526, 1.7706680576083524],
    [1.2, 0.9103139782296353, 0.08968602177036464], [-1.2, -0.9103139782296353, 1.9103139782296354],
    [1.26, 0.9252359418101295, 0.07476405818987052], [-1.26, -0.9252359418101295, 1.9252359418101295],
    [2, 0.9953222650189527, 0.004677734981047266], [-2, -0.9953222650189527, 1.9953222650189528],
    [2.85, 0.9999443437200386, 5.5656279961398957e-05], [2.86, 0.9999475988269556, 5.24011730443978e-05],
    [4, 0.9999999845827421, 1.541725790028002e-08], [-4, -0.9999999845827421, 1.999999984582742],
    [5.99, 1, 2.4300455127321346e-17], [10, 1, 2.088487583762545e-45], [-10, -1, 2], [26, 1, 5.663192408856143e-296],
  ]
  it.each(cases)('at %d', (x, wantErf, wantErfc) => {
    expect(relative(erf(x), wantErf)).toBeLessThan(1e-15)
    expect(relative(erfc(x), wantErfc)).toBeLessThan(1e-15)
  })
  it('at the ends', () => {
    expect([erf(Infinity), erf(-Infinity), erf(NaN)]).toEqual([1, -1, NaN])
    expect([erfc(Infinity), erfc(-Infinity), erfc(NaN)]).toEqual([0, 2, NaN])
    expect(erf(-0)).toBe(-0)
  })
})

describe('lgamma and digamma', () => {
  // biome-ignore format: x, lgamma(x), digamma(x) by arbitrary precision, on both sides of every change of formula
  const cases: readonly (readonly [number, number, number])[] = [
    [5.5, 3.9578139676187165, 1.6110931485817512], [12.25, 18.115669505710894, 2.464154655185369],
    [100.5, 361.4355404677776, 4.605174352581845], [1e10, 220258509288.81058, 23.025850929890456],
    [1.0001, -5.771334222047127e-5, -0.5770511835143348], [1.9, -0.03898427592308336, 0.35618416116405965],
    [2.4999, 0.28461255726068263, 0.7031076036885755], [2.5001, 0.2847531885887332, 0.7032056752398703],
    [0.3, 1.0957979948180756, -3.502524222200133], [1e-10, 23.025850929882736, -10000000000.577215],
    [-0.3, 1.4648400508576025, 2.113309779635399], [-1.7, 0.9218446876946375, -1.4857174995110567],
    [-20.25, -41.60096191534053, 6.174235633614484],
  ]
  it.each(cases)('at %d', (x, wantLog, wantSlope) => {
    expect(relative(lgamma(x), wantLog)).toBeLessThan(2e-15)
    expect(relative(digamma(x), wantSlope)).toBeLessThan(2e-15)
  })
  it('at the ends and poles', () => {
    expect([Infinity, -Infinity, 0, -0, -1, -1e300, NaN].map(lgamma)).toEqual([...Array(6).fill(Infinity), NaN])
    const want = [Infinity, NaN, -Infinity, Infinity, NaN, NaN, NaN]
    expect([Infinity, -Infinity, 0, -0, -1, -1e300, NaN].map(digamma)).toEqual(want)
    expect([lgamma(1), lgamma(2)]).toEqual([0, 0])
    expect(lgamma(1e306)).toBe(Infinity)
    expect(Math.abs(digamma(1.4616321449683622))).toBeLessThan(1e-15)
  })
})

describe('erfinv', () => {
  it('inverts erf and erfc', () => {
    for (const x of [1e-160, 1e-8, 0.09, 0.11, 0.49, 0.51, 0.9]) expect(relative(erf(erfinv(x)), x)).toBeLessThan(1e-15)
    for (const c of [0.1, 1e-5, 1e-12]) expect(relative(erfc(erfinv(1 - c)), 1 - (1 - c))).toBeLessThan(2e-14)
    expect([1, -1, 1.5, NaN, 0, -0].map(erfinv)).toEqual([Infinity, -Infinity, NaN, NaN, 0, -0])
    expect(erfinv(-0.3)).toBe(-erfinv(0.3))
  })
})

describe('rounding', () => {
  it('to integers, ties to even, keeping the sign of zero', () => {
    const xs = [
      0.5,
      1.5,
      2.5,
      -0.5,
      -1.5,
      -2.5,
      0.3,
      -0.3,
      0,
      -0,
      2 ** 53 + 2,
      -1e300,
      Infinity,
      NaN,
      0.49999999999999994,
    ]
    expect(xs.map(roundHalfEven)).toEqual([0, 2, 2, -0, -2, -2, 0, -0, 0, -0, 2 ** 53 + 2, -1e300, Infinity, NaN, 0])
  })
})

describe('powers', () => {
  it('follow C99 where JavaScript does not', () => {
    expect([pow(1, NaN), pow(-1, Infinity), pow(-1, -Infinity), pow(NaN, 0), pow(1, Infinity)]).toEqual([1, 1, 1, 1, 1])
    expect([pow(0, -1), pow(-0, -3), pow(-8, 1 / 3), pow(-2, 3), pow(2, -Infinity)]).toEqual([
      Infinity,
      -Infinity,
      NaN,
      -8,
      0,
    ])
  })
  it('of integers wrap modulo 2^32', () => {
    for (const x of [0, 1, -1, 2, 3, -5, 65537, 2147483647, -2147483648])
      for (const y of [0, 1, 2, 3, 7, 31, 32, 100])
        expect(powInteger(x, y)).toBe(Number(BigInt.asIntN(32, BigInt(x) ** BigInt(y))))
  })
  it('of integers with negative exponents are 0, except of 1 and -1', () => {
    expect([powInteger(3, -1), powInteger(0, -2), powInteger(1, -5), powInteger(-1, -5), powInteger(-1, -4)]).toEqual([
      0, 0, 1, -1, 1,
    ])
  })
})

it('sign gives +0 for both zeros and keeps NaN', () => {
  expect([sign(-0), sign(0), sign(3), sign(-Infinity), sign(NaN)]).toEqual([0, 0, 1, -1, NaN])
})

it('sigmoid does not overflow', () => {
  expect([sigmoid(1000), sigmoid(-1000), sigmoid(0), sigmoid(-Infinity), sigmoid(Infinity)]).toEqual([1, 0, 0.5, 0, 1])
})
