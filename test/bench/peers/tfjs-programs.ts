/** The bench's programs in TensorFlow.js: same shapes, losses and optimiser as `programs.ts`, images in its own order (NHWC). */
import type { Host } from './arguments.ts'
import type { Tf, TfTensor } from './tfjs-api.ts'

type X = TfTensor
export type Params = Readonly<Record<string, X>>
type Loss = (p: Params, x: X, y: X) => X

const linear = (x: X, w: X, b: X): X => x.matMul(w, false, true).add(b)

const crossEntropy = (tf: Tf, logits: X, y: X): X => tf.losses.softmaxCrossEntropy(tf.oneHot(y, 10), logits)

const mlpLoss =
  (tf: Tf): Loss =>
  (p, x, y) => {
    const h1 = linear(x, p['w1']!, p['b1']!).relu()
    const h2 = linear(h1, p['w2']!, p['b2']!).relu()
    return crossEntropy(tf, linear(h2, p['w3']!, p['b3']!), y)
  }

const cnnLoss =
  (tf: Tf): Loss =>
  (p, x, y) => {
    const layer = (h: X, w: X, b: X): X => tf.maxPool(tf.conv2d(h, w, 1, 'valid').add(b), 2, 2, 'valid').relu()
    const h1 = layer(x, p['conv1']!, p['bias1']!)
    const h2 = layer(h1, p['conv2']!, p['bias2']!)
    return crossEntropy(tf, linear(h2.reshape([-1, 400]), p['weight']!, p['bias']!), y)
  }

/** Unrolled over the 16 steps; x is [T, B, I], gates in the order i, f, g, o. */
const lstmLoss =
  (tf: Tf): Loss =>
  (p, x, y) => {
    let h: X = tf.zeros([32, 64])
    let c: X = tf.zeros([32, 64])
    for (const xt of tf.unstack(x)) {
      const z = xt
        .matMul(p['wx']!, false, true)
        .add(h.matMul(p['wh']!, false, true))
        .add(p['bias']!)
      const [i, f, g, o] = tf.split(z, 4, 1)
      c = f!.sigmoid().mul(c).add(i!.sigmoid().mul(g!.tanh()))
      h = o!.sigmoid().mul(c.tanh())
    }
    return crossEntropy(tf, linear(h, p['weight']!, p['out']!), y)
  }

const losses: Readonly<Record<string, (tf: Tf) => Loss>> = {
  mlp_train: mlpLoss,
  cnn_train: cnnLoss,
  lstm_train: lstmLoss,
}

/** The loss of a program that trains. */
export const lossOf = (tf: Tf, row: string): Loss | undefined => losses[row]?.(tf)

/** The programs that do not train. */
export const forwardOf = (tf: Tf, row: string): ((...args: readonly never[]) => X) | undefined => {
  const matmul = (x: X, w: X): X => x.matMul(w)
  const table: Readonly<Record<string, (...args: readonly never[]) => X>> = {
    matmul256: matmul,
    matmul512: matmul,
    matmul1024: matmul,
    chain: (x: X) => Array.from({ length: 5 }).reduce<X>((y) => y.mul(1.1).add(0.1).tanh(), x),
    softmax: (x: X) => x.softmax(1),
    layernorm: (p: Params, x: X) => {
      const { mean, variance } = tf.moments(x, 1, true)
      return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(p['weight']!).add(p['bias']!)
    },
    attention: (q: X, k: X, v: X) =>
      q
        .matMul(k, false, true)
        .mul(1 / 8)
        .softmax(-1)
        .matMul(v),
  }
  return table[row]
}

/** `host` with axis `order[i]` at place i. */
const permuted = ({ shape, dtype, data }: Host, order: readonly number[]): Host => {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1))
  const sizes = order.map((axis) => shape[axis]!)
  const moved = data.slice()
  for (let i = 0; i < data.length; i++) {
    let [rest, from] = [i, 0]
    for (let axis = order.length - 1; axis >= 0; axis--) {
      from += (rest % sizes[axis]!) * strides[order[axis]!]!
      rest = Math.floor(rest / sizes[axis]!)
    }
    moved[i] = data[from]!
  }
  return { shape: sizes, dtype, data: moved }
}

/** Filters [H, W, in, out], images [N, H, W, C], and the linear layer on what NHWC flattens to. */
export const asNhwc = (row: string, name: string, host: Host): Host => {
  if (row !== 'cnn_train') return host
  if (name.startsWith('conv')) return permuted(host, [2, 3, 1, 0])
  if (name === 'x') return permuted(host, [0, 2, 3, 1])
  if (name !== 'weight') return host
  const apart = { ...host, shape: [10, 16, 5, 5] }
  return { ...permuted(apart, [0, 2, 3, 1]), shape: host.shape }
}
