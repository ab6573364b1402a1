/** torch's reductions and scans in our functions. No `dim` means all axes. */
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { alongLine, at, type Call, flag, number, oneAxis, reduction } from './call.ts'
import type { Ops, ReductionName } from './names.ts'

/** torch's `unbiased` (true by default) as the correction of the divisor. */
const spread = (c: Call): ReturnType<typeof reduction> & { readonly correction: number } => ({
  ...reduction(c),
  correction: flag(c, 'unbiased', true) ? 1 : 0,
})

const along = (c: Call): { readonly axis: number } => ({ axis: number(c, 'dim', 0) })

const sorting = (c: Call): T.SortOptions => ({
  axis: number(c, 'dim', -1),
  descending: flag(c, 'descending', false),
})

/** The reductions section of ops.py; `undefined` is an op we do not have. */
export const reductionOps: Ops<ReductionName> = {
  sum: (c) => T.sum(at(c, 0), reduction(c)) as Tensor,
  mean: (c) => T.mean(at(c, 0), reduction(c)) as Tensor,
  amax: (c) => T.amax(at(c, 0), reduction(c)) as Tensor,
  amin: (c) => T.amin(at(c, 0), reduction(c)) as Tensor,
  logsumexp: (c) => T.logsumexp(at(c, 0), reduction(c)) as Tensor,
  prod: (c) => T.prod(at(c, 0), oneAxis(c)) as Tensor,
  var: (c) => T.variance(at(c, 0), spread(c)) as Tensor,
  std: (c) => T.std(at(c, 0), spread(c)) as Tensor,
  max: (c) => T.maxWithIndex(at(c, 0), oneAxis(c)) as readonly Tensor[],
  min: (c) => T.minWithIndex(at(c, 0), oneAxis(c)) as readonly Tensor[],
  argmax: (c) => T.argmax(at(c, 0), oneAxis(c)) as Tensor,
  argmin: (c) => T.argmin(at(c, 0), oneAxis(c)) as Tensor,
  any: (c) => T.any(at(c, 0), reduction(c)) as Tensor,
  all: (c) => T.all(at(c, 0), reduction(c)) as Tensor,
  cumsum: (c) => alongLine(at(c, 0), (x) => T.cumsum(x, along(c)) as Tensor),
  cumprod: (c) => alongLine(at(c, 0), (x) => T.cumprod(x, along(c)) as Tensor),
  cummax: (c) => alongLine(at(c, 0), (x) => T.cummax(x, along(c)) as readonly Tensor[]),
  logcumsumexp: (c) => alongLine(at(c, 0), (x) => T.logcumsumexp(x, along(c)) as Tensor),
  norm: (c) => T.vectorNorm(at(c, 0), { ...reduction(c), p: number(c, 'p', 2) }) as Tensor,
  count_nonzero: (c) => T.countNonzero(at(c, 0), reduction(c)) as Tensor,
  sort: (c) => alongLine(at(c, 0), (x) => [T.sort(x, sorting(c)), T.argsort(x, sorting(c))]),
  argsort: (c) => alongLine(at(c, 0), (x) => T.argsort(x, sorting(c))),
  topk: (c) =>
    alongLine(
      at(c, 0),
      (x) =>
        T.topK(x, number(c, 'k'), {
          axis: number(c, 'dim', -1),
          largest: flag(c, 'largest', true),
        }) as readonly Tensor[],
    ),
}
