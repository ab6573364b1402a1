/** Reductions, contractions and windows: degenerate axes, nested reductions, and permutations absorbed into dots. */

import { typeOf } from '../../../src/lang/build.ts'
import { sizeAlong } from '../../../src/lang/dim.ts'
import type { DType } from '../../../src/lang/dtype.ts'
import type { Build, Monoid, Node, ParamsOf } from '../../../src/lang/ir.ts'
import { otherAxes } from '../../../src/lang/shape.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { fillLike, hasIntegers, isSplat, reshapeTo } from './match.ts'

type Dot = ParamsOf['dot']

const shapeOf = (n: Node): readonly number[] => typeOf(n).shape

/** Monoids whose reduction of a single element is that element. (The sign of a zero sum is not kept.) */
const unital: readonly Monoid[] = ['sum', 'prod', 'max', 'min', 'all', 'any', 'logSumExp']
/** Idempotent monoids: repeated elements do not change the result. */
const repeatable: readonly Monoid[] = ['max', 'min', 'all', 'any']

/** A reduction over axes of size 1 is a reshape; of several reduced axes, those of size 1 are dropped. */
export const reduceUnits: Rule = rule('reduceUnits', ['reduce'], (n, b) => {
  const x = n.args[0]!
  const { monoid, axes } = n.params
  if (!unital.includes(monoid)) return undefined
  const shape = shapeOf(x)
  const long = axes.filter((a) => shape[a] !== 1)
  if (long.length === 0) return reshapeTo(b, x, shapeOf(n))
  if (long.length === axes.length) return undefined
  const kept = shape.flatMap((_, a) => (axes.includes(a) && shape[a] === 1 ? [] : [a]))
  const squeezed = b.reshape([x], { shape: kept.map((a) => shape[a]!) })
  return b.reduce([squeezed], { monoid, axes: long.map((a) => kept.indexOf(a)) })
})

/** The axes of a reduction are a set, in canonical form sorted. */
export const reduceSorted: Rule = rule('reduceSorted', ['reduce'], ({ args, params: { monoid, axes } }, b) =>
  axes.every((a, i) => i === 0 || axes[i - 1]! < a)
    ? undefined
    : b.reduce(args, { monoid, axes: axes.toSorted((p, q) => p - q) }),
)

/** The axes of the operand that two nested reductions reduce together. */
const joinedAxes = (rank: number, inner: readonly number[], outer: readonly number[]): readonly number[] => {
  const kept = otherAxes(rank, inner)
  return [...inner, ...outer.map((a) => kept[a]!)].toSorted((p, q) => p - q)
}

/**
 * max of max, min of min, all of all, any of any are one reduction, and sum of sum, product of product for integers.
 */
export const reduceTwice: Rule = rule('reduceTwice', ['reduce'], (n, b) => {
  const x = n.args[0]!
  const { monoid, axes } = n.params
  if (x.op !== 'reduce' || x.params.monoid !== monoid) return undefined
  const exact = repeatable.includes(monoid) || ((monoid === 'sum' || monoid === 'prod') && hasIntegers(n))
  if (!exact) return undefined
  const source = x.args[0]!
  return b.reduce([source], { monoid, axes: joinedAxes(shapeOf(source).length, x.params.axes, axes) })
})

/** An idempotent reduction over a broadcast axis that is not empty is the reduction of the broadcast's operand. */
export const reduceRepeated: Rule = rule('reduceRepeated', ['reduce'], (n, b) => {
  const x = n.args[0]!
  const { monoid, axes } = n.params
  if (x.op !== 'broadcast' || !repeatable.includes(monoid)) return undefined
  const { shape, axes: fresh } = x.params
  const dropped = axes.filter((a) => fresh.includes(a) && shape[a]! > 0)
  if (dropped.length === 0) return undefined
  const left = shape.flatMap((_, a) => (dropped.includes(a) ? [] : [a]))
  const smaller = b.broadcast([x.args[0]!], {
    shape: left.map((a) => shape[a]!),
    axes: fresh.filter((a) => !dropped.includes(a)).map((a) => left.indexOf(a)),
  })
  return b.reduce([smaller], { monoid, axes: axes.filter((a) => !dropped.includes(a)).map((a) => left.indexOf(a)) })
})

