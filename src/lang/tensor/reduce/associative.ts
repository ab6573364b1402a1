/** Reductions and prefix reductions with a function of the user's own, in logarithmic depth. */

import * as E from '#fp/Either'
import { typeOf } from '../../build.ts'
import { ceilDiv } from '../../dim.ts'
import { raise } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import { normaliseAxis, showShape } from '../../shape.ts'
import { flattenResult, flattenTree, isTensor, unflattenTree } from '../../tree.ts'
import { nodeOf, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandFunction, demandRecord, type OptionNames } from '../arguments.ts'
import { demandSameCarries } from '../control/loops.ts'
import { slice } from '../index/indexing.ts'
import { reshapeNode } from '../operand.ts'
import { expandDims, squeeze } from '../shape/axes.ts'
import { concat } from '../shape/joining.ts'
import { flip } from '../shape/reordering.ts'

/** Along which axis (0), and whether from its end. */
export interface AssociativeScanOptions {
  readonly axis?: number | undefined
  readonly reverse?: boolean | undefined
}

const associativeScanOptions: OptionNames<AssociativeScanOptions> = { axis: 'own', reverse: 'boolean' }

type Leaves = readonly Tensor[]
type Combine = (a: Leaves, b: Leaves) => Leaves

const along = (x: Tensor, axis: number, start: number, stop: number | null, step: number): Tensor =>
  slice(x, [...Array.from({ length: axis }, () => [] as const), [start, stop, step]]) as Tensor

const lengthOf = (xs: Leaves, axis: number): number => typeOf(nodeOf(xs[0]!)).shape[axis]!

/** `even` and `odd` in turns along the axis; `even` may be one longer. */
const interleave = (even: Tensor, odd: Tensor, axis: number): Tensor => {
  const [n, m] = [typeOf(nodeOf(even)).shape[axis]!, typeOf(nodeOf(odd)).shape[axis]!]
  const paired = along(even, axis, 0, m, 1)
  const pairs: Node = nodeOf(
    concat([expandDims(paired, axis + 1), expandDims(odd, axis + 1)], { axis: axis + 1 }) as Tensor,
  )
  const { shape } = typeOf(pairs)
  const joined = tensorOf(reshapeNode(pairs, [...shape.slice(0, axis), 2 * m, ...shape.slice(axis + 2)])) as Tensor
  return n === m ? joined : (concat([joined, along(even, axis, m, null, 1)], { axis }) as Tensor)
}

/** Blelloch's recursion: neighbours are combined, their prefixes found, and what lies between filled in. */
const prefixes = (f: Combine, xs: Leaves, axis: number): Leaves => {
  const n = lengthOf(xs, axis)
  if (n < 2) return xs
  const pick = (from: Leaves, start: number, stop: number | null, step: number): Leaves =>
    from.map((x) => along(x, axis, start, stop, step))
  const odd = prefixes(f, f(pick(xs, 0, -1, 2), pick(xs, 1, null, 2)), axis)
  const before = n % 2 === 0 ? pick(odd, 0, -1, 1) : odd
  const rest = n === 2 ? [] : f(before, pick(xs, 2, null, 2))
  const first = pick(xs, 0, 1, 1)
  const even = n === 2 ? first : first.map((x, i) => concat([x, rest[i]!], { axis }) as Tensor)
  return even.map((e, i) => interleave(e, odd[i]!, axis))
}

/** Trees taken apart: the tensors, their common axis, `f` on them, and the way back. */
interface Opened<X> {
  readonly leaves: Leaves
  readonly axis: number
  readonly combine: Combine
  readonly tree: (leaves: Leaves) => X
}

