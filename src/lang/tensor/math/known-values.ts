/** What is known of integers before a program runs: divisors and exponents that no integer has a result for. */
import * as E from '#fp/Either'
import { typeOf } from '../../build.ts'
import { type DType, integerRange, isInteger } from '../../dtype.ts'
import type { Refusal } from '../../errors.ts'
import type { Node } from '../../ir.ts'

/** Whether every element of `from` is the same number in `to`. */
const widens = (from: DType, to: DType): boolean => {
  if (!isInteger(from) || !isInteger(to)) return from === 'bool'
  const [[low, high], [least, most]] = [integerRange[from], integerRange[to]]
  return least <= low && high <= most
}

/** The elements of a constant, through what lays it out anew; undefined of what depends on an argument. */
const knownValues = (n: Node): ArrayLike<number> | undefined => {
  if (E.isLeft(n.type)) return undefined
  if (n.op === 'const') return n.params.values
  if (n.op === 'data') return n.params.payload.array
  const keeps =
    n.op === 'broadcast' || n.op === 'reshape' || (n.op === 'cast' && widens(typeOf(n.args[0]!).dtype, n.params.dtype))
  return keeps ? knownValues(n.args[0]!) : undefined
}

const hasKnown = (n: Node, test: (x: number) => boolean): boolean =>
  isInteger(typeOf(n).dtype) && Array.from(knownValues(n) ?? []).some(test)

/** The refusal of an integer division whose divisor is a constant with a 0 in it. */
export const zeroDivisor = (divisor: Node): Refusal | undefined =>
  hasKnown(divisor, (x) => x === 0)
    ? {
        reason: `divides ${typeOf(divisor).dtype} by 0, which no integer is the result of`,
        hint: 'cast to f32 first, where it is infinite or NaN, or choose another divisor: T.where(T.equal(b, 0), 1, b)',
      }
    : undefined

/** The refusal of an integer power whose exponent is a constant below 0. */
export const negativeExponent = (exponent: Node): Refusal | undefined =>
  hasKnown(exponent, (x) => x < 0)
    ? {
        reason: `the exponent is negative, and ${typeOf(exponent).dtype} has no fractions`,
        hint: "cast the base first: T.pow(T.cast(x, 'f32'), -1)",
      }
    : undefined
