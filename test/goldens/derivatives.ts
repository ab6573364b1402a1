/** The derivative cases: s-expressions over the op table, and hvp, jvp, Jacobian, Hessian and gradient penalty of them. */
import { grad, valueAndGrad } from '../../passes/graph/gradient.ts'
import { jvp, vjp } from '../../passes/graph/products.ts'
import * as T from '../../src/lang/tensor/index.ts'
import { isTensor } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types.ts'
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

/** The gradient of a scalar `f` with respect to all its arguments. */
const gradientOf = (f: Differentiable, arity: number): ((...xs: readonly Tensor[]) => readonly Tensor[]) => {
  const argnums = Array.from({ length: arity }, (_, i) => i)
  return grad(f, { argnums }) as unknown as (...xs: readonly Tensor[]) => readonly Tensor[]
}

/** Row k of the identity of `shape`'s elements, in that shape. */
const unit = (shape: readonly number[], k: number): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return T.fromArray(
    Array.from({ length: size }, (_, i) => (i === k ? 1 : 0)),
    shape,
    { dtype: 'f32' },
  )
}

/** d f_o / d x_i for every output o: one pullback a row. Shape f.shape + x.shape. */
const jacobian = (f: (...xs: readonly Tensor[]) => Tensor, at: readonly Tensor[]): readonly Tensor[] => {
  const [y, pull] = vjp(f, ...at)
  const shape = y.shape
  const size = shape.reduce((a, b) => a * b, 1)
  const rows = Array.from({ length: size }, (_, k) => pull(unit(shape, k)))
  return at.map((x, i) =>
    size === 0
      ? T.zeros([...shape, ...x.shape])
      : (T.reshape(T.stack(rows.map((r) => r[i]!)), [...shape, ...x.shape]) as Tensor),
  )
}

const penaltyOf = (f: Differentiable, arity: number): Differentiable => {
  const g = gradientOf(f, arity)
  return (...xs) =>
    g(...xs)
      .map((d) => T.sum(T.square(d)) as Tensor)
      .reduce((a, b) => T.add(a, b) as Tensor)
}

/** The five kinds of derivatives.json, outputs in its order. */
export const derivativeOps: Readonly<Record<string, (c: DerivativeCall) => readonly Tensor[]>> = {
  hvp: (c) => {
    const { f, at, v } = functionOf(c)
    const [, product] = jvp(gradientOf(f, at.length), at, v)
    return [f(...at), ...product]
  },
  jvp: (c) => {
    const { f, at, v } = functionOf(c)
    return jvp(f, at, v)
  },
  jacobian: (c) => {
    const { f, at } = functionOf(c)
    return jacobian(f, at)
  },
  hessian: (c) => {
    const { f, at } = functionOf(c)
    const g = gradientOf(f, at.length)
    return at.flatMap((_, i) => jacobian((...xs) => g(...xs)[i]!, at))
  },
  grad_of_grad_norm: (c) => {
    const { f, at } = functionOf(c)
    const argnums = at.map((_, i) => i)
    const [p, d] = valueAndGrad(penaltyOf(f, at.length), { argnums })(...at)
    return [p, ...(d as unknown as readonly Tensor[])]
  },
}
