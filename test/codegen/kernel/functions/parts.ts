/** Functions that only other functions apply, and those of integers and conversions: what they take, and what they compute. */
import type { FunctionName } from '../../../../codegen/kernel/functions/table.ts'
import { binaryFunction, threefryWord } from '../../../../codegen/kernel/interp/scalar-meaning.ts'
import { castValue } from '../../../../codegen/kernel/scalar-value.ts'
import { fromHalf, toHalf } from '../../../../src/lang/half.ts'
import { bitsOf, floatOf, randomWords } from '../sweep.ts'

const one = 1n << 320n
const arctanOfInverse = (n: bigint): bigint => {
  let [term, sum, sign] = [one / n, 0n, 1n]
  for (let k = 1n; term > 0n; k += 2n) {
    sum += (sign * term) / k
    term /= n * n
    sign = -sign
  }
  return sum
}
/** π·2^300, by Machin's formula. */
export const pi: bigint = (4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n))) >> 20n
export const unit = 300n

/** Words in a fixed order. */
export const next: () => number = randomWords(5)
export const uniform = (low: number, high: number): number => Math.fround(low + (high - low) * (next() / 2 ** 32))
const word = (): number => next() >>> (next() % 33 === 32 ? 0 : next() % 32)
const signed = (): number => word() | 0
export const ordinary = (): number => floatOf((next() & 0x80000000) + 1 + (next() % 0x7f7fffff))
const anything = (): number => floatOf(next())
/** Devices may take a subnormal number for zero. */
const flushed = (x: number): number => (Math.abs(x) < 2 ** -126 ? 0 : x)
const normalHalf = (): number => {
  const u = next() & 0xffff
  return (u & 0x7c00) === 0 ? u & 0x8000 : u
}

export interface Part {
  readonly args: () => readonly number[]
  /** The results, or the first of them. */
  readonly gives: (...args: readonly number[]) => number | readonly number[]
  /** How many units in the last place it may be off. */
  readonly ulp?: number
}

/** Which of the two numbers comes first, NaN left out. */
const ordered = (x: number): number => {
  const i = bitsOf(x) | 0
  return i < 0 ? -(i & 0x7fffffff) : i
}

/** Functions that no op takes on f32, with arguments that they are made for. */
export const parts: { readonly [N in FunctionName]?: Part } = {
  maxConst: {
    args: () => [flushed(anything()), [0, 1, -2.5, Infinity][next() % 4]!],
    gives: (a, b) => Math.max(a!, b!),
  },
  minConst: {
    args: () => [flushed(anything()), [-0, 1, -2.5, Infinity][next() % 4]!],
    gives: (a, b) => Math.min(a!, b!),
  },
  toI32: { args: () => [anything()], gives: (x) => castValue('f32', 'i32', x!) },
  toU32: { args: () => [anything()], gives: (x) => castValue('f32', 'u32', x!) },
  shiftLeft: { args: () => [word(), word()], gives: (a, n) => binaryFunction('shiftLeft', 'u32')(a!, n!) },
  shiftLeftSigned: { args: () => [signed(), signed()], gives: (a, n) => binaryFunction('shiftLeft', 'i32')(a!, n!) },
  shiftRight: { args: () => [word(), word()], gives: (a, n) => binaryFunction('shiftRight', 'u32')(a!, n!) },
  shiftRightSigned: { args: () => [signed(), signed()], gives: (a, n) => binaryFunction('shiftRight', 'i32')(a!, n!) },
  powU32: { args: () => [word(), word()], gives: (x, y) => binaryFunction('pow', 'u32')(x!, y!) },
  powI32: { args: () => [signed(), signed()], gives: (x, y) => binaryFunction('pow', 'i32')(x!, y!) },
  mulHigh: { args: () => [word(), word()], gives: (a, b) => Number((BigInt(a!) * BigInt(b!)) >> 32n) },
  threefry: {
    args: () => [word(), word(), word(), word()],
    gives: (a, b, c, d) => [0, 1].map((w) => threefryWord(w as 0 | 1, a!, b!, c!, d!)),
  },
  // A device may flush the product of a subnormal one: those are read on the processor alone.
  fromHalf: { args: () => [normalHalf()], gives: (u) => fromHalf(u!) },
  toHalf: { args: () => [next() & 1 ? anything() : uniform(-1e-4, 1e-4)], gives: (x) => toHalf(x!) },
  halfExp: { args: () => [uniform(0, 89.4)], gives: (x) => Math.exp(x!) / 2, ulp: 2 },
  expTimes: {
    args: () => [uniform(-60, 0), uniform(-1e-3, 1e-3), 2 ** uniform(-10, 10)].map(Math.fround),
    gives: (x, low, f) => Math.exp(x! + low!) * f!,
    ulp: 3,
  },
  reciprocal: {
    args: () => [next() % 7],
    gives: (i) => Number(((((1n << 192n) << unit) / (2n * pi)) >> (32n * BigInt(6 - i!))) & 0xffffffffn),
  },
  order: { args: () => [anything()], gives: (x) => ordered(x!) },
  lift: { args: () => [floatOf((next() & 0x80000000) + (next() % 0x0d800000))], gives: (x) => x! * 2 ** 64 },
  lower: { args: () => [Math.fround(word() * (next() & 1 ? 1 : -1)) * 2 ** -85], gives: (x) => x! * 2 ** -64 },
  pack: {
    args: () => [Math.max(1, word()), (next() % 330) - 200],
    gives: (m, e) => bitsOf(Math.fround(m! * 2 ** e!)),
  },
  scale: {
    args: () => [floatOf(bitsOf(uniform(1, 2)) + (((next() % 40) - 20) << 23)), (next() % 415) - 160],
    gives: (p, k) => Math.fround(p! * 2 ** k!),
  },
  mulBits: { args: () => [ordinary(), ordinary()], gives: (a, b) => Math.fround(a! * b!) },
  divBits: { args: () => [ordinary(), ordinary()], gives: (a, b) => Math.fround(a! / b!) },
}
