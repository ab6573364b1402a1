import * as data from '../../../src/data/index.ts'
import * as T from '../../../src/index.ts'
import * as io from '../../../src/io/index.ts'
import { forms } from '../../../src/lang/tensor/dual.ts'
import type { Tensor } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import * as optim from '../../../src/optim/index.ts'
import * as random from '../../../src/random/index.ts'
import * as testing from '../../../src/testing/index.ts'
import * as train from '../../../src/train/index.ts'

import { before, image, whole, x } from './option-operands.ts'

export type Loose = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>
const modules = { T, nn, optim, random, data, io, train, testing } as unknown as Readonly<Record<string, Loose>>
const called = (name: string): Loose[string] => {
  const [module, key] = name.split('.') as [string, string]
  return modules[module]![key]!
}

export const own = (f: unknown): unknown => f

export interface Options {
  readonly name: string
  readonly kinds: Readonly<Record<string, string>>
  readonly call: (options: unknown) => unknown
}

/** All that take one tensor or several, direct and curried; mistakes of options come before those of operands. */
const dual: readonly Options[] = [...forms].flatMap(([name, { options, count }]) => {
  if (!options || !(name.split('.')[0]! in modules)) return []
  const args = before[name] ?? Array.from({ length: count }, () => x)
  return [
    { name, kinds: options, call: (o: unknown) => called(name)(...args, o) },
    { name, kinds: options, call: (o: unknown) => (called(name)(...args.slice(1), o) as Loose[string])(args[0]) },
  ]
})

const key = random.key(0)
const recurrentInit = { layers: 'count', bidirectional: 'boolean', bias: 'boolean' }
const convLayer = { stride: 'integers', padding: 'padding', dilation: 'integers', groups: 'count', bias: 'boolean' }
const convTransposeLayer = { ...convLayer, padding: 'integers', outputPadding: 'integers' }
const column = { a: { shape: [4], data: Float32Array.of(1, 2, 3, 4) } }
const sum = (...args: readonly unknown[]): unknown => T.sum(args[0] as Tensor)
const drain = (rows: unknown): unknown => [...(rows as Iterable<unknown>)]

