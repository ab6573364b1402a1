/** Every dual function, called both ways: nodes are interned, so equal results are one object. */
import { describe, expect, test } from 'vitest'
import { pipe } from '#fp/function'
import type { TensorloomError } from '../../../src/lang/errors.ts'
import { forms } from '../../../src/lang/tensor/dual.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import { isTensor } from '../../../src/lang/tree.ts'
import * as nn from '../../../src/nn/index.ts'
import * as random from '../../../src/random/index.ts'
import { dataFirstOnly } from './data-first.ts'

const x = T.tensor([
  [1.5, -2, 3],
  [4, 5.5, -6],
])
const y = T.tensor(
  [
    [2, 1, 0.5],
    [3, -1, 2],
  ],
  { dtype: 'f32' },
)
const square = T.tensor(
  [
    [1, 2],
    [3, 4],
  ],
  { dtype: 'f32' },
)
const v = T.tensor([1, 2, 3], { dtype: 'f32' })
const i = T.tensor([
  [1, 2, 3],
  [4, 5, 6],
])
const j = T.tensor([
  [2, 2, 3],
  [1, 5, 9],
])
const mask = T.tensor([
  [true, false, true],
  [false, true, true],
])
const index = T.tensor([1, 0])
const labels = T.tensor([2, 0])
const cube = T.full([2, 2, 3], 2)
const image = T.reshape(T.arange(64, { dtype: 'f32' }), [2, 2, 4, 4])
const line = T.reshape(T.arange(16, { dtype: 'f32' }), [2, 2, 4])
const volume = T.reshape(T.arange(64, { dtype: 'f32' }), [1, 1, 4, 4, 4])
const key = random.key(0)
const cellOf = (gates: number) => ({ weightIh: T.ones([2 * gates, 3]), weightHh: T.ones([2 * gates, 2]) })
const state = T.ones([2, 2])

