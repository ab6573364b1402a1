/** The monoids on expressions of a kernel: element after element, or four lanes at once, against what each reduction means. */
import { describe, expect, it } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import { runKernel } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Binding, KExpr, Kernel, KStmt, Scalar } from '../../../codegen/kernel/kernel.ts'
import { kernelArithmetic } from '../../../codegen/kernel/kernel-arithmetic.ts'
import { allocate, type DType, type KernelDType } from '../../../src/lang/dtype.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import type { Monoid } from '../../../src/lang/ir.ts'
import { isPositional, rowOf } from '../../../src/lang/monoids.ts'

const numbers: Readonly<Record<string, { readonly dtype: KernelDType; readonly values: readonly number[] }>> = {
  'ordinary floats': { dtype: 'f32', values: [1.5, -2, 0.25, 3, 3, -2, 0.5, 1] },
  infinities: { dtype: 'f32', values: [1, Infinity, 2, Infinity, 0, 1, 1, 1] },
  'nothing but minus infinity': { dtype: 'f32', values: new Array<number>(8).fill(-Infinity) },
  'nothing but infinity': { dtype: 'f32', values: new Array<number>(8).fill(Infinity) },
  'a NaN among others': { dtype: 'f32', values: [1, 5, NaN, 7, NaN, 2, 3, 4] },
  'a NaN at the end': { dtype: 'f32', values: [1, 5, 2, 7, 1, 2, 3, NaN] },
  'integers at their ends': { dtype: 'i32', values: [-(2 ** 31), 5, 2 ** 31 - 1, -1, 2 ** 31 - 1, 0, 3, -(2 ** 31)] },
  'large unsigned': { dtype: 'u32', values: [2 ** 32 - 1, 0, 2 ** 31, 7, 2 ** 32 - 1, 1, 3, 5] },
  'zeros only': { dtype: 'u32', values: new Array<number>(8).fill(0) },
  bools: { dtype: 'bool', values: [1, 0, 1, 1, 0, 0, 1, 1] },
  'true only': { dtype: 'bool', values: new Array<number>(8).fill(1) },
  'false only': { dtype: 'bool', values: new Array<number>(8).fill(0) },
}

const domains: { readonly [M in Monoid]: readonly DType[] } = {
  sum: ['f32', 'i32', 'u32'],
  prod: ['f32', 'i32', 'u32'],
  max: ['f32', 'i32', 'u32'],
  min: ['f32', 'i32', 'u32'],
  all: ['bool'],
  any: ['bool'],
  argmax: ['f32', 'i32', 'u32'],
  argmin: ['f32', 'i32', 'u32'],
  meanVar: ['f32'],
  logSumExp: ['f32'],
}

const bind = (name: string, scalar: Scalar, width: 1 | 4, access: Binding['access']): Binding => ({
  name,
  element: k.kType(scalar, width),
  access,
})

