/**
 * Products with the Jacobian of a function, without the Jacobian: `jvp` and `linearize` (J·v), `vjp` (Jᵀ·ct) and `hvp`
 * (the Hessian times v).
 */
import { build, typeOf } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { raise } from '../../src/lang/errors.ts'
import { fill } from '../../src/lang/ops/fill.ts'
import { demandFunction, demandList } from '../../src/lang/tensor/arguments.ts'
import { substitute } from '../../src/lang/trace.ts'
import { flattenTree, isTensor, unflattenTree } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types.ts'
import { select } from './argnums.ts'
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
  demandFunction('vjp', 'the first argument', f)
  const selection = select('vjp', primals, everyIndex(primals))
  const pulled = linearMap(f as unknown as Fn, selection)
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
  demandLists('jvp', f, primals, tangents)
  const selection = select('jvp', primals, everyIndex(primals))
  const flat = flattenTree<Tensor>(primals, isTensor)
  const given = matching('jvp', 'tangent', tangents, flat, selection.leaves)
  const ill = [...selection.leaves, ...given].find(isIll)
  if (ill !== undefined) {
    const result = resultOnIll(f as unknown as Fn, selection)
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

/**
 * The value of `f` at `primals` and its linear part there: a function from tangents, one an argument, to the tangent of
 * the result, as `jvp` gives it. `f` is traced once, however often the linear part is used. UsageError as in `jvp`.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.square(x)
 * const [, push] = T.linearize(f, T.tensor([1.5, -2]))
 * T.reference([push(T.tensor([1, 0.5])), push(T.tensor([0, 0.5]))]).map((t) => t.data) // => [[3, -2], [0, -2]]
 */
export const linearize = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): readonly [R, (...tangents: A) => R] => {
  demandFunction('linearize', 'the first argument', f)
  const selection = select('linearize', primals, everyIndex(primals))
  const flat = flattenTree<Tensor>(primals, isTensor)
  const map = linearMap(f as unknown as Fn, selection, 'forward')
  return [
    unflattenTree(map.result.shape, map.outputs) as R,
    (...tangents) => {
      const given = matching('linearize', 'tangent', tangents, flat, selection.leaves)
      return unflattenTree(map.result.shape, map.push(given)) as R
    },
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
