/**
 * Rules of slice, pad and concat: slices move towards the leaves, so that elements that are cut off are not computed.
 */
import { typeOf } from '../../../src/lang/build.ts'
import type { Build, Node, ParamsOf } from '../../../src/lang/ir.ts'
import { otherAxes } from '../../../src/lang/shape.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { fillLike, isSplat } from './match.ts'

type Slice = ParamsOf['slice']
type Pad = ParamsOf['pad']

const shapeOf = (n: Node): readonly number[] => typeOf(n).shape

/** The slice that keeps everything of `shape`, with some axes replaced. */
const whole = (shape: readonly number[]): Slice => ({
  start: shape.map(() => 0),
  stop: shape,
  step: shape.map(() => 1),
})

const isWhole = (shape: readonly number[], { start, stop, step }: Slice): boolean =>
  shape.every((n, a) => start[a] === 0 && stop[a] === n && (step[a] === 1 || n <= 1))

const hasUnitSteps = ({ step }: Slice): boolean => step.every((s) => s === 1)
const isSimple = ({ interior }: Pad): boolean => interior.every((i) => i === 0)

/** A slice of the whole operand is the operand. */
export const sliceWhole: Rule = rule('sliceWhole', ['slice'], ({ args: [x], params }) =>
  isWhole(shapeOf(x!), params) ? x : undefined,
)

/** A slice of a slice is one slice. */
export const sliceTwice: Rule = rule('sliceTwice', ['slice'], (n, b) => {
  const x = n.args[0]!
  if (x.op !== 'slice') return undefined
  const [inner, outer] = [x.params, n.params]
  const counts = shapeOf(n)
  const step = outer.step.map((s, a) => s * inner.step[a]!)
  const start = outer.start.map((s, a) => inner.start[a]! + s * inner.step[a]!)
  // The tight stop is one past the last element taken. For an empty slice any stop in range will do.
  const stop = start.map((s, a) => (counts[a] === 0 ? 0 : s + (counts[a]! - 1) * step[a]! + 1))
  return b.slice([x.args[0]!], { start: start.map((s, a) => (counts[a] === 0 ? 0 : s)), stop, step })
})

/** A slice of a broadcast is a smaller broadcast of the sliced operand. */
export const sliceBroadcast: Rule = rule('sliceBroadcast', ['slice'], (n, b) => {
  const x = n.args[0]!
  if (x.op !== 'broadcast') return undefined
  const { shape, axes } = x.params
  const kept = otherAxes(shape.length, axes)
  const pick = (list: readonly number[]): readonly number[] => kept.map((a) => list[a]!)
  const inner = { start: pick(n.params.start), stop: pick(n.params.stop), step: pick(n.params.step) }
  const source = x.args[0]!
  const cut = isWhole(shapeOf(source), inner) ? source : b.slice([source], inner)
  return b.broadcast([cut], { shape: shapeOf(n), axes })
})

/** A slice of a pad that lies within the padded operand is a slice of that operand. */
export const slicePad: Rule = rule('slicePad', ['slice'], (n, b) => {
  const x = n.args[0]!
  if (x.op !== 'pad' || !isSimple(x.params)) return undefined
  const { low } = x.params
  const shape = shapeOf(x.args[0]!)
  const { start, stop, step } = n.params
  const inside = shape.every(
    (d, a) => start[a]! >= Math.max(0, low[a]!) && stop[a]! <= low[a]! + d && start[a]! < stop[a]!,
  )
  if (!inside) return undefined
  return b.slice([x.args[0]!], { start: start.map((s, a) => s - low[a]!), stop: stop.map((s, a) => s - low[a]!), step })
})

/** A slice that lies within one operand of a concatenation is a slice of that operand. */
export const sliceConcat: Rule = rule('sliceConcat', ['slice'], (n, b) => {
  const x = n.args[0]!
  if (x.op !== 'concat') return undefined
  const { axis } = x.params
  const { start, stop, step } = n.params
  if (start[axis] === stop[axis]) return undefined
  let offset = 0
  for (const part of x.args) {
    const size = shapeOf(part)[axis]!
    if (start[axis]! >= offset && stop[axis]! <= offset + size) {
      const shift = (list: readonly number[]): readonly number[] => list.with(axis, list[axis]! - offset)
      return b.slice([part], { start: shift(start), stop: shift(stop), step })
    }
    offset += size
  }
  return undefined
})

