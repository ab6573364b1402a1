/** How far elementwise functions on the adapter at hand are from Float64: the guarded forms, and WGSL's own beside them. */
import { accuracy } from '../../../codegen/kernel/accuracy.ts'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import { type BinaryOp, binaryOps, type UnaryOp, unaryOps } from '../../../src/lang/ir.ts'
import { runWgsl } from '../run-wgsl.ts'
import { apply, columnsOf, predicates } from './elementwise.ts'
import {
  floatOf,
  leastDistance,
  readings,
  specialPairs,
  specialValues,
  sweepPairs,
  sweepWords,
  wordsOf,
} from './sweep.ts'

/** The functions of the table: every elementwise op on f32. */
export type FloatOp = UnaryOp | BinaryOp

/** What one form of one function does. Errors are those of finite results; relative ones where the result is normal. */
export interface FunctionErrors {
  readonly op: FloatOp
  /** `default`: as compiled programs compute it. `fast`: the WGSL builtin as the device has it. */
  readonly form: 'default' | 'fast'
  readonly maxUlp: number
  readonly meanUlp: number
  readonly maxAbsolute: number
  readonly meanAbsolute: number
  /** The largest relative error of normal results that are not within the absolute bound of the accuracy table. */
  readonly maxRelative: number
  /** Where the largest error in ULP is. */
  readonly worst: string
  /** Results of the sweep that are NaN, infinite or finite where the true value is of another kind. */
  readonly wrongKind: number
  /** Whether every special value (zeros, infinities, NaN, subnormals, edges) gives the kind and zero that IEEE 754 asks for. */
  readonly specials: boolean
  /** Up to three that do not. */
  readonly specialFailures: readonly string[]
}

/** WGSL's own form, where it has one that is not what compiled programs use anyway. */
const builtins: Readonly<Partial<Record<FloatOp, (x: string, y: string) => string>>> = {
  ...Object.fromEntries(
    (
      [
        'abs',
        'sign',
        'round',
        'sqrt',
        'exp',
        'exp2',
        'log',
        'log2',
        'sin',
        'cos',
        'tan',
        'asin',
        'acos',
        'atan',
      ] as const
    ).map((op) => [op, (x: string) => `${op}(${x})`]),
  ),
  ...Object.fromEntries(
    (['sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh'] as const).map((op) => [op, (x: string) => `${op}(${x})`]),
  ),
  ...Object.fromEntries(
    (['pow', 'atan2', 'max', 'min'] as const).map((op) => [op, (x: string, y: string) => `${op}(${x}, ${y})`]),
  ),
  rsqrt: (x) => `inverseSqrt(${x})`,
  div: (x, y) => `${x} / ${y}`,
  rem: (x, y) => `${x} % ${y}`,
}

const isUnary = (op: FloatOp): op is UnaryOp => (unaryOps as readonly string[]).includes(op)

/** Every op on f32. */
export const floatOps: readonly FloatOp[] = [
  ...unaryOps.filter((op) => k.unaryDomain[op].includes('f32')),
  ...binaryOps.filter((op) => k.binaryDomain[op].includes('f32')),
]

/** The Float64 results on whole columns. */
const exactly = (op: FloatOp, columns: readonly ArrayLike<number>[]): ArrayLike<number> => {
  const shape = [columns[0]!.length]
  const values = columns.map((c) => ({ shape, dtype: 'f32' as const, data: Float64Array.from(c) }))
  return evaluateRow(op, values, {}, [{ shape, dtype: predicates.has(op) ? 'bool' : 'f32' }])[0]!
}

const kindOf = (x: number): string => (Number.isNaN(x) ? 'NaN' : Number.isFinite(x) ? 'finite' : `${x}`)

const show = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

/** What the function may give on arguments that the device may take for zero. */
const allowed = (op: FloatOp, xs: readonly number[], want: number): readonly number[] => {
  const seen = xs.map(readings)
  if (seen.every((r) => r.length === 1)) return [want]
  const [first, second] = seen
  const tuples = second ? first!.flatMap((a) => second.map((b) => [a, b])) : first!.map((a) => [a])
  return tuples.map(
    (t) =>
      exactly(
        op,
        t.map((x) => [x]),
      )[0]!,
  )
}

