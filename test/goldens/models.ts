/** The trajectories' models as pure functions of parameters and a batch, written as their `forward` texts say. */
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types.ts'
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

/** Steps along axis 1 of x [N, T, I]. */
const steps = (x: Tensor): readonly Tensor[] => T.unbind(x, { axis: 1 })

const zeroState = (x: Tensor, w: Tensor): Tensor => T.zeros([x.shape[0]!, w.shape[1]!])

/** One recurrent layer: the state after every step. */
type Layer = (xs: readonly Tensor[], weights: Named, prefix: string) => readonly Tensor[]

const weightsOf = (w: Named, prefix: string): readonly [Tensor, Tensor, Tensor, Tensor] => [
  p(w, `${prefix}w_ih`),
  p(w, `${prefix}w_hh`),
  p(w, `${prefix}b_ih`),
  p(w, `${prefix}b_hh`),
]

const rnnLayer: Layer = (xs, weights, prefix) => {
  const [wi, wh, bi, bh] = weightsOf(weights, prefix)
  let h = zeroState(xs[0]!, wh)
  return xs.map((x) => (h = T.tanh(T.add(linear(x, wi, bi), linear(h, wh, bh)) as Tensor)))
}

const lstmLayer: Layer = (xs, weights, prefix) => {
  const [wi, wh, bi, bh] = weightsOf(weights, prefix)
  let h = zeroState(xs[0]!, wh)
  let c = h
  return xs.map((x) => {
    const [i, f, g, o] = T.chunk(T.add(linear(x, wi, bi), linear(h, wh, bh)) as Tensor, 4, { axis: 1 })
    c = T.add(T.mul(T.sigmoid(f!), c), T.mul(T.sigmoid(i!), T.tanh(g!))) as Tensor
    h = T.mul(T.sigmoid(o!), T.tanh(c)) as Tensor
    return h
  })
}

const gruLayer: Layer = (xs, weights, prefix) => {
  const [wi, wh, bi, bh] = weightsOf(weights, prefix)
  let h = zeroState(xs[0]!, wh)
  return xs.map((x) => {
    const [xr, xz, xn] = T.chunk(linear(x, wi, bi), 3, { axis: 1 })
    const [hr, hz, hn] = T.chunk(linear(h, wh, bh), 3, { axis: 1 })
    const r = T.sigmoid(T.add(xr!, hr!) as Tensor)
    const z = T.sigmoid(T.add(xz!, hz!) as Tensor)
    const n = T.tanh(T.add(xn!, T.mul(r, hn!)) as Tensor)
    h = T.add(T.mul(T.sub(1, z), n), T.mul(z, h)) as Tensor
    return h
  })
}

const headOf = (w: Named, h: Tensor): Tensor => linear(h, p(w, 'fc_w'), p(w, 'fc_b'))

const attention = (x: Tensor, w: Named, heads: number): Tensor => {
  const [n, l, e] = x.shape as readonly [number, number, number]
  const split = (name: string): Tensor =>
    T.swapaxes(T.reshape(linear(x, p(w, name)), [n, l, heads, e / heads]) as Tensor, 1, 2)
  const o = nn.scaledDotProductAttention(split('wq'), split('wk'), split('wv'), { causal: true })
  return linear(T.reshape(T.swapaxes(o, 1, 2), [n, l, e]) as Tensor, p(w, 'wo'))
}

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
  const x = p(batch, 'x')
  const counts = T.expandDims(T.cast(T.notEqual(x, 0) as Tensor, 'f32') as Tensor, -1) as Tensor
  const rows = nn.embedding(x, p(w, 'emb') as Matrix) as Tensor
  const total = T.sum(T.mul(rows, counts) as Tensor, { axis: 1 }) as Tensor
  return nn.crossEntropy(headOf(w, T.div(total, T.sum(counts, { axis: 1 })) as Tensor), p(batch, 'y'))
}

const cnn: Loss = (w, batch) => {
  const block = (x: Tensor, name: string): Tensor => {
    const params = { weight: p(w, `${name}_w`), bias: p(w, `${name}_b`) }
    return nn.maxPool2d(nn.relu(nn.conv2d(x, params, { padding: 1 })), { kernelSize: 2 })
  }
  const h = block(block(p(batch, 'x'), 'conv1'), 'conv2')
  return nn.crossEntropy(headOf(w, T.flatten(h, { startAxis: 1 })), p(batch, 'y'))
}

const last = <A>(xs: readonly A[]): A => xs[xs.length - 1]!

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
  rnn: (w, b) => nn.mseLoss(headOf(w, last(rnnLayer(steps(p(b, 'x')), w, ''))), p(b, 'y')) as Tensor,
  lstm: (w, b) => nn.crossEntropy(headOf(w, last(lstmLayer(steps(p(b, 'x')), w, ''))), p(b, 'y')),
  gru: (w, b) => {
    const outputs = gruLayer(steps(p(b, 'x')), w, '').map((h) => headOf(w, h))
    return nn.mseLoss(T.stack(outputs, { axis: 1 }), p(b, 'y')) as Tensor
  },
  gru2: (w, b) => {
    const below = gruLayer(steps(p(b, 'x')), w, 'l0_')
    return nn.crossEntropy(headOf(w, last(gruLayer(below, w, 'l1_'))), p(b, 'y'))
  },
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
