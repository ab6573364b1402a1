/**
 * Kernels over batches of matrices. A team works on one matrix: a single thread under a serial schedule, a workgroup
 * under a cooperative one. The author of a routine distributes loops over the team and places barriers; everything else
 * is computed redundantly by every thread.
 */
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { Profile } from '../../passes/profile.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { perThread, type RoutineDispatch, type Tensors } from './dispatch.ts'

/** The team that works on matrix `matrix`. */
export interface Team {
  readonly matrix: KExpr
  /** A parallel loop: `body` for every number in [from, to), each executed by one thread. */
  readonly share: (from: KExpr, to: number, body: (i: KExpr) => readonly KStmt[]) => KStmt
  /** A barrier: stores before it are visible to the team after it. */
  readonly meet: readonly KStmt[]
}

/** Up to this size, a matrix has work for one thread only. */
const smallest = 4

/** Runs `body` for each of `matrices` matrices, whose parallel loops have about `width` iterations. */
export const perMatrix = (
  matrices: number,
  width: number,
  profile: Profile,
  body: (t: Tensors, team: Team) => readonly KStmt[],
): Pick<RoutineDispatch, 'workgroups' | 'workgroupSize' | 'body'> => {
  if (profile.schedule !== 'cooperative' || width <= smallest)
    return perThread(matrices, profile, (t, matrix) =>
      body(t, { matrix, share: (from, to, each) => loop(t, from, k.u32(to), each), meet: [] }),
    )
  let workgroupSize = Math.min(32, profile.workgroupThreads)
  while (workgroupSize < width && workgroupSize * 2 <= profile.workgroupThreads) workgroupSize *= 2
  return {
    workgroupSize,
    workgroups: matrices,
    body: (t) => {
      const matrix = k.ref(t.name('matrix'))
      const share: Team['share'] = (from, to, each) =>
        isEmpty(from, k.u32(to))
          ? loop(t, from, k.u32(to), each)
          : loop(t, k.add(k.builtin('localIndex'), from), k.u32(to), each, workgroupSize)
      return [
        k.letStmt(nameOf(matrix), k.builtin('gridIndex')),
        k.ifStmt(k.lt(matrix, k.u32(matrices)), body(t, { matrix, share, meet: [k.barrier] })),
      ]
    },
  }
}

const nameOf = (e: KExpr): string => (e.kind === 'ref' ? e.name : '')

const isEmpty = (from: KExpr, to: KExpr): boolean => (k.constantOf(from) ?? 0) >= (k.constantOf(to) ?? 1)

/** A value and the statements that compute it. */
export interface Computed {
  readonly value: KExpr
  readonly statements: readonly KStmt[]
}

/** A sequential loop: `body` for every number in [from, to). */
export const loop = (t: Tensors, from: KExpr, to: KExpr, body: (i: KExpr) => readonly KStmt[], step = 1): KStmt => {
  const i = k.ref(t.name('at'))
  // An empty loop is not emitted: its body may refer to elements that do not exist.
  return k.forStmt(nameOf(i), from, to, step, isEmpty(from, to) ? [] : body(i))
}

/** A left fold: a variable that starts as `first` and is updated by `next` for each number in [from, to). */
export const accumulated = (
  t: Tensors,
  first: KExpr,
  from: KExpr,
  to: KExpr,
  next: (sofar: KExpr, i: KExpr) => KExpr,
): Computed => {
  const value = k.ref(t.name('total'), first.type)
  return {
    value,
    statements: [
      k.varStmt(nameOf(value), value.type, first),
      loop(t, from, to, (i) => [k.assign(nameOf(value), next(value, i))]),
    ],
  }
}

/** The view that a team has of a tensor `[matrices, rows, columns]`: the elements of its own matrix. */
export interface Elements {
  readonly load: (row: KExpr, column: KExpr) => KExpr
  readonly store: (row: KExpr, column: KExpr, value: KExpr) => KStmt
}

/** The view of matrix `matrix` in a tensor of matrices of that size. */
export const elementsOf = (t: Tensors, b: Buffer, matrix: KExpr, rows: number, columns: number): Elements => {
  const at = (row: KExpr, column: KExpr): KExpr =>
    k.add(k.add(k.mul(matrix, k.u32(rows * columns)), k.mul(row, k.u32(columns))), column)
  return {
    load: (row, column) => t.load(b, at(row, column)),
    store: (row, column, value) => t.store(b, at(row, column), value),
  }
}