/** The others, with the kinds of their options. */
const plain: Readonly<Record<string, readonly [kinds: Options['kinds'], (f: Loose[string], o: unknown) => unknown]>> = {
  'T.scan': [{ length: 'size', reverse: 'boolean' }, (f, o) => f((c: unknown, y: unknown) => [c, y], x, x, o)],
  'T.whileLoop': [
    { maxIterations: 'size', chunk: 'count' },
    (f, o) => f((c: Tensor) => T.any(T.less(c, 0)), own, x, o),
  ],
  'T.associativeScan': [{ axis: 'own', reverse: 'boolean' }, (f, o) => f(T.add, x, o)],
  'T.reduceWith': [{ axis: 'own' }, (f, o) => f(T.add, x, o)],
  'T.fftfreq': [{ d: 'finite' }, (f, o) => f(4, o)],
  'T.rfftfreq': [{ d: 'finite' }, (f, o) => f(4, o)],
  'T.zeros': [{ dtype: 'own' }, (f, o) => f([2], o)],
  'T.ones': [{ dtype: 'own' }, (f, o) => f([2], o)],
  'T.full': [{ dtype: 'own' }, (f, o) => f([2], 1, o)],
  'T.tensor': [{ dtype: 'own' }, (f, o) => f([1, 2], o)],
  'T.dim': [{ max: 'must count', min: 'size' }, (f, o) => f('n', o)],
  'T.arange': [{ dtype: 'own' }, (f, o) => f(3, o)],
  'T.linspace': [{ dtype: 'own' }, (f, o) => f(0, 1, 3, o)],
  'T.concat': [{ axis: 'own' }, (f, o) => f([x, x], o)],
  'T.stack': [{ axis: 'own' }, (f, o) => f([x, x], o)],
  'T.logspace': [{ base: 'number' }, (f, o) => f(0, 1, 3, o)],
  'T.eye': [{ columns: 'integer', dtype: 'own' }, (f, o) => f(2, o)],
  'T.meshgrid': [{ indexing: 'own' }, (f, o) => f([whole, whole], o)],
  'T.triMask': [{ diagonal: 'integer', columns: 'integer' }, (f, o) => f(2, o)],
  'T.showGraph': [{ elide: 'boolean' }, (f, o) => f({ inputs: [], outputs: [] }, o)],
  'T.showValue': [
    { precision: 'size', threshold: 'limit', edgeItems: 'size', lineWidth: 'limit' },
    (f, o) => f({ shape: [1], dtype: 'f32', data: [1] }, o),
  ],
  'T.grad': [{ argnums: 'own', hasAux: 'boolean' }, (f, o) => (f(sum, o) as Loose[string])(x)],
  'T.valueAndGrad': [{ argnums: 'own', hasAux: 'boolean' }, (f, o) => (f(sum, o) as Loose[string])(x)],
  'T.vmap': [{ inAxes: 'own', outAxes: 'own' }, (f, o) => (f(own, o) as Loose[string])(x)],
  'T.hessian': [{ argnums: 'own', hasAux: 'boolean' }, (f, o) => (f(sum, o) as Loose[string])(x)],
  'T.jacfwd': [{ argnums: 'own', hasAux: 'boolean' }, (f, o) => (f(sum, o) as Loose[string])(x)],
  'T.jacrev': [{ argnums: 'own', hasAux: 'boolean' }, (f, o) => (f(sum, o) as Loose[string])(x)],
  'T.fromArray': [{ dtype: 'own' }, (f, o) => f(Float32Array.of(1, 2), [2], o)],
  'T.jvp': [{ hasAux: 'boolean' }, (f, o) => f(own, [x], [x], o)],
  'T.compile': [
    {
      donate: 'own',
      keep: 'own',
      profile: 'own',
      subnormals: 'own',
      provenance: 'boolean',
      name: 'own',
      cache: 'own',
      fastMath: 'boolean',
    },
    (f, o) => T.orThrow(f(own, [T.spec([2])], o) as never),
  ],
  'T.jit': [{ provenance: 'boolean', fastMath: 'boolean', keep: 'own' }, (f, o) => f(own, o)],
  'random.normal': [{ mean: 'number', std: 'limit' }, (f, o) => f(key, [2], o)],
  'random.uniform': [{ low: 'number', high: 'number' }, (f, o) => f(key, [2], o)],
  'random.randint': [{ low: 'number', high: 'must number' }, (f, o) => f(key, [2], o)],
  'random.bernoulli': [{ p: 'operand' }, (f, o) => f(key, [2], o)],
  'random.truncatedNormal': [{ low: 'operand', high: 'operand' }, (f, o) => f(key, [2], o)],
  'random.poisson': [{ rate: 'must operand' }, (f, o) => f(key, [2], o)],
  'random.gamma': [{ a: 'must operand' }, (f, o) => f(key, [2], o)],
  'random.beta': [{ a: 'must operand', b: 'must operand' }, (f, o) => f(key, [2], o)],
  'random.dirichlet': [{ alpha: 'must tensor' }, (f, o) => f(key, [2], o)],
  'random.categorical': [{ logits: 'must tensor' }, (f, o) => f(key, [2], o)],
  'random.binomial': [{ n: 'must operand', p: 'must operand' }, (f, o) => f(key, [2], o)],
  'random.multinomial': [{ n: 'must operand', p: 'must tensor' }, (f, o) => f(key, [2], o)],
  'random.geometric': [{ p: 'must operand' }, (f, o) => f(key, [2], o)],
  'random.multivariateNormal': [{ mean: 'must tensor', cov: 'must tensor' }, (f, o) => f(key, [2], o)],
  'random.shuffle': [{ axis: 'own' }, (f, o) => f(key, x, o)],
  'random.permutation': [{ axis: 'own', independent: 'boolean' }, (f, o) => f(key, x, o)],
  'random.choice': [{ replace: 'boolean', p: 'tensor', axis: 'own' }, (f, o) => f(key, x, [1], o)],
  'nn.xavierUniform': [{ gain: 'limit' }, (f, o) => f(key, [2, 2], o)],
  'nn.xavierNormal': [{ gain: 'limit' }, (f, o) => f(key, [2, 2], o)],
  'nn.heUniform': [{ gain: 'limit' }, (f, o) => f(key, [2, 2], o)],
  'nn.heNormal': [{ gain: 'limit' }, (f, o) => f(key, [2, 2], o)],
  'nn.linearInit': [{ bias: 'boolean' }, (f, o) => f(key, 2, 2, o)],
  'nn.conv1dInit': [{ groups: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, 2, o)],
  'nn.conv2dInit': [{ groups: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, 2, o)],
  'nn.conv3dInit': [{ groups: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, 2, o)],
  'nn.convTranspose1dInit': [{ groups: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, 2, o)],
  'nn.convTranspose2dInit': [{ groups: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, 2, o)],
  'nn.convTranspose3dInit': [{ groups: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, 2, o)],
  'nn.embeddingInit': [{ std: 'limit', paddingIndex: 'integer' }, (f, o) => f(key, 4, 2, o)],
  'nn.layerNormInit': [{ bias: 'boolean' }, (f, o) => f(2, o)],
  'nn.multiHeadAttentionInit': [{ heads: 'count', keyHeads: 'count', bias: 'boolean' }, (f, o) => f(key, 4, o)],
  'nn.transformerEncoderBlockInit': [{ heads: 'count', keyHeads: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, o)],
  'nn.transformerDecoderBlockInit': [{ heads: 'count', keyHeads: 'count', bias: 'boolean' }, (f, o) => f(key, 4, 4, o)],
  'nn.residualBlockInit': [{ stride: 'count', kernelSize: 'list' }, (f, o) => f(key, 4, 4, o)],
  'nn.residualBlockStep': [
    { momentum: 'finite', eps: 'amount', stride: 'count' },
    (f, o) => {
      const { params, running } = nn.residualBlockInit(key, 4, 4)
      return f(image, params, running, o)
    },
  ],
  'nn.dense': [{ bias: 'boolean' }, (f, o) => f(2, 2, o)],
  'nn.conv1dLayer': [convLayer, (f, o) => f(4, 4, 2, o)],
  'nn.conv2dLayer': [convLayer, (f, o) => f(4, 4, 2, o)],
  'nn.conv3dLayer': [convLayer, (f, o) => f(4, 4, 2, o)],
  'nn.convTranspose1dLayer': [convTransposeLayer, (f, o) => f(4, 4, 2, o)],
  'nn.convTranspose2dLayer': [convTransposeLayer, (f, o) => f(4, 4, 2, o)],
  'nn.convTranspose3dLayer': [convTransposeLayer, (f, o) => f(4, 4, 2, o)],
  'nn.embeddingLayer': [{ std: 'limit', paddingIndex: 'integer' }, (f, o) => f(4, 2, o)],
  'nn.layerNormLayer': [{ eps: 'amount', bias: 'boolean' }, (f, o) => f(4, o)],
  'nn.rmsNormLayer': [{ eps: 'amount' }, (f, o) => f(4, o)],
  'nn.groupNormLayer': [{ groups: 'must count', eps: 'amount' }, (f, o) => f(4, o)],
  'nn.instanceNormLayer': [{ eps: 'amount' }, (f, o) => f(4, o)],
  'nn.dropoutLayer': [{ p: 'fraction' }, (f, o) => (f(o) as nn.Layer<null>).apply(null, x, key)],
  'nn.rnnInit': [recurrentInit, (f, o) => f(key, 2, 2, o)],
  'nn.gruInit': [recurrentInit, (f, o) => f(key, 2, 2, o)],
  'nn.lstmInit': [
    { ...recurrentInit, peepholes: 'boolean', projection: 'count', forgetBias: 'finite' },
    (f, o) => f(key, 2, 2, o),
  ],
  'nn.varianceScaling': [{ scale: 'limit', mode: 'own', distribution: 'own' }, (f, o) => f(key, [2, 2], o)],
  'nn.lecunNormal': [{ gain: 'limit' }, (f, o) => f(key, [2, 2], o)],
  'nn.lecunUniform': [{ gain: 'limit' }, (f, o) => f(key, [2, 2], o)],
  'nn.orthogonal': [{ gain: 'limit' }, (f, o) => f(key, [2, 2], o)],
  'nn.truncatedNormal': [{ mean: 'finite', std: 'limit', low: 'number', high: 'number' }, (f, o) => f(key, [2], o)],
  'nn.gumbelSoftmax': [{ tau: 'positive', hard: 'boolean', axis: 'own' }, (f, o) => f(key, x, o)],
  'nn.batchNormStep': [
    { momentum: 'number', eps: 'amount' },
    (f, o) => f(image, { runningMean: T.zeros([4]), runningVar: T.ones([4]) }, o),
  ],
  'optim.stepDecay': [{ stepSize: 'must positive', gamma: 'finite' }, (f, o) => f(0.1, o)],
  'optim.exponentialDecay': [{ gamma: 'must finite' }, (f, o) => f(0.1, o)],
  'optim.cosineDecay': [{ steps: 'must positive', min: 'finite' }, (f, o) => f(0.1, o)],
  'optim.warmup': [{ steps: 'must amount' }, (f, o) => f(0.1, o)],
  'optim.sgd': [
    { momentum: 'finite', dampening: 'finite', nesterov: 'boolean', weightDecay: 'finite', clipNorm: 'positive' },
    (f, o) => f(0.1, o),
  ],
  'optim.adam': [
    { beta1: 'decay', beta2: 'decay', eps: 'amount', amsgrad: 'boolean', weightDecay: 'finite', clipNorm: 'positive' },
    (f, o) => f(0.1, o),
  ],
  'optim.adamw': [
    { beta1: 'decay', beta2: 'decay', eps: 'amount', amsgrad: 'boolean', weightDecay: 'finite' },
    (f, o) => f(0.1, o),
  ],
  'optim.rmsprop': [{ alpha: 'fraction', eps: 'amount', centered: 'boolean', momentum: 'finite' }, (f, o) => f(0.1, o)],
  'optim.adagrad': [{ rateDecay: 'amount', eps: 'amount', initial: 'amount' }, (f, o) => f(0.1, o)],
  'optim.adadelta': [{ rho: 'fraction', eps: 'amount' }, (f, o) => f(1, o)],
  'optim.scaleByAdam': [{ beta1: 'decay', beta2: 'decay', eps: 'amount', amsgrad: 'boolean' }, (f, o) => f(o)],
  'optim.scaleByAdagrad': [{ rateDecay: 'amount', eps: 'amount', initial: 'amount' }, (f, o) => f(o)],
  'optim.scaleByRmsprop': [{ alpha: 'fraction', eps: 'amount', centered: 'boolean' }, (f, o) => f(o)],
  'optim.scaleByAdadelta': [{ rho: 'fraction', eps: 'amount' }, (f, o) => f(o)],
  'optim.trackMomentum': [{ momentum: 'must finite', dampening: 'finite', nesterov: 'boolean' }, (f, o) => f(o)],
  'optim.linear': [{ steps: 'must positive' }, (f, o) => f(0.1, 0.2, o)],
  'optim.polynomial': [{ steps: 'must positive', power: 'positive', min: 'finite' }, (f, o) => f(0.1, o)],
  'optim.oneCycle': [
    {
      steps: 'must count',
      pctStart: 'fraction',
      anneal: 'own',
      divFactor: 'positive',
      finalDivFactor: 'positive',
      threePhase: 'boolean',
    },
    (f, o) => f(0.1, o),
  ],
  'optim.plateau': [
    {
      mode: 'own',
      factor: 'decay',
      patience: 'size',
      threshold: 'amount',
      thresholdMode: 'own',
      cooldown: 'size',
      min: 'fraction',
    },
    (f, o) => f(o),
  ],
  'optim.ema': [{ decay: 'decay', debias: 'boolean' }, (f, o) => f(o)],
  'optim.nadam': [
    { beta1: 'decay', beta2: 'decay', eps: 'amount', momentumDecay: 'amount', decoupledWeightDecay: 'boolean' },
    (f, o) => f(0.1, o),
  ],
  'optim.adamax': [{ beta1: 'decay', beta2: 'decay', eps: 'amount' }, (f, o) => f(0.1, o)],
  'optim.radam': [
    { beta1: 'decay', beta2: 'decay', eps: 'amount', decoupledWeightDecay: 'boolean' },
    (f, o) => f(0.1, o),
  ],
  'optim.lion': [{ beta1: 'decay', beta2: 'decay' }, (f, o) => f(0.1, o)],
  'optim.lamb': [{ beta1: 'decay', beta2: 'decay', eps: 'amount' }, (f, o) => f(0.1, o)],
  'optim.scaleByNadam': [{ beta1: 'decay', beta2: 'decay', eps: 'amount', momentumDecay: 'amount' }, (f, o) => f(o)],
  'optim.scaleByAdamax': [{ beta1: 'decay', beta2: 'decay', eps: 'amount' }, (f, o) => f(o)],
  'optim.scaleByRadam': [{ beta1: 'decay', beta2: 'decay', eps: 'amount' }, (f, o) => f(o)],
  'optim.scaleByLion': [{ beta1: 'decay', beta2: 'decay' }, (f, o) => f(o)],
  'optim.scaleByTrustRatio': [{ coefficient: 'positive' }, (f, o) => f(o)],
  'optim.lbfgs': [{ history: 'count', c1: 'fraction', c2: 'fraction', maxEvaluations: 'count' }, (f, o) => f(o)],
  'optim.minimise': [
    {
      history: 'count',
      c1: 'fraction',
      c2: 'fraction',
      maxEvaluations: 'count',
      maxIterations: 'count',
      tolerance: 'amount',
    },
    (f, o) => f((p: Tensor) => T.sum(p), T.ones([1]), o),
  ],
  'optim.lossScale': [
    { initial: 'positive', growth: 'positive', backoff: 'positive', interval: 'count' },
    (f, o) => f(o),
  ],
  'optim.mixed': [{ scaling: 'own' }, (f, o) => f({ compute: 'bf16', ...(o as object) })],
  'data.batchCount': [{ size: 'must count', rest: 'own' }, (f, o) => f(column, o)],
  'data.batches': [{ size: 'must count', rest: 'own', key: 'tensor' }, (f, o) => drain(f(column, o))],
  'data.split': [{ key: 'tensor', stratify: 'text' }, (f, o) => f(column, [0.5, 0.5], o)],
  'data.kFold': [{ key: 'tensor', stratify: 'text' }, (f, o) => f(column, 2, o)],
  'data.vocabulary': [{ size: 'count', minCount: 'count', special: 'list', unknown: 'text' }, (f, o) => f([['a']], o)],
  'data.characterTokenizer': [
    { size: 'count', minCount: 'count', special: 'list', unknown: 'text' },
    (f, o) => f('a', o),
  ],
  'data.wordTokenizer': [{ size: 'count', minCount: 'count', special: 'list', unknown: 'text' }, (f, o) => f('a', o)],
  'data.prefetch': [{ ahead: 'count' }, (f, o) => f([], o)],
  'data.mapAsync': [{ concurrency: 'count' }, (f, o) => f([], own, o)],
  'data.batch': [{ size: 'must count', rest: 'own' }, (f, o) => f([], o)],
  'data.padSequences': [{ length: 'size', value: 'value', side: 'own', truncate: 'boolean' }, (f, o) => f([[1]], o)],
  'data.windows': [{ size: 'must count', stride: 'count' }, (f, o) => f([1, 2, 3], o)],
  'data.readMnist': [
    { rows: 'count' },
    // The folder is not there.
    (f, o) => (f('none', 'train', o) as Promise<unknown>).catch(() => undefined),
  ],
  // Its length is a function.
  'data.bucket': [{ size: 'must count', edges: 'must list', rest: 'own' }, (f, o) => f([], o)],
  'io.checkpoints': [{ keep: 'count' }, (f, o) => f('none', o)],
  'train.learner': [{ hasAux: 'boolean', running: 'boolean' }, (f, o) => f(sum, optim.sgd(0.1), o)],
  'train.earlyStopping': [{ measure: 'text', mode: 'own', patience: 'count', minDelta: 'amount' }, (f, o) => f(o)],
  'data.parseCsv': [{ separator: 'own', header: 'boolean', missing: 'own', source: 'text' }, (f, o) => f('a\n1', o)],
  'testing.arbDim': [{ empty: 'boolean' }, (f, o) => f(o)],
  'testing.arbShape': [{ maxRank: 'size', maxElements: 'size', empty: 'boolean' }, (f, o) => f(o)],
  'testing.arbNumber': [{ specials: 'boolean', min: 'number', max: 'number' }, (f, o) => f('f32', o)],
  'testing.arbTensor': [
    { specials: 'boolean', min: 'number', max: 'number' },
    (f, o) => f({ shape: [2], dtype: 'f32' }, o),
  ],
  'testing.arbValue': [
    { specials: 'boolean', min: 'number', max: 'number' },
    (f, o) => f({ shape: [2], dtype: 'f32' }, o),
  ],
  'testing.arbBroadcastable': [
    { count: 'count', maxRank: 'size', maxElements: 'size', empty: 'boolean' },
    (f, o) => f(o),
  ],
  'testing.arbGraph': [
    {
      maxNodes: 'count',
      vmap: 'boolean',
      specials: 'boolean',
      maxElements: 'size',
      ops: 'list',
      without: 'list',
      dtypes: 'list',
    },
    (f, o) => f(o),
  ],
  'testing.checkGrad': [
    { tolerance: 'amount', maxElements: 'size', order: 'own', seed: 'integer' },
    (f, o) => f(own, [x], o),
  ],
}

export const all: readonly Options[] = [
  ...dual,
  ...Object.entries(plain).map(([name, [kinds, call]]) => ({
    name,
    kinds,
    call: (o: unknown) => call(called(name), o),
  })),
]