/** Padding by zero is the operand; padding that only crops is a slice. */
export const padCrop: Rule = rule('padCrop', ['pad'], (n, b) => {
  const x = n.args[0]!
  const { low, high } = n.params
  const shape = shapeOf(x)
  const spread = n.params.interior.some((i, a) => i > 0 && shape[a]! > 1)
  if (spread || low.some((l) => l > 0) || high.some((h) => h > 0)) return undefined
  if (low.every((l) => l === 0) && high.every((h) => h === 0)) return x
  const start = low.map((l) => 0 - l)
  return b.slice([x], { ...whole(shape), start, stop: shape.map((d, a) => d + high[a]!) })
})

/** Nested pads with the same value are one pad, if the inner one does not crop. */
export const padTwice: Rule = rule('padTwice', ['pad'], (n, b) => {
  const x = n.args[0]!
  if (x.op !== 'pad') return undefined
  const [inner, outer] = [x.params, n.params]
  const joins = isSimple(inner) && isSimple(outer) && Object.is(inner.value, outer.value)
  if (!joins || [...inner.low, ...inner.high].some((p) => p < 0)) return undefined
  const add = (p: readonly number[], q: readonly number[]): readonly number[] => p.map((v, a) => v + q[a]!)
  return b.pad([x.args[0]!], { ...outer, low: add(inner.low, outer.low), high: add(inner.high, outer.high) })
})

/** Padding a constant with its own value is a larger constant. */
export const padFill: Rule = rule('padFill', ['pad'], (n, b) =>
  isSplat(n.args[0]!, n.params.value) ? fillLike(b, n, n.params.value) : undefined,
)

/**
 * A concatenation of one operand is that operand; empty operands are dropped, nested concatenations along the same axis
 * flattened.
 */
export const concatFlat: Rule = rule('concatFlat', ['concat'], (n, b) => {
  const { axis } = n.params
  const parts = n.args
    .flatMap((x) => (x.op === 'concat' && x.params.axis === axis ? x.args : [x]))
    .filter((x) => shapeOf(x)[axis] !== 0)
  if (parts.length <= 1) return parts[0] ?? n.args[0]
  return parts.length === n.args.length && parts.every((x, i) => x === n.args[i])
    ? undefined
    : b.concat(parts, n.params)
})

/** Whether `y` continues `x`: slices of one tensor that differ on `axis` only, where `y` starts at the end of `x`. */
const continues = (x: Node, y: Node, axis: number): boolean => {
  if (x.op !== 'slice' || y.op !== 'slice' || x.args[0] !== y.args[0]) return false
  const [p, q] = [x.params, y.params]
  if (!hasUnitSteps(p) || !hasUnitSteps(q)) return false
  return p.start.every((s, a) => (a === axis ? p.stop[a] === q.start[a] : s === q.start[a] && p.stop[a] === q.stop[a]))
}

const joined = (b: Build, x: Node, y: Node, axis: number): Node => {
  const [p, q] = [x.params as Slice, y.params as Slice]
  return b.slice([x.args[0]!], { ...p, stop: p.stop.with(axis, q.stop[axis]!) })
}

/** A concatenation of adjacent slices of one tensor is one slice. */
export const concatSlices: Rule = rule('concatSlices', ['concat'], (n, b) => {
  const { axis } = n.params
  const parts: Node[] = []
  for (const x of n.args) {
    const last = parts[parts.length - 1]
    if (last !== undefined && continues(last, x, axis)) parts[parts.length - 1] = joined(b, last, x, axis)
    else parts.push(x)
  }
  return parts.length === n.args.length ? undefined : b.concat(parts, n.params)
})

/** All rules of this file, in the order in which they are tried. */
export const cropRules: readonly Rule[] = [
  sliceWhole,
  sliceTwice,
  sliceBroadcast,
  slicePad,
  sliceConcat,
  padCrop,
  padFill,
  padTwice,
  concatFlat,
  concatSlices,
]
