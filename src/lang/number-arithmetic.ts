/** Arithmetic of monoids on numbers: floats in Float64, integers of a dtype that wrap. */
import type { KernelDType } from './dtype.ts'
import { invariant } from './errors.ts'
import type { Arithmetic } from './monoids.ts'

type Operation = (...xs: readonly number[]) => number

const truth = (holds: boolean): number => (holds ? 1 : 0)

const operations: Readonly<Record<string, Operation>> = {
  add: (x, y) => x! + y!,
  sub: (x, y) => x! - y!,
  mul: (x, y) => x! * y!,
  div: (x, y) => x! / y!,
  max: (x, y) => Math.max(x!, y!),
  min: (x, y) => Math.min(x!, y!),
  and: (x, y) => x! & y!,
  or: (x, y) => x! | y!,
  not: (x) => 1 - x!,
  eq: (x, y) => truth(x === y),
  lt: (x, y) => truth(x! < y!),
  le: (x, y) => truth(x! <= y!),
  isNan: (x) => truth(Number.isNaN(x)),
  isInf: (x) => truth(Math.abs(x!) === Number.POSITIVE_INFINITY),
  exp: (x) => Math.exp(x!),
  log: (x) => Math.log(x!),
  select: (c, x, y) => (c ? x! : y!),
}

const wrap = (d: KernelDType): ((x: number) => number) =>
  d === 'i32' ? (x) => x | 0 : d === 'u32' ? (x) => x >>> 0 : (x) => x

/** Elements of dtype `d`. */
export const numberArithmetic = (d: KernelDType): Arithmetic<number> => {
  const wrapped = wrap(d)
  const isWhole = d === 'i32' || d === 'u32'
  return {
    constant: (value) => value,
    apply: (op, ...xs) => {
      if (isWhole && op === 'mul') return wrapped(Math.imul(xs[0]!, xs[1]!))
      const operation = operations[op]
      invariant(operation, `monoids do not use ${op}`)
      return wrapped(operation(...xs))
    },
    hold: (x) => x,
    split: (x) => {
      if (x === 0 || !Number.isFinite(x)) return [x, 0]
      const exponent = Math.floor(Math.log2(Math.abs(x)))
      // log2 may round up to the next power; halves keep 2^-exponent finite.
      const half = Math.trunc(exponent / 2)
      const mantissa = x / 2 ** half / 2 ** (exponent - half)
      return Math.abs(mantissa) < 1 ? [mantissa * 2, exponent - 1] : [mantissa, exponent]
    },
    scale: (mantissa, exponent) => {
      if (mantissa === 0 || !Number.isFinite(mantissa)) return mantissa
      const half = Math.trunc(exponent / 2)
      return mantissa * 2 ** half * 2 ** (exponent - half)
    },
  }
}