/** Arguments of a direct call, the piped operand first. Functions of one tensor with no options need no curried form. */
const samples: Readonly<Record<string, readonly unknown[]>> = {
  'T.where': [mask, x, y],
  'T.maskedFill': [x, mask, 7],
  'T.lerp': [x, y, 0.25],
  'T.addcmul': [x, y, x, { value: 2 }],
  'T.addcdiv': [x, y, x, { value: 2 }],
  'T.isclose': [x, y, { rtol: 0.1 }],
  'T.allclose': [x, y, { rtol: 0.1 }],
  'T.isin': [x, v, { invert: true }],
  'T.interp': [x, v, v, { left: 0 }],
  'T.clip': [x, { min: 0 }],
  'T.diff': [x, { n: 2 }],
  'T.dynamicSlice': [x, [0, 1], [1, 2]],
  'T.dynamicUpdateSlice': [x, T.ones([1, 2]), [0, 1]],
  'T.bincount': [i, { length: 4 }],
  'T.histogram': [x, { bins: 3 }],
  'T.percentile': [x, 50, { axis: 1 }],
  'T.nanquantile': [x, 0.5, { axis: 1 }],
  'T.transpose': [x, [1, 0]],
  'T.cross': [x, y],
  'T.inner': [x, y],
  'T.vdot': [x, y],
  'T.expm': [square],
  'T.cast': [x, 'i32'],
  'T.astype': [x, 'i32'],
  'T.bitcast': [x, 'u32'],
  'T.logit': [x, { eps: 0.1 }],
  'T.polygamma': [x, 2],
  'T.clamp': [x, { min: 0 }],
  'T.nanToNum': [x, { nan: 1 }],
  'T.checkNumerics': [x, 'x'],
  'T.debug': [x, 'x'],
  'T.reshape': [x, [3, -1]],
  'T.broadcastTo': [v, [2, 3]],
  'T.permuteDims': [x, [1, 0]],
  'T.swapaxes': [x, 0, 1],
  'T.moveaxis': [x, 0, 1],
  'T.expandDims': [x, 1],
  'T.squeeze': [T.zeros([1, 2]), { axis: 0 }],
  'T.roll': [x, 1, { axis: 1 }],
  'T.unfold': [v, { axis: 0, size: 2, step: 1 }],
  'T.dot': [v, v],
  'T.mv': [x, v],
  'T.mm': [x, T.matrixTranspose(y)],
  'T.bmm': [T.ones([2, 3, 4]), T.ones([2, 4, 5])],
  'T.outer': [v, v],
  'T.matmul': [x, T.matrixTranspose(y)],
  'T.vecdot': [x, y, { axis: 0 }],
  'T.tensordot': [x, y, { axes: 2 }],
  'T.addmm': [square, square, square, { beta: 2 }],
  'T.baddbmm': [T.ones([2, 3, 5]), T.ones([2, 3, 4]), T.ones([2, 4, 5]), { alpha: 2 }],
  'T.matrixPower': [square, 3],
  'T.fft': [[x, y]],
  'T.ifft': [[x, y]],
  'T.irfft': [[x, y]],
  'T.fftn': [[x, y]],
  'T.ifftn': [[x, y]],
  'T.fft2': [[x, y]],
  'T.ifft2': [[x, y]],
  'T.rfftn': [x, { norm: 'ortho' }],
  'T.irfftn': [[x, y]],
  'T.solve': [square, index],
  'T.solveTriangular': [square, square, { upper: true }],
  'T.lstsq': [x, index, { rtol: 0.1 }],
  'T.cholesky': [square, { upper: true }],
  'T.det': [square],
  'T.inv': [square],
  'T.slogdet': [square],
  'T.eigh': [square],
  'T.eigvalsh': [square],
  'T.split': [x, 2, { axis: 1 }],
  'T.chunk': [x, 2, { axis: 1 }],
  'T.unbind': [x, { axis: 1 }],
  'T.pad': [
    x,
    [
      [1, 1],
      [0, 2],
    ],
    { value: 3 },
  ],
  'T.repeat': [x, [2, 1]],
  'T.tile': [x, [2]],
  'T.repeatInterleave': [x, 2, { axis: 0 }],
  'T.tril': [x, { diagonal: 1 }],
  'T.triu': [x, { diagonal: 1 }],
  'T.diag': [v, { diagonal: 1 }],
  'T.diagonal': [x, { offset: 1 }],
  'T.fullLike': [x, 3],
  'T.oneHot': [labels, 4],
  'T.slice': [x, [[0, null, 2]]],
  'T.at': [x, 1, '::-1'],
  'T.setAt': [x, [0], 9],
  'T.select': [x, 1, { axis: 1 }],
  'T.narrow': [x, 0, 2, { axis: 1 }],
  'T.topK': [x, 2, { axis: 1 }],
  'T.kthvalue': [x, 2, { axis: 1 }],
  'T.quantile': [x, 0.5, { axis: 1 }],
  'T.unique': [x, { size: 2 }],
  'T.take': [x, index, { axis: 1 }],
  'T.takeAlongAxis': [x, T.tensor([[1], [0]]), { axis: 1 }],
  'T.gather': [x, T.tensor([[1, 0, 1]]), { axis: 0 }],
  'T.scatterAdd': [x, T.tensor([[1, 0, 1]]), y, { axis: 0 }],
  'T.scatter': [x, T.tensor([[1, 0, 1]]), y, { axis: 0 }],
  'T.scatterMax': [x, T.tensor([[1, 0, 1]]), y, { axis: 0 }],
  'T.scatterMin': [x, T.tensor([[1, 0, 1]]), y, { axis: 0 }],
  'T.atIndices': [x, [index, index]],
  'T.setAtIndices': [x, [index], 7, { accumulate: true }],
  'T.searchsorted': [v, x, { side: 'right' }],
  'T.indexAdd': [x, index, y, { axis: 0 }],
  'nn.prelu': [x, T.tensor([0.1, 0.2, 0.3])],
  'nn.threshold': [x, 1, 0],
  'nn.glu': [T.ones([2, 4]), { axis: 1 }],
  'nn.linear': [x, { weight: y, bias: T.ones([2]) }],
  'nn.embedding': [index, x, { paddingIndex: 0 }],
  'nn.dropout': [x, key, { p: 0.25 }],
  'nn.scaledDotProductAttention': [cube, cube, cube, { causal: true }],
  'nn.multiHeadAttention': [cube, { inProjWeight: T.ones([9, 3]), outProjWeight: T.eye(3) }, { heads: 3 }],
  'nn.multiHeadAttentionWeights': [cube, { inProjWeight: T.ones([9, 3]), outProjWeight: T.eye(3) }, { heads: 3 }],
  'nn.transformerEncoderBlock': [cube, nn.transformerEncoderBlockInit(key, 3, 4), { heads: 3 }],
  'nn.transformerDecoderBlock': [cube, cube, nn.transformerDecoderBlockInit(key, 3, 4), { heads: 3 }],
  'nn.residual': [x, T.exp],
  'nn.residualBlock': [image, nn.residualBlockInit(key, 2, 3).params, { eps: 0.1 }],
  'nn.rotary': [T.ones([2, 4]), { interleaved: true }],
  'nn.sinusoidal': [v, 4, { base: 100 }],
  'nn.embeddingBag': [T.tensor([1, 0, 1]), x, { offsets: T.tensor([0, 2]), mode: 'sum' }],
  'nn.rnnCell': [x, state, cellOf(1)],
  'nn.lstmCell': [x, [state, state], cellOf(4)],
  'nn.gruCell': [x, state, cellOf(3)],
  'nn.rnn': [cube, [cellOf(1)], { nonlinearity: 'relu' }],
  'nn.lstm': [cube, [[cellOf(4), cellOf(4)]], { batchFirst: true }],
  'nn.gru': [cube, [cellOf(3)], {}],
  'nn.adaptiveAvgPool1d': [line, 3],
  'nn.adaptiveAvgPool2d': [image, [3, null]],
  'nn.adaptiveAvgPool3d': [volume, 2],
  'nn.adaptiveMaxPool1d': [line, 3],
  'nn.adaptiveMaxPool2d': [image, [3, 2]],
  'nn.adaptiveMaxPool3d': [volume, 2],
  'nn.lpPool1d': [line, { p: 3, kernelSize: 2 }],
  'nn.lpPool3d': [volume, { p: 2, kernelSize: 2 }],
  'nn.maxPool1dWithIndices': [line, { kernelSize: 2 }],
  'nn.maxPool2dWithIndices': [image, { kernelSize: 2, padding: 'same' }],
  'nn.maxPool3dWithIndices': [volume, { kernelSize: 2 }],
  'nn.maxUnpool1d': [T.ones([1, 2]), T.tensor([[1, 2]]), { kernelSize: 2 }],
  'nn.maxUnpool2d': [T.ones([1, 1, 2]), T.tensor([[[1, 2]]]), { kernelSize: 2 }],
  'nn.maxUnpool3d': [T.ones([1, 1, 1, 2]), T.tensor([[[[1, 2]]]]), { kernelSize: 2 }],
  'nn.lpPool2d': [image, { p: 2, kernelSize: 2 }],
  'nn.interpolate': [image, { size: [3, 5], mode: 'bicubic' }],
  'nn.pixelShuffle': [T.ones([1, 4, 2, 3]), 2],
  'nn.pixelUnshuffle': [image, 2],
  'nn.depthToSpace': [T.ones([1, 4, 2, 3]), 2, { mode: 'CRD' }],
  'nn.spaceToDepth': [image, 2, {}],
  'nn.gridSample': [T.ones([1, 2, 3, 4]), T.zeros([1, 2, 5, 2]), { mode: 'bicubic' }],
  'nn.affineGrid': [T.ones([2, 2, 3]), [2, 1, 3, 4], { alignCorners: true }],
  'nn.roiAlign': [T.ones([1, 2, 3, 4]), T.ones([3, 5]), { outputSize: [2, 3], samplingRatio: 2 }],
  'nn.unfold': [image, { kernelSize: 2 }],
  'nn.fold': [T.ones([1, 8, 9]), { outputSize: 4, kernelSize: 2 }],
  'nn.binaryCrossEntropy': [T.sigmoid(x), T.sigmoid(y), { reduction: 'sum' }],
  'nn.nllLoss': [nn.logSoftmax(x), labels, { reduction: 'sum' }],
  'nn.crossEntropy': [x, labels, { labelSmoothing: 0.1 }],
  'nn.marginRankingLoss': [x, y, T.sign(x), { margin: 0.5 }],
  'nn.multiMarginLoss': [x, labels, { p: 2 }],
  'nn.tripletMarginLoss': [x, y, T.add(x, 1), { swap: true }],
  'nn.cosineEmbeddingLoss': [x, y, T.tensor([1, -1]), { margin: 0.1 }],
  'nn.gaussianNllLoss': [x, y, T.exp(y), { full: true }],
  'nn.ctcLoss': [
    T.ones([4, 2, 3]),
    T.tensor([
      [1, 2],
      [1, 1],
    ]),
    T.tensor([4, 3]),
    T.tensor([2, 1]),
    { reduction: 'sum' },
  ],
  'nn.accuracy': [labels, T.add(labels, 1)],
  'nn.topKAccuracy': [x, labels, { k: 2 }],
  'nn.confusionMatrix': [labels, labels, { classes: 3 }],
  'nn.precision': [labels, labels, { average: 'macro', classes: 3 }],
  'nn.recall': [labels, labels, {}],
  'nn.f1Score': [labels, labels, { average: 'none', classes: 3 }],
  'nn.perplexity': [x, labels, { ignoreIndex: 0 }],
  'nn.rocCurve': [v, T.tensor([0, 1, 1])],
  'nn.rocAuc': [v, T.tensor([0, 1, 1])],
  'nn.layerNorm': [x, { weight: v }, { eps: 1e-3 }],
  'nn.rmsNorm': [x, { weight: v }, { eps: 1e-3 }],
  'nn.batchNorm': [x, { weight: v }, { eps: 1e-3 }],
  'nn.groupNorm': [image, {}, { groups: 2 }],
  'nn.instanceNorm': [image, {}, { eps: 1e-3 }],
  'nn.conv1d': [line, { weight: T.ones([3, 2, 2]) }, { padding: 1 }],
  'nn.conv2d': [image, { weight: T.ones([3, 2, 2, 2]) }, { stride: 2 }],
  'nn.conv3d': [volume, { weight: T.ones([1, 1, 2, 2, 2]) }, { padding: 'same' }],
  'nn.convTranspose1d': [line, { weight: T.ones([2, 3, 2]) }, { stride: 2 }],
  'nn.convTranspose2d': [image, { weight: T.ones([2, 3, 2, 2]) }, { stride: 2 }],
  'nn.convTranspose3d': [volume, { weight: T.ones([1, 3, 2, 2, 2]) }, { stride: 2 }],
  'nn.maxPool1d': [line, { kernelSize: 2 }],
  'nn.maxPool2d': [image, { kernelSize: 2, ceilMode: true }],
  'nn.maxPool3d': [volume, { kernelSize: 2 }],
  'nn.avgPool1d': [line, { kernelSize: 2 }],
  'nn.avgPool2d': [image, { kernelSize: 3, stride: 2, padding: 1, countIncludePad: false }],
  'nn.avgPool3d': [volume, { kernelSize: 2 }],
}

