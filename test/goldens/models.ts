/** The trajectories' models as pure functions of parameters and a batch, written as their `forward` texts say. */
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { apply } from './table.ts'

/** Tensors by the names of the file. */
export type Named = Readonly<Record<string, Tensor>>

type Matrix = Tensor<readonly [number, number]>
type Vector = Tensor<readonly [number]>
type Hyper = Readonly<Record<string, unknown>>

/** A model with one loss. */
export type Loss = (p: Named, batch: Named, hyper: Hyper) => Tensor

/** `x · wᵀ (+ b)`. */
export const linear = (x: Tensor, w: Tensor, b?: Tensor): Tensor =>
  nn.linear(x, { weight: w as Matrix, ...(b ? { bias: b as Vector } : {}) }) as Tensor

const p = (params: Named, name: string): Tensor => {
  const x = params[name]
  if (x === undefined) throw new Error(`goldens: the model has no parameter or batch tensor ${name}`)
  return x
}

const activation = (hyper: Hyper): ((x: Tensor) => Tensor) => {
  const op = String(hyper['act'] ?? 'tanh')
  return (x) => apply({ op, xs: [x], names: ['x'], attrs: {} })[0]!
}

/** The parameters of one recurrent layer. */
const cell = (w: Named, prefix: string): nn.CellParams => ({
  weightIh: p(w, `${prefix}w_ih`),
  weightHh: p(w, `${prefix}w_hh`),
  biasIh: p(w, `${prefix}b_ih`),
  biasHh: p(w, `${prefix}b_hh`),
})

const sequences = { batchFirst: true } as const

/** What a network gives after the last step of sequences [N, T, I]. */
const atEnd = ([outputs]: readonly [Tensor, ...Tensor[]]): Tensor => T.select(outputs, -1, { axis: 1 })

const headOf = (w: Named, h: Tensor): Tensor => linear(h, p(w, 'fc_w'), p(w, 'fc_b'))

const attention = (x: Tensor, w: Named, heads: number): Tensor =>
  nn.multiHeadAttention(
    x,
    { inProjWeight: T.concat([p(w, 'wq'), p(w, 'wk'), p(w, 'wv')]), outProjWeight: p(w, 'wo') },
    { heads, causal: true },
  )

const transformer: Loss = (w, batch, hyper) => {
  const x = p(batch, 'x')
  const length = x.shape[1]! - 1
  const norm = (z: Tensor, k: number): Tensor =>
    nn.layerNorm(z, { weight: p(w, `ln${k}_g`), bias: p(w, `ln${k}_b`) }, { eps: 1e-5 })
  const tokens = T.narrow(x, 0, length, { axis: 1 })
  const z0 = T.add(nn.embedding(tokens, p(w, 'tok') as Matrix) as Tensor, p(w, 'pos')) as Tensor
  const z1 = T.add(z0, attention(norm(z0, 1), w, Number(hyper['heads']))) as Tensor
  const inner = nn.gelu(linear(norm(z1, 2), p(w, 'w1'), p(w, 'b1')), { approximate: 'tanh' })
  const z2 = T.add(z1, linear(inner, p(w, 'w2'), p(w, 'b2'))) as Tensor
  const logits = linear(norm(z2, 3), p(w, 'head'))
  const classes = logits.shape[2]!
  const targets = T.reshape(T.narrow(x, 1, length, { axis: 1 }), [-1]) as Tensor
  return nn.crossEntropy(T.reshape(logits, [-1, classes]) as Tensor, targets)
}

/** Token 0 is padding: the mean of the rows of the others. */
const embeddingBag: Loss = (w, batch) => {
  const bags = nn.embeddingBag(p(batch, 'x'), p(w, 'emb') as Matrix, { paddingIndex: 0 })
  return nn.crossEntropy(headOf(w, bags), p(batch, 'y'))
}