/** The figures of one column of results; the first `specials` inputs are the special values. */
const judge = (
  op: FloatOp,
  form: FunctionErrors['form'],
  inputs: readonly Uint32Array[],
  got: Uint32Array,
  specials: number,
): FunctionErrors => {
  const columns = inputs.map((words) => Float64Array.from(words, floatOf))
  const exact = exactly(op, columns)
  const failures: string[] = []
  let [maxUlp, sumUlp, maxAbsolute, sumAbsolute, maxRelative, count, wrongKind] = [0, 0, 0, 0, 0, 0, 0]
  let worst = ''
  for (let i = 0; i < got.length; i++) {
    const y = predicates.has(op) ? got[i]! : floatOf(got[i]!)
    const xs = columns.map((c) => c[i]!)
    const wants = allowed(op, xs, exact[i]!)
    const text = (): string => `${op}(${xs.map(show).join(', ')}) = ${show(y)}, not ${show(exact[i]!)}`
    const d = leastDistance(y, wants)
    // An overflow beside the largest number is an error in ULP, not of kind.
    const misses = !Number.isFinite(d.ulp) || (kindOf(y) !== kindOf(Math.fround(exact[i]!)) && d.ulp > accuracy[op].ulp)
    const zero = y === 0 && wants.every((w) => w === 0) && !wants.some((w) => Object.is(w, y))
    if (i < specials && (misses || zero)) failures.push(text())
    if (misses) {
      if (i >= specials) wrongKind++
      continue
    }
    if (d.ulp > maxUlp) worst = text()
    maxUlp = Math.max(maxUlp, d.ulp)
    maxAbsolute = Math.max(maxAbsolute, d.absolute)
    const size = Math.abs(exact[i]!)
    if (size >= 2 ** -126 && Number.isFinite(size) && d.absolute > accuracy[op].absolute)
      maxRelative = Math.max(maxRelative, d.absolute / size)
    sumUlp += d.ulp
    sumAbsolute += d.absolute
    count++
  }
  const [meanUlp, meanAbsolute] = [sumUlp / Math.max(1, count), sumAbsolute / Math.max(1, count)]
  const figures = { maxUlp, meanUlp, maxAbsolute, meanAbsolute, maxRelative, worst, wrongKind }
  return { op, form, ...figures, specials: failures.length === 0, specialFailures: failures.slice(0, 3) }
}

const threads = 64

/** The builtins of `ops` on the inputs, as the device computes them; one array of words an op. */
const runBuiltins = async (
  ops: readonly FloatOp[],
  inputs: readonly Uint32Array[],
): Promise<ReadonlyMap<FloatOp, Uint32Array>> => {
  const length = inputs[0]!.length
  const n = Math.ceil(length / threads) * threads
  const results = new Map<FloatOp, Uint32Array>()
  for (const op of ops) {
    const names = inputs.map((_, i) => `x${i}`)
    const code = [
      ...names.map((x, i) => `@group(0) @binding(${i}) var<storage, read> ${x}: array<f32>;`),
      `@group(0) @binding(${names.length}) var<storage, read_write> out: array<u32>;`,
      `@compute @workgroup_size(${threads})`,
      'fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) g: vec3u, @builtin(local_invocation_index) l: u32) {',
      `  let i = (w.y * g.x + w.x) * ${threads}u + l;`,
      `  out[i] = bitcast<u32>(${builtins[op]!('x0[i]', 'x1[i]')});`,
      '}',
    ].join('\n')
    const padded = inputs.map((words) => {
      const w = new Uint32Array(n)
      w.set(words)
      return w.buffer
    })
    const access = [...names.map(() => 'read'), 'read_write']
    const buffers = await runWgsl(code, n / threads, [...padded, new ArrayBuffer(4 * n)], access)
    results.set(op, new Uint32Array(buffers.at(-1)!).subarray(0, length))
  }
  return results
}

