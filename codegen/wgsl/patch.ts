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

/** `y` with its bits replaced where a condition holds; later cases win. */
export const patch = (t: Lanes, y: string, ...cases: readonly (readonly [condition: string, bits: string])[]): string =>
  `bitcast<${t.F}>(${cases.reduce((bits, [condition, other]) => `select(${bits}, ${other}, ${condition})`, `bitcast<${t.U}>(${y})`)})`

/** `magnitude` (not negative) with the sign of x, −0 included. */
export const oddSign = (t: Lanes, magnitude: string, x: string): string =>
  `bitcast<${t.F}>(bitcast<${t.U}>(${magnitude}) | (bitcast<${t.U}>(${x}) & ${t.u(0x80000000)}))`
