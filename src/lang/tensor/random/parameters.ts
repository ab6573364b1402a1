/** Parameters of distributions: numbers or tensors, as f32 of the shape that is drawn. */
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { demandNumber } from '../arguments.ts'
import { castNode, lift, scalar, withTypes } from '../operand.ts'
import { broadcastNode } from '../shape/reshaping.ts'
import { withKey } from './keys.ts'

/** `body` on the parameters, broadcast to `shape`, and the words of the key. */
export const withParameters = <S extends Shape, D extends DType>(
  name: string,
  k: Tensor,
  parameters: readonly Operand[],
  shape: S,
  body: (parameters: readonly Node[], high: Node, low: Node) => Node,
): Tensor<S, D> =>
  withKey(name, k, shape, (high, low) => {
    const given = parameters.map((p, i) =>
      typeof p === 'object'
        ? castNode(lift(name, p, i + 1), 'f32')
        : scalar(demandNumber(name, `operand ${i + 2}`, p), 'f32'),
    )
    return withTypes(name, given, (types) => {
      const spread = given.map((n, i) => broadcastNode(name, n, types[i]!, shape))
      return withTypes(name, spread, () => body(spread, high, low))
    })
  })