const cnn: Loss = (w, batch) => {
  const block = (x: Tensor, name: string): Tensor => {
    const params = { weight: p(w, `${name}_w`), bias: p(w, `${name}_b`) }
    return nn.maxPool2d(nn.relu(nn.conv2d(x, params, { padding: 1 })), { kernelSize: 2 })
  }
  const h = block(block(p(batch, 'x'), 'conv1'), 'conv2')
  return nn.crossEntropy(headOf(w, T.flatten(h, { startAxis: 1 })), p(batch, 'y'))
}

/** Models with one loss and one optimiser, by name. */
export const losses: Readonly<Record<string, Loss>> = {
  linear_regression: (w, b) => nn.mseLoss(linear(p(b, 'x'), p(w, 'w'), p(w, 'b')), p(b, 'y')) as Tensor,
  logistic_regression: (w, b) =>
    nn.binaryCrossEntropyWithLogits(linear(p(b, 'x'), p(w, 'w'), p(w, 'b')), p(b, 'y')) as Tensor,
  mlp: (w, b, hyper) => {
    const h = activation(hyper)(linear(p(b, 'x'), p(w, 'w1'), p(w, 'b1')))
    return nn.crossEntropy(linear(h, p(w, 'w2'), p(w, 'b2')), p(b, 'y'))
  },
  cnn,
  rnn: (w, b) => nn.mseLoss(headOf(w, atEnd(nn.rnn(p(b, 'x'), [cell(w, '')], sequences))), p(b, 'y')) as Tensor,
  lstm: (w, b) => nn.crossEntropy(headOf(w, atEnd(nn.lstm(p(b, 'x'), [cell(w, '')], sequences))), p(b, 'y')),
  gru: (w, b) => {
    const [outputs] = nn.gru(p(b, 'x'), [cell(w, '')], sequences)
    return nn.mseLoss(headOf(w, outputs), p(b, 'y')) as Tensor
  },
  gru2: (w, b) =>
    nn.crossEntropy(headOf(w, atEnd(nn.gru(p(b, 'x'), [cell(w, 'l0_'), cell(w, 'l1_')], sequences))), p(b, 'y')),
  embedding_bag: embeddingBag,
  transformer,
}

/** What an adversarial model is made of. The generator also gives the next buffers. */
export interface Adversarial {
  readonly generate: (g: Named, buffers: Named, z: Tensor) => readonly [Tensor, Named]
  readonly discriminate: (d: Named, x: Tensor) => Tensor
}

/** Models with two losses and two optimisers, by name. */
export const adversarial: Readonly<Record<string, Adversarial>> = {
  gan: {
    generate: (g, buffers, z) => [
      linear(nn.relu(linear(z, p(g, 'g_w1'), p(g, 'g_b1'))), p(g, 'g_w2'), p(g, 'g_b2')),
      buffers,
    ],
    discriminate: (d, x) =>
      linear(nn.leakyRelu(linear(x, p(d, 'd_w1'), p(d, 'd_b1')), { negativeSlope: 0.2 }), p(d, 'd_w2'), p(d, 'd_b2')),
  },
  dcgan: {
    generate: (g, buffers, z) => {
      const h = nn.convTranspose2d(z, { weight: p(g, 'g_ct1_w') })
      const { output, runningMean, runningVar } = nn.batchNormStep(
        h,
        {
          weight: p(g, 'g_bn_g'),
          bias: p(g, 'g_bn_b'),
          runningMean: p(buffers, 'g_bn_mean'),
          runningVar: p(buffers, 'g_bn_var'),
        },
        { momentum: 0.1 },
      )
      const params = { weight: p(g, 'g_ct2_w'), bias: p(g, 'g_ct2_b') }
      const image = T.tanh(nn.convTranspose2d(nn.relu(output), params, { stride: 2, padding: 1 }))
      return [image, { g_bn_mean: runningMean, g_bn_var: runningVar }]
    },
    discriminate: (d, x) => {
      const params = { weight: p(d, 'd_c1_w'), bias: p(d, 'd_c1_b') }
      const h = nn.leakyRelu(nn.conv2d(x, params, { stride: 2, padding: 1 }), { negativeSlope: 0.2 })
      return linear(T.flatten(h, { startAxis: 1 }), p(d, 'd_fc_w'), p(d, 'd_fc_b'))
    },
  },
}
