/** torch's losses in our functions. */
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { at, type Call, flag, input, maybeInput, maybeNumber, number, optional, text } from './call.ts'
import type { LossName, Ops } from './names.ts'

const reduced = (c: Call): { readonly reduction: nn.LossReduction } => ({
  reduction: text(c, 'reduction', 'mean') as nn.LossReduction,
})

const weighted = (c: Call): { readonly reduction: nn.LossReduction; readonly weight?: Tensor } => ({
  ...reduced(c),
  ...optional('weight', maybeInput(c, 'weight')),
})

const apart = (c: Call, margin: number): { readonly reduction: nn.LossReduction; readonly margin: number } => ({
  ...reduced(c),
  margin: number(c, 'margin', margin),
})

const classes = (c: Call): nn.ClassOptions => ({
  ...weighted(c),
  ...optional('ignoreIndex', maybeNumber(c, 'ignore_index')),
})

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
  kl_div: (c) =>
    nn.klDiv(at(c, 0), at(c, 1), {
      reduction: text(c, 'reduction', 'batchmean') as nn.LossReduction | 'batchmean',
      logTarget: flag(c, 'log_target', false),
    }) as Tensor,
  hinge_loss: (c) => nn.hingeLoss(at(c, 0), at(c, 1), { squared: flag(c, 'squared', false) }) as Tensor,
  hinge_embedding_loss: (c) => nn.hingeEmbeddingLoss(at(c, 0), at(c, 1), apart(c, 1)) as Tensor,
  margin_ranking_loss: (c) => nn.marginRankingLoss(at(c, 0), at(c, 1), at(c, 2), apart(c, 0)),
  multi_margin_loss: (c) => nn.multiMarginLoss(at(c, 0), at(c, 1), { ...apart(c, 1), p: number(c, 'p', 1) as 1 | 2 }),
  soft_margin_loss: (c) => nn.softMarginLoss(at(c, 0), at(c, 1), reduced(c)) as Tensor,
  triplet_margin_loss: (c) => nn.tripletMarginLoss(at(c, 0), at(c, 1), at(c, 2), apart(c, 1)),
  cosine_similarity: (c) =>
    nn.cosineSimilarity(at(c, 0), at(c, 1), { axis: number(c, 'dim', 1), eps: number(c, 'eps', 1e-8) }),
  cosine_embedding_loss: (c) => nn.cosineEmbeddingLoss(at(c, 0), at(c, 1), at(c, 2), apart(c, 0)),
  poisson_nll_loss: (c) => nn.poissonNllLoss(at(c, 0), at(c, 1), { logInput: flag(c, 'log_input', true) }) as Tensor,
  gaussian_nll_loss: (c) => nn.gaussianNllLoss(at(c, 0), at(c, 1), at(c, 2)),
}
