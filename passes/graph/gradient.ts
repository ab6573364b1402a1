/**
 * Derivatives of functions over trees of tensors: `grad`, `valueAndGrad`, `vjp`, `jvp`. Reverse mode is linearisation
 * followed by transposition, so there is no tape and the results are ordinary graphs, differentiable to any order.
 */
import * as E from '#fp/Either'
import { build, illTyped, typeOf } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { raise, showOperand } from '../../src/lang/errors.ts'
import type { Node, TensorType } from '../../src/lang/ir.ts'
import { fill } from '../../src/lang/ops/fill.ts'
import type { Linear } from '../../src/lang/primitive.ts'
import { ShapeEq } from '../../src/lang/shape.ts'
import { substitute, trace } from '../../src/lang/trace.ts'
import { type Flattened, flattenTree, isTensor, sameTree, unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types.ts'
import { type Argnums, type Picked, requireFloat, type Selection, select } from './argnums.ts'
import { jvpGraph } from './jvp.ts'
import { linearise } from './linearise.ts'
import { transpose } from './transpose.ts'

/** Options of `grad` and `valueAndGrad`: the arguments to differentiate (the first), whether f gives [loss, aux]. */
export interface GradOptions<N extends Argnums, Aux extends boolean> {
  readonly argnums?: N
  readonly hasAux?: Aux
}

type Fn = (...args: never[]) => unknown
type Leaves = Flattened<Tensor>

const zeros = (type: TensorType): Node => fill(build, type, 0)
const poisoned = (n: Node): Node => illTyped('grad', [n], { reason: 'an operand is ill-typed' })
const isIll = (n: Node): boolean => E.isLeft(n.type)

/** A function's result at its arguments, and its linear part there, ready to be transposed. */
interface Pulled {
  readonly result: Leaves
  readonly outputs: readonly Node[]
  /** Cotangents of the selected leaves; symbolic zeros become zeros. */
  readonly pull: (cotangents: readonly Linear[]) => readonly Node[]
}

/** Runs `f` with the selected arguments replaced by fresh inputs; what else it uses is constant to the derivative. */
const traceSelected = (
  f: Fn,
  selection: Selection,
): { readonly result: Leaves; readonly inputs: readonly Node[]; readonly graph: ReturnType<typeof trace> } => {
  const found: { result?: Leaves } = {}
  const graph = trace((inputs) => {
    found.result = flattenTree<Tensor>(f(...(selection.argumentsWith(inputs) as never[])), isTensor)
    return found.result.leaves.map(nodeOf)
  }, selection.leaves.map(typeOf))
  return { result: found.result!, inputs: graph.inputs, graph }
}

const pullback = (f: Fn, selection: Selection): Pulled => {
  const ill = selection.leaves.find(isIll)
  if (ill !== undefined) {
    const result = flattenTree<Tensor>(f(...(selection.argumentsWith(selection.leaves) as never[])), isTensor)
    return { result, outputs: result.leaves.map(nodeOf), pull: () => selection.leaves.map(() => poisoned(ill)) }
  }
  const { result, inputs, graph } = traceSelected(f, selection)
  const linear = linearise(graph)
  const tangents = linear.tangents.map((t, i) => t ?? graph.outputs[i]!)
  const placed = substitute([...graph.outputs, ...tangents], inputs, selection.leaves)
  const outputs = placed.slice(0, graph.outputs.length)
  const linearOutputs = linear.tangents.map((t, i) => t && placed[graph.outputs.length + i])
  const wrt = linear.inputs.filter((n) => n !== undefined)
  return {
    result,
    outputs,
    pull: (cotangents) => {
      const wrong =
        outputs.find((n, i) => isIll(n) && cotangents[i] !== undefined) ?? cotangents.find((n) => n && isIll(n))
      if (wrong !== undefined) return selection.leaves.map(() => poisoned(wrong))
      const found = transpose(linearOutputs, wrt, cotangents)
      const byInput = new Map(wrt.map((n, i) => [n, found[i]]))
      return selection.leaves.map((leaf, i) => {
        const input = linear.inputs[i]
        return (input && byInput.get(input)) ?? zeros(typeOf(leaf))
      })
    },
  }
}

const requireScalar = (caller: string, n: Node): void => {
  if (isIll(n)) return
  const type = typeOf(n)
  if (!isFloat(type.dtype))
    raise({
      tag: 'UsageError',
      message: `${caller}: the function gives ${showOperand(type)}, and ${type.dtype} values have no derivative`,
      hint: "return a float loss: T.cast(x, 'f32') before the arithmetic that depends on the parameters",
    })
  if (type.shape.length !== 0)
    raise({
      tag: 'UsageError',
      message: `${caller}: the function gives ${showOperand(type)}, where a scalar is needed`,
      hint: 'reduce it with T.sum or T.mean, or use vjp with a cotangent of its shape',
    })
}

/** The shared body of `grad` and `valueAndGrad`: result tree with values put in, and gradients. */
const differentiate = (
  caller: string,
  f: Fn,
  args: readonly unknown[],
  argnums: Argnums,
  hasAux: boolean,
): readonly [unknown, unknown] => {
  const selection = select(caller, args, argnums)
  if (!selection.leaves.some(isIll)) requireFloat(caller, selection)
  const pulled = pullback(f, selection)
  const value = unflattenTree(pulled.result.shape, pulled.outputs)
  const losses = hasAux ? (Array.isArray(value) && value.length === 2 ? value[0] : undefined) : value
  if (!isTensor(losses))
    raise({
      tag: 'UsageError',
      message: `${caller}: the function must return ${hasAux ? '[loss, aux] with one scalar loss' : 'one scalar tensor'}`,
      hint: hasAux ? 'aux is any tree of tensors' : 'return [loss, aux] and set hasAux: true to pass more out',
    })
  // The loss is the first leaf: the whole result, or the head of the pair.
  const loss = pulled.outputs[0]!
  requireScalar(caller, loss)
  const seed = isIll(loss) ? loss : fill(build, typeOf(loss), 1)
  const gradients = pulled.pull(pulled.outputs.map((_, i) => (i === 0 ? seed : undefined)))
  return [value, selection.picked(gradients)]
}

/**
 * The gradient of a scalar function as a function of the same arguments. Its result has the type of the first argument,
 * or of those `argnums` names. With `hasAux`, f gives `[loss, aux]` and the result is `[gradient, aux]`. UsageError
 * when the loss is not a float scalar or a differentiated leaf is not float; an ill-typed loss gives ill-typed
 * gradients.
 * @example
 * const f = (p: { x: T.Tensor<readonly [2], 'f32'> }) => T.sum(T.square(p.x))
 * T.reference(T.grad(f)({ x: T.tensor([1.5, -2]) })).x.data // => [3, -4]
 */
export function grad<A extends readonly unknown[], const N extends Argnums = 0>(
  f: (...args: A) => Tensor,
  options?: GradOptions<N, false>,
): (...args: A) => Picked<A, N>
export function grad<A extends readonly unknown[], X, const N extends Argnums = 0>(
  f: (...args: A) => readonly [Tensor, X],
  options: GradOptions<N, true> & { readonly hasAux: true },
): (...args: A) => readonly [Picked<A, N>, X]
export function grad(
  f: Fn,
  { argnums = 0, hasAux = false }: GradOptions<Argnums, boolean> = {},
): (...args: unknown[]) => unknown {
  return (...args) => {
    const [value, gradients] = differentiate('grad', f, args, argnums, hasAux)
    return hasAux ? [gradients, (value as readonly unknown[])[1]] : gradients
  }
}

/**
 * Like `grad`, with the value: `[loss, gradient]`, or `[[loss, aux], gradient]` with `hasAux`. The function is traced
 * once. Errors as in `grad`.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.sum(T.square(x))
 * T.reference(T.valueAndGrad(f)(T.tensor([1.5, -2]))).map((t) => t.data) // => [[6.25], [3, -4]]
 */
export function valueAndGrad<A extends readonly unknown[], R extends Tensor, const N extends Argnums = 0>(
  f: (...args: A) => R,
  options?: GradOptions<N, false>,
): (...args: A) => readonly [R, Picked<A, N>]
export function valueAndGrad<A extends readonly unknown[], R extends Tensor, X, const N extends Argnums = 0>(
  f: (...args: A) => readonly [R, X],
  options: GradOptions<N, true> & { readonly hasAux: true },
): (...args: A) => readonly [readonly [R, X], Picked<A, N>]
export function valueAndGrad(
  f: Fn,
  { argnums = 0, hasAux = false }: GradOptions<Argnums, boolean> = {},
): (...args: unknown[]) => unknown {
  return (...args) => differentiate('valueAndGrad', f, args, argnums, hasAux)
}

const everyIndex = (args: readonly unknown[]): readonly number[] => args.map((_, i) => i)

/** Leaves of `tree`, which must have the structure and types of `like`; UsageError that names the first difference. */
const matching = (
  caller: string,
  what: string,
  tree: unknown,
  like: Leaves,
  types: readonly Node[],
): readonly Node[] => {
  const flat = flattenTree<Tensor>(tree, isTensor)
  if (!sameTree(flat.shape, like.shape))
    raise({
      tag: 'UsageError',
      message: `${caller}: the ${what} does not have the structure it belongs to (${flat.leaves.length} tensors for ${like.leaves.length})`,
      hint: `give one ${what} of the same shape and dtype for every tensor, in the same records and lists`,
    })
  return flat.leaves.map((leaf, i) => {
    const n = nodeOf(leaf)
    const m = types[i]!
    if (isIll(n) || isIll(m)) return n
    const [a, b] = [typeOf(n), typeOf(m)]
    if (a.dtype !== b.dtype || !ShapeEq.equals(a.shape, b.shape))
      raise({
        tag: 'UsageError',
        message: `${caller}: the ${what} ${like.paths[i]} is ${showOperand(a)}, its tensor is ${showOperand(b)}`,
        hint: `a ${what} has the shape and dtype of what it belongs to`,
      })
    return n
  })
}

/**
 * The value of `f` at `primals` and its pullback: a function from a cotangent (a tree like the value) to the cotangents
 * of all arguments. Arguments are trees of tensors; integer and bool leaves get zeros of their own dtype. UsageError
 * for a cotangent of another structure or type.
 * @example
 * const [y, pull] = T.vjp(T.square, T.tensor([1.5, -2]))
 * T.reference([y, pull(T.tensor([1, 0.5]))[0]]).map((t) => t.data) // => [[2.25, 4], [3, -2]]
 */
export const vjp = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): readonly [R, (cotangent: R) => A] => {
  const selection = select('vjp', primals, everyIndex(primals))
  const pulled = pullback(f as unknown as Fn, selection)
  const value = unflattenTree(pulled.result.shape, pulled.outputs) as R
  return [
    value,
    (cotangent) => {
      const cts = matching('vjp', 'cotangent', cotangent, pulled.result, pulled.outputs)
      const float = cts.map((ct, i) =>
        isIll(pulled.outputs[i]!) || isIll(ct) || isFloat(typeOf(ct).dtype) ? ct : undefined,
      )
      return selection.picked(pulled.pull(float)) as A
    },
  ]
}

