/**
 * Products with the Jacobian of a function, without the Jacobian: `jvp` and `linearize` (J·v), `vjp` (Jᵀ·ct) and `hvp`
 * (the Hessian times v).
 */
import { build, typeOf } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { raise } from '../../src/lang/errors.ts'
import type { Node } from '../../src/lang/ir.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'
import { demandFunction, demandList, demandRecord, type OptionNames } from '../../src/lang/tensor/arguments.ts'
import { substitute } from '../../src/lang/trace.ts'
import { flattenTree, isRecord, isTensor, type TreeShape, unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'
import { select } from './argnums.ts'
import { headOf } from './has-aux.ts'
import { jvpGraph } from './jvp.ts'
import {
  type Fn,
  isIll,
  linearMap,
  matching,
  poisoned,
  requireScalar,
  resultOnIll,
  traceSelected,
  zeros,
} from './linear-map.ts'

const everyIndex = (args: readonly unknown[]): readonly number[] => args.map((_, i) => i)

/** UsageError unless `f` is a function and the others are lists of its arguments. */
const demandLists = (caller: string, f: unknown, primals: readonly unknown[], tangents: readonly unknown[]): void => {
  demandFunction(caller, 'the first argument', f)
  demandList(caller, primals, 'primals', `${caller}(f, [x], [t])`)
  demandList(caller, tangents, 'tangents', `${caller}(f, [x], [t])`)
}

/** With it f gives `[value, aux]`: the value alone is differentiated, aux handed on. */
export interface AuxOptions {
  readonly hasAux: true
}

const auxOptions: OptionNames<{ readonly hasAux?: boolean }> = { hasAux: 'boolean' }

/** The primals, and whether a record of options stands behind them: no tree of tensors has a boolean or a word for a leaf. */
const withoutOptions = (
  caller: string,
  primals: readonly unknown[],
): readonly [primals: readonly unknown[], hasAux: boolean] => {
  const last = primals.at(-1)
  if (!isRecord(last) || !('hasAux' in last) || typeof last['hasAux'] === 'object') return [primals, false]
  demandRecord(caller, auxOptions, last)
  return [primals.slice(0, -1), last['hasAux'] === true]
}

/** What stands beside the value, in a list to be spread; nothing without `hasAux`. */
const auxOf = (shape: TreeShape, outputs: readonly Node[], hasAux: boolean): readonly unknown[] =>
  hasAux ? [(unflattenTree(shape, outputs) as readonly unknown[])[1]] : []

/**
 * The value of `f` at `primals` and its pullback: a function from a cotangent (a tree like the value) to the cotangents
 * of all arguments. Arguments are trees of tensors; integer and bool leaves get zeros of their own dtype. With `{ hasAux:
 * true }` as the last argument f gives `[value, aux]`, and aux follows the pullback. UsageError for a cotangent of another
 * structure or type.
 * @example
 * const [y, pull] = T.vjp(T.square, T.tensor([1.5, -2]))
 * T.reference([y, pull(T.tensor([1, 0.5]))[0]]).map((t) => t.data) // => [[2.25, 4], [3, -2]]
 * const [, , aux] = T.vjp((x: T.Tensor) => [T.sum(x), T.square(x)] as const, T.tensor([1.5, -2]), { hasAux: true })
 * T.reference(aux).data // => [2.25, 4]
 */
export function vjp<A extends readonly unknown[], R, X>(
  f: (...args: A) => readonly [R, X],
  ...primals: readonly [...A, AuxOptions]
): readonly [R, (cotangent: R) => A, X]
export function vjp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): readonly [R, (cotangent: R) => A]
export function vjp(f: Fn, ...given: readonly unknown[]): readonly unknown[] {
  demandFunction('vjp', 'the first argument', f)
  const [primals, hasAux] = withoutOptions('vjp', given)
  const selection = select('vjp', primals, everyIndex(primals))
  const pulled = linearMap(f, selection)
  const head = headOf('vjp', pulled.result, hasAux)
  return [
    unflattenTree(head.shape, pulled.outputs),
    (cotangent: unknown) => {
      const cts = matching('vjp', 'cotangent', cotangent, head, pulled.outputs)
      const float = pulled.outputs.map((n, i) => {
        const ct = cts[i]
        return ct && (isIll(n) || isIll(ct) || isFloat(typeOf(ct).dtype)) ? ct : undefined
      })
      return selection.picked(pulled.pull(float))
    },
    ...auxOf(pulled.result.shape, pulled.outputs, hasAux),
  ]
}

/**
 * Forward mode: `[f(primals), J·tangents]`, both trees like f's result. `tangents` has the structure and types of
 * `primals`; those of integer and bool leaves are not looked at, and such outputs get zeros. With `hasAux`, f gives
 * `[value, aux]` and the result is `[value, tangent, aux]`. UsageError where they differ.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.square(x)
 * T.reference(T.jvp(f, [T.tensor([1.5, -2])], [T.tensor([1, 0.5])])).map((t) => t.data) // => [[2.25, 4], [3, -2]]
 */
