/** Parameters as one vector, and the way back. */
import { sizeOf } from '../lang/dim.ts'
import { cast, concat, full, reshape, split } from '../lang/tensor/index.ts'
import { flattenTensors, unflattenTree } from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** How trees of one structure become f32 vectors of one size. */
export interface Packing<P> {
  readonly size: number
  readonly pack: (params: P) => Tensor
  readonly unpack: (vector: Tensor) => P
}

export const packingOf = <P>(params: P): Packing<P> => {
  const { leaves, shape } = flattenTensors(params)
  const sizes = leaves.map((p) => sizeOf(p.shape))
  return {
    size: sizes.reduce((a, b) => a + b, 0),
    pack: (tree) => {
      const rows = flattenTensors(tree).leaves.map((p) => cast(reshape(p, [-1]), 'f32') as Tensor)
      return rows.length === 0 ? full([0], 0) : (concat(rows) as Tensor)
    },
    unpack: (vector) => {
      const rows = sizes.length === 0 ? [] : split(vector, sizes)
      return unflattenTree(
        shape,
        leaves.map((p, i) => cast(reshape(rows[i]!, p.shape), p.dtype)),
      ) as P
    },
  }
}
