/** A loss against imbalance, for where positives are rare. */
import type { OptionNames } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { binaryCrossEntropyWithLogits } from './loss.ts'
import { type Loss, type LossOptions, loss, lossOptions } from './loss-reduction.ts'
import { choose } from './select.ts'

/** Options of `focalLoss`: the weight of positives (0.25; negative: none), the power of what is already right (2). */
export interface FocalOptions extends LossOptions {
  readonly alpha?: number | undefined
  readonly gamma?: number | undefined
}

const focalOptions: OptionNames<FocalOptions> = { ...lossOptions, alpha: 'finite', gamma: 'amount' }

/** `x` to the power `gamma`, 0 without a gradient at 0, where a power below 1 has none. */
const powered = (x: Tensor, gamma: number): Tensor => {
  if (gamma === 0) return T.onesLike(x)
  const none = T.equal(x, 0)
  return choose(none, 0, T.pow(choose(none, 1, x), gamma))
}

/**
 * Binary cross-entropy of logits in which the more certain count less: `α_t·(1 - p_t)^γ·bce`, where p_t is the probability
 * of the target, `alpha` (0.25) weighs targets 1 and 1 - alpha targets 0, a negative one neither; `gamma` 2 (Lin et al.
 * 2017; torchvision's sigmoid_focal_loss, whose reduction is 'none' by default). Reduced as `mseLoss`.
 * @example
 * const [x, y] = [T.tensor([0, 2.5]), T.tensor([1, 0], { dtype: 'f32' })]
 * T.reference(nn.focalLoss(x, y, { reduction: 'none' })).data // => [0.043322, 1.651853]
 */
export const focalLoss: Loss<'focalLoss', FocalOptions> = loss(
  'nn.focalLoss',
  focalOptions,
  (x, y, { alpha = 0.25, gamma = 2 }: FocalOptions) => {
    const cost = binaryCrossEntropyWithLogits(x, y, { reduction: 'none' }) as Tensor
    const p = T.sigmoid(x) as Tensor
    const miss = T.add(T.mul(T.sub(1, p), y), T.mul(p, T.sub(1, y))) as Tensor
    const focal = T.mul(cost, powered(miss, gamma)) as Tensor
    return alpha < 0 ? focal : (T.mul(focal, T.add(T.mul(y, alpha), T.mul(T.sub(1, y), 1 - alpha))) as Tensor)
  },
)
