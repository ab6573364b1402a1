/**
 * Composition of movement operations: chains of reshape, permute, broadcast and flip collapse, and identities vanish.
 */
import { typeOf } from '../../../src/lang/build.ts'
import type { Build, Node } from '../../../src/lang/ir.ts'
import { otherAxes } from '../../../src/lang/shape.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { isIdentityPermutation, reshapeTo } from './match.ts'

const shapeOf = (n: Node): readonly number[] => typeOf(n).shape

/** A reshape to the operand's own shape is the operand. */
export const reshapeSame: Rule = rule('reshapeSame', ['reshape'], ({ args: [x], params: { shape } }, b) =>
  reshapeTo(b, x!, shape) === x ? x : undefined,
)

/** A reshape of a reshape is one reshape. */
export const reshapeTwice: Rule = rule('reshapeTwice', ['reshape'], ({ args: [x], params }, b) =>
  x!.op === 'reshape' ? b.reshape([x!.args[0]!], params) : undefined,
)

/** A reshape of a broadcast scalar is a broadcast of that scalar. */
export const reshapeFill: Rule = rule('reshapeFill', ['reshape'], ({ args: [x], params: { shape } }, b) => {
  if (x!.op !== 'broadcast' || shapeOf(x!.args[0]!).length !== 0) return undefined
  return shape.length === 0 ? x!.args[0] : b.broadcast([x!.args[0]!], { shape, axes: shape.map((_, i) => i) })
})

/** The identity permutation is the operand. */
export const permuteIdentity: Rule = rule('permuteIdentity', ['permute'], ({ args: [x], params: { axes } }) =>
  isIdentityPermutation(axes) ? x : undefined,
)

/** A permutation of a permutation is one permutation. */
export const permuteTwice: Rule = rule('permuteTwice', ['permute'], ({ args: [x], params: { axes } }, b) => {
  if (x!.op !== 'permute') return undefined
  const inner = x!.params.axes
  return b.permute([x!.args[0]!], { axes: axes.map((a) => inner[a]!) })
})

/** A permutation that keeps the relative order of the axes longer than 1 is a reshape. */
export const permuteUnits: Rule = rule('permuteUnits', ['permute'], ({ args: [x], params: { axes } }, b) => {
  const shape = shapeOf(x!)
  const long = axes.filter((a) => shape[a] !== 1)
  const ordered = long.every((a, i) => i === 0 || long[i - 1]! < a)
  return ordered && long.length < axes.length ? b.reshape([x!], { shape: axes.map((a) => shape[a]!) }) : undefined
})

/** A permutation of a broadcast is a broadcast of the permuted operand, which is smaller. */
export const permuteBroadcast: Rule = rule('permuteBroadcast', ['permute'], ({ args: [x], params: { axes } }, b) => {
  if (x!.op !== 'broadcast') return undefined
  const kept = otherAxes(x!.params.shape.length, x!.params.axes)
  const order = axes.filter((a) => kept.includes(a)).map((a) => kept.indexOf(a))
  const fresh = axes.flatMap((a, i) => (kept.includes(a) ? [] : [i]))
  const shape = axes.map((a) => x!.params.shape[a]!)
  return b.broadcast([permuteTo(b, x!.args[0]!, order)], { shape, axes: fresh })
})

const permuteTo = (b: Build, x: Node, axes: readonly number[]): Node =>
  isIdentityPermutation(axes) ? x : b.permute([x], { axes })

/** A broadcast without new axes is the operand; one whose new axes have size 1 is a reshape. */
export const broadcastUnits: Rule = rule(
  'broadcastUnits',
  ['broadcast'],
  ({ args: [x], params: { shape, axes } }, b) => {
    if (axes.length === 0) return x
    return axes.every((a) => shape[a] === 1) ? b.reshape([x!], { shape }) : undefined
  },
)

/** A broadcast of a broadcast is one broadcast; new axes are sorted. */
export const broadcastTwice: Rule = rule(
  'broadcastTwice',
  ['broadcast'],
  ({ args: [x], params: { shape, axes } }, b) => {
    const sorted = axes.toSorted((p, q) => p - q)
    if (x!.op !== 'broadcast') return isSame(sorted, axes) ? undefined : b.broadcast([x!], { shape, axes: sorted })
    const kept = otherAxes(shape.length, axes)
    const all = [...axes, ...x!.params.axes.map((a) => kept[a]!)].toSorted((p, q) => p - q)
    return b.broadcast([x!.args[0]!], { shape, axes: all })
  },
)

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.every((v, i) => v === b[i])

/**
 * A broadcast absorbs a reshape that only inserts or drops axes of size 1: [n] → [n, 1] → [n, 1, m] becomes the single
 * broadcast [n] → [n, 1, m].
 */
export const broadcastUnsqueezed: Rule = rule('broadcastUnsqueezed', ['broadcast'], (n, b) => {
  const x = n.args[0]!
  if (x.op !== 'reshape') return undefined
  const source = x.args[0]!
  const [from, to] = [shapeOf(source), shapeOf(x)]
  const inserted = insertedUnits(from, to)
  if (inserted === undefined || inserted.length === 0) return undefined
  const { shape, axes } = n.params
  const kept = otherAxes(shape.length, axes)
  const all = [...axes, ...inserted.map((a) => kept[a]!)].toSorted((p, q) => p - q)
  return b.broadcast([source], { shape, axes: all })
})

/** The axes of size 1 whose insertion turns `from` into `to`; undefined when the shapes differ in another way. */
const insertedUnits = (from: readonly number[], to: readonly number[]): readonly number[] | undefined => {
  const inserted: number[] = []
  let i = 0
  for (const [a, d] of to.entries()) {
    if (from[i] === d) i++
    else if (d === 1) inserted.push(a)
    else return undefined
  }
  return i === from.length ? inserted : undefined
}

/** Nested flips flip the axes that exactly one of them flips; flips of axes of size 0 or 1 are dropped. */
export const flipTwice: Rule = rule('flipTwice', ['flip'], ({ args: [x], params: { axes } }, b) => {
  const shape = shapeOf(x!)
  const inner = x!.op === 'flip' ? x!.params.axes : []
  const source = x!.op === 'flip' ? x!.args[0]! : x!
  const left = shape.flatMap((d, a) => (d > 1 && axes.includes(a) !== inner.includes(a) ? [a] : []))
  if (left.length === 0) return source
  return x!.op === 'flip' || !isSame(left, axes) || left.length !== axes.length
    ? b.flip([source], { axes: left })
    : undefined
})

/** A flip of a broadcast's new axis is dropped; flips of other axes move to the operand, which is smaller. */
export const flipBroadcast: Rule = rule('flipBroadcast', ['flip'], ({ args: [x], params: { axes } }, b) => {
  if (x!.op !== 'broadcast') return undefined
  const kept = otherAxes(x!.params.shape.length, x!.params.axes)
  const left = axes.filter((a) => kept.includes(a)).map((a) => kept.indexOf(a))
  const source = x!.args[0]!
  return b.broadcast([left.length === 0 ? source : b.flip([source], { axes: left })], x!.params)
})

/** All rules of this file, in the order in which they are tried. */
export const movementRules: readonly Rule[] = [
  reshapeSame,
  reshapeTwice,
  reshapeFill,
  permuteIdentity,
  permuteTwice,
  permuteUnits,
  permuteBroadcast,
  broadcastUnits,
  broadcastTwice,
  broadcastUnsqueezed,
  flipTwice,
  flipBroadcast,
]
