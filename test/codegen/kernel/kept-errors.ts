/** Where subnormal numbers are kept: inputs that reach them, and the distance of results from the reference, where none may be flushed. */
import { expect } from 'vitest'
import { accuracy } from '../../../codegen/kernel/accuracy.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import { predicates } from './elementwise.ts'
import { bitsOf, floatOf, randomWords, specialPairs, specialValues, sweepPairs, sweepWords, wordsOf } from './sweep.ts'

/** One rounding of the exact result, be it subnormal. */
const exactOps: ReadonlySet<string> = new Set([
  'add',
  'sub',
  'mul',
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'trunc',
  'round',
  'max',
  'min',
  'rem',
])

const reference = (op: UnaryOp | BinaryOp, columns: readonly Float64Array[]): ArrayLike<number> => {
  const shape = [columns[0]!.length]
  const values = columns.map((data) => ({ shape, dtype: 'f32' as const, data }))
  return evaluateRow(op, values, {}, [{ shape, dtype: predicates.has(op) ? 'bool' : 'f32' }])[0]!
}

/** The distance in units of the last place of `want`, which are 2^-149 for subnormal numbers. */
const ulps = (got: number, want: number): number => {
  if (Number.isNaN(want) || Number.isNaN(got)) return Number.isNaN(want) && Number.isNaN(got) ? 0 : Infinity
  const rounded = Math.fround(want)
  if (got === rounded) return Object.is(got, rounded) || got !== 0 ? 0 : Infinity
  if (!Number.isFinite(rounded) && !Number.isFinite(want)) return Infinity
  const unit = 2 ** (Math.max(Math.min(Math.floor(Math.log2(Math.abs(want))), 127), -126) - 23)
  return Math.abs((Number.isFinite(got) ? got : Math.sign(got) * 2 ** 128) - want) / unit
}

/** Expects every result of an op within its documented accuracy, results that are subnormal too. */
export const expectKept = (op: UnaryOp | BinaryOp, inputs: readonly Uint32Array[], got: Uint32Array): void => {
  const columns = inputs.map((words) => Float64Array.from(words, floatOf))
  const wants = reference(op, columns)
  let worst = 0
  let at = ''
  for (const [i, bits] of got.entries()) {
    const y = predicates.has(op) ? bits : floatOf(bits)
    const want = wants[i]!
    if (!exactOps.has(op) && Math.abs(y - want) <= accuracy[op].absolute && Math.abs(want) >= 2 ** -126) continue
    const d = ulps(y, want)
    if (d > worst) [worst, at] = [d, `${op}(${columns.map((c) => c[i]).join(', ')}) = ${y}, not ${want}`]
  }
  if (process.env['ULP']) console.info(`${op.padEnd(8)} ${worst.toFixed(2)} ${at}`)
  expect(worst, at).toBeLessThanOrEqual(exactOps.has(op) ? 0 : Math.max(accuracy[op].ulp, 1))
}

/** Numbers around the border between normal and subnormal, of both signs. */
const tiny = (count: number, seed: number): Uint32Array => {
  const next = randomWords(seed)
  const below = (): number => next() & 0x807fffff
  const around = (): number => (next() & 0x80ffffff) + ((next() % 3) << 23)
  const few = (): number => (next() & 0x80000000) | ((next() >>> (8 + (next() % 24))) >>> 1)
  return Uint32Array.from({ length: count }, () => [below, around, few][next() % 3]!() >>> 0)
}

/** What a sum, product, quotient or power of the first operand needs to be subnormal. */
const partners = (words: Uint32Array, seed: number): Uint32Array => {
  const next = randomWords(seed)
  const swept = sweepWords(words.length, 2, seed)
  return Uint32Array.from(words, (w, i) => {
    const sign = next() & 0x80000000
    const exponent = (w >>> 23) & 0xff
    const inverse = ((Math.min(Math.max(127 - exponent + (next() % 28), 1), 254) << 23) | (next() >>> 9)) >>> 0
    const beside = (w + (next() % 64) - 32) ^ sign
    return [inverse | sign, beside, swept[i]!, next()][next() % 4]! >>> 0
  })
}

/** Arguments of one operand, about `count` of each kind. */
export const keptUnary = (count: number): readonly [Uint32Array] => {
  const edges = [-87, -88, -100, -103, -103.5, -104, -126.5, -140, -149, -150, 9.2, 9.5, 10, 10.05]
  const spread = edges.flatMap((x) => Array.from({ length: 40 }, (_, i) => bitsOf(Math.fround(x + (i - 20) / 50))))
  return [Uint32Array.from([...wordsOf(specialValues), ...spread, ...tiny(count, 3), ...sweepWords(count, 110, 4)])]
}

/** Arguments of two operands, about `count` of each kind. */
export const keptBinary = (count: number): readonly [Uint32Array, Uint32Array] => {
  const [special, sweep] = [specialPairs(), sweepPairs(count, 5)]
  const first = Uint32Array.from([...tiny(2 * count, 6), ...sweepWords(2 * count, 100, 7)])
  const second = partners(first, 8)
  return [
    Uint32Array.from([...special[0], ...sweep[0], ...first, ...second]),
    Uint32Array.from([...special[1], ...sweep[1], ...second, ...first]),
  ]
}
