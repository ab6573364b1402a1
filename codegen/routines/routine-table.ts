/** The kernels of every routine, by operation. Total: a routine without kernels is a type error. */

import type { AuthoredOp } from '../../passes/loop/from-graph/routine-nodes.ts'
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Profile } from '../../passes/profile.ts'
import { choleskyRoutine } from './cholesky.ts'
import { cumulateRoutine } from './cumulate.ts'
import type { RoutineDispatch } from './dispatch.ts'
import { eighRoutine } from './eigh.ts'
import { luRoutine } from './lu.ts'
import { qrRoutine } from './qr.ts'
import { scatterAddRoutine } from './scatter-add.ts'
import { sortRoutine } from './sort.ts'
import { svdRoutine } from './svd.ts'
import { triangularSolveRoutine } from './triangular-solve.ts'
import { userRoutine } from './user-kernel.ts'

type Author = (r: Routine, profile: Profile) => readonly RoutineDispatch[]

const authors: { readonly [K in AuthoredOp]: Author } = {
  cumulate: cumulateRoutine,
  sort: sortRoutine,
  scatterAdd: scatterAddRoutine,
  kernel: userRoutine,
  triangularSolve: triangularSolveRoutine,
  cholesky: choleskyRoutine,
  lu: luRoutine,
  qr: qrRoutine,
  eigh: eighRoutine,
  svd: svdRoutine,
}

/** The dispatches of a routine, in order. */
export const dispatchesOf = (r: Routine, profile: Profile): readonly RoutineDispatch[] =>
  authors[r.node.op as AuthoredOp](r, profile)