/** What `name` is to work on; nothing where a tensor is a mistake already. UsageError where sizes along the axis differ. */
const opened = <X>(name: string, f: (a: X, b: X) => X, xs: X, axis: number): Opened<X> | undefined => {
  demandFunction(name, 'f', f)
  const { leaves, shape, paths } = flattenTree<Tensor>(xs, isTensor)
  if (leaves.length === 0 || leaves.some((x) => E.isLeft(nodeOf(x).type))) return undefined
  const at = leaves.map((x) => normaliseAxis(axis, typeOf(nodeOf(x)).shape.length))
  const wrong = at.findIndex(
    (a, i) =>
      E.isLeft(a) ||
      typeOf(nodeOf(leaves[i]!)).shape[a.right] !== typeOf(nodeOf(leaves[0]!)).shape[(at[0] as E.Right<number>).right],
  )
  if (wrong >= 0)
    return raise({
      tag: 'UsageError',
      message: `${name}: ${paths[wrong] || 'xs'} has no axis ${axis} of the common size`,
      hint: 'all tensors have one size along the axis',
    })
  const axes = at.map((a) => (a as E.Right<number>).right)
  if (axes.some((a) => a !== axes[0]))
    return raise({
      tag: 'UsageError',
      message: `${name}: axis ${axis} is not the same axis of all tensors`,
      hint: 'give an axis counted from the front',
    })
  const tree = (ls: Leaves): X => unflattenTree(shape, ls) as X
  const combine: Combine = (a, b) => {
    const made = flattenResult(f(tree(a), tree(b)))
    demandSameCarries(name, { leaves: a, shape, paths }, made)
    return made.leaves
  }
  return { leaves, axis: axes[0]!, combine, tree }
}

/**
 * Prefix reductions of a tree of tensors along `axis` (0) by an associative `f(earlier, later)`, which is given whole
 * stretches along that axis and works on each place alone (jax.lax.associative_scan). Logarithmic depth, about 2n
 * applications; made of slices and joins, so it differentiates and maps like any expression. UsageError where f gives
 * another structure, shape or dtype than it is given.
 * @example
 * const line = { a: T.tensor([2, 3, 4]), b: T.tensor([1, 1, 1]) }
 * const after = T.associativeScan((p, q) => ({ a: T.mul(q.a, p.a), b: T.add(T.mul(q.a, p.b), q.b) }), line)
 * T.reference(after.b).data // => [1, 4, 17]
 */
export const associativeScan = <X>(f: (earlier: X, later: X) => X, xs: X, options: AssociativeScanOptions = {}): X => {
  demandRecord('T.associativeScan', associativeScanOptions, options)
  const { axis = 0, reverse = false } = options
  const found = opened('T.associativeScan', f, xs, axis)
  if (!found) return xs
  const turned = (x: Tensor): Tensor => (reverse ? (flip(x, { axis: found.axis }) as Tensor) : x)
  return found.tree(prefixes(found.combine, found.leaves.map(turned), found.axis).map(turned))
}

/** Neighbours are combined until one is left; an odd one out waits at the end. */
const reduced = (f: Combine, xs: Leaves, axis: number): Leaves => {
  let current = xs
  for (let n = lengthOf(xs, axis); n > 1; n = ceilDiv(n, 2)) {
    const paired = n - (n % 2)
    const pick = (start: number): Leaves => current.map((x) => along(x, axis, start, paired, 2))
    const made = f(pick(0), pick(1))
    current =
      n === paired
        ? made
        : made.map((x, i) => concat([x, along(current[i]!, axis, paired, null, 1)], { axis }) as Tensor)
  }
  return current
}

/** Along which axis (0). */
export interface ReduceWithOptions {
  readonly axis?: number | undefined
}

const reduceWithOptions: OptionNames<ReduceWithOptions> = { axis: 'own' }

/**
 * A tree of tensors reduced along `axis` (0), which is gone from the result, by an associative `f(earlier, later)` that is given whole
 * stretches along that axis and works on each place alone (jax.lax.reduce). Logarithmic depth, n - 1 applications; made of slices
 * and joins, so it differentiates and maps like any expression. UsageError where there is nothing along the axis, or f
 * gives another structure, shape or dtype than it is given.
 * @example
 * const best = (p: T.Tensor, q: T.Tensor) => T.where(T.greater(T.abs(q), T.abs(p)), q, p)
 * T.reference(T.reduceWith(best, T.tensor([3, -7, 5]))).data // => [-7]
 */
export const reduceWith = <X>(f: (earlier: X, later: X) => X, xs: X, options: ReduceWithOptions = {}): X => {
  demandRecord('T.reduceWith', reduceWithOptions, options)
  const { axis = 0 } = options
  const found = opened('T.reduceWith', f, xs, axis)
  if (!found) return xs
  if (lengthOf(found.leaves, found.axis) === 0)
    return raise({
      tag: 'UsageError',
      message: `T.reduceWith: there is nothing along axis ${axis} of ${showShape(typeOf(nodeOf(found.leaves[0]!)).shape)}`,
      hint: 'join what an empty reduction is worth to it with T.concat',
    })
  return found.tree(
    reduced(found.combine, found.leaves, found.axis).map((x) => squeeze(x, { axis: found.axis }) as Tensor),
  )
}
