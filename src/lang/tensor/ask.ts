/** Questions about tensors that composite functions ask before they look at a shape. */
import { isLeft } from '#fp/Either'
import { nodeOf, type Tensor } from '../types/tensor.ts'

/** True for a tensor that is, or stands on, a mistake: it has no shape to look at and should be handed on as it is. */
export const isMistake = (x: Tensor): boolean => isLeft(nodeOf(x).type)