export function jvp<A extends readonly unknown[], R, X>(
  f: (...args: A) => readonly [R, X],
  primals: readonly [...A],
  tangents: readonly [...A],
  options: AuxOptions,
): readonly [R, R, X]
export function jvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: readonly [...A],
  tangents: readonly [...A],
): readonly [R, R]
export function jvp(
  f: Fn,
  primals: readonly unknown[],
  tangents: readonly unknown[],
  options: { readonly hasAux?: boolean } = {},
): readonly unknown[] {
  demandLists('jvp', f, primals, tangents)
  demandRecord('jvp', auxOptions, options)
  const { hasAux = false } = options
  const selection = select('jvp', primals, everyIndex(primals))
  const flat = flattenTree<Tensor>(primals, isTensor)
  const given = matching('jvp', 'tangent', tangents, flat, selection.leaves)
  const ill = [...selection.leaves, ...given].find(isIll)
  if (ill !== undefined) {
    const result = resultOnIll(f, selection)
    const head = headOf('jvp', result, hasAux)
    const wrong = head.leaves.map(() => poisoned(ill))
    const outputs = result.leaves.map(nodeOf)
    return [
      unflattenTree(head.shape, outputs),
      unflattenTree(head.shape, wrong),
      ...auxOf(result.shape, outputs, hasAux),
    ]
  }
  const { result, inputs, graph } = traceSelected(f, selection)
  const head = headOf('jvp', result, hasAux)
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
    unflattenTree(head.shape, placed),
    unflattenTree(head.shape, placed.slice(out.length)),
    ...auxOf(result.shape, placed, hasAux),
  ]
}

/**
 * The value of `f` at `primals` and its linear part there: a function from tangents, one an argument, to the tangent of
 * the result, as `jvp` gives it. `f` is traced once, however often the linear part is used. `{ hasAux: true }` as in `vjp`.
 * UsageError as in `jvp`.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.square(x)
 * const [, push] = T.linearize(f, T.tensor([1.5, -2]))
 * T.reference([push(T.tensor([1, 0.5])), push(T.tensor([0, 0.5]))]).map((t) => t.data) // => [[3, -2], [0, -2]]
 */
export function linearize<A extends readonly unknown[], R, X>(
  f: (...args: A) => readonly [R, X],
  ...primals: readonly [...A, AuxOptions]
): readonly [R, (...tangents: A) => R, X]
export function linearize<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): readonly [R, (...tangents: A) => R]
export function linearize(f: Fn, ...all: readonly unknown[]): readonly unknown[] {
  demandFunction('linearize', 'the first argument', f)
  const [primals, hasAux] = withoutOptions('linearize', all)
  const selection = select('linearize', primals, everyIndex(primals))
  const flat = flattenTree<Tensor>(primals, isTensor)
  const map = linearMap(f, selection, 'forward')
  const head = headOf('linearize', map.result, hasAux)
  return [
    unflattenTree(head.shape, map.outputs),
    (...tangents: readonly unknown[]) => {
      const given = matching('linearize', 'tangent', tangents, flat, selection.leaves)
      return unflattenTree(head.shape, map.push(given))
    },
    ...auxOf(map.result.shape, map.outputs, hasAux),
  ]
}

/**
 * The Hessian of a scalar function times a vector, forward over reverse: what `jvp` of the gradient gives, a list like
 * `primals`. Costs about what a few evaluations of `f` cost, whatever the size of the Hessian. UsageError when `f` is no
 * float scalar, or as in `jvp`.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.prod(T.square(x))
 * T.reference(T.hvp(f, [T.tensor([1.5, -2])], [T.tensor([1, 0.5])])).map((t) => t.data) // => [[2, -9.75]]
 */
export const hvp = <A extends readonly unknown[]>(
  f: (...args: A) => Tensor,
  primals: readonly [...A],
  tangents: readonly [...A],
): A => {
  demandLists('hvp', f, primals, tangents)
  const gradient = (...xs: A): A => {
    const map = linearMap(f as unknown as Fn, select('hvp', xs, everyIndex(xs)))
    if (map.result.shape !== 0)
      raise({
        tag: 'UsageError',
        message: 'hvp: the function must return one scalar tensor',
        hint: 'a Hessian is that of one loss: leave other results out',
      })
    const loss = map.outputs[0]!
    requireScalar('hvp', loss)
    const seed = isIll(loss) ? loss : fill(build, typeOf(loss), 1)
    return select('hvp', xs, everyIndex(xs)).picked(map.pull([seed])) as A
  }
  return jvp(gradient, primals, tangents)[1]
}
