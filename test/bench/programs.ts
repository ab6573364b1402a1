/** The scoreboard's programs, each written once: shapes, loss, gradient list, optimiser. All f32, as `scoreboard.md` says. */
import { grad, valueAndGrad } from '../../passes/transform/gradient.ts'
import { spec } from '../../src/compile/compile.ts'
import type { Spec } from '../../src/compile/tree-types.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { adam } from '../../src/optim/index.ts'
import { type BenchProgram, type Params, program, type State } from './program.ts'
import { trainState, trainStep } from './train.ts'

type X = Tensor

const square1024 = spec([1024, 1024])

const chain = (x: X): X => Array.from({ length: 5 }).reduce<X>((y) => T.tanh(T.add(T.mul(y, 1.1), 0.1)), x)

const twelve: readonly ((x: X) => X)[] = [
  T.exp,
  T.sin,
  T.cos,
  T.tanh,
  T.sqrt,
  T.abs,
  T.neg,
  T.square,
  T.sigmoid,
  (x) => T.add(x, 1),
  (x) => T.mul(x, 2),
  (x) => T.maximum(x, 0),
]

const attention = (q: X, k: X, v: X): X => nn.scaledDotProductAttention(q, k, v)
const causalLoss = (q: X, k: X, v: X): X => T.mean(T.square(nn.scaledDotProductAttention(q, k, v, { causal: true })))

const mlpSpecs = (sizes: readonly number[]): { readonly [key: string]: Spec } =>
  Object.fromEntries(
    sizes.slice(1).flatMap((n, i) => [
      [`w${i + 1}`, spec([n, sizes[i]!])],
      [`b${i + 1}`, spec([n])],
    ]),
  )

const layers = (p: Params): number => Object.keys(p).filter((k) => k.startsWith('w')).length

const mlp = (p: Params, x: X): X =>
  Array.from({ length: layers(p) }, (_, i) => i + 1).reduce((h, i) => {
    const z = nn.linear(h, { weight: p[`w${i}`] as never, bias: p[`b${i}`] as never })
    return i < layers(p) ? T.relu(z) : z
  }, x)

const mlpLoss = (p: Params, x: X, y: X): X => nn.crossEntropy(mlp(p, x), y as never)

const cnnSpecs = {
  conv1: spec([8, 1, 5, 5]),
  bias1: spec([8]),
  conv2: spec([16, 8, 3, 3]),
  bias2: spec([16]),
  weight: spec([10, 400]),
  bias: spec([10]),
}

const cnnLoss = (p: Params, x: X, y: X): X => {
  const h1 = T.relu(nn.maxPool2d(nn.conv2d(x, { weight: p['conv1']!, bias: p['bias1']! }), { kernelSize: 2 }))
  const h2 = T.relu(nn.maxPool2d(nn.conv2d(h1, { weight: p['conv2']!, bias: p['bias2']! }), { kernelSize: 2 }))
  const logits = nn.linear(T.reshape(h2, [64, 400]), { weight: p['weight'] as never, bias: p['bias'] as never })
  return nn.crossEntropy(logits, y as never)
}

const lstmSpecs = {
  wx: spec([256, 32]),
  wh: spec([256, 64]),
  bias: spec([256]),
  weight: spec([10, 64]),
  out: spec([10]),
}

/** x is [T, B, I]; gates in the order i, f, g, o. */
const lstmLoss = (p: Params, x: X, y: X): X => {
  const [steps, batch] = x.shape as readonly [number, number]
  let h: X = T.zeros([batch, 64])
  let c: X = T.zeros([batch, 64])
  for (let t = 0; t < steps; t++) {
    const xt = T.at(x, t)
    const z = T.add(
      T.add(T.matmul(xt, T.matrixTranspose(p['wx']!)), T.matmul(h, T.matrixTranspose(p['wh']!))),
      p['bias']!,
    )
    const [i, f, g, o] = T.chunk(z, 4, { axis: 1 }) as readonly X[]
    c = T.add(T.mul(T.sigmoid(f!), c), T.mul(T.sigmoid(i!), T.tanh(g!)))
    h = T.mul(T.sigmoid(o!), T.tanh(c))
  }
  return nn.crossEntropy(nn.linear(h, { weight: p['weight'] as never, bias: p['out'] as never }), y as never)
}

const [positions, channels, heads] = [128, 768, 12]
const blockSpecs = {
  ln1w: spec([channels]),
  ln1b: spec([channels]),
  qkvw: spec([3 * channels, channels]),
  qkvb: spec([3 * channels]),
  projw: spec([channels, channels]),
  projb: spec([channels]),
  ln2w: spec([channels]),
  ln2b: spec([channels]),
  upw: spec([4 * channels, channels]),
  upb: spec([4 * channels]),
  downw: spec([channels, 4 * channels]),
  downb: spec([channels]),
}

/** Pre-norm, causal, 12 heads, gelu MLP of 4C. */
const gptBlock = (p: Params, x: X): X => {
  const dense = (h: X, name: string): X =>
    nn.linear(h, { weight: p[`${name}w`] as never, bias: p[`${name}b`] as never })
  const norm = (h: X, name: string): X => nn.layerNorm(h, { weight: p[`${name}w`]!, bias: p[`${name}b`]! })
  const split = (h: X): X => T.permuteDims(T.reshape(h, [positions, heads, channels / heads]), [1, 0, 2])
  const [q, k, v] = T.split(dense(norm(x, 'ln1'), 'qkv'), channels, { axis: 1 }) as readonly X[]
  const attended = nn.scaledDotProductAttention(split(q!), split(k!), split(v!), { causal: true })
  const joined = T.reshape(T.permuteDims(attended, [1, 0, 2]), [positions, channels])
  const y = T.add(x, dense(joined, 'proj'))
  return T.add(y, dense(nn.gelu(dense(norm(y, 'ln2'), 'up'), { approximate: 'tanh' }), 'down'))
}

