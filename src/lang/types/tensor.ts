/** The public tensor type. The shapes it carries are worked out at type level in `types/*.ts`. */
import type { Shape } from '../dim.ts'
import type { DType } from '../dtype.ts'
import type { Node } from '../ir.ts'

declare const tensorBrand: unique symbol

/**
 * An expression: a tensor that will be computed. `number` in `S` is a size known only at run time, a `Shape` without
 * length a rank known only then. Specs and host values also have a shape and a dtype but are not tensors: hence the brand.
 */
export interface Tensor<S extends Shape = Shape, D extends DType = DType> {
  readonly shape: S
  readonly dtype: D
  readonly [tensorBrand]: true
}

/** What arithmetic takes: a tensor, or a JavaScript number or boolean that adopts the other operand's dtype. */
export type Operand = Tensor | number | boolean

/** The node behind a public tensor. */
export const nodeOf = (t: Tensor): Node => t as unknown as Node

/** A node as a public tensor of the given static type. */
export const tensorOf = <S extends Shape, D extends DType>(n: Node): Tensor<S, D> => n as unknown as Tensor<S, D>
