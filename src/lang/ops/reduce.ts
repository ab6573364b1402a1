/** The row of reduce: one primitive over the closed list of monoids in `reductions.ts`. */
import * as E from '#fp/Either'
import { sizeOf } from '../dim.ts'
import { allocate, type DType, type HostArray, isInteger, kernelDType } from '../dtype.ts'
import { invariant } from '../errors.ts'
import type { Monoid, ParamsOf } from '../ir.ts'
import { rowOf } from '../monoids.ts'
import { numberArithmetic } from '../number-arithmetic.ts'
import type { Primitive, Value } from '../primitive.ts'
import { otherAxes, stridesOf } from '../shape.ts'
import { operandType, refuse, wrongAxes, wrongCount, wrongPositions } from './operand-checks.ts'
import { monoidTable } from './reductions.ts'
import { stridedOffsets } from './strided.ts'

/** The dtypes of a state's components, the first as the elements are stored. */
const componentsOf = (monoid: Monoid, d: DType): readonly DType[] => [
  d,
  ...rowOf(monoid).components(kernelDType(d)).slice(1),
]

/** The state over some elements, or over some states. */
const foldStates = (
  monoid: Monoid,
  xs: readonly Value[],
  base: number,
  offsets: Int32Array,
  outs: readonly HostArray[],
  i: number,
): void => {
  const d = kernelDType(xs[0]!.dtype)
  const row = rowOf(monoid)
  const a = numberArithmetic(d)
  let state = row.identity(d)
  for (let k = 0; k < offsets.length; k++) {
    const at = xs.map((x) => x.data[base + offsets[k]!]!)
    state = row.merge(a, state, xs.length > 1 ? at : row.lift(a, at[0]!, d, k), d)
  }
  for (const [c, value] of state.entries()) outs[c]![i] = value
}

/**
 * Folds the axes `axes` away, all of them at once. Accepted dtypes, outputs and derivatives are the monoid's row.
 * No elements: sum 0, prod 1, all true, any false, logSumExp -inf, meanVar NaN; the others are refused.
 */
export const reduce: Primitive<ParamsOf['reduce']> = {
  infer: (xs, { monoid, axes, states }) => {
    const bad = wrongCount(xs, states && xs.length > 1 ? componentsOf(monoid, xs[0]!.dtype).length : 1)
    const wrong = bad ?? wrongAxes(axes, xs[0]!.shape.length)
    if (wrong) return wrong
    if (states) {
      const { shape, dtype } = xs[0]!
      const rest = otherAxes(shape.length, axes).map((a) => shape[a]!)
      return E.right(componentsOf(monoid, dtype).map((d) => ({ shape: rest, dtype: d })))
    }
    const { shape, dtype } = xs[0]!
    const row = monoidTable[monoid]
    const refused = row.refuses(dtype)
    if (refused) return refuse(refused.reason, undefined, refused.hint)
    if ((monoid === 'argmax' || monoid === 'argmin') && axes.length !== 1)
      return refuse(`${monoid} takes exactly one axis, got [${axes.join(', ')}]`, undefined, 'reshape to join axes')
    const past = monoid === 'argmax' || monoid === 'argmin' ? wrongPositions(shape, axes[0]!) : undefined
    if (past) return past
    const empty = axes.find((a) => shape[a] === 0)
    if (empty !== undefined && !row.hasIdentity)
      return refuse(
        `${monoid} over axis ${empty} of size 0 has no identity`,
        empty,
        'pad the axis, or test its size first',
      )
    const kept = otherAxes(shape.length, axes).map((a) => shape[a]!)
    return E.right(row.outputs(dtype).map((d) => ({ shape: kept, dtype: d })))
  },
  jvp: (c) => {
    invariant(!c.params.states, 'derivatives are taken before reductions are split')
    const row = monoidTable[c.params.monoid]
    const { shape, dtype } = operandType(c.args[0]!)
    const dx = c.tangents[0]
    // Nothing to sum: the outputs are constants, whatever the shape of the result.
    if (!dx || sizeOf(shape) === 0) return row.outputs(dtype).map(() => undefined)
    return row.tangent({ ...c, dx })
  },
  transpose: ({ b, ct, args, params: { monoid, axes } }) => {
    invariant(monoid === 'sum', `transpose of reduce ${monoid}: only sum is linear`)
    return [b.broadcast([ct], { shape: operandType(args[0]!).shape, axes })]
  },
  batch: ({ b, args, params: { monoid, axes, states } }) => {
    invariant(!states, 'batches are made before reductions are split')
    const node = b.reduce([args[0]!], { monoid, axes: axes.map((a) => a + 1) })
    const { length } = monoidTable[monoid].outputs(operandType(args[0]!).dtype)
    return length === 1 ? [node] : Array.from({ length }, (_, index) => b.get([node], { index }))
  },
  eval: (xs, { monoid, axes, states }, types) => {
    const { shape, dtype, data } = xs[0]!
    const strides = stridesOf(shape)
    const kept = otherAxes(shape.length, axes)
    const pick = (list: readonly number[], of: readonly number[]): readonly number[] => of.map((a) => list[a]!)
    const bases = stridedOffsets(pick(shape, kept), pick(strides, kept))
    const offsets = stridedOffsets(pick(shape, axes), pick(strides, axes))
    const outs = types.map((t) => allocate(t.dtype, bases.length))
    if (states) {
      for (let i = 0; i < bases.length; i++) foldStates(monoid, xs, bases[i]!, offsets, outs, i)
      return outs
    }
    const { fold } = monoidTable[monoid]
    for (let i = 0; i < bases.length; i++) fold(data, bases[i]!, offsets, outs, i, isInteger(dtype))
    return outs
  },
}
