/** Every elementwise op on every target against the reference, on special values and sweeps, at widths 1 and 4, within the accuracy table. */
import { describe, expect, test } from 'vitest'
import { accuracy } from '../../../codegen/kernel/accuracy.ts'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Scalar } from '../../../codegen/kernel/kernel.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import { type BinaryOp, binaryOps, type UnaryOp, unaryOps } from '../../../src/lang/ir.ts'
import { apply, columnsOf, predicates } from './elementwise.ts'
import { bitsOf, floatOf, randomWords, specialPairs, sweepPairs, sweepWords } from './sweep.ts'
import { reference, worstOf } from './worst-of.ts'

/** Scalars and vectors on every target. */
const forms = (['wgsl', 'wasm'] as const).flatMap((target) => ([1, 4] as const).map((width) => ({ target, width })))

const decode = (scalar: Scalar, bits: number): number =>
  scalar === 'f32' ? floatOf(bits) : scalar === 'i32' ? bits | 0 : scalar === 'bool' ? bits : bits >>> 0

const floatUnary = unaryOps.filter((op) => k.unaryDomain[op].includes('f32'))
const floatBinary = binaryOps.filter((op) => k.binaryDomain[op].includes('f32'))

describe.each(forms)('f32, $target, width $width', ({ target, width }) => {
  test('unary ops', async () => {
    const words = new Uint32Array([...sweepWords(8000, 100, 1), ...sweepWords(4000, 2, 2), ...sweepWords(4000, 1e5, 3)])
    const got = await apply(columnsOf(floatUnary), [{ scalar: 'f32', words }], width, 4, { target })
    for (const op of floatUnary) {
      const worst = worstOf(op, [words], got.get(op)!)
      if (process.env['ULP']) console.info(`${op.padEnd(8)} ${worst.ulp.toFixed(2)} ${worst.at}`)
      expect(worst.ulp, worst.at).toBeLessThanOrEqual(accuracy[op].ulp)
    }
  })

  test('lgamma and digamma on the right, their zeros included', async () => {
    const next = randomWords(7)
    const near = (x: number): number[] => Array.from({ length: 200 }, (_, i) => bitsOf(x) - 100 + i)
    const some = [...sweepWords(6000, 30, 4)].map((w) => w & 0x7fffffff)
    const words = new Uint32Array([
      ...[1, 2, 1.46163213, 0.5, 1.5, 2.5, 1, 2].flatMap(near),
      ...some.map((w) => (next() % 2 ? w : bitsOf((floatOf(w) % 4) + 1e-3))),
    ])
    const ops = ['lgamma', 'digamma'] as const
    const got = await apply(columnsOf(ops), [{ scalar: 'f32', words }], width, 4, { target })
    for (const op of ops) {
      const worst = worstOf(op, [words], got.get(op)!, { absolute: 0 })
      if (process.env['ULP']) console.info(`${op.padEnd(8)} ${worst.ulp.toFixed(2)} ${worst.at}`)
      expect(worst.ulp, worst.at).toBeLessThanOrEqual(accuracy[op].ulp)
    }
  })

  test('binary ops', async () => {
    const [special, sweep] = [specialPairs(), sweepPairs(12000, 9)]
    const inputs = special.map((words, i) => Uint32Array.from([...words, ...sweep[i]!]))
    const got = await apply(
      columnsOf(floatBinary),
      inputs.map((words) => ({ scalar: 'f32' as const, words })),
      width,
      4,
      { target },
    )
    for (const op of floatBinary) {
      const worst = worstOf(op, inputs, got.get(op)!)
      if (process.env['ULP']) console.info(`${op.padEnd(8)} ${worst.ulp.toFixed(2)} ${worst.at}`)
      expect(worst.ulp, worst.at).toBeLessThanOrEqual(accuracy[op].ulp)
    }
  })
})

const integers = [
  0, 1, 2, 3, 5, 7, 8, 31, 32, 33, 63, 64, 100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001,
]
const integerWords = (scalar: Scalar): readonly number[] => {
  const next = randomWords(11)
  const some = [...integers, ...integers.map((x) => -x >>> 0), ...Array.from({ length: 12 }, () => next())]
  return scalar === 'bool' ? [0, 1] : some
}

