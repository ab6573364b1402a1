/**
 * Kernels over batches of matrices. A team works on one matrix: a single thread where rows are serial, a workgroup where
 * threads cooperate. The author shares out loops and says where all must meet; what each needs alone, each computes.
 */
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { Profile } from '../../passes/profile.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { perThread, type RoutineDispatch, type Tensors } from './dispatch.ts'

/** Those who work on matrix number `matrix`. */
export interface Team {
  readonly matrix: KExpr
  /** `body` for every number in [from, to), each done by one thread. */
  readonly share: (from: KExpr, to: number, body: (i: KExpr) => readonly KStmt[]) => KStmt
  /** What was stored before is seen by all after. */
  readonly meet: readonly KStmt[]
}

/** A matrix of this size or less keeps one thread busy, and no more. */
const smallest = 4

/** `body` for each of `matrices` matrices, whose loops to share run to about `width`. */
export const perMatrix = (
  matrices: number,
  width: number,
  profile: Profile,
  body: (t: Tensors, team: Team) => readonly KStmt[],
): Pick<RoutineDispatch, 'workgroups' | 'workgroupSize' | 'body'> => {
  if (profile.schedule === 'serial' || width <= smallest)
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

/** `body` for every number in [from, to). */
export const loop = (t: Tensors, from: KExpr, to: KExpr, body: (i: KExpr) => readonly KStmt[], step = 1): KStmt => {
  const i = k.ref(t.name('at'))
  // What would never run is not written: it may name elements that do not exist.
  return k.forStmt(nameOf(i), from, to, step, isEmpty(from, to) ? [] : body(i))
}

/** A variable that starts as `first` and becomes `next` of it and each number in [from, to). */
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

/** A tensor `[matrices, rows, columns]` as the team sees it: elements of its own matrix. */
export interface Elements {
  readonly load: (row: KExpr, column: KExpr) => KExpr
  readonly store: (row: KExpr, column: KExpr, value: KExpr) => KStmt
}

/** Elements of matrix number `matrix` in a tensor of matrices of that size. */
export const elementsOf = (t: Tensors, b: Buffer, matrix: KExpr, rows: number, columns: number): Elements => {
  const at = (row: KExpr, column: KExpr): KExpr =>
    k.add(k.add(k.mul(matrix, k.u32(rows * columns)), k.mul(row, k.u32(columns))), column)
  return {
    load: (row, column) => t.load(b, at(row, column)),
    store: (row, column, value) => t.store(b, at(row, column), value),
  }
}

/** 1 / a power of two near `largest`, and that power: multiplying by either is exact. */
export const powerOfTwo = (largest: KExpr): { readonly down: KExpr; readonly up: KExpr } => {
  const exponent = k.binary('and', k.shiftRight(k.bitcast(largest, 'u32'), k.u32(23)), k.u32(255))
  const inside = k.max(k.min(exponent, k.u32(253)), k.u32(1))
  const power = (e: KExpr): KExpr => k.bitcast(k.shiftLeft(e, k.u32(23)), 'f32')
  return { down: power(k.sub(k.u32(254), inside)), up: power(inside) }
}