/** Reduces eight numbers in a kernel, one by one or as two vectors; the state at the end. */
const reduced = (monoid: Monoid, dtype: KernelDType, values: readonly number[], width: 1 | 4): readonly number[] => {
  const stored: Scalar = dtype === 'bool' ? 'u32' : dtype
  const from = bind('x', stored, width, 'read')
  const row = rowOf(monoid)
  const components = row.components(dtype)
  const state = row.identity(dtype).map((value, i) => k.splat(k.lit(value, components[i]!), width))
  const names = state.map((_, i) => `acc${i}`)
  const refs = state.map((s, i) => k.ref(names[i]!, s.type))
  const body: KStmt[] = state.map((s, i) => k.varStmt(names[i]!, s.type, s))
  let held = 0
  const hold = (e: KExpr): KExpr => {
    body.push(k.letStmt(`held${held}`, e))
    return k.ref(`held${held++}`, e.type)
  }
  const a = kernelArithmetic(hold)
  for (let i = 0; i < values.length / width; i++) {
    const raw = k.load(from, k.u32(i))
    const value = dtype === 'bool' ? k.cast(raw, 'bool') : raw
    const lifted = row.lift(a, value, dtype, k.splat(k.lit(i, 'i32'), width))
    const next = row.merge(a, refs, lifted, dtype).map(hold)
    next.forEach((e, c) => {
      body.push(k.assign(names[c]!, e))
    })
  }
  const merged = (lanes: readonly number[]): readonly KExpr[] =>
    lanes.map((l): readonly KExpr[] => refs.map((e) => k.lane(e, l))).reduce((x, y) => row.merge(a, x, y, dtype))
  const done = row.finish(a, width === 4 ? merged([0, 1, 2, 3]) : refs, dtype)
  const outs = done.map((_, i) => bind(`y${i}`, i === 1 ? 'i32' : stored, 1, 'read_write'))
  done.forEach((e, i) => {
    body.push(k.store(outs[i]!, k.u32(0), e.type.scalar === 'bool' ? k.cast(e, 'u32') : e))
  })
  const kernel: Kernel = { name: monoid, workgroupSize: 1, bindings: [from, ...outs], arrays: [], body }
  const words = { f32: Float32Array, i32: Int32Array, u32: Uint32Array }
  const typed = (scalar: Scalar, data: readonly number[]): Float32Array | Int32Array | Uint32Array =>
    words[scalar as keyof typeof words].from(data)
  const memory = [typed(stored, values), ...outs.map((o) => typed(o.element.scalar, [0]))]
  runKernel(
    kernel,
    1,
    memory.map((m) => ({ buffer: m.buffer as ArrayBuffer })),
  )
  return memory.slice(1).map((m) => m[0]!)
}

const expected = (monoid: Monoid, dtype: KernelDType, values: readonly number[]): readonly number[] => {
  const data = allocate(dtype, values.length)
  data.set(values)
  const types = [
    { shape: [], dtype },
    { shape: [], dtype: monoid === 'meanVar' ? dtype : ('i32' as const) },
  ]
  const results = evaluateRow('reduce', [{ shape: [values.length], dtype, data }], { monoid, axes: [0] }, types)
  return (monoid === 'meanVar' ? results.slice(1) : results.slice(0, isPositional(monoid) ? 2 : 1)).map((r) => r[0]!)
}

const cases = (Object.keys(domains) as Monoid[]).flatMap((monoid) =>
  Object.entries(numbers)
    .filter(([, { dtype }]) => domains[monoid].includes(dtype))
    .map(([name, { dtype, values }]) => ({ monoid, name, dtype, values })),
)

/** To six digits: exponentials and quotients round. */
const rounded = (xs: readonly number[]): readonly number[] => xs.map((x) => Number(x.toPrecision(6)))

describe('monoids in kernels', () => {
  it.each(cases)('$monoid of $name', ({ monoid, dtype, values }) => {
    expect(rounded(reduced(monoid, dtype, values, 1))).toEqual(rounded(expected(monoid, dtype, values)))
  })

  const folded = cases.filter((c) => c.monoid !== 'argmax' && c.monoid !== 'argmin')
  it.each(folded)('$monoid of $name, as vectors', ({ monoid, dtype, values }) => {
    expect(rounded(reduced(monoid, dtype, values, 4))).toEqual(rounded(expected(monoid, dtype, values)))
  })

  it.each([
    ['argmax', [2, 7, 7, 1], 1],
    ['argmin', [2, 1, 7, 1], 1],
    ['argmax', [2, NaN, 9, NaN], 1],
    ['argmin', [-Infinity, NaN, 1, 1], 1],
    ['argmax', [-Infinity, -Infinity, -Infinity, -Infinity], 0],
    ['argmin', [Infinity, Infinity, Infinity, Infinity], 0],
  ] as const)('%s of %j is at %i: the first extreme, NaN before all', (monoid, values, at) => {
    expect(reduced(monoid, 'f32', [...values], 1)[1]).toBe(at)
  })
})