/** A sum of zeros is zero; a sum of integers over a broadcast axis is a multiplication by its size. */
export const sumRepeated: Rule = rule('sumRepeated', ['reduce'], (n, b) => {
  const x = n.args[0]!
  if (n.params.monoid !== 'sum') return undefined
  if (isSplat(x, 0)) return fillLike(b, n, 0)
  return hasIntegers(n) ? sumOfBroadcast(b, n) : undefined
})

/** The largest count that each dtype represents exactly, or that wraps as the sum does. */
const largestCount: Readonly<Record<DType, number>> = {
  f32: 2 ** 24,
  f16: 2 ** 11,
  bf16: 2 ** 8,
  i32: 0x7fffffff,
  u32: 0x7fffffff,
  i8: 0x7f,
  u8: 0xff,
  bool: 1,
}

/**
 * A sum over broadcast axes as the sum over the other axes, times their size; undefined when no summed axis is
 * broadcast.
 */
export const sumOfBroadcast = (b: Build, n: Node): Node | undefined => {
  const x = n.args[0]!
  if (n.op !== 'reduce' || n.params.monoid !== 'sum' || x.op !== 'broadcast') return undefined
  const { shape, axes: fresh } = x.params
  const dropped = n.params.axes.filter((a) => fresh.includes(a))
  if (dropped.length === 0) return undefined
  const times = sizeAlong(shape, dropped)
  if (times > largestCount[typeOf(n).dtype]) return undefined
  const left = shape.flatMap((_, a) => (dropped.includes(a) ? [] : [a]))
  const smaller = b.broadcast([x.args[0]!], {
    shape: left.map((a) => shape[a]!),
    axes: fresh.filter((a) => !dropped.includes(a)).map((a) => left.indexOf(a)),
  })
  const axes = n.params.axes.filter((a) => !dropped.includes(a)).map((a) => left.indexOf(a))
  return b.mul([b.reduce([smaller], { monoid: 'sum', axes }), fillLike(b, n, times)], {})
}

/** sum(-x) = -sum(x). (The sign of a zero sum is not kept.) */
export const sumNeg: Rule = rule('sumNeg', ['reduce'], ({ args: [x], params }, b) =>
  params.monoid === 'sum' && x!.op === 'neg' ? b.neg([b.reduce([x!.args[0]!], params)], {}) : undefined,
)

/** The sum, over the scattered axis, of a scatterAdd with a single index is the update itself. */
export const sumScattered: Rule = rule('sumScattered', ['reduce'], (n, b) => {
  const x = n.args[0]!
  if (n.params.monoid !== 'sum' || x.op !== 'scatterAdd') return undefined
  const { batch } = x.params
  const index = shapeOf(x.args[0]!)
  const single = index.slice(batch).every((d) => d === 1)
  if (!single || n.params.axes.length !== 1 || n.params.axes[0] !== batch) return undefined
  return reshapeTo(b, x.args[1]!, shapeOf(n))
})

/**
 * A permutation of an operand is absorbed into the labels of a dot, with at most one contracted label: no sum is
 * reordered.
 */
export const dotPermuted: Rule = rule('dotPermuted', ['dot'], (n, b) => {
  const { lhs, rhs, out } = n.params
  if (lhs.filter((l) => !out.includes(l)).length > 1) return undefined
  const [x, y] = [n.args[0]!, n.args[1]!]
  if (x.op === 'permute') return b.dot([x.args[0]!, y], { lhs: unpermuted(lhs, x.params.axes), rhs, out })
  return y.op === 'permute' ? b.dot([x, y.args[0]!], { lhs, rhs: unpermuted(rhs, y.params.axes), out }) : undefined
})

/** The labels of a permutation's operand, from those of its result. */
const unpermuted = (labels: readonly number[], axes: readonly number[]): readonly number[] =>
  axes.map((_, a) => labels[axes.indexOf(a)]!)

/** A permutation of a dot's result is absorbed into its output labels. */
export const permuteDot: Rule = rule('permuteDot', ['permute'], ({ args: [x], params: { axes } }, b) =>
  x!.op === 'dot' ? b.dot(x!.args, { ...x!.params, out: axes.map((a) => (x!.params as Dot).out[a]!) }) : undefined,
)

