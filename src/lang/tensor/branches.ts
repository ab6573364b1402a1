/** Branches chosen on the device: `cond` and `switch`, as nodes whose derivatives are those of the branch that is taken. */
import * as E from '#fp/Either'
import { build, illTyped, typeOf } from '../build.ts'
import { closeParts, tracePart } from '../closed-parts.ts'
import { raise } from '../errors.ts'
import type { Node } from '../ir.ts'
import { outputsOf } from '../ops/graphs.ts'
import { flattenTree, isTensor, sameTree, unflattenTree } from '../tree.ts'
import { nodeOf, type Tensor } from '../types.ts'
import { castNode, lift, refuse, withTypes } from './operand.ts'

type Branch<A extends readonly unknown[], R> = (...operands: A) => R

const isIll = (n: Node): boolean => E.isLeft(n.type)

/** The result tree of the branch that `index` names. Branches are traced on inputs like the operands. */
const choose = (
  caller: string,
  index: Node,
  branches: readonly Branch<never[], unknown>[],
  operands: readonly unknown[],
): unknown => {
  const given = flattenTree<Tensor>(operands, isTensor)
  const leaves = given.leaves.map(nodeOf)
  const ill = [index, ...leaves].find(isIll)
  if (ill) {
    const { shape, leaves: own } = flattenTree<Tensor>(branches[0]!(...(operands as never[])), isTensor)
    return unflattenTree(
      shape,
      own.map(() => illTyped(caller, [ill], { reason: '' })),
    )
  }
  const tree = { shape: given.shape, count: leaves.length }
  const parts = branches.map((f) => tracePart((xs) => f(...(xs as never[])), [tree], leaves.map(typeOf)))
  const [first] = parts
  const other = parts.findIndex((p) => !sameTree(p.result.shape, first!.result.shape))
  if (other >= 0)
    return raise({
      tag: 'UsageError',
      message: `${caller}: branch ${other} does not give the structure that branch 0 gives (${parts[other]!.result.leaves.length} tensors, not ${first!.result.leaves.length})`,
      hint: 'every branch returns the same records and lists of tensors',
    })
  const wrong = parts.flatMap((p) => p.graph.outputs.filter(isIll))
  const types = first!.graph.outputs
  if (wrong.length > 0)
    return unflattenTree(
      first!.result.shape,
      types.map(() => illTyped(caller, wrong, { reason: '' })),
    )
  if (types.length === 0) return unflattenTree(first!.result.shape, [])
  const closed = closeParts(parts.map((p) => p.graph))
  const graphs = closed.parts.map((g) => ({ inputs: [...g.inputs, ...closed.captures], outputs: g.outputs }))
  const node = build.cond([index, ...leaves, ...closed.captured], { branches: graphs })
  return unflattenTree(first!.result.shape, outputsOf(build, node, types.length))
}

/**
 * `trueFn(...operands)` where the bool scalar `pred` holds, else `falseFn(...operands)`: chosen on the device. Both give
 * trees of the same structure, shapes and dtypes (jax.lax.cond). The derivative is that of the branch taken: one that is
 * not may hold NaN without a trace. Both branches are computed where they are cheap to fuse; nothing of the other is seen.
 * UsageError for different structures, ShapeError for different types or a `pred` that is no scalar.
 * @example
 * const safeSqrt = (x: T.Tensor) => T.cond(T.greater(x, 0), (v) => T.sqrt(v), (v) => T.sub(v, v), x)
 * T.reference([safeSqrt(T.tensor(4.5)), safeSqrt(T.tensor(-1.5))]).map((t) => t.data) // => [[2.12132], [0]]
 */
export const cond = <A extends readonly unknown[], R>(
  pred: Tensor,
  trueFn: Branch<NoInfer<A>, R>,
  falseFn: Branch<NoInfer<A>, R>,
  ...operands: A
): R => {
  const n = lift('T.cond', pred)
  const index = withTypes('T.cond', [n], ([type]) =>
    type!.shape.length > 0
      ? refuse('T.cond', [n], { reason: 'the predicate must be a scalar', hint: 'T.where chooses element by element' })
      : castNode(castNode(n, 'bool'), 'i32'),
  )
  return choose('T.cond', index, [falseFn, trueFn] as readonly Branch<never[], unknown>[], operands) as R
}

/**
 * `branches[index](...operands)`, the integer scalar `index` being clamped to the branches there are (jax.lax.switch).
 * Otherwise like `cond`.
 * @example
 * const f = (i: T.Tensor, x: T.Tensor) => T.switch(i, [(v) => T.neg(v), (v) => T.square(v), (v) => T.mul(v, 2)], x)
 * T.reference(f(T.tensor(1), T.tensor(3))).data // => [9]
 */
export const switchBranch = <A extends readonly unknown[], R>(
  index: Tensor,
  branches: readonly Branch<NoInfer<A>, R>[],
  ...operands: A
): R => {
  if (branches.length === 0)
    return raise({ tag: 'UsageError', message: 'T.switch: there is no branch', hint: 'give at least one function' })
  return choose('T.switch', lift('T.switch', index), branches as readonly Branch<never[], unknown>[], operands) as R
}
