/** Branches chosen on the device: `cond` and `switch`, as nodes whose derivatives are those of the branch that is taken. */
import { build, illTyped, typeOf } from '../../build.ts'
import { closeParts, tracePart } from '../../closed-parts.ts'
import { isInteger } from '../../dtype.ts'
import { type Refusal, raise, showOperand } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import { outputsOf } from '../../ops/closed-graphs.ts'
import { flattenResult, flattenTree, isTensor, sameTree, unflattenTree } from '../../tree.ts'
import { nodeOf, type Tensor } from '../../types/tensor.ts'
import { demandFunction, demandList } from '../arguments.ts'
import { castNode, isIll, lift, refuse, withTypes } from '../operand.ts'

type Branch<A extends readonly unknown[], R> = (...operands: A) => R

/** A branch and what its errors call it. */
interface Named {
  readonly name: string
  readonly run: Branch<never[], unknown>
}

/** Where the tensors of a tree stand. */
const showStructure = ({ paths }: { readonly paths: readonly string[] }): string =>
  paths.map((p) => p || 'a tensor').join(', ') || 'nothing'

/** The result tree of the branch that `index` names. Branches are traced on inputs like the operands. */
const choose = (caller: string, index: Node, branches: readonly Named[], operands: readonly unknown[]): unknown => {
  const given = flattenTree<Tensor>(operands, isTensor)
  const leaves = given.leaves.map(nodeOf)
  const ill = [index, ...leaves].find(isIll)
  if (ill) {
    const { shape, leaves: own } = flattenResult(branches[0]!.run(...(operands as never[])))
    return unflattenTree(
      shape,
      own.map(() => illTyped(caller, [ill], { reason: '' })),
    )
  }
  const tree = { shape: given.shape, count: leaves.length }
  const parts = branches.map(({ run }) => tracePart((xs) => run(...(xs as never[])), [tree], leaves.map(typeOf)))
  const [first] = parts
  const other = parts.findIndex((p) => !sameTree(p.result.shape, first!.result.shape))
  if (other >= 0)
    return raise({
      tag: 'UsageError',
      message: `${caller}: ${branches[other]!.name} does not give the structure that ${branches[0]!.name} gives (${showStructure(parts[other]!.result)}, not ${showStructure(first!.result)})`,
      hint: 'every branch returns the same records and lists of tensors',
    })
  const types = first!.graph.outputs
  const poison = (wrong: readonly Node[], refusal: Refusal): unknown =>
    unflattenTree(
      first!.result.shape,
      types.map(() => illTyped(caller, wrong, refusal)),
    )
  const wrong = parts.flatMap((p) => p.graph.outputs.filter(isIll))
  if (wrong.length > 0) return poison(wrong, { reason: '' })
  for (const [k, part] of parts.entries())
    for (const [o, n] of part.graph.outputs.entries()) {
      const [want, got] = [showOperand(typeOf(types[o]!)), showOperand(typeOf(n))]
      if (want !== got)
        return poison([types[o]!, n], {
          reason: `result ${o} is ${want} in ${branches[0]!.name} and ${got} in ${branches[k]!.name}`,
          hint: 'cast or reshape one, so that whichever runs gives the same type',
        })
    }
  if (types.length === 0) return unflattenTree(first!.result.shape, [])
  const closed = closeParts(parts.map((p) => p.graph))
  const graphs = closed.parts.map((g) => ({ inputs: [...g.inputs, ...closed.captures], outputs: g.outputs }))
  const node = build.cond([index, ...leaves, ...closed.captured], { branches: graphs })
  return unflattenTree(first!.result.shape, outputsOf(build, node, types.length))
}

/**
 * `trueFn(...operands)` where the scalar `pred` holds (a number where it is not 0), else `falseFn(...operands)`: chosen
 * on the device. Both give trees of the same structure, shapes and dtypes (jax.lax.cond). The derivative is that of the
 * branch taken: one that is not may hold NaN without a trace. Where both are cheap to fuse both are computed, and
 * nothing of the other is seen.
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
  demandFunction('T.cond', 'trueFn', trueFn)
  demandFunction('T.cond', 'falseFn', falseFn)
  const n = lift('T.cond', pred)
  const index = withTypes('T.cond', [n], ([type]) =>
    type!.shape.length > 0
      ? refuse('T.cond', [n], { reason: 'the predicate must be a scalar', hint: 'T.where chooses element by element' })
      : castNode(castNode(n, 'bool'), 'i32'),
  )
  const branches = [
    { name: 'falseFn', run: falseFn },
    { name: 'trueFn', run: trueFn },
  ]
  return choose('T.cond', index, branches as readonly Named[], operands) as R
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
  demandList('T.switch', branches, 'functions', 'T.switch(index, [f, g], …operands)')
  for (const [k, run] of branches.entries()) demandFunction('T.switch', `branch ${k}`, run)
  if (branches.length === 0)
    return raise({ tag: 'UsageError', message: 'T.switch: there is no branch', hint: 'give at least one function' })
  const n = lift('T.switch', index)
  const whole = withTypes('T.switch', [n], ([type]) =>
    type!.shape.length === 0 && isInteger(type!.dtype)
      ? n
      : refuse('T.switch', [n], { reason: 'the index must be an integer scalar', hint: 'e.g. T.tensor(1), an i32[]' }),
  )
  const named = branches.map((run, k) => ({ name: `branch ${k}`, run }))
  return choose('T.switch', whole, named as readonly Named[], operands) as R
}