describe.each(forms)('integers and bools, $target, width $width', ({ target, width }) => {
  test.each(['i32', 'u32', 'bool'] as const)('%s', async (scalar) => {
    const xs = integerWords(scalar)
    const a = new Uint32Array(xs.flatMap((x) => xs.map(() => x)))
    const b = new Uint32Array(xs.flatMap(() => xs))
    const unary = unaryOps.filter((op) => k.unaryDomain[op].includes(scalar))
    const binary = binaryOps.filter((op) => k.binaryDomain[op].includes(scalar))
    const one = await apply(columnsOf(unary), [{ scalar, words: a }], width, 4, { target })
    const two = await apply(
      columnsOf(binary),
      [
        { scalar, words: a },
        { scalar, words: b },
      ],
      width,
      8,
      { target },
    )
    const check = (
      op: UnaryOp | BinaryOp,
      got: Uint32Array,
      inputs: readonly Uint32Array[],
      want: (xs: readonly number[]) => number,
    ): void => {
      const predicate = predicates.has(op)
      for (let i = 0; i < got.length; i++) {
        const operands = inputs.map((words) => decode(scalar, words[i]!))
        const y = predicate ? got[i]! : decode(scalar, got[i]!)
        if (y !== want(operands)) expect.fail(`${op}(${operands.join(', ')}) = ${y}, not ${want(operands)}`)
      }
    }
    for (const op of unary) {
      // The reference leaves whole numbers out of rounding; the Kernel IR passes them through.
      const identity = ['floor', 'ceil', 'trunc', 'round'].includes(op)
      const never = op === 'isNan' || op === 'isInf'
      check(op, one.get(op)!, [a], ([x]) => (identity ? x! : never ? 0 : reference(op, scalar, [x!])))
    }
    const onBools: Partial<Record<BinaryOp, BinaryOp>> = { add: 'or', max: 'or', mul: 'and', min: 'and', sub: 'xor' }
    for (const op of binary) {
      const meaning = scalar === 'bool' ? (onBools[op] ?? op) : op
      check(op, two.get(op)!, [a, b], (operands) => reference(meaning, scalar, operands))
    }
  })

  test('shifts, divisions and powers by constants', async () => {
    const xs = integerWords('u32')
    const words = new Uint32Array(xs)
    for (const scalar of ['i32', 'u32'] as const) {
      const columns = (['div', 'rem', 'shiftLeft', 'shiftRight', 'max', 'mul'] as const).flatMap((op) =>
        [0, 1, 2, 7, 8, 31, 32, 40].map((c) => ({
          op,
          c,
          name: `${op} ${c}`,
          of: (v: readonly ReturnType<typeof k.lit>[]) => k.binary(op, v[0]!, k.splat(k.lit(c, scalar), width)),
        })),
      )
      const got = await apply(columns, [{ scalar, words }], width, 16, { target })
      for (const { op, c, name } of columns)
        for (const [i, w] of xs.entries())
          expect(decode(scalar, got.get(name)![i]!), `${name} of ${decode(scalar, w)}`).toBe(
            reference(op, scalar, [decode(scalar, w), c]),
          )
    }
  })
})

describe.each(forms)('conversions, $target, width $width', ({ target, width }) => {
  const scalars = ['f32', 'i32', 'u32', 'bool'] as const
  test.each(scalars)('from %s', async (from) => {
    const edges = [
      0.5, -0.5, 1.5, -1.5, 2147483520, 2147483648, -2147483648, -2147483904, 4294967040, 4294967296, 16777217, 1e-45,
    ]
    const words = new Uint32Array(
      from === 'f32' ? [...sweepWords(3000, 1e6, 6), ...edges.map(bitsOf)] : integerWords(from),
    )
    const targets = scalars.filter((s) => s !== from)
    const got = await apply(
      targets.map((to) => ({ name: to, of: (xs) => k.cast(xs[0]!, to) })),
      [{ scalar: from, words }],
      width,
      4,
      { target },
    )
    for (const to of targets) {
      const type = { shape: [1], dtype: to }
      words.forEach((w, i) => {
        const x = decode(from, w)
        const make = { f32: Float64Array, i32: Int32Array, u32: Uint32Array, bool: Uint8Array }
        const [want] = evaluateRow('cast', [{ shape: [1], dtype: from, data: new make[from]([x]) }], { dtype: to }, [
          type,
        ])
        const y = decode(to, got.get(to)![i]!)
        const flushed = to === 'bool' ? false : Math.abs(x) < 2 ** -126
        if (!Object.is(y + 0, want![0]! + 0) && !flushed) expect.fail(`${to}(${x}) = ${y}, not ${want![0]}`)
      })
    }
    if (from === 'bool') return
    const words3 = ['f32', 'i32', 'u32'] as const
    const bits = await apply(
      words3.map((to) => ({ name: to, of: (xs) => k.bitcast(xs[0]!, to) })),
      [{ scalar: from, words }],
      width,
      4,
      { target },
    )
    // NaN is one value where its bits are seen; WGSL leaves them to the device.
    const isNan = (w: number): boolean => (w & 0x7fffffff) > 0x7f800000
    const seen = (w: number): number => (target === 'wasm' && isNan(w) ? 0x7fc00000 : w)
    for (const to of words3) expect(bits.get(to)).toEqual(from === 'f32' || to === 'f32' ? words.map(seen) : words)
  })
})
