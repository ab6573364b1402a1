/** Functions with derivatives of their own: `customJvp` and `customVjp`. */
import { build, illTyped, typeOf } from '../../src/lang/build.ts'
import { closeParts, type Part, tracePart } from '../../src/lang/closed-parts.ts'
import { raise } from '../../src/lang/errors.ts'
import type { Graph, Node, ParamsOf } from '../../src/lang/ir.ts'
import { demandFunction } from '../../src/lang/tensor/arguments.ts'
import { closeGraph } from '../../src/lang/trace.ts'
import { type Flattened, flattenTree, isTensor, type TreeShape, unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'
import { type Fn, isIll, matching, zeros } from './linear-map.ts'

/** A subtree of the leaves of a whole, its leaves numbered from 0. */
interface Sub {
  readonly shape: TreeShape
  readonly leaves: readonly Node[]
  readonly paths: readonly string[]
}

/** What a rule that must return two trees returned; UsageError when it is no pair. */
const pairOf = (caller: string, rule: string, parts: string, { result, graph }: Part): readonly [Sub, Sub] => {
  const { shape } = result
  if (typeof shape !== 'object' || !('list' in shape) || shape.list.length !== 2)
    return raise({
      tag: 'UsageError',
      message: `${caller}: ${rule} must return ${parts}`,
      hint: 'a list of two trees of tensors',
    })
  const trees = unflattenTree(shape, graph.outputs) as readonly [unknown, unknown]
  const sub = (tree: unknown): Sub => {
    const flat = flattenTree<Tensor>(tree, isTensor)
    return { shape: flat.shape, leaves: flat.leaves.map(nodeOf), paths: flat.paths }
  }
  return [sub(trees[0]), sub(trees[1])]
}

const asTree = ({ shape, leaves }: Sub): unknown => unflattenTree(shape, leaves)

/** The call of `params` on `operands` as the tree that the function itself returned. */
export const callTree = (params: ParamsOf['customCall'], operands: readonly Node[], shape: TreeShape): unknown => {
  const count = params.call.outputs.length
  if (count === 0) return unflattenTree(shape, [])
  const node = build.customCall(operands, params)
  return unflattenTree(
    shape,
    count === 1 ? [node] : params.call.outputs.map((_, index) => build.get([node], { index })),
  )
}

/** A function of the same arguments and results as `F`. */
type Same<F extends Fn> = (...args: Parameters<F>) => ReturnType<F>

/** The arguments of one call, and the function run on inputs like them. */
interface Called extends Part {
  readonly given: Flattened<Tensor>
  readonly operands: readonly Node[]
  readonly tree: { readonly shape: TreeShape; readonly count: number }
}

/** Undefined where arguments or result are ill-typed: then the function itself, without its rules, carries the mistake. */
export const calledOn = (f: Fn, args: readonly unknown[]): Called | undefined => {
  const given = flattenTree<Tensor>(args, isTensor)
  const operands = given.leaves.map(nodeOf)
  if (operands.some(isIll)) return undefined
  const tree = { shape: given.shape, count: operands.length }
  const part = tracePart((xs) => f(...(xs as never[])), [tree], operands.map(typeOf))
  return part.graph.outputs.some(isIll) ? undefined : { ...part, given, operands, tree }
}

/** The result of a call whose rule is ill-typed: the rule's mistake, once. */
const poisonedBy = (rule: readonly Node[], shape: TreeShape, count: number): unknown => {
  const ill = rule.find(isIll)!
  return unflattenTree(
    shape,
    Array.from({ length: count }, () => illTyped('customCall', [ill], { reason: '' })),
  )
}

/**
 * `f` with a forward rule of its own (jax.custom_jvp): `rule(primals, tangents)` gets two lists like the arguments and
 * gives `[value, tangent]`, both like the result of `f`. The tangent must be linear in `tangents`; reverse mode
 * follows by transposition, and `vmap` maps function and rule alike. Integer arguments have integer zeros for tangents.
 * UsageError when the rule's results do not fit, or when `f` or the rule use a tensor from outside that is
 * differentiated.
 * @example
 * const log1pExp = T.customJvp((x: T.Tensor<readonly [], 'f32'>) => T.log1p(T.exp(x)), ([x], [dx]) => [
 *   T.log1p(T.exp(x)),
 *   T.mul(dx, T.sub(1, T.div(1, T.add(T.exp(x), 1)))),
 * ])
 * T.reference(T.grad(log1pExp)(T.tensor(0.5))).data // => [0.622459]
 */
export const customJvp = <F extends Fn>(
  f: F,
  rule: (primals: Parameters<F>, tangents: Parameters<F>) => readonly [ReturnType<F>, ReturnType<F>],
): Same<F> => {
  demandFunction('customJvp', 'the first argument', f)
  demandFunction('customJvp', 'the rule', rule)
  return (...args) => {
    const called = calledOn(f, args)
    if (called === undefined) return f(...args) as ReturnType<F>
    const { graph, result, operands, tree } = called
    const types = operands.map(typeOf)
    const ruled = tracePart(rule as never, [tree, tree], [...types, ...types])
    const [value, tangent] = pairOf('customJvp', 'the rule', '[value, tangent]', ruled)
    if (ruled.graph.outputs.some(isIll))
      return poisonedBy(ruled.graph.outputs, result.shape, graph.outputs.length) as ReturnType<F>
    matching('customJvp', 'value of the rule', asTree(value), result, graph.outputs)
    const tangents = matching('customJvp', 'tangent', asTree(tangent), result, graph.outputs)
    const own = operands.length
    const { parts, captures, captured } = closeParts([graph, { inputs: ruled.graph.inputs, outputs: tangents }])
    const [call, moved] = [parts[0]!, parts[1]!]
    const params: ParamsOf['customCall'] = {
      kind: 'jvp',
      call: closed([...call.inputs, ...captures], call.outputs),
      rules: [closed([...moved.inputs.slice(0, own), ...captures, ...moved.inputs.slice(own)], moved.outputs)],
      captured: captured.length,
    }
    return callTree(params, [...operands, ...captured], result.shape) as ReturnType<F>
  }
}

const closed = (inputs: Graph['inputs'], outputs: readonly Node[]): Graph => closeGraph({ inputs, outputs }).graph

/**
 * `f` with a reverse rule of its own (jax.custom_vjp): `forward(...args)` gives `[value, residuals]`, the value like that
 * of `f`, the residuals any tree of tensors; `backward(residuals, cotangent)` gives a list of cotangents, one like each
 * argument. When a gradient is taken, `forward` runs in place of `f`. There is no forward mode: `jvp`, `jacfwd`
 * and `linearize` of it are a UsageError, but a gradient of it may be differentiated in any mode. UsageError when
 * the rules' results do not fit, or when they use a tensor from outside that is differentiated.
 * @example
 * const clipped = T.customVjp(
 *   (x: T.Tensor<readonly [2], 'f32'>) => T.mul(x, 1),
 *   (x) => [x, []],
 *   (_, ct) => [T.clamp(ct, { min: -1, max: 1 })],
 * )
 * T.reference(T.grad((x: T.Tensor<readonly [2], 'f32'>) => T.sum(T.mul(clipped(x), 3)))(T.ones([2]))).data // => [1, 1]
 */
export const customVjp = <F extends Fn, S>(
  f: F,
  forward: (...args: Parameters<F>) => readonly [ReturnType<F>, S],
  backward: (residuals: NoInfer<S>, cotangent: ReturnType<F>) => readonly [...Parameters<F>],
): Same<F> => {
  demandFunction('customVjp', 'the first argument', f)
  demandFunction('customVjp', 'forward', forward)
  demandFunction('customVjp', 'backward', backward)
  return (...args) => {
    const called = calledOn(f, args)
    if (called === undefined) return f(...args) as ReturnType<F>
    const { graph, result, operands, tree, given } = called
    const ahead = tracePart((xs) => forward(...(xs as Parameters<F>)), [tree], operands.map(typeOf))
    const [value, residuals] = pairOf('customVjp', 'forward', '[value, residuals]', ahead)
    const poison = (outputs: readonly Node[]): ReturnType<F> =>
      poisonedBy(outputs, result.shape, graph.outputs.length) as ReturnType<F>
    if (ahead.graph.outputs.some(isIll)) return poison(ahead.graph.outputs)
    const values = matching('customVjp', 'value of forward', asTree(value), result, graph.outputs)
    const back = tracePart(
      backward as never,
      [
        { shape: residuals.shape, count: residuals.leaves.length },
        { shape: result.shape, count: graph.outputs.length },
      ],
      [...residuals.leaves, ...graph.outputs].map(typeOf),
    )
    if (back.graph.outputs.some(isIll)) return poison(back.graph.outputs)
    const cotangents = matching(
      'customVjp',
      'cotangent of the argument',
      asTree({ ...back.result, leaves: back.graph.outputs }),
      given,
      operands,
    )
    const { parts, captures, captured } = closeParts([
      graph,
      { inputs: ahead.graph.inputs, outputs: [...values, ...residuals.leaves] },
      { inputs: back.graph.inputs, outputs: cotangents },
    ])
    const [call, saving, pulling] = [parts[0]!, parts[1]!, parts[2]!]
    const kept = residuals.leaves.length
    const none = captures.map((n) => zeros(n.params))
    const params: ParamsOf['customCall'] = {
      kind: 'vjp',
      call: closed([...call.inputs, ...captures], call.outputs),
      rules: [
        closed([...saving.inputs, ...captures], [...saving.outputs, ...captures]),
        closed(
          [...pulling.inputs.slice(0, kept), ...captures, ...pulling.inputs.slice(kept)],
          [...pulling.outputs, ...none],
        ),
      ],
      captured: captured.length,
    }
    return callTree(params, [...operands, ...captured], result.shape) as ReturnType<F>
  }
}
