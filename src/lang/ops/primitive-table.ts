/** The primitive table, assembled from the op families: one row an op, total by its type, so that a missing row does not compile. */
import type { PrimitiveTable } from '../primitive.ts'
import { binaryRows } from './binary.ts'
import { cholesky } from './cholesky.ts'
import { cond } from './cond.ts'
import { bitcast, cast, select } from './convert.ts'
import { cumulate } from './cumulate.ts'
import { customCall, customLinear } from './custom-derivatives.ts'
import { dot } from './dot.ts'
import { eigh } from './eigh.ts'
import { gather, scatterAdd } from './gather-scatter.ts'
import { constRow, data, input, iota } from './leaves.ts'
import { lu } from './lu.ts'
import { broadcast, concat, flip, pad, permute, reshape, slice } from './movement.ts'
import { qr } from './qr.ts'
import { threefry } from './random.ts'
import { reduce } from './reduce.ts'
import { scan } from './scan.ts'
import { sort } from './sort.ts'
import { barrier, get, observe, stopGradient } from './structure.ts'
import { svd } from './svd.ts'
import { triangularSolve } from './triangular-solve.ts'
import { unaryRows } from './unary.ts'
import { elementwise, kernel } from './user-defined-rows.ts'
import { whileRow } from './while.ts'
import { foldRow, windowRow } from './window.ts'

/** Every primitive's mathematics. */
export const primitives: PrimitiveTable = {
  ...unaryRows,
  ...binaryRows,
  select,
  cast,
  bitcast,
  input,
  const: constRow,
  data,
  iota,
  reshape,
  permute,
  broadcast,
  slice,
  pad,
  flip,
  concat,
  window: windowRow,
  fold: foldRow,
  reduce,
  cumulate,
  sort,
  triangularSolve,
  cholesky,
  lu,
  qr,
  eigh,
  svd,
  dot,
  gather,
  scatterAdd,
  threefry,
  elementwise,
  kernel,
  get,
  stopGradient,
  observe,
  barrier,
  customCall,
  scan,
  while: whileRow,
  cond,
  customLinear,
}
