/** Options and parameters that a layer does not have, or values it knows nothing of: a UsageError, never silence. */
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'

/** The editor refuses these calls; a program that was never checked makes them all the same. */
const loose = nn as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

const x = T.ones([2, 3])
const weight = T.ones([4, 3])
const image = T.ones([1, 1, 4, 4])
const labels = T.tensor([0, 1])
const cell = { weightIh: T.ones([2, 3]), weightHh: T.ones([2, 2]) }
const state = T.ones([2, 2])

/** The text of the UsageError of a call, then its hint. */
const refusal = (name: string, args: readonly unknown[]): readonly (string | undefined)[] => {
  try {
    loose[name]!(...args)
  } catch (e) {
    if (e instanceof T.TensorloomError && e.error.tag === 'UsageError') return [e.error.message, e.error.hint]
    throw e
  }
  return ['no error']
}

const cases: readonly (readonly [name: string, args: readonly unknown[], message: string, hint: string])[] = [
  ['softmax', [x, { dim: 1 }], "nn.softmax: there is no option 'dim'", 'it is called axis here'],
  ['softmax', [{ dim: 1 }], "nn.softmax: there is no option 'dim'", 'it is called axis here'],
  ['softmax', [x, 1], 'nn.softmax: 1 stands where a record of options is needed', 'it knows axis'],
  ['gelu', [x, { approximate: true }], 'nn.gelu: the approximation is true', "it can be 'none' or 'tanh'"],
  ['mseLoss', [x, x, { reduction: 'avg' }], "nn.mseLoss: the reduction is 'avg'", "it can be 'mean', 'sum' or 'none'"],
  [
    'klDiv',
    [x, x, { reduction: 'batch' }],
    "nn.klDiv: the reduction is 'batch'",
    "it can be 'mean', 'batchmean', 'sum' or 'none'",
  ],
  [
    'crossEntropy',
    [x, labels, { label_smoothing: 0.1 }],
    "nn.crossEntropy: there is no option 'label_smoothing'",
    'it is called labelSmoothing here',
  ],
  [
    'crossEntropy',
    [x, labels, { reduction: 'avg', weight: T.ones([3]) }],
    "nn.crossEntropy: the reduction is 'avg'",
    "it can be 'mean', 'sum' or 'none'",
  ],
  [
    'crossEntropy',
    [x, [0, 1]],
    'nn.crossEntropy: the target is an array, not a tensor',
    'make a tensor with T.tensor([1, 2, 3])',
  ],
  ['multiMarginLoss', [x, labels, { p: 3 }], 'nn.multiMarginLoss: the power p is 3', 'it can be 1 or 2'],
  ['linear', [x, { weights: weight }], "nn.linear: there is no parameter 'weights'", 'it knows weight and bias'],
  ['linear', [x, { bias: T.ones([4]) }], "nn.linear: the parameter 'weight' is missing", 'it knows weight and bias'],
  [
    'linear',
    [x, weight],
    'nn.linear: a tensor stands where a record of parameters is needed',
    'it knows weight and bias',
  ],
  [
    'layerNorm',
    [x, { weight: T.ones([3]) }, { epsilon: 1e-3 }],
    "nn.layerNorm: there is no option 'epsilon'",
    'it is called eps here',
  ],
  ['layerNorm', [x, { eps: 1e-3 }], "nn.layerNorm: there is no parameter 'eps'", 'it knows weight and bias'],
  [
    'rmsNorm',
    [x, { weight: T.ones([3]), bias: T.ones([3]) }],
    "nn.rmsNorm: there is no parameter 'bias'",
    'it knows weight',
  ],
  ['groupNorm', [image, {}], "nn.groupNorm: the option 'groups' is missing", 'it knows groups and eps'],
  [
    'batchNormStep',
    [x, { runningMean: T.zeros([3]) }],
    "nn.batchNormStep: the parameter 'runningVar' is missing",
    'it knows weight, bias, runningMean and runningVar',
  ],
  [
    'conv2d',
    [image, { weight: T.ones([1, 1, 2, 2]) }, { padding: 'full' }],
    "nn.conv2d: the option 'padding' is 'full', not a whole number, an array of them or of pairs, 'same' or 'valid'",
    "write { padding: 'same' }",
  ],
  [
    'conv2d',
    [image, { weight: T.ones([1, 1, 2, 2]) }, { stride: '2' }],
    "nn.conv2d: the option 'stride' is '2', not a whole number or an array of them",
    'write { stride: 1 }',
  ],
  [
    'avgPool2d',
    [image, { kernel_size: 2 }],
    "nn.avgPool2d: there is no option 'kernel_size'",
    'it is called kernelSize here',
  ],
  [
    'interpolate',
    [image, { size: 8, mode: 'cubic' }],
    "nn.interpolate: the mode is 'cubic'",
    "it can be 'nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic' or 'area'",
  ],
  [
    'embeddingBag',
    [T.tensor([[0]]), x, { mode: 'average' }],
    "nn.embeddingBag: the mode is 'average'",
    "it can be 'sum', 'mean' or 'max'",
  ],
  [
    'scaledDotProductAttention',
    [x, x, x, { isCausal: true }],
    "nn.scaledDotProductAttention: there is no option 'isCausal'",
    'it is called causal here',
  ],
  [
    'rnnCell',
    [x, state, { ...cell, nonlinearity: 'sigmoid' }],
    "nn.rnnCell: the nonlinearity is 'sigmoid'",
    "it can be 'tanh' or 'relu'",
  ],
  ['rnn', [x, cell], 'nn.rnn takes an array of layers, not an object', 'write nn.rnn(x, [layer])'],
  [
    'rnn',
    [x, [{ ...cell, bias: state }]],
    "nn.rnn: there is no parameter 'bias'",
    'it knows weightIh, weightHh, biasIh and biasHh',
  ],
  ['heNormal', [random.key(0), [3, 4], { gains: 1 }], "nn.heNormal: there is no option 'gains'", 'it knows gain'],
  ['heNormal', [random.key(0), 3], 'nn.heNormal: the shape is 3, not an array of sizes', 'write [3]'],
]

describe('what a layer does not know', () => {
  it.each(cases)('%s %#', (name, args, message, hint) => {
    expect(refusal(name, args)).toEqual([message, hint])
  })

  it('is refused when options are given in advance', () => {
    expect(refusal('mseLoss', [x, { reduce: 'sum' }])[0]).toBe("nn.mseLoss: there is no option 'reduce'")
    expect(refusal('conv2d', [{ weight }, { strides: 2 }])[0]).toBe("nn.conv2d: there is no option 'strides'")
  })

  it('is refused whether or not a value is undefined', () => {
    expect(refusal('softmax', [x, { dim: undefined }])[0]).toBe("nn.softmax: there is no option 'dim'")
    expect(refusal('softmax', [x, { axis: undefined }])).toEqual(['no error'])
    expect(refusal('softmax', [x, undefined])).toEqual(['no error'])
    expect(refusal('layerNorm', [x, undefined, { eps: 1e-3 }])).toEqual(['no error'])
  })
})