const integersOnly = /bitwise|gcd|lcm/
const oneAxis = /arg(max|min)|WithIndex/

/** What any function of its form takes, where the table above has nothing special. */
const argumentsOf = (name: string): readonly unknown[] => {
  const listed = samples[name]
  if (listed) return listed
  const form = forms.get(name)!
  const operands = integersOnly.test(name) ? [i, j] : [x, y]
  if (form.by === 'data') return [x, oneAxis.test(name) || /softm|Softm/.test(name) ? { axis: 1 } : {}]
  return [...operands.slice(0, form.count), ...(form.options ? [{}] : [])]
}

const functionsOf = (
  prefix: string,
  module: Readonly<Record<string, unknown>>,
): readonly (readonly [string, (...args: unknown[]) => unknown])[] =>
  Object.entries(module)
    .filter(([, f]) => typeof f === 'function')
    .map(([k, f]) => [`${prefix}.${k}`, f as (...args: unknown[]) => unknown])

const functions = new Map([...functionsOf('T', T), ...functionsOf('nn', nn)])

const wellTyped = (result: unknown): boolean =>
  isTensor(result) ? result.shape.length >= 0 : parts(result).length > 0 && parts(result).every(wellTyped)

/** The tensors of a list or a record. */
const parts = (result: unknown): readonly unknown[] =>
  typeof result === 'object' && result !== null ? Object.values(result) : []

