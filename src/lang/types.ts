/** The public tensor type and its shapes at type level. */
import type { Shape } from './dim.ts'
import type { DType } from './dtype.ts'
import type { Node } from './ir.ts'

/** An expression: a tensor that will be computed. `number` in `S` is a size known only at run time. */
export interface Tensor<S extends Shape = Shape, D extends DType = DType> {
  readonly shape: S
  readonly dtype: D
}

/** The node behind a public tensor. */
export const nodeOf = (t: Tensor): Node => t as unknown as Node

/** A node as a public tensor of the given static type. */
export const tensorOf = <S extends Shape, D extends DType>(n: Node): Tensor<S, D> => n as unknown as Tensor<S, D>