/** Labels are numbered in order of appearance, left operand first, so that equal contractions are equal nodes. */
export const dotLabels: Rule = rule('dotLabels', ['dot'], ({ args, params: { lhs, rhs, out } }, b) => {
  const names = [...new Set([...lhs, ...rhs])]
  if (names.every((l, i) => l === i)) return undefined
  const rename = (labels: readonly number[]): readonly number[] => labels.map((l) => names.indexOf(l))
  return b.dot(args, { lhs: rename(lhs), rhs: rename(rhs), out: rename(out) })
})

/** Axes of size 1 are removed from a dot by reshapes around it. */
export const dotUnits: Rule = rule('dotUnits', ['dot'], (n, b) => {
  const { lhs, rhs, out } = n.params
  const [x, y] = [n.args[0]!, n.args[1]!]
  const sizes = new Map([
    ...lhs.map((l, i) => [l, shapeOf(x)[i]!] as const),
    ...rhs.map((l, i) => [l, shapeOf(y)[i]!] as const),
  ])
  const long = (labels: readonly number[]): readonly number[] => labels.filter((l) => sizes.get(l) !== 1)
  const sizesOf = (labels: readonly number[]): readonly number[] => labels.map((l) => sizes.get(l)!)
  if (long([...sizes.keys()]).length === sizes.size) return undefined
  const squeezed = [reshapeTo(b, x, sizesOf(long(lhs))), reshapeTo(b, y, sizesOf(long(rhs)))]
  const product = b.dot(squeezed, { lhs: long(lhs), rhs: long(rhs), out: long(out) })
  return reshapeTo(b, product, shapeOf(n))
})

/** A contraction over an empty axis is zero. */
export const dotEmpty: Rule = rule('dotEmpty', ['dot'], (n, b) => {
  const { lhs, out } = n.params
  const empty = lhs.some((l, i) => !out.includes(l) && shapeOf(n.args[0]!)[i] === 0)
  return empty ? fillLike(b, n, 0) : undefined
})

/**
 * An operand of a dot aligned with the result's axes: transposed to their order, then broadcast along the missing ones.
 */
const spreadOver = (
  b: Build,
  x: Node,
  labels: readonly number[],
  out: readonly number[],
  shape: readonly number[],
): Node => {
  const axes = out.filter((l) => labels.includes(l)).map((l) => labels.indexOf(l))
  const fresh = out.flatMap((l, i) => (labels.includes(l) ? [] : [i]))
  const moved = axes.every((a, i) => a === i) ? x : b.permute([x], { axes })
  return fresh.length === 0 ? moved : b.broadcast([moved], { shape, axes: fresh })
}

/** A dot without contracted labels is an elementwise product. (As for sums, the sign of zero is not kept.) */
export const dotOuter: Rule = rule('dotOuter', ['dot'], (n, b) => {
  const { lhs, rhs, out } = n.params
  if (lhs.some((l) => !out.includes(l))) return undefined
  const shape = shapeOf(n)
  return b.mul([spreadOver(b, n.args[0]!, lhs, out, shape), spreadOver(b, n.args[1]!, rhs, out, shape)], {})
})

/** A window of size 1 and stride 1 is the operand itself. */
export const windowUnit: Rule = rule('windowUnit', ['window', 'fold'], (n, b) => {
  const shape = shapeOf(n.args[0]!)
  const size = n.op === 'window' ? n.params.size : shape[shape.length - 1]
  return size === 1 && n.params.stride === 1 ? b.reshape([n.args[0]!], { shape: shapeOf(n) }) : undefined
})

/** An iota along an axis of size 1 is 0. */
export const iotaUnit: Rule = rule('iotaUnit', ['iota'], (n, b) =>
  n.params.shape[n.params.axis]! <= 1 ? fillLike(b, n, 0) : undefined,
)

/** All rules of this file, in the order in which they are tried. */
export const contractRules: readonly Rule[] = [
  reduceUnits,
  reduceSorted,
  reduceTwice,
  reduceRepeated,
  sumRepeated,
  sumNeg,
  sumScattered,
  dotEmpty,
  dotUnits,
  dotPermuted,
  permuteDot,
  dotOuter,
  dotLabels,
  windowUnit,
  iotaUnit,
]
