/** The bench's programs in jax-js: same shapes, losses and optimiser as `programs.ts`. */
import type { Jax, JaxArray } from './jax-api.ts'

type X = JaxArray
export type Params = Readonly<Record<string, X>>
type Loss = (p: Params, x: X, y: X) => X

const linear = ({ numpy }: Jax, x: X, w: X, b: X): X => numpy.matmul(x, w.transpose()).add(b)

/** Mean over the batch of the logits' cross-entropy with ten classes. */
const crossEntropy = ({ nn }: Jax, logits: X, y: X): X => {
  const batch = logits.shape[0]!
  return nn
    .logSoftmax(logits, -1)
    .mul(nn.oneHot(y, 10))
    .sum()
    .mul(-1 / batch)
}

const mlpLoss =
  (jax: Jax): Loss =>
  (p, x, y) => {
    const h1 = jax.nn.relu(linear(jax, x, p['w1']!, p['b1']!))
    const h2 = jax.nn.relu(linear(jax, h1, p['w2']!, p['b2']!))
    return crossEntropy(jax, linear(jax, h2, p['w3']!, p['b3']!), y)
  }

const cnnLoss =
  (jax: Jax): Loss =>
  (p, x, y) => {
    const { lax, nn, numpy } = jax
    const layer = (h: X, w: X, b: X): X => {
      const z = lax.conv(h, w, [1, 1], 'VALID').add(b.reshape([-1, 1, 1]))
      return nn.relu(lax.reduceWindow(z, numpy.max, [2, 2], [2, 2]))
    }
    const h1 = layer(x, p['conv1']!, p['bias1']!)
    const h2 = layer(h1, p['conv2']!, p['bias2']!)
    return crossEntropy(jax, linear(jax, h2.reshape([-1, 400]), p['weight']!, p['bias']!), y)
  }

/** Unrolled over the 16 steps; x is [T, B, I], gates in the order i, f, g, o. */
const lstmLoss =
  (jax: Jax): Loss =>
  (p, x, y) => {
    const { nn, numpy } = jax
    const [steps, batch] = x.shape as readonly [number, number]
    const [wx, wh] = [p['wx']!.transpose(), p['wh']!.transpose()]
    let h: X = numpy.zeros([batch, 64])
    let c: X = numpy.zeros([batch, 64])
    for (let t = 0; t < steps; t++) {
      const z = numpy.matmul(x.ref.slice(t), wx.ref).add(numpy.matmul(h, wh.ref)).add(p['bias']!.ref)
      const [i, f, g, o] = numpy.split(z, 4, 1)
      c = nn
        .sigmoid(f!)
        .mul(c)
        .add(nn.sigmoid(i!).mul(numpy.tanh(g!)))
      h = nn.sigmoid(o!).mul(numpy.tanh(c.ref))
    }
    for (const spent of [x, wx, wh, c, p['bias']!]) spent.dispose()
    return crossEntropy(jax, linear(jax, h, p['weight']!, p['out']!), y)
  }

const losses: Readonly<Record<string, (jax: Jax) => Loss>> = {
  mlp_train: mlpLoss,
  cnn_train: cnnLoss,
  lstm_train: lstmLoss,
}

/** Parameters, Adam's moments and how many steps were taken. */
export interface Training {
  readonly [key: string]: Params | X
  readonly params: Params
  readonly m: Params
  readonly v: Params
  readonly step: X
}

const [rate, beta1, beta2, eps] = [0.001, 0.9, 0.999, 1e-8]

const mapParams = (names: Params, f: (name: string) => X): Params =>
  Object.fromEntries(Object.keys(names).map((name) => [name, f(name)]))

/** A whole training step; undefined for programs that do not train. */
export const trainStepOf = (
  jax: Jax,
  row: string,
): ((state: Training, x: X, y: X) => { readonly state: Training; readonly loss: X }) | undefined => {
  const loss = losses[row]?.(jax)
  if (!loss) return undefined
  const { numpy, tree } = jax
  return (state, x, y) => {
    const { params, m, v } = state
    const [value, grads] = jax.valueAndGrad(loss)(tree.ref(params), x, y) as readonly [X, Params]
    const step = state.step.add(1)
    const rest = (beta: number): X =>
      numpy
        .exp(step.ref.mul(Math.log(beta)))
        .mul(-1)
        .add(1)
    const [rest1, rest2] = [rest(beta1), rest(beta2)]
    const nextM = mapParams(params, (k) => m[k]!.mul(beta1).add(grads[k]!.ref.mul(1 - beta1)))
    const nextV = mapParams(params, (k) => v[k]!.mul(beta2).add(numpy.square(grads[k]!).mul(1 - beta2)))
    const next = mapParams(params, (k) => {
      const [mean, spread] = [nextM[k]!.ref.div(rest1.ref), numpy.sqrt(nextV[k]!.ref.div(rest2.ref))]
      return params[k]!.sub(mean.div(spread.add(eps)).mul(rate))
    })
    for (const spent of [rest1, rest2]) spent.dispose()
    return { state: { params: next, m: nextM, v: nextV, step }, loss: value }
  }
}

/** The programs that do not train. */
export const forwardOf = (jax: Jax, row: string): ((...args: readonly never[]) => X) | undefined => {
  const { nn, numpy } = jax
  const matmul = (x: X, w: X): X => numpy.matmul(x, w)
  const table: Readonly<Record<string, (...args: readonly never[]) => X>> = {
    matmul256: matmul,
    matmul512: matmul,
    matmul1024: matmul,
    chain: (x: X) => Array.from({ length: 5 }).reduce<X>((y) => numpy.tanh(y.mul(1.1).add(0.1)), x),
    softmax: (x: X) => nn.softmax(x, 1),
    layernorm: (p: Params, x: X) => nn.standardize(x, 1).mul(p['weight']!).add(p['bias']!),
    attention: (q: X, k: X, v: X) =>
      numpy.matmul(nn.softmax(numpy.matmul(q, k.transpose([0, 2, 1])).mul(1 / 8), -1), v),
  }
  return table[row]
}
