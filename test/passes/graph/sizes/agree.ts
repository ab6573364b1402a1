/** Programs of named sizes against the same programs of known ones, by the reference interpreter; what is not there is NaN. */
import { expect } from 'vitest'
import { trialsIn } from '../../../../src/compile/named-specs.ts'
import { type Bound, boundProgram } from '../../../../src/compile/sized-program.ts'
import { traceOrError } from '../../../../src/compile/trace-program.ts'
import type * as T from '../../../../src/index.ts'
import { sizeOf } from '../../../../src/lang/dim.ts'
import { type DType, isFloat } from '../../../../src/lang/dtype.ts'
import { showError } from '../../../../src/lang/errors.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Graph } from '../../../../src/lang/ir.ts'
import type { Value } from '../../../../src/lang/primitive.ts'
import { positionOf, stridesOf } from '../../../../src/lang/shape.ts'
import { isNamedSize, type NamedSize, type Size, type SizeValues, sizeAt } from '../../../../src/lang/size.ts'

/** The type of an argument: named sizes may stand in its shape. */
export interface SizedSpec {
  readonly shape: readonly (number | NamedSize)[]
  readonly dtype: DType
  /** Of integers: the elements are below it. */
  readonly below?: number
}

export type AnyProgram = (...args: T.Tensor[]) => unknown

/** What stands where nothing is: a number that shows wherever it gets in. */
const nothing = (dtype: DType): number => (isFloat(dtype) ? Number.NaN : dtype === 'bool' ? 1 : 1_000_003)

const elementAt = ({ dtype, below = 3 }: SizedSpec, i: number, k: number): number => {
  if (isFloat(dtype)) return Math.sin(i * 1.7 + k * 2.3 + 0.4) * 1.5
  return dtype === 'bool' ? (i + k) % 2 : (i * 7 + k) % below
}

/** `shape` of `values` at the same positions of `layout`. */
const spreadOut = (shape: readonly number[], layout: readonly number[], dtype: DType, values: ArrayLike<number>) => {
  const data = new Float64Array(sizeOf(layout)).fill(nothing(dtype))
  const strides = stridesOf(layout)
  for (let i = 0; i < values.length; i++)
    data[positionOf(i, shape).reduce((at, p, axis) => at + p * strides[axis]!, 0)] = values[i]!
  return data
}

const cropped = ({ shape, data }: Value, axes: readonly Size[], at: SizeValues): Value['data'] => {
  const own = axes.map((s) => sizeAt(s, at))
  const strides = stridesOf(shape)
  return Float64Array.from(
    { length: sizeOf(own) },
    (_, i) => data[positionOf(i, own).reduce((sum, p, axis) => sum + p * strides[axis]!, 0)]!,
  )
}

const graphAt = (f: AnyProgram, specs: readonly SizedSpec[]): Graph => {
  const traced = traceOrError(f as never, specs, {})
  if (traced._tag === 'Left') throw new Error(showError(traced.left))
  return traced.right.graph
}

/** `f` for named sizes; throws an Error with the text of what is refused. */
export const bind = (f: AnyProgram, specs: readonly SizedSpec[]): Bound => {
  const traced = traceOrError(f as never, specs, {})
  if (traced._tag === 'Left') throw new Error(showError(traced.left))
  const bound = boundProgram(traced.right.sized!)
  if (bound._tag === 'Left') throw new Error(showError(bound.left))
  return bound.right
}

/** Expects `f`, compiled once for named sizes, to give at each of `sizes` what it gives for known sizes. */
export const expectAgreement = (
  f: AnyProgram,
  specs: readonly SizedSpec[],
  sizes: readonly Readonly<Record<string, number>>[],
): void => {
  const { graph, sizes: named } = bind(f, specs)
  expect(trialsIn(specs)!.names.map((n) => n.dim)).toEqual(named.names.map((n) => n.name))
  for (const record of sizes) {
    const at: SizeValues = new Map(Object.entries(record))
    const known = specs.map((s) => ({ ...s, shape: s.shape.map((d) => (isNamedSize(d) ? at.get(d.dim)! : d)) }))
    const values = known.map((s, k) => Float64Array.from({ length: sizeOf(s.shape) }, (_, i) => elementAt(s, i, k)))
    const expected = evaluate(
      graphAt(f, known),
      known.map((s, k) => ({ shape: s.shape, dtype: s.dtype, data: values[k]! })),
    )
    const inputs = graph.inputs.slice(0, specs.length).map(({ params: { shape, dtype } }, k): Value => {
      return { shape, dtype, data: spreadOut(known[k]!.shape, shape, dtype, values[k]!) }
    })
    const lengths = named.names.map(
      ({ name }): Value => ({ shape: [], dtype: 'u32', data: Float64Array.of(at.get(name)!) }),
    )
    const found = evaluate(graph, [...inputs, ...lengths])
    for (const [o, want] of expected.entries()) {
      const got = cropped(found[o]!, named.outputs[o]!, at)
      expect(
        named.outputs[o]!.map((s) => sizeAt(s, at)),
        `shape of result ${o} at ${JSON.stringify(record)}`,
      ).toEqual(want.shape)
      const wrong = want.data.findIndex((w, i) => {
        const g = got[i]!
        return !(Object.is(g, w) || g === w || Math.abs(g - w) <= 1e-9 * Math.max(1, Math.abs(w)))
      })
      if (wrong >= 0)
        expect.fail(
          `result ${o} at ${JSON.stringify(record)}: element ${wrong} is ${got[wrong]}, not ${want.data[wrong]}`,
        )
    }
  }
}
