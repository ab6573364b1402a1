/** torch's movements, indexing and joining in our functions. */

import type { Range } from '../../src/lang/tensor/index/spelled-index.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import {
  alongLine,
  at,
  type Call,
  list,
  maybeList,
  maybeNumber,
  number,
  numbers,
  optional,
  promoted,
  raw,
  text,
} from './call.ts'
import type { MovementName, Ops } from './names.ts'

const along = (c: Call, otherwise?: number): { readonly axis: number } => ({ axis: number(c, 'dim', otherwise) })

/** torch squeezes an axis of another size to nothing at all; ours refuses it. */
const squeeze = (c: Call): Tensor => {
  const x = at(c, 0)
  const axis = maybeNumber(c, 'dim')
  if (axis === undefined) return T.squeeze(x)
  const size = x.shape[axis < 0 ? axis + x.shape.length : axis]
  return size === 1 ? T.squeeze(x, { axis }) : x
}

/** torch lists pairs from the last axis backwards; ours has one pair for every axis. */
const pad = (c: Call): Tensor => {
  const x = at(c, 0)
  const flat = list(c, 'pad')
  const widths = x.shape.map((_, i) => {
    const k = 2 * (x.shape.length - 1 - i)
    return [flat[k] ?? 0, flat[k + 1] ?? 0] as const
  })
  const mode = text(c, 'mode', 'constant') as 'constant' | 'reflect' | 'replicate' | 'circular'
  return T.pad(x, widths, { mode, value: number(c, 'value', 0) })
}

/** torch takes a scalar index for one index. */
const indices = (c: Call, i: number): Tensor => {
  const x = at(c, i)
  return x.shape.length === 0 ? T.reshape(x, [1]) : x
}

/** Elements of a scalar by torch's rules: as many as the index has, and as many axes. */
const picked = (c: Call, f: (x: Tensor, index: Tensor) => Tensor): Tensor =>
  at(c, 0).shape.length > 0
    ? f(at(c, 0), at(c, 1))
    : T.reshape(f(T.reshape(at(c, 0), [1]), T.reshape(at(c, 1), [-1])), at(c, 1).shape as number[])

/** The movement section of ops.py; `undefined` is an op we do not have. */
export const movementOps: Ops<MovementName> = {
  reshape: (c) => T.reshape(at(c, 0), list(c, 'shape')) as Tensor,
  flatten: (c) => T.flatten(at(c, 0), { startAxis: number(c, 'start_dim', 0), endAxis: number(c, 'end_dim', -1) }),
  permute: (c) => T.permuteDims(at(c, 0), list(c, 'dims')) as Tensor,
  transpose: (c) => alongLine(at(c, 0), (x) => T.swapaxes(x, number(c, 'dim0'), number(c, 'dim1'))),
  expand: (c) => T.broadcastTo(at(c, 0), list(c, 'shape')) as Tensor,
  squeeze,
  unsqueeze: (c) => T.expandDims(at(c, 0), number(c, 'dim')) as Tensor,
  flip: (c) => T.flip(at(c, 0), { axis: list(c, 'dims') }),
  roll: (c) => T.roll(at(c, 0), numbers(c, 'shifts'), optional('axis', maybeList(c, 'dims'))),
  slice: (c) => T.slice(at(c, 0), raw(c, 'slices') as readonly Range[]),
  select: (c) => T.select(at(c, 0), number(c, 'index'), along(c)),
  narrow: (c) => T.narrow(at(c, 0), number(c, 'start'), number(c, 'length'), along(c)),
  index_select: (c) => alongLine(at(c, 0), (x) => T.take(x, indices(c, 1), along(c))),
  gather: (c) => picked(c, (x, i) => T.gather(x, i, along(c))),
  take_along_dim: (c) => T.takeAlongAxis(at(c, 0), at(c, 1), along(c)),
  scatter: (c) => T.scatter(at(c, 0), at(c, 1), at(c, 2), along(c)),
  scatter_add: (c) => T.scatterAdd(at(c, 0), at(c, 1), at(c, 2), along(c)),
  index_add: (c) =>
    alongLine(at(c, 0), (x) => {
      const source = at(c, 2)
      return T.indexAdd(x, indices(c, 1), source.shape.length === 0 ? T.reshape(source, [1]) : source, along(c))
    }),
  cat: (c) => T.concat(promoted(c.xs), along(c, 0)),
  stack: (c) => T.stack(promoted(c.xs), along(c, 0)),
  split: (c) => T.split(at(c, 0), numbers(c, 'split'), along(c, 0)),
  chunk: (c) => T.chunk(at(c, 0), number(c, 'chunks'), along(c, 0)),
  unbind: (c) => T.unbind(at(c, 0), along(c, 0)),
  pad,
  tril: (c) => T.tril(at(c, 0), { diagonal: number(c, 'diagonal', 0) }),
  triu: (c) => T.triu(at(c, 0), { diagonal: number(c, 'diagonal', 0) }),
  diag: (c) => T.diag(at(c, 0), { diagonal: number(c, 'diagonal', 0) }),
  diagonal: (c) =>
    T.diagonal(at(c, 0), {
      offset: number(c, 'offset', 0),
      axis1: number(c, 'dim1', 0),
      axis2: number(c, 'dim2', 1),
    }),
  trace: (c) => T.trace(at(c, 0)),
  repeat: (c) => T.repeat(at(c, 0), list(c, 'repeats')),
  tile: (c) => T.tile(at(c, 0), list(c, 'dims')),
  repeat_interleave: (c) =>
    T.repeatInterleave(at(c, 0), numbers(c, 'repeats'), optional('axis', maybeNumber(c, 'dim'))),
  unfold: (c) => {
    const options = { axis: number(c, 'dim'), size: number(c, 'size'), step: number(c, 'step') }
    const x = at(c, 0)
    return x.shape.length > 0 ? T.unfold(x, options) : T.reshape(T.unfold(T.reshape(x, [1]), options), [-1])
  },
  movedim: (c) => alongLine(at(c, 0), (x) => T.moveaxis(x, numbers(c, 'source'), numbers(c, 'destination'))),
  broadcast_tensors: (c) => T.broadcastArrays(c.xs),
}
