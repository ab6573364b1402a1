/** torch's products and matrix functions, and tensors out of nothing, in our functions. */

import * as T from '../../src/lang/tensor/index.ts'
import type { TensordotAxes } from '../../src/lang/tensor/linalg/contraction.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { linear } from '../../src/nn/index.ts'
import { at, type Call, list, maybeNumber, number, optional, promoted, raw, text } from './call.ts'
import type { CreationName, LinalgName, Ops } from './names.ts'
import { dtypeOf } from './schema.ts'

const scaled = (c: Call): { readonly beta: number; readonly alpha: number } => ({
  beta: number(c, 'beta', 1),
  alpha: number(c, 'alpha', 1),
})

/** Both inputs, in the dtype that torch promotes them to. */
const pair = (c: Call): readonly [Tensor, Tensor] => {
  const [a, b] = promoted([at(c, 0), at(c, 1)])
  return [a!, b!]
}

/** The weight is [out, in], as in ours; torch takes [in] for one output without an axis. */
const affine = (c: Call): Tensor => {
  const [x, weight, bias] = [at(c, 0), at(c, 1), c.xs[2]]
  if (weight.shape.length === 1) return bias ? T.add(T.matmul(x, weight), bias) : (T.matmul(x, weight) as Tensor)
  return linear(x, { weight: weight as Matrix, ...optional('bias', bias as Vector | undefined) }) as Tensor
}

type Matrix = Tensor<readonly [number, number]>
type Vector = Tensor<readonly [number]>

/** The linalg section of ops.py; `undefined` is an op we do not have. */
export const linalgOps: Ops<LinalgName> = {
  matmul: (c) => T.matmul(at(c, 0), at(c, 1)) as Tensor,
  outer: (c) => T.outer(...pair(c)),
  dot: (c) => T.dot(at(c, 0), at(c, 1)),
  bmm: (c) => T.bmm(at(c, 0), at(c, 1)),
  mv: (c) => T.mv(at(c, 0), at(c, 1)),
  kron: (c) => T.kron(...pair(c)),
  det: (c) => T.det(at(c, 0)),
  inverse: (c) => T.inv(at(c, 0)),
  einsum: (c) => T.einsum(text(c, 'equation'), ...c.xs) as Tensor,
  tensordot: (c) => T.tensordot(at(c, 0), at(c, 1), { axes: raw(c, 'dims') as TensordotAxes }),
  addmm: (c) => T.addmm(at(c, 0), at(c, 1), at(c, 2), scaled(c)),
  baddbmm: (c) => T.baddbmm(at(c, 0), at(c, 1), at(c, 2), scaled(c)),
  linear: affine,
  solve_triangular: (c) =>
    T.solveTriangular(at(c, 0), at(c, 1), {
      upper: raw(c, 'upper') === true,
      unitriangular: raw(c, 'unitriangular') === true,
    }),
  cholesky: (c) => T.cholesky(at(c, 0), { upper: raw(c, 'upper') === true }),
  solve: (c) => {
    const [a, b] = [at(c, 0), at(c, 1)]
    const isVectors = b.shape.length > 1 && `${b.shape}` === `${a.shape.slice(0, -1)}`
    return isVectors ? T.squeeze(T.solve(a, T.expandDims(b, -1)), { axis: -1 }) : T.solve(a, b)
  },
  slogdet: (c) => T.slogdet(at(c, 0)),
  matrix_power: (c) => T.matrixPower(at(c, 0), number(c, 'n')),
}

/** A fill value: true and false stay booleans. */
const fill = (c: Call): number | boolean => {
  const x = raw(c, 'fill_value')
  return typeof x === 'boolean' ? x : number(c, 'fill_value')
}

const dtyped = (c: Call, otherwise = 'float32'): { readonly dtype: ReturnType<typeof dtypeOf> } => ({
  dtype: dtypeOf(text(c, 'dtype', otherwise)),
})

/** The creation section of ops.py. */
export const creationOps: Ops<CreationName> = {
  arange: (c) => T.arange(number(c, 'start'), number(c, 'end'), number(c, 'step', 1), dtyped(c, 'int64')),
  linspace: (c) => T.linspace(number(c, 'start'), number(c, 'end'), number(c, 'steps')),
  logspace: (c) =>
    T.logspace(number(c, 'start'), number(c, 'end'), number(c, 'steps'), { base: number(c, 'base', 10) }),
  eye: (c) => T.eye(number(c, 'n'), { ...optional('columns', maybeNumber(c, 'm')), ...dtyped(c) }),
  full: (c) => T.full(list(c, 'shape'), fill(c), dtyped(c)),
  zeros: (c) => T.zeros(list(c, 'shape'), dtyped(c)),
  ones: (c) => T.ones(list(c, 'shape'), dtyped(c)),
  full_like: (c) => T.fullLike(at(c, 0), fill(c)),
  one_hot: (c) => T.oneHot(at(c, 0), number(c, 'num_classes')),
  meshgrid: (c) => T.meshgrid(c.xs, { indexing: text(c, 'indexing') as 'ij' | 'xy' }),
  tri_mask: (c) => T.triMask(number(c, 'n'), { diagonal: number(c, 'diagonal', 0) }),
}
