/** How random graphs loop and branch: small bodies over what the pool holds, captures from outside included. */
import { build as b, typeOf } from '../../lang/build.ts'
import { isFloat } from '../../lang/dtype.ts'
import type { Node } from '../../lang/ir.ts'
import {
  add,
  cond,
  foriLoop,
  less,
  matmul,
  mul,
  neg,
  scan,
  sin,
  sub,
  sum,
  switch as switchBranch,
  tanh,
  whileLoop,
} from '../../lang/tensor/index.ts'
import { nodeOf, type Tensor, tensorOf } from '../../lang/types/tensor.ts'
import type { Workshop } from '../workshop.ts'
import type { Maker } from './pointwise.ts'

const asTensor = (n: Node): Tensor => tensorOf(n)

/** One of several results, the others sometimes offered. */
const oneOf = (w: Workshop, results: readonly Tensor[]): Node => {
  const nodes = results.map(nodeOf)
  for (const n of nodes) w.add(n)
  const chosen = w.dice.pick(nodes)
  for (const n of nodes) if (n !== chosen && w.dice.chance(0.5)) w.offer(n)
  return chosen
}

/** A recurrence over the slices of a tensor, its weights captured from outside: what recurrent networks are. */
const scanMaker: Maker = (w) => {
  const xs = w.take((t) => isFloat(t.dtype) && t.shape.length > 0 && t.shape[0]! > 0 && t.shape[0]! <= 9)
  if (!xs) return undefined
  const { shape, dtype } = typeOf(xs)
  const [init, weight] = [w.like({ shape: shape.slice(1), dtype }), w.like({ shape: shape.slice(1), dtype })]
  const square = shape.length === 3 && shape[1] === shape[2] && w.dice.chance(0.7)
  const captured = asTensor(weight)
  const [inner, isUneven] = [w.dice.int(1, 4), w.dice.chance(0.5)]
  const turn = w.dice.pick<(c: Tensor, x: Tensor) => readonly [Tensor, Tensor]>([
    (c, x) => [tanh(add(mul(c, 0.5), mul(x, captured))), sin(c)],
    (c, x) => [add(c, sin(x)), mul(c, sum(x))],
    (c, x) => {
      const next = square ? tanh(matmul(c, captured) as Tensor) : sub(x, mul(c, captured))
      return [next, next]
    },
    // A loop in a loop, which uses the turn's slice.
    (c, x) => [
      foriLoop(0, inner, (i, a: Tensor) => tanh(add(mul(a, 0.5), mul(x, add(i, 1)))), c),
      isUneven ? captured : x,
    ],
    // What is stacked is not what is carried on; the carry may not change at all.
    (c, x) => [
      isUneven ? c : neg(c),
      w.options.branches
        ? cond(
            less(sum(x), 0),
            (a: Tensor) => mul(a, 0.5),
            (a: Tensor) => sin(a),
            x,
          )
        : mul(x, 0.5),
    ],
  ])
  const [last, stacked] = scan((c: Tensor, x) => turn(c, x as Tensor), asTensor(init), asTensor(xs), {
    reverse: w.dice.chance(0.4),
  })
  return oneOf(w, [last, stacked as Tensor])
}

/** Two carries that change places, counted by a third: which place holds which must not matter. */
const swapMaker: Maker = (w) => {
  const x = w.take((t) => isFloat(t.dtype))
  if (!x) return undefined
  const y = w.like(typeOf(x))
  const [[a, c, n]] = scan(
    ([p, q, i]: readonly [Tensor, Tensor, Tensor]) => [[q, mul(sub(p, i), 0.5), add(i, 1)] as const, []] as const,
    [asTensor(x), asTensor(y), asTensor(b.const([], { shape: [], dtype: 'i32', values: [0] }))] as const,
    [] as const,
    { length: w.dice.int(1, 6) },
  )
  return oneOf(w, [a, c, n])
}

/** A loop that ends after a number of turns that the values do not decide: samples stay comparable. */
const whileMaker = (w: Workshop, isBounded: boolean): Node | undefined => {
  const x = w.take((t) => isFloat(t.dtype))
  if (!x) return undefined
  const y = w.like(typeOf(x))
  const turns = w.dice.int(0, 5)
  const turn = w.dice.pick<(c: Tensor) => Tensor>([
    (c) => tanh(add(mul(c, 0.5), asTensor(y))),
    (c) => foriLoop(0, 2, (_, a: Tensor) => sin(add(a, asTensor(y))), c),
  ])
  const zero = asTensor(b.const([], { shape: [], dtype: 'i32', values: [0] }))
  const [, last] = whileLoop(
    ([i]: readonly [Tensor, Tensor]) => less(i, turns),
    ([i, c]) => [add(i, 1), turn(c)] as const,
    [zero, asTensor(x)] as readonly [Tensor, Tensor],
    isBounded ? { maxIterations: turns + w.dice.int(0, 2) } : { chunk: w.dice.int(1, 3) },
  )
  return oneOf(w, [last])
}

const condMaker: Maker = (w) => {
  const x = w.take((t) => isFloat(t.dtype))
  if (!x) return undefined
  const y = w.like(typeOf(x))
  const index = w.take((t) => t.dtype === 'i32' && t.shape.length === 0) ?? w.fresh({ shape: [], dtype: 'i32' })
  const branches = w.dice.shuffle([
    (a: Tensor, c: Tensor) => mul(a, sin(c)),
    (a: Tensor, _c: Tensor) => tanh(a),
    (a: Tensor, c: Tensor) => sub(c, a),
  ])
  return oneOf(w, [switchBranch(asTensor(index), branches.slice(0, w.dice.int(1, 3)), asTensor(x), asTensor(y))])
}

/** One maker for every op that holds graphs of its own and stays a node until it is lowered. */
export const controlMakers: { readonly [K in 'scan' | 'while' | 'cond']: Maker } = {
  scan: (w) => (w.dice.chance(0.2) ? swapMaker(w) : scanMaker(w)),
  while: (w) => whileMaker(w, false),
  // A loop with a bound is a scan of branches.
  cond: (w) => (w.dice.chance(0.3) ? whileMaker(w, true) : condMaker(w)),
}
