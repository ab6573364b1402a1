/** torch's losses in our functions. */
import type { Tensor } from '../../src/lang/types.ts'
import * as nn from '../../src/nn/index.ts'
import { at, type Call, input, maybeInput, number, optional, text } from './call.ts'
import type { LossName, Ops } from './names.ts'

const reduced = (c: Call): { readonly reduction: nn.LossReduction } => ({
  reduction: text(c, 'reduction', 'mean') as nn.LossReduction,
})

const weighted = (c: Call): { readonly reduction: nn.LossReduction; readonly weight?: Tensor } => ({
  ...reduced(c),
  ...optional('weight', maybeInput(c, 'weight')),
})

const classes = (c: Call): nn.ClassOptions => ({ ...weighted(c), ignoreIndex: number(c, 'ignore_index', -100) })

/** The losses section of ops.py; `undefined` is an op we do not have. */
export const lossOps: Ops<LossName> = {
  mse_loss: (c) => nn.mseLoss(at(c, 0), at(c, 1), reduced(c)) as Tensor,
  l1_loss: (c) => nn.l1Loss(at(c, 0), at(c, 1), reduced(c)) as Tensor,
  smooth_l1_loss: (c) => nn.smoothL1Loss(at(c, 0), at(c, 1), { ...reduced(c), beta: number(c, 'beta', 1) }) as Tensor,
  huber_loss: (c) => nn.huberLoss(at(c, 0), at(c, 1), { ...reduced(c), delta: number(c, 'delta', 1) }) as Tensor,
  binary_cross_entropy: (c) => nn.binaryCrossEntropy(input(c, 'x'), input(c, 'target'), weighted(c)) as Tensor,
  binary_cross_entropy_with_logits: (c) =>
    nn.binaryCrossEntropyWithLogits(input(c, 'x'), input(c, 'target'), {
      ...weighted(c),
      ...optional('posWeight', maybeInput(c, 'pos_weight')),
    }) as Tensor,
  cross_entropy: (c) =>
    nn.crossEntropy(input(c, 'x'), input(c, 'target'), {
      ...classes(c),
      labelSmoothing: number(c, 'label_smoothing', 0),
    }),
  nll_loss: (c) => nn.nllLoss(input(c, 'x'), input(c, 'target'), classes(c)),
  kl_div: undefined,
  hinge_loss: undefined,
  hinge_embedding_loss: undefined,
  margin_ranking_loss: undefined,
  multi_margin_loss: undefined,
  soft_margin_loss: undefined,
  triplet_margin_loss: undefined,
  cosine_similarity: undefined,
  cosine_embedding_loss: undefined,
  poisson_nll_loss: undefined,
  gaussian_nll_loss: undefined,
}
