/** Tests and repairs of special values, all on bits: comparisons with NaN and arithmetic with infinities promise nothing. */
import type { Lanes } from './lanes.ts'

/** Whether x is NaN, lane by lane. */
export const isNanBits = (t: Lanes, x: string): string =>
  `((bitcast<${t.U}>(${x}) & ${t.u(0x7fffffff)}) > ${t.u(0x7f800000)})`

/** Whether x is an infinity, lane by lane. */
export const isInfBits = (t: Lanes, x: string): string =>
  `((bitcast<${t.U}>(${x}) & ${t.u(0x7fffffff)}) == ${t.u(0x7f800000)})`

/** Whether x is an infinity or NaN, lane by lane. */
export const isNonFiniteBits = (t: Lanes, x: string): string =>
  `((bitcast<${t.U}>(${x}) & ${t.u(0x7fffffff)}) >= ${t.u(0x7f800000)})`

/** Whether the bits `u` of a magnitude are those of a subnormal number, zero excluded. */
export const isTinyBits = (t: Lanes, u: string): string => `((${u} - ${t.u(1)}) < ${t.u(0x007fffff)})`

/** Whether x is subnormal, lane by lane. */
export const isTiny = (t: Lanes, x: string): string => isTinyBits(t, `(bitcast<${t.U}>(${x}) & ${t.u(0x7fffffff)})`)

/** |x|, whatever x is. */
export const absolute = (t: Lanes, x: string): string => `bitcast<${t.F}>(bitcast<${t.U}>(${x}) & ${t.u(0x7fffffff)})`

/** Where subnormal numbers are kept, `x` times the slope at 0 in place of what an odd function makes of a tiny `x`. */
export const slope = (t: Lanes, factor: number): readonly Case[] =>
  whereKept(t, [
    `((bitcast<${t.U}>(x) & ${t.u(0x7fffffff)}) < ${t.u(0x0d800000)})`,
    `bitcast<${t.U}>(${t.fn('keptMul')}(x, ${t.f(factor)}))`,
  ])

/** A condition that only matters where subnormal numbers are kept: of them `cases` is made, or none. */
export const whereKept = (t: Lanes, ...cases: readonly Case[]): readonly Case[] => (t.keep ? cases : [])

/** Where an odd function whose slope at 0 is 1 gives its argument back: at NaN, and at subnormal numbers if they are kept. */
export const isItself = (t: Lanes, x: string): string =>
  t.keep ? `(${isNanBits(t, x)} | ${isTiny(t, x)})` : isNanBits(t, x)

/** A condition and the bits that replace a value where it holds. */
export type Case = readonly [condition: string, bits: string]

/** `y` with its bits replaced where a condition holds; later cases win. */
export const patch = (t: Lanes, y: string, ...cases: readonly Case[]): string =>
  cases.length === 0
    ? y
    : `bitcast<${t.F}>(${cases.reduce((bits, [condition, other]) => `select(${bits}, ${other}, ${condition})`, `bitcast<${t.U}>(${y})`)})`

/** `magnitude` (not negative) with the sign of x, −0 included. */
export const oddSign = (t: Lanes, magnitude: string, x: string): string =>
  `bitcast<${t.F}>(bitcast<${t.U}>(${magnitude}) | (bitcast<${t.U}>(${x}) & ${t.u(0x80000000)}))`
