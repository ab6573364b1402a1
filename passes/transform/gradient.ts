/**
 * Gradients of scalar functions over trees of tensors: `grad` and `valueAndGrad`. Reverse mode is linearisation followed
 * by transposition, so there is no tape and the results are ordinary graphs, differentiable to any order.
 */
import { build, typeOf } from '../../src/lang/build.ts'
import { checkedAs } from '../../src/lang/checking.ts'
import { raise } from '../../src/lang/errors.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'
import { noteSite } from '../../src/lang/provenance.ts'
import { demandFunction, demandRecord, type OptionNames } from '../../src/lang/tensor/arguments.ts'
import { isTensor, unflattenTree } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { type Argnums, type Picked, requireFloat, select } from './argnums.ts'
import { type Fn, isIll, linearMap, requireScalar } from './linear-map.ts'

/** Options of `grad` and `valueAndGrad`: the arguments to differentiate (the first), whether f gives [loss, aux]. */
export interface GradOptions<N extends Argnums, Aux extends boolean> {
  readonly argnums?: N | undefined
  readonly hasAux?: Aux | undefined
}

const gradOptions: OptionNames<GradOptions<Argnums, boolean>> = { argnums: 'own', hasAux: 'boolean' }

/** UsageError where `f` is no function or the options are not those of a derivative. */
export const demandDerivative = (caller: string, f: unknown, options: unknown): void => {
  demandFunction(caller, 'the first argument', f)
  demandRecord(caller, gradOptions, options)
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
  const pulled = linearMap(f, selection)
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
  const checked = gradients.map((g, i) =>
    checkedAs(`the gradient of ${selection.paths[i]}`, g, (check) => noteSite(check)),
  )
  return [value, selection.picked(checked)]
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
export function grad(f: Fn, options: GradOptions<Argnums, boolean> = {}): (...args: unknown[]) => unknown {
  demandDerivative('grad', f, options)
  const { argnums = 0, hasAux = false } = options
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
export function valueAndGrad(f: Fn, options: GradOptions<Argnums, boolean> = {}): (...args: unknown[]) => unknown {
  demandDerivative('valueAndGrad', f, options)
  const { argnums = 0, hasAux = false } = options
  return (...args) => differentiate('valueAndGrad', f, args, argnums, hasAux)
}