/** What one function that is made of others does. */
export interface Figures {
  readonly name: string
  readonly maxUlp: number
  readonly meanUlp: number
  readonly maxAbsolute: number
  readonly meanAbsolute: number
  readonly worst: string
  /** Results that are NaN, infinite or finite where the true value is of another kind. */
  readonly wrongKind: number
  /** Results off by more than `tolerance`, absolute and relative. */
  readonly outside: number
}

/** What JAX's tests of its functions grant float32. */
export const tolerance = 1e-6

/** The figures of one column of results; `wants` gives the true values for what the device may take the arguments for. */
export const figuresOf = (
  name: string,
  columns: readonly Float64Array[],
  got: ArrayLike<number>,
  wants: (i: number) => readonly number[],
): Figures => {
  let [maxUlp, sumUlp, maxAbsolute, sumAbsolute, count, wrongKind, outside] = [0, 0, 0, 0, 0, 0, 0]
  let worst = ''
  for (let i = 0; i < got.length; i++) {
    const all = wants(i)
    const d = leastDistance(got[i]!, all)
    if (!Number.isFinite(d.ulp)) {
      wrongKind++
      worst ||= `${name}(${columns.map((c) => show(c[i]!)).join(', ')}) = ${show(got[i]!)}, not ${show(all[0]!)}`
      continue
    }
    if (d.ulp > maxUlp && wrongKind === 0)
      worst = `${name}(${columns.map((c) => show(c[i]!)).join(', ')}) = ${show(got[i]!)}, not ${show(all[0]!)}`
    if (d.absolute > tolerance * (1 + Math.min(...all.map(Math.abs)))) outside++
    maxUlp = Math.max(maxUlp, d.ulp)
    maxAbsolute = Math.max(maxAbsolute, d.absolute)
    sumUlp += d.ulp
    sumAbsolute += d.absolute
    count++
  }
  const [meanUlp, meanAbsolute] = [sumUlp / Math.max(1, count), sumAbsolute / Math.max(1, count)]
  return { outside, name, maxUlp, meanUlp, maxAbsolute, meanAbsolute, worst, wrongKind }
}

/** The inputs of a family: special values first, then a dense sweep of about `samples` elements. */
export const inputsOf = (
  arity: 1 | 2,
  samples: number,
): { readonly words: readonly Uint32Array[]; readonly specials: number } => {
  if (arity === 2) {
    const special = specialPairs()
    const sweep = sweepPairs(samples, 9)
    return { words: special.map((s, i) => Uint32Array.from([...s, ...sweep[i]!])), specials: special[0]!.length }
  }
  const stride = 2 ** 32 / (samples / 2)
  const patterns = Uint32Array.from({ length: samples / 2 }, (_, i) => Math.floor((i + 0.5) * stride))
  const sweeps = [2, 100, 1e5].map((range, i) => sweepWords(samples / 6, range, i + 1))
  const words = Uint32Array.from([...wordsOf(specialValues), ...patterns, ...sweeps.flatMap((s) => [...s])])
  return { words: [words], specials: specialValues.length }
}

/** Every function on f32 in every form it has, over about `samples` arguments each. */
export const errorsOf = async (
  samples: number,
  ops: readonly FloatOp[] = floatOps,
): Promise<readonly FunctionErrors[]> => {
  const rows: FunctionErrors[] = []
  for (const arity of [1, 2] as const) {
    const { words, specials } = inputsOf(arity, samples)
    const mine = ops.filter((op) => isUnary(op) === (arity === 1))
    const guarded = await apply(
      columnsOf(mine),
      words.map((w) => ({ scalar: 'f32' as const, words: w })),
      4,
    )
    const fast = await runBuiltins(
      mine.filter((op) => builtins[op]),
      words,
    )
    for (const op of mine) {
      rows.push(judge(op, 'default', words, guarded.get(op)!, specials))
      const raw = fast.get(op)
      if (raw) rows.push(judge(op, 'fast', words, raw, specials))
    }
  }
  return rows
}
