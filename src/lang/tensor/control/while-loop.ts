/** Loops that end when a condition on the device says so, with and without a bound. */
import { build, illTyped, typeOf } from '../../build.ts'
import { withChecks } from '../../checking.ts'
import { closeParts, tracePart } from '../../closed-parts.ts'
import { raise, showOperand } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import { outputsOf } from '../../ops/closed-graphs.ts'
import { flattenResult, flattenTree, isTensor, unflattenTree } from '../../tree.ts'
import { nodeOf, type Tensor } from '../../types/tensor.ts'
import { demandFunction, demandRecord, type OptionNames } from '../arguments.ts'
import { isIll } from '../operand.ts'
import { cond } from './branches.ts'
import { demandCounted, demandSameCarries, scan } from './loops.ts'

/** A bound on the turns, or how many are submitted at a time where there is none. */
export interface WhileOptions {
  readonly maxIterations?: number | undefined
  readonly chunk?: number | undefined
}

const whileOptions: OptionNames<WhileOptions> = { maxIterations: 'size', chunk: 'count' }

/** UsageError unless the condition's results are one bool scalar. */
const demandCondition = (results: readonly Node[]): void => {
  if (results.some(isIll)) return
  const given = results.map((n) => showOperand(typeOf(n)))
  if (given.length === 1 && given[0] === 'bool[]') return
  raise({
    tag: 'UsageError',
    message: `T.whileLoop: the condition gives ${given.join(', ') || 'nothing'}, where one bool[] is needed`,
    hint: 'reduce it with T.any or T.all, or compare it: T.notEqual(x, 0)',
  })
}

const unbounded = <C>(condition: (carry: C) => Tensor, body: (carry: C) => C, init: C, chunk: number): C => {
  const given = flattenTree<Tensor>(init, isTensor)
  const carries = given.leaves.map(nodeOf)
  const poison = (wrong: readonly Node[]): C =>
    unflattenTree(
      given.shape,
      carries.map(() => illTyped('T.whileLoop', wrong, { reason: '' })),
    ) as C
  const ill = carries.find(isIll)
  if (ill) return poison([ill])
  const tree = { shape: given.shape, count: carries.length }
  const types = carries.map(typeOf)
  // Gradients in here cannot be checked: only the device knows how many there are.
  const [test, turn] = withChecks(false, () => [
    tracePart((c) => condition(c as C), [tree], types),
    tracePart((c) => body(c as C), [tree], types),
  ])
  const wrong = [...test.graph.outputs, ...turn.graph.outputs].filter(isIll)
  if (wrong.length > 0) return poison(wrong)
  demandSameCarries('T.whileLoop', given, turn.result)
  demandCondition(test.graph.outputs)
  if (carries.length === 0) return init
  const closed = closeParts([test.graph, turn.graph])
  const [first, second] = closed.parts.map((g) => ({ inputs: [...g.inputs, ...closed.captures], outputs: g.outputs }))
  // Both take the operands in the same order, each by inputs of its own.
  const node = build.while([...carries, ...closed.captured], { condition: first!, body: second!, chunk })
  return unflattenTree(given.shape, outputsOf(build, node, carries.length)) as C
}

/**
 * `carry = body(carry)` while the bool scalar `condition(carry)` holds (jax.lax.while_loop); `init` itself when it does not
 * hold at once. With `maxIterations` the loop runs in one submission and stops there at the latest; it is differentiable
 * in both modes. Without, it runs `chunk` (32) turns a submission until the condition fails, as its Plan declares; forward
 * mode only. A turn that the condition does not want is computed at most to the end of a chunk, and not seen. UsageError
 * when a carried tensor changes its shape or dtype, or the condition is no bool scalar.
 * @example
 * const log2 = (x: T.Tensor) => T.whileLoop(([, y]) => T.greater(y, 1), ([n, y]) => [T.add(n, 1), T.div(y, 2)] as const, [T.tensor(0), x] as readonly [T.Tensor, T.Tensor])
 * T.reference(log2(T.tensor(100.5))[0]).data // => [7]
 */
export const whileLoop = <C>(
  condition: (carry: C) => Tensor,
  body: (carry: C) => C,
  init: C,
  options: WhileOptions = {},
): C => {
  demandFunction('T.whileLoop', 'condition', condition)
  demandFunction('T.whileLoop', 'body', body)
  demandRecord('T.whileLoop', whileOptions, options)
  const { maxIterations, chunk = 32 } = options
  demandCounted('T.whileLoop', 'chunk', chunk)
  if (maxIterations === undefined) return unbounded(condition, body, init, chunk)
  demandCounted('T.whileLoop', 'maxIterations', maxIterations)
  // Checked here, where the loop and its carries have names: what cond would say is about two branches.
  const next = (carry: C): C => {
    const after = body(carry)
    demandSameCarries('T.whileLoop', flattenTree<Tensor>(carry, isTensor), flattenResult(after))
    return after
  }
  const turn = (carry: C): readonly [C, readonly []] => {
    const test = condition(carry)
    demandCondition(flattenResult(test).leaves.map(nodeOf))
    return [cond(test, next, (c: C) => c as never, carry), []]
  }
  return scan(turn, init, [] as const, { length: maxIterations })[0]
}
