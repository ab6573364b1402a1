/**
 * Parallel Jacobi rotations by a team. Each round pairs all lines, so that its rotations are independent; a tournament
 * of size - 1 rounds pairs each line with every other (Brent and Luk 1985). Also the sorting and the signs of the
 * results.
 */
import { jacobiSize, jacobiSweeps } from '../../passes/loop/from-graph/routine-nodes.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { hold, type Tensors } from './dispatch.ts'
import { accumulated, type Computed, type Elements, loop } from './team.ts'

/** Runs `body` for every round of every sweep over `n` lines; `pair` returns the two lines p < q of pair i. */
export const rounds = (
  t: Tensors,
  n: number,
  body: (
    pair: (i: KExpr) => { readonly p: KExpr; readonly q: KExpr; readonly statements: readonly KStmt[] },
  ) => readonly KStmt[],
): KStmt => {
  const last = jacobiSize(n) - 1
  return loop(t, k.u32(0), k.u32(jacobiSweeps(n)), () => [
    loop(t, k.u32(0), k.u32(last), (round) =>
      body((i) => {
        const isFirst = k.eq(i, k.u32(0))
        const a = hold(t, k.select(isFirst, k.u32(last), k.rem(k.add(round, i), k.u32(last))))
        const b = hold(t, k.rem(k.sub(k.add(round, k.u32(last)), i), k.u32(last)))
        const [p, q] = [hold(t, k.min(a.value, b.value)), hold(t, k.max(a.value, b.value))]
        return { p: p.value, q: q.value, statements: [a, b, p, q].map((h) => h.statement) }
      }),
    ),
  ])
}

/** Cosine and sine of the rotation that annihilates the off-diagonal of [[p, r], [r, q]]; the identity where `skip`. */
export const rotation = (
  t: Tensors,
  p: KExpr,
  q: KExpr,
  r: KExpr,
  skip: KExpr,
): { readonly c: KExpr; readonly s: KExpr; readonly statements: readonly KStmt[] } => {
  const one = k.lit(1)
  const theta = hold(t, k.div(k.sub(q, p), k.mul(k.lit(2), k.select(skip, one, r))))
  const size = k.unary('abs', theta.value)
  // Beyond 1e9 the square would add nothing but could overflow.
  const root = k.select(k.lt(k.lit(1e9), size), size, k.unary('sqrt', k.add(one, k.mul(theta.value, theta.value))))
  const small = k.div(k.select(k.lt(theta.value, k.lit(0)), k.lit(-1), one), k.add(size, root))
  const tangent = hold(t, k.select(skip, k.lit(0), small))
  const c = hold(t, k.div(one, k.unary('sqrt', k.add(one, k.mul(tangent.value, tangent.value)))))
  const s = hold(t, k.mul(tangent.value, c.value))
  return { c: c.value, s: s.value, statements: [theta, tangent, c, s].map((h) => h.statement) }
}

/** Rotates the elements `x` and `y` of two lines. */
export const turned = (x: KExpr, y: KExpr, c: KExpr, s: KExpr): readonly [KExpr, KExpr] => [
  k.sub(k.mul(c, x), k.mul(s, y)),
  k.add(k.mul(s, x), k.mul(c, y)),
]

/** The rank of element i among `n`: stable, NaN last. */
export const rankOf = (t: Tensors, n: number, value: (i: KExpr) => KExpr, before: typeof k.lt, i: KExpr): Computed => {
  const own = hold(t, value(i))
  const isOwnNan = hold(t, k.unary('isNan', own.value))
  const rank = accumulated(t, k.u32(0), k.u32(0), k.u32(n), (sum, j) => {
    const other = value(j)
    const isNan = k.unary('isNan', other)
    const isTie = k.or(k.and(isNan, isOwnNan.value), k.eq(other, own.value))
    const precedes = k.or(k.and(isTie, k.lt(j, i)), k.or(before(other, own.value), k.and(isOwnNan.value, k.not(isNan))))
    return k.add(sum, k.select(precedes, k.u32(1), k.u32(0)))
  })
  return { value: rank.value, statements: [own.statement, isOwnNan.statement, ...rank.statements] }
}

/** The sign of the first element of largest magnitude in column j: -1 or 1. */
export const signOfColumn = (t: Tensors, v: Elements, n: number, j: KExpr): Computed => {
  const best = accumulated(t, k.lit(0), k.u32(0), k.u32(n), (top, i) =>
    k.select(k.lt(k.unary('abs', top), k.unary('abs', v.load(i, j))), v.load(i, j), top),
  )
  const sign = hold(t, k.select(k.lt(best.value, k.lit(0)), k.lit(-1), k.lit(1)))
  return { value: sign.value, statements: [...best.statements, sign.statement] }
}