/**
 * Forward mode: `[f(primals), J·tangents]`, both trees like f's result. `tangents` has the structure and types of
 * `primals`; those of integer and bool leaves are not looked at, and such outputs get zeros. UsageError where they
 * differ.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.square(x)
 * T.reference(T.jvp(f, [T.tensor([1.5, -2])], [T.tensor([1, 0.5])])).map((t) => t.data) // => [[2.25, 4], [3, -2]]
 */
export const jvp = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: readonly [...A],
  tangents: readonly [...A],
): readonly [R, R] => {
  const selection = select('jvp', primals, everyIndex(primals))
  const flat = flattenTree<Tensor>(primals, isTensor)
  const given = matching('jvp', 'tangent', tangents, flat, selection.leaves)
  const ill = [...selection.leaves, ...given].find(isIll)
  if (ill !== undefined) {
    const result = flattenTree<Tensor>(f(...(primals as unknown as A)), isTensor)
    return [
      unflattenTree(result.shape, result.leaves) as R,
      unflattenTree(
        result.shape,
        result.leaves.map(() => poisoned(ill)),
      ) as R,
    ]
  }
  const { result, inputs, graph } = traceSelected(f as unknown as Fn, selection)
  const found = jvpGraph(
    graph,
    given.map((t) => (isFloat(typeOf(t).dtype) ? t : undefined)),
  )
  const out = found.map((t, i) => {
    const n = graph.outputs[i]!
    return t ?? (isIll(n) ? poisoned(n) : zeros(typeOf(n)))
  })
  const placed = substitute([...graph.outputs, ...out], inputs, selection.leaves)
  return [
    unflattenTree(result.shape, placed.slice(0, out.length)) as R,
    unflattenTree(result.shape, placed.slice(out.length)) as R,
  ]
}
