/** Householder reflections by a team (LAPACK's geqr2 and org2r), with columns distributed over its threads. */
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { hold, type Tensors } from './dispatch.ts'
import { accumulated, type Computed, type Elements, loop, type Team } from './team.ts'

const one = k.u32(1)
const isZero = (e: KExpr): KExpr => k.eq(e, k.lit(0))

/** The largest magnitude below element (c, c), computed redundantly by every thread. */
const largestBelow = (t: Tensors, a: Elements, rows: number, c: KExpr): Computed =>
  accumulated(t, k.lit(0), k.add(c, one), k.u32(rows), (m, i) => k.max(m, k.unary('abs', a.load(i, c))))

/** 2 / vᵀv for the reflector below element (c, c), 0 for the identity; computed redundantly by every thread. */
const weight = (t: Tensors, a: Elements, rows: number, c: KExpr): Computed => {
  const sum = accumulated(t, k.lit(0), k.add(c, one), k.u32(rows), (s, i) =>
    k.add(s, k.mul(a.load(i, c), a.load(i, c))),
  )
  // The square of a small number may underflow to 0.
  const largest = largestBelow(t, a, rows, c)
  const tau = hold(t, k.select(isZero(largest.value), k.lit(0), k.div(k.lit(2), k.add(k.lit(1), sum.value))))
  return { value: tau.value, statements: [...sum.statements, ...largest.statements, tau.statement] }
}

/** Applies the reflector of column c to the trailing columns. */
const reflect = (t: Tensors, team: Team, a: Elements, rows: number, columns: number, c: KExpr, tau: KExpr): KStmt =>
  team.share(k.add(c, one), columns, (j) => {
    const sum = accumulated(t, a.load(c, j), k.add(c, one), k.u32(rows), (s, i) =>
      k.add(s, k.mul(a.load(i, c), a.load(i, j))),
    )
    const by = hold(t, k.mul(tau, sum.value))
    return [
      ...sum.statements,
      by.statement,
      a.store(c, j, k.sub(a.load(c, j), by.value)),
      loop(t, k.add(c, one), k.u32(rows), (i) => [a.store(i, j, k.sub(a.load(i, j), k.mul(by.value, a.load(i, c))))]),
    ]
  })

/**
 * Factorises: R on and above the diagonal of the first `columns` columns, reflectors below. Barriers before and after.
 */
export const factorise = (t: Tensors, team: Team, a: Elements, rows: number, columns: number): readonly KStmt[] => [
  loop(t, k.u32(0), k.u32(columns), (c) => {
    const below = k.add(c, one)
    const largest = largestBelow(t, a, rows, c)
    const first = hold(t, a.load(c, c))
    const top = hold(t, k.max(largest.value, k.unary('abs', first.value)))
    const isDone = hold(t, isZero(largest.value))
    const unit = k.select(isDone.value, k.lit(1), top.value)
    const part = (e: KExpr): KExpr => k.div(e, unit)
    const start = k.mul(part(first.value), part(first.value))
    const squares = accumulated(t, start, below, k.u32(rows), (s, i) =>
      k.add(s, k.mul(part(a.load(i, c)), part(a.load(i, c)))),
    )
    const norm = k.mul(unit, k.unary('sqrt', squares.value))
    const beta = hold(t, k.select(isDone.value, first.value, k.select(k.lt(first.value, k.lit(0)), norm, k.neg(norm))))
    const divisor = hold(t, k.select(isDone.value, k.lit(1), k.sub(first.value, beta.value)))
    const tau = weight(t, a, rows, c)
    return [
      ...largest.statements,
      first.statement,
      top.statement,
      isDone.statement,
      ...squares.statements,
      beta.statement,
      divisor.statement,
      ...team.meet,
      team.share(c, rows, (i) => [
        k.ifStmt(k.eq(i, c), [a.store(i, c, beta.value)], [a.store(i, c, k.div(a.load(i, c), divisor.value))]),
      ]),
      ...team.meet,
      ...tau.statements,
      reflect(t, team, a, rows, columns, c, tau.value),
      ...team.meet,
    ]
  }),
]

/** Q, `rows` × `columns`, formed in place of the `reflectors` in its first columns. Barriers before and after. */
export const formQ = (
  t: Tensors,
  team: Team,
  a: Elements,
  rows: number,
  columns: number,
  reflectors: number,
): readonly KStmt[] => [
  ...(columns > reflectors
    ? [
        team.share(k.u32(0), rows, (i) => [
          loop(t, k.u32(reflectors), k.u32(columns), (j) => [a.store(i, j, k.select(k.eq(i, j), k.lit(1), k.lit(0)))]),
        ]),
        ...team.meet,
      ]
    : []),
  loop(t, k.u32(0), k.u32(reflectors), (s) => {
    const c = k.sub(k.u32(reflectors - 1), s)
    const tau = weight(t, a, rows, c)
    return [
      ...tau.statements,
      reflect(t, team, a, rows, columns, c, tau.value),
      ...team.meet,
      team.share(k.u32(0), rows, (i) => {
        const below = k.neg(k.mul(tau.value, a.load(i, c)))
        return [
          k.ifStmt(
            k.lt(i, c),
            [a.store(i, c, k.lit(0))],
            [k.ifStmt(k.eq(i, c), [a.store(i, c, k.sub(k.lit(1), tau.value))], [a.store(i, c, below)])],
          ),
        ]
      }),
      ...team.meet,
    ]
  }),
]