describe('dual functions', () => {
  test('every exported function is in the table of forms, or is data-first only', () => {
    const passedOn = ['nn.relu', 'nn.sigmoid', 'nn.tanh']
    const rest = [...functions.keys()].filter((k) => !forms.has(k) && !passedOn.includes(k))
    expect(rest.sort()).toEqual([...dataFirstOnly].sort())
    expect([...forms.keys()].filter((k) => !functions.has(k))).toEqual([])
  })

  test.each([...forms.keys()].sort())('%s is one function in both forms', (name) => {
    const f = functions.get(name)!
    const args = argumentsOf(name)
    const direct = f(...args)
    expect(wellTyped(direct)).toBe(true)
    const { by, count, options } = forms.get(name)!
    if (by === 'operands' && count === 1 && !options) return
    const [data, ...others] = args
    const curried = (f(...others) as (x: unknown) => unknown)(data)
    expect(curried).toEqual(direct)
    const same = isTensor(direct) ? curried === direct : parts(direct).every((d, k) => d === parts(curried)[k])
    expect(same).toBe(true)
    expect(f.name).toBe(name)
  })

  test('pipe reads as the sentence does', () => {
    expect(pipe(x, T.sub(1))).toBe(T.sub(x, 1))
    expect(pipe(x, T.pow(2))).toBe(T.mul(x, x))
    expect(T.pow(2, x)).not.toBe(T.pow(x, 2))
    expect(pipe(x, T.sum)).toBe(T.sum(x))
    expect(pipe(x, T.sum({ axis: 0 }))).toBe(T.sum(x, { axis: 0 }))
  })

  test.each([
    [
      () => (T.add as unknown as (...a: unknown[]) => unknown)(x, y, x),
      'T.add takes 2 arguments (one fewer when curried), not 3',
    ],
    [
      () => (T.add as unknown as (...a: unknown[]) => unknown)(),
      'T.add takes 2 arguments (one fewer when curried), not 0',
    ],
    [() => T.add(x, undefined as never), 'T.add: operand 2 is undefined, not a tensor'],
    [() => T.exp([1, 2] as never), 'T.exp: operand 1 is an array, not a tensor'],
  ])('misuse %# is a UsageError', (f, message) => {
    try {
      f()
      expect.unreachable()
    } catch (e) {
      expect((e as TensorloomError).error.tag).toBe('UsageError')
      expect((e as TensorloomError).message).toContain(message)
    }
  })
})
