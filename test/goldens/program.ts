/** A case as a function of tensors: its outputs, and the gradients it asks for, with the seeds as arguments. */
import { vjp } from '../../passes/transform/jacobian-products.ts'
import type { TensorType } from '../../src/lang/ir.ts'
import type { Value } from '../../src/lang/primitive.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { gradientTolerance, outputDifference } from './compare.ts'
import { derivativeOps } from './derivatives.ts'
import { fitsI32, type GoldenCase, type GoldenTensor, inputValue, numberOf, seedValue } from './schema.ts'
import { apply } from './table.ts'

/** A case ready to be traced, run and judged. */
export interface CaseProgram {
  readonly id: string
  readonly op: string
  /** Whether floats are to be rounded after every op, as in the case's own arithmetic. */
  readonly float32: boolean
  /** Whether it is about numbers below 2^-126, which a device may flush unless it is told to keep them. */
  readonly subnormals: boolean
  readonly arguments: readonly Value[]
  /** The function to trace on tensors of the arguments' types: outputs, then gradients. */
  readonly run: (args: readonly Tensor[]) => readonly Tensor[]
  /** Whether the results are those expected, and why not. */
  readonly judge: (results: readonly Value[]) => Verdict
}

/** What came of a case. */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'dropped'; readonly why: string }

const noInt64 = 'needs int64: values outside of i32'

/** Why a case cannot be asked of a library whose integers are 32 bits wide. */
export const skipReason = (c: GoldenCase): string | undefined =>
  [...c.inputs, ...c.outputs].every(fitsI32) ? undefined : noInt64

/** The types of all arguments. */
export const typesOfArguments = (p: CaseProgram): readonly TensorType[] =>
  p.arguments.map(({ shape, dtype }) => ({ shape, dtype }))

/** The program of a case. Throws `Unsupported` only when `run` is called. */
export const programOf = (c: GoldenCase): CaseProgram => {
  const inputs = c.inputs.map(inputValue)
  const names = c.inputs.map((x, i) => x.name ?? `x${i}`)
  const seeded = (c.gradSeed ?? []).flatMap((s, k) => (s === null ? [] : [{ k, data: s }]))
  const wrt = seeded.length === 0 ? [] : (c.grads ?? []).flatMap((g, i) => (g === null ? [] : [i]))
  const seeds = wrt.length === 0 ? [] : seeded.map(({ k, data }) => seedValue(c.outputs[k]!.shape, data))
  const derivative = derivativeOps[c.op]
  const forward = (xs: readonly Tensor[]): readonly Tensor[] =>
    derivative ? derivative({ names, xs, attrs: c.attrs }) : apply({ op: c.op, xs, names, attrs: c.attrs })
  const gradients = (xs: readonly Tensor[], cotangents: readonly Tensor[]): readonly Tensor[] => {
    const of = (...moved: readonly Tensor[]): readonly Tensor[] => {
      const out = forward(xs.map((x, i) => (wrt.includes(i) ? moved[wrt.indexOf(i)]! : x)))
      return seeded.map(({ k }) => out[k]!)
    }
    const [, pull] = vjp(of, ...wrt.map((i) => xs[i]!))
    return pull(cotangents)
  }
  return {
    id: c.id,
    op: c.op,
    float32: c.computedIn === 'float32',
    subnormals: c.tags?.includes('denormal') ?? false,
    arguments: [...inputs, ...seeds],
    run: (args) => {
      const xs = args.slice(0, inputs.length)
      const out = forward(xs)
      return wrt.length === 0 ? out : [...out, ...gradients(xs, args.slice(inputs.length))]
    },
    judge: (results) => judge(c, wrt, results),
  }
}

const judge = (c: GoldenCase, wrt: readonly number[], results: readonly Value[]): Verdict => {
  const expected = c.outputs.length + wrt.length
  if (results.length !== expected) return { kind: 'failed', why: `${results.length} results, expected ${expected}` }
  const signedZero = c.tags?.includes('signed-zero') ?? false
  for (const [k, want] of c.outputs.entries()) {
    const why = outputDifference(results[k]!, want, { tol: c.tol, signedZero })
    if (why === undefined) continue
    const excuse = excuseOf(c, results[k]!, want)
    if (excuse !== undefined) return { kind: 'dropped', why: excuse }
    return { kind: 'failed', why: `output ${k}: ${why}` }
  }
  for (const [k, i] of wrt.entries()) {
    const want = { ...c.grads![i]!, dtype: 'float32' }
    const why = outputDifference(results[c.outputs.length + k]!, want, { tol: gradientTolerance(c.tol), signedZero })
    if (why !== undefined) return { kind: 'failed', why: `gradient of input ${i} (${c.inputs[i]!.name}): ${why}` }
  }
  return { kind: 'passed' }
}

/** Where torch 1.13 answers otherwise than mathematics (the README leaves these to us), by the operand. */
const quirks: Readonly<Record<string, (x: number) => boolean>> = {
  sign: (x) => Number.isNaN(x),
  silu: (x) => x === Number.NEGATIVE_INFINITY,
}

/** Why a difference is torch's own: it has a quirk there. The reason holds only when the outputs agree everywhere else. */
const excuseOf = (c: GoldenCase, got: Value, want: GoldenTensor): string | undefined => {
  const agree = (data: ArrayLike<number>): boolean =>
    outputDifference({ ...got, data: Float64Array.from(data) }, want, { tol: c.tol }) === undefined
  const wanted = want.data.map(numberOf)
  const isQuirk = c.tags?.includes('torch-quirk') ? quirks[c.op] : undefined
  const operand = c.inputs[0]?.data.map(numberOf)
  if (isQuirk === undefined || operand === undefined) return undefined
  const mended = Array.from(got.data, (x, i) => (isQuirk(operand[i]!) ? wanted[i]! : x))
  return agree(mended)
    ? `a quirk of torch 1.13 that we do not share: ${c.op} where ${c.op === 'sign' ? 'NaN' : '-inf'} comes in`
    : undefined
}
