/** The functions of `parts.ts`, run by the interpreter against what they say they compute, and on the device. */
import { expect, test } from 'vitest'
import { apply as applied } from '../../../../codegen/kernel/build-function.ts'
import { elementwiseFunctions } from '../../../../codegen/kernel/functions/elementwise.ts'
import { type FunctionName, functionNames, kernelFunction } from '../../../../codegen/kernel/functions/table.ts'
import { compiledFunction } from '../../../../codegen/kernel/interp/run-function.ts'
import type { KExpr } from '../../../../codegen/kernel/kernel.ts'
import { wordBits, wordValue } from '../../../../codegen/kernel/scalar-value.ts'
import { apply } from '../elementwise.ts'
import { distance } from '../sweep.ts'
import { next, ordinary, type Part, parts, pi, uniform, unit } from './parts.ts'

/** An f32 times 2^300. */
const exact = (x: number): bigint => (BigInt(x * 2 ** 149) << unit) >> 149n

/** How far r is from x - k·π/2 for the k nearest to what it should be; infinite where k is not q modulo 4. */
const offBy = (x: number, r: number, q: number): number => {
  const rest = exact(x) - exact(r)
  const turned = 2n * rest
  const k = (2n * turned + (turned < 0n ? -pi : pi)) / (2n * pi)
  if (((k - BigInt(q)) & 3n) !== 0n) return Infinity
  return Math.abs(Number((rest - (k * pi) / 2n) >> (unit - 60n))) / 2 ** 60
}

const ofOps = new Set<string | undefined>(Object.values(elementwiseFunctions).flatMap((r) => [r.f32, r.kept]))
/** Their results are judged together. */
const angles = { angle: () => ordinary(), bigAngle: () => (next() & 1 ? 1 : -1) * 2 ** uniform(17, 127.99) }

test('nothing is left out', () => {
  expect(functionNames.filter((n) => !ofOps.has(n) && !(n in parts) && !(n in angles))).toEqual([])
})

test.each(Object.entries<Part>(parts))('%s', (name, { args, gives, ulp = 0 }) => {
  for (const keep of [false, true]) {
    const f = compiledFunction(kernelFunction(name as FunctionName, 1, keep))
    for (let i = 0; i < 400; i++) {
      const xs = args()
      const [want, got] = [[gives(...xs)].flat(), f(xs).flat()]
      const off = want.map((w, j) =>
        ulp > 0 ? Math.max(0, distance(got[j]!, w).ulp - ulp) : Object.is(got[j], w) ? 0 : 1,
      )
      expect(Math.max(...off), `${name}(${xs.join(', ')}) = ${got}, not ${want}`).toBe(0)
    }
  }
})

test.each(Object.entries(angles))('%s: a number is q quadrants and r', (name, argument) => {
  const f = compiledFunction(kernelFunction(name as FunctionName, 1))
  for (let i = 0; i < 400; i++) {
    const x = Math.fround(argument())
    const [r, q] = f([x]).flat()
    expect(Math.abs(r!), `${name}(${x})`).toBeLessThan(0.7855)
    expect(offBy(x, r!, q!), `${name}(${x}) = ${r}, ${q}`).toBeLessThan(2 ** -22 * Math.max(Math.abs(r!), 2 ** -5))
  }
})

test('the device gives the bits that the interpreter gives', async () => {
  for (const [name, part] of Object.entries<Part>(parts)) {
    if (part.ulp) continue
    const f = kernelFunction(name as FunctionName, 4, true)
    const scalars = f.params.map((p) => p.type.scalar)
    const { width } = f.params[0]!.type
    const rows = Array.from({ length: 256 }, () => part.args())
    const inputs = scalars.map((scalar, i) => ({
      scalar,
      words: Uint32Array.from(rows, (r) => wordBits(scalar, r[i]!)),
    }))
    const columns = f.results.map((_, i) => ({ name: `${name} ${i}`, of: (xs: readonly KExpr[]) => applied(f, xs, i) }))
    const got = await apply(columns, inputs, width === 4 ? 4 : 1, 4, { keepSubnormals: true })
    const run = compiledFunction(kernelFunction(name as FunctionName, 1, true))
    for (const [i, { type }] of f.results.entries())
      expect(
        [...got.get(`${name} ${i}`)!].map((w) => wordValue(type.scalar, w)),
        name,
      ).toEqual(rows.map((r) => run(r)[i]![0]))
  }
})