const norms = { weight: spec([768]), bias: spec([768]) }
const normLoss = (p: Params, x: X): X => T.mean(T.square(nn.layerNorm(x, { weight: p['weight']!, bias: p['bias']! })))

const adamSizes = [
  [768, 64],
  [64],
  [64, 64],
  [64],
  [128, 64],
  [128],
  [32, 128],
  [32],
  [16, 32],
  [16],
  [10, 16],
  [10],
] as const
const adamSpecs = Object.fromEntries(adamSizes.map((s, i) => [`p${i}`, spec(s)]))

const heads8 = spec([8, 256, 64])

const matmul = (x: X, w: X): X => T.matmul(x, w)

/** What is timed alone: no row of the scoreboard. */
const timedAlone: readonly BenchProgram[] = [program('matmul1024', 1, [square1024, square1024], matmul)]

/** Every row of the scoreboard that the language can express. */
export const programs: readonly BenchProgram[] = [
  program('chain', 1, [spec([2 ** 20])], chain),
  program('softmax', 1, [square1024], (x: X) => nn.softmax(x, { axis: 1 })),
  program('layernorm', 1, [norms, spec([1024, 768])], (p: Params, x: X) =>
    nn.layerNorm(x, { weight: p['weight']!, bias: p['bias']! }),
  ),
  program('mean_var', 1, [square1024], (x: X) => [T.mean(x, { axis: 1 }), T.variance(x, { axis: 1, correction: 0 })]),
  program('sum_max', 1, [square1024], (x: X) => [T.sum(x, { axis: 1 }), T.max(x, { axis: 1 })]),
  program('maps12', 1, [twelve.map(() => spec([2 ** 16]))], (xs: readonly X[]) => twelve.map((f, i) => f(xs[i]!))),
  program('matmul256', 1, [spec([256, 256]), spec([256, 256])], matmul),
  program('matmul512', 1, [spec([512, 512]), spec([512, 512])], matmul),
  program('matmul_bias_gelu', 1, [spec([512, 512]), spec([512, 512]), spec([512])], (x: X, w: X, b: X) =>
    nn.gelu(T.add(T.matmul(x, w), b)),
  ),
  program('matmul_views', 1, [spec([256, 256]), spec([256, 256])], (x: X, w: X) => {
    const y = T.matmul(x, w)
    return T.reshape(T.where(T.triMask(256), T.matrixTranspose(y), 0), [128, 512])
  }),
  program('matmul_twice', 1, [spec([256, 256]), spec([256, 256])], (x: X, w: X) =>
    T.add(T.matmul(x, w), T.matmul(x, w)),
  ),
  program('argmax', 1, [square1024], (x: X) => T.argmax(x, { axis: 1 })),
  program('attention', 1, [heads8, heads8, heads8], attention),
  program('attention_grad', 4, [heads8, heads8, heads8], (q: X, k: X, v: X) =>
    valueAndGrad(causalLoss, { argnums: [0, 1, 2] })(q, k, v),
  ),
  program('layernorm_grad', 3, [norms, spec([1024, 768])], (p: Params, x: X) => [
    valueAndGrad(normLoss)(p, x),
    grad((y: X) => normLoss(p, y))(x),
  ]),
  program('conv_bias_relu', 1, [spec([8, 16, 32, 32]), spec([32, 16, 3, 3]), spec([32])], (x: X, w: X, b: X) =>
    T.relu(nn.conv2d(x, { weight: w, bias: b }, { padding: 1 })),
  ),
  program('mlp_grads', 6, [mlpSpecs([784, 128, 10]), spec([64, 784]), spec([64], 'i32')], (p: Params, x: X, y: X) =>
    valueAndGrad(mlpLoss)(p, x, y),
  ),
  program(
    'mlp_train',
    9,
    [trainState(mlpSpecs([784, 256, 128, 10])), spec([64, 784]), spec([64], 'i32')],
    trainStep(mlpLoss),
    { donate: [0] },
  ),
  program(
    'adam12',
    1,
    [trainState(adamSpecs), adamSpecs],
    (state: State, grads: Params) => {
      const next = adam(0.001).update(state.params, grads, state.optimiser)
      return { params: next.params, optimiser: next.state }
    },
    { donate: [0] },
  ),
  program('cnn_train', 20, [trainState(cnnSpecs), spec([64, 1, 28, 28]), spec([64], 'i32')], trainStep(cnnLoss), {
    donate: [0],
  }),
  program('lstm_train', 80, [trainState(lstmSpecs), spec([16, 32, 32]), spec([32], 'i32')], trainStep(lstmLoss), {
    donate: [0],
  }),
  program('gpt_block', 7, [blockSpecs, spec([positions, channels])], gptBlock),
  program('gpt_block_grad', 20, [blockSpecs, spec([positions, channels])], (p: Params, x: X) =>
    valueAndGrad((q: Params) => T.mean(T.square(gptBlock(q, x))))(p),
  ),
  program('gather', 1, [spec([50257, 768]), spec([128], 'i32')], (table: X, index: X) =>
    nn.embedding(index as never, table as never),
  ),
  program('sort', 1, [spec([1024])], (x: X) => T.sort(x)),
  program('cumsum', 1, [spec([1024])], (x: X) => T.cumsum(x)),
]

/** Every row of the table of times. */
export const timedPrograms: readonly BenchProgram[] = [...programs, ...timedAlone]
