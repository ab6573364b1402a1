/**
 * The bodies of functions, run by the interpreter: elementwise ones against the op table within the documented accuracy, their
 * parts against what they say, wide ones against narrow ones. No target is asked.
 */
import { describe, expect, test } from 'vitest'
import { accuracy } from '../../../../codegen/kernel/accuracy.ts'
import { widths } from '../../../../codegen/kernel/build-kernel.ts'
import { functionFor } from '../../../../codegen/kernel/functions/elementwise.ts'
import { type FunctionName, functionNames, kernelFunction } from '../../../../codegen/kernel/functions/table.ts'
import { type NativeMeaning, nativeMeaning } from '../../../../codegen/kernel/interp/native-meaning.ts'
import { compiledFunction } from '../../../../codegen/kernel/interp/run-function.ts'
import type { KFunction, Scalar } from '../../../../codegen/kernel/kernel.ts'
import { wordValue } from '../../../../codegen/kernel/scalar-value.ts'
import { verifyFunction } from '../../../../codegen/kernel/verify-kernel.ts'
import { type BinaryOp, binaryOps, type UnaryOp, unaryOps } from '../../../../src/lang/ir.ts'
import { predicates } from '../elementwise.ts'
import { expectKept, keptBinary, keptUnary } from '../kept-errors.ts'
import { bitsOf, floatOf, randomWords, specialPairs, specialValues, sweepPairs, sweepWords } from '../sweep.ts'
import { worstOf } from '../worst-of.ts'

const keeps = [false, true] as const

const every = (f: (made: KFunction, name: FunctionName) => void): void => {
  for (const keep of keeps)
    for (const name of functionNames) for (const width of widths) f(kernelFunction(name, width, keep), name)
}

test('every function is well-formed', () => {
  every((f) => expect(verifyFunction(f), f.name).toEqual([]))
})

test('each function is made once, under a name of its own', () => {
  const names = new Map<string, FunctionName>()
  every((f, name) => {
    expect(names.get(f.name) ?? name).toBe(name)
    names.set(f.name, name)
  })
  expect(kernelFunction('exp', 4)).toBe(kernelFunction('exp', 4))
  expect(kernelFunction('exp', 4)).not.toBe(kernelFunction('exp', 4, true))
  expect(kernelFunction('pack', 4)).toBe(kernelFunction('pack', 1))
})

/** Words that mean something to a parameter. */
const argument = (scalar: Scalar, next: () => number): number => {
  const pool = [next(), next() & 0x807fffff, bitsOf(Math.fround((next() / 2 ** 32 - 0.5) * 40)), next() & 63]
  const special = bitsOf(specialValues[next() % specialValues.length]!)
  return wordValue(scalar, scalar === 'f32' ? [...pool.slice(0, 3), special][next() % 4]! : pool[(next() % 2) * 3]!)
}

test('a wide function does lane by lane what the scalar one does', () => {
  const next = randomWords(31)
  for (const keep of keeps)
    for (const name of functionNames)
      for (const width of widths) {
        const [wide, narrow] = [kernelFunction(name, width, keep), kernelFunction(name, 1, keep)]
        if (wide === narrow) continue
        for (let i = 0; i < 10; i++) {
          const args = wide.params.map((p) => Array.from({ length: width }, () => argument(p.type.scalar, next)))
          const together = compiledFunction(wide)(args.flat())
          const alone = args[0]!.map((_, lane) => compiledFunction(narrow)(args.map((a) => a[lane]!)))
          expect(together, `${wide.name} of ${args.join('; ')}`).toEqual(
            together.map((_, r) => alone.map((results) => results[r]![0])),
          )
        }
      }
})

/** The results of an op's function on f32, as words; nothing where an op takes none. */
const results = (
  op: UnaryOp | BinaryOp,
  inputs: readonly Uint32Array[],
  keep: boolean,
  native: NativeMeaning = nativeMeaning,
): Uint32Array | undefined => {
  const choice = functionFor(op, 'f32', keep, () => undefined)
  if (!choice) return undefined
  const f = compiledFunction(kernelFunction(choice.name, 1, keep), native)
  return Uint32Array.from(inputs[0]!, (_, i) => {
    const y = f(inputs.map((words) => floatOf(words[i]!)))[0]![0]!
    return predicates.has(op) ? y : bitsOf(y)
  })
}

const isUnary = (op: UnaryOp | BinaryOp): boolean => (unaryOps as readonly string[]).includes(op)

describe('functions of elementwise ops', () => {
  const ops = [...unaryOps, ...binaryOps]
  const one = [Uint32Array.from([...sweepWords(1500, 100, 1), ...sweepWords(800, 2, 2), ...sweepWords(800, 1e5, 3)])]
  const two = specialPairs().map((words, i) => Uint32Array.from([...words, ...sweepPairs(2400, 9)[i]!]))

  test('keep the documented accuracy', () => {
    for (const op of ops) {
      const inputs = isUnary(op) ? one : two
      const got = results(op, inputs, false)
      const worst = got && worstOf(op, inputs, got)
      if (worst) expect(worst.ulp, worst.at).toBeLessThanOrEqual(accuracy[op].ulp)
    }
  })

  /** A target that flushes subnormal numbers, and promises of NaN only that sums and products with it are NaN. */
  const careless = (holds: 0 | 1): NativeMeaning => {
    const flushed = (x: number): number => (Math.abs(x) < 2 ** -126 ? (Object.is(x, -0) || x < 0 ? -0 : 0) : x)
    const free = {
      eq: holds,
      ne: holds,
      lt: holds,
      le: holds,
      gt: holds,
      ge: holds,
      min: 3,
      max: 3,
      toI32: 7,
      toU32: 7,
    }
    const careful = (op: string, f: (x: number, y: number) => number): ((x: number, y: number) => number) => {
      const any = Object.entries(free).find(([name]) => name === op)?.[1]
      return (x, y) =>
        any !== undefined && (Number.isNaN(x) || Number.isNaN(y)) ? any : flushed(f(flushed(x), flushed(y)))
    }
    return Object.fromEntries(
      Object.entries(nativeMeaning).map(([op, f]) => [op, careful(op, f)]),
    ) as unknown as NativeMeaning
  }

  test.each([0, 1] as const)('keep both on a careless target, where comparisons with NaN give %i', (holds) => {
    const target = careless(holds)
    const [unary, binary] = [keptUnary(200), keptBinary(100)]
    for (const op of ops) {
      const device = isUnary(op) ? one : two
      const got = results(op, device, false, target)
      const worst = got && worstOf(op, device, got)
      if (worst) expect(worst.ulp, worst.at).toBeLessThanOrEqual(accuracy[op].ulp)
      const kept = isUnary(op) ? unary : binary
      const exact = results(op, kept, true, target)
      if (exact) expectKept(op, kept, exact)
    }
  })

  test('keep it for subnormal numbers too, where those are kept', () => {
    const [unary, binary] = [keptUnary(800), keptBinary(400)]
    for (const op of ops) {
      const inputs = isUnary(op) ? unary : binary
      const got = results(op, inputs, true)
      if (got) expectKept(op, inputs, got)
    }
  })
})
