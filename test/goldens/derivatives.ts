/** The derivative cases: s-expressions over the op table, and hvp, jvp, Jacobian, Hessian and gradient penalty of them. */
import { grad, valueAndGrad } from '../../passes/transform/gradient.ts'
import { hessian, jacfwd } from '../../passes/transform/jacobian.ts'
import { hvp, jvp } from '../../passes/transform/jacobian-products.ts'
import * as T from '../../src/lang/tensor/index.ts'
import { isTensor } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { apply } from './table.ts'

/** A derivative case's inputs and attributes (`expr`, `wrt`, `v`). */
export interface DerivativeCall {
  readonly names: readonly string[]
  readonly xs: readonly Tensor[]
  readonly attrs: Readonly<Record<string, unknown>>
}

type Env = ReadonlyMap<string, Tensor>
type Scalar = Tensor | number

/** What the inputs of ops that go by name are called when an expression lists them. */
const named: Readonly<Record<string, readonly string[]>> = {
  conv1d: ['x', 'weight', 'bias'],
  conv2d: ['x', 'weight', 'bias'],
  layer_norm: ['x', 'weight', 'bias'],
  cross_entropy: ['x', 'target'],
}

const isAttrs = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

/** The arithmetic that takes numbers too. */
const arithmetic: Readonly<Record<string, (a: Scalar, b: Scalar) => unknown>> = {
  add: T.add,
  sub: T.sub,
  mul: T.mul,
  div: T.div,
  pow: T.pow,
}

/** `["op", arg, …, {attrs}?] | "input" | number`. */
const evaluateExpression = (e: unknown, env: Env): Scalar => {
  if (typeof e === 'number') return e
  if (typeof e === 'string') {
    const x = env.get(e)
    if (x === undefined) throw new Error(`goldens: no input ${e} in the expression`)
    return x
  }
  if (!Array.isArray(e) || typeof e[0] !== 'string') throw new Error(`goldens: ${JSON.stringify(e)} is no expression`)
  const [op, ...rest] = e as unknown as readonly [string, ...unknown[]]
  const attrs = isAttrs(rest.at(-1)) ? (rest.at(-1) as Readonly<Record<string, unknown>>) : {}
  const args = rest.filter((x) => !isAttrs(x)).map((x) => evaluateExpression(x, env))
  const plain = arithmetic[op]
  if (plain) return plain(args[0]!, args[1]!) as Tensor
  const xs = args.map((x) => {
    if (isTensor(x)) return x
    throw new Error(`goldens: ${op} takes tensors, not ${String(x)}`)
  })
  return apply({ op, xs, names: named[op] ?? xs.map((_, i) => `x${i}`), attrs })[0]!
}

type Differentiable = (...xs: readonly Tensor[]) => Tensor

const functionOf = ({
  names,
  xs,
  attrs,
}: DerivativeCall): { f: Differentiable; at: readonly Tensor[]; v: readonly Tensor[] } => {
  const env = new Map(names.map((n, i) => [n, xs[i]!]))
  const wrt = attrs['wrt'] as readonly string[]
  const pick = (which: readonly string[]): readonly Tensor[] => which.map((n) => env.get(n)!)
  return {
    f: (...moved) => {
      const y = evaluateExpression(attrs['expr'], new Map([...env, ...wrt.map((n, i) => [n, moved[i]!] as const)]))
      if (isTensor(y)) return y
      throw new Error('goldens: the expression is a number')
    },
    at: pick(wrt),
    v: pick((attrs['v'] ?? []) as readonly string[]),
  }
}

/** Options that name all of `xs`. */
const every = (xs: readonly Tensor[]): { readonly argnums: readonly number[] } => ({ argnums: xs.map((_, i) => i) })

const penaltyOf = (f: Differentiable): Differentiable => {
  return (...xs) =>
    (grad(f, every(xs))(...xs) as unknown as readonly Tensor[])
      .map((d) => T.sum(T.square(d)) as Tensor)
      .reduce((a, b) => T.add(a, b) as Tensor)
}

/** The five kinds of derivatives.json, outputs in its order. */
export const derivativeOps: Readonly<Record<string, (c: DerivativeCall) => readonly Tensor[]>> = {
  hvp: (c) => {
    const { f, at, v } = functionOf(c)
    return [f(...at), ...hvp(f, at, v)]
  },
  jvp: (c) => {
    const { f, at, v } = functionOf(c)
    return jvp(f, at, v)
  },
  jacobian: (c) => {
    const { f, at } = functionOf(c)
    return jacfwd(f, every(at))(...at) as unknown as readonly Tensor[]
  },
  hessian: (c) => {
    const { f, at } = functionOf(c)
    return (hessian(f, every(at))(...at) as unknown as readonly (readonly Tensor[])[]).flat()
  },
  grad_of_grad_norm: (c) => {
    const { f, at } = functionOf(c)
    const [p, d] = valueAndGrad(penaltyOf(f), every(at))(...at)
    return [p, ...(d as unknown as readonly Tensor[])]
  },
}
