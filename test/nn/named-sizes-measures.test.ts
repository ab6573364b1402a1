/** Pools, losses, metrics and positions over rows and lengths that are known when the program runs: values are those of fixed sizes. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { flat } from '../lang/tensor/run.ts'

/** Predictions and targets `[N, 4]`, classes `[N]`, sequences `[N, L, 4]`. */
type Operands = readonly [a: Tensor, b: Tensor, labels: Tensor, sequences: Tensor]
type Measured = (...operands: Operands) => readonly Tensor[]

const weight = T.tensor([0.5, 1, 2, 0.25]) as Tensor

const pools: Measured = (_a, _b, _labels, x) => {
  const across = T.swapaxes(x, 1, 2) as Tensor
  const image = T.expandDims(x, 1) as Tensor
  return [
    nn.maxPool1d(x, { kernelSize: 2 }) as Tensor,
    nn.avgPool1d(x, { kernelSize: 3, stride: 1, padding: 1, countIncludePad: false }) as Tensor,
    nn.lpPool1d(x, { kernelSize: 2, p: 2 }) as Tensor,
    nn.maxPool1d(across, { kernelSize: 2, stride: 1 }) as Tensor,
    nn.avgPool1d(across, { kernelSize: 3, stride: 1, padding: 1 }) as Tensor,
    nn.avgPool2d(image, { kernelSize: [1, 2] }) as Tensor,
    nn.adaptiveAvgPool1d(x, 2),
  ]
}

const losses: Measured = (a, b, labels, x) => [
  nn.mseLoss(a, b) as Tensor,
  nn.huberLoss(a, b, { reduction: 'sum' }) as Tensor,
  nn.binaryCrossEntropyWithLogits(a, T.sigmoid(b)) as Tensor,
  nn.crossEntropy(a, labels, { labelSmoothing: 0.1, weight }) as Tensor,
  nn.crossEntropy(a, T.sub(labels, 1), { ignoreIndex: -1, reduction: 'none' }) as Tensor,
  nn.crossEntropy(x, T.cast(T.mul(T.argmax(x, { axis: -1 }), 0), 'i32'), { axis: -1 }) as Tensor,
  nn.nllLoss(nn.logSoftmax(a), labels, { weight }) as Tensor,
  nn.tripletMarginLoss(a, b, T.neg(a) as Tensor) as Tensor,
  nn.multiMarginLoss(a, labels) as Tensor,
  nn.cosineEmbeddingLoss(a, b, T.ones([a.shape[0]!]) as Tensor) as Tensor,
  T.grad((z: Tensor) => nn.crossEntropy(z, labels) as Tensor)(a),
]

const metrics: Measured = (a, b, labels) => {
  const predicted = T.argmax(a, { axis: -1 })
  const first = T.at(a, ':', 0) as Tensor
  return [
    nn.accuracy(predicted, labels),
    nn.confusionMatrix(predicted, labels, { classes: 4 }),
    nn.precision(predicted, labels, { average: 'macro', classes: 4 }),
    nn.recall(predicted, labels, { average: 'none', classes: 4 }),
    nn.f1Score(predicted, labels, { average: 'weighted', classes: 4 }),
    nn.topKAccuracy(a, labels, { k: 2 }),
    nn.r2Score(first, T.at(b, ':', 1) as Tensor),
    nn.rmse(first, T.at(b, ':', 1) as Tensor),
  ]
}

const positions: Measured = (_a, _b, _labels, x) => [
  T.add(x, nn.sinusoidal(T.arange(x.shape[1]!), 4)) as Tensor,
  nn.rotary(x) as Tensor,
  nn.rotary(x, { positions: T.add(T.arange(x.shape[1]!), 3) as Tensor }) as Tensor,
]

const operandsOf = (rows: number, length: number): Operands => {
  const keys = random.splitList(random.key(rows * 31 + length), 3)
  const labels = T.tensor(Int32Array.from({ length: rows }, (_, i) => (i * 3 + 2) % 4)) as Tensor
  const normal = (i: number, shape: readonly number[]): Tensor => random.normal(keys[i]!, shape) as Tensor
  return [normal(0, [rows, 4]), normal(1, [rows, 4]), labels, normal(2, [rows, length, 4])]
}

const [rows, length] = [T.dim('rows', { max: 9, min: 1 }), T.dim('length', { max: 7, min: 3 })]
const specs = [T.spec([rows, 4]), T.spec([rows, 4]), T.spec([rows], 'i32'), T.spec([rows, length, 4])]
const sizes = [
  [1, 3],
  [5, 4],
  [9, 7],
] as const

describe.each([
  ['pools', pools],
  ['losses', losses],
  ['metrics', metrics],
  ['positions', positions],
])('%s', (name, f) => {
  const agrees = async (device: T.Device): Promise<void> => {
    const program = await T.compileOn(device, f as never, specs as never, { name })
    for (const [n, l] of sizes) {
      const operands = operandsOf(n, l)
      const given = T.reference(operands).map(({ shape, data }) => ({ shape, data }))
      const results = (await program.run(...(given as never))) as unknown as readonly T.Output[]
      const wanted = f(...operands)
      expect(results).toHaveLength(wanted.length)
      for (const [i, want] of wanted.entries()) {
        const values = flat(want)
        const got = Array.from((await results[i]!.read()) as Float32Array)
        expect(results[i]!.shape, `${i} of ${n}×${l}`).toEqual(want.shape)
        // R² of one row is no number, as it is of fixed sizes.
        for (const [k, v] of got.entries())
          if (Number.isNaN(values[k])) expect(v, `${i}[${k}] of ${n}×${l}`).toBeNaN()
          else expect(v, `${i}[${k}] of ${n}×${l}`).toBeCloseTo(values[k]!, 4)
      }
    }
  }
  test('on the processor', async () => agrees(await sharedProcessor()))
  if (name === 'positions') test('on a GPU', async () => agrees(await sharedDevice()))
})

test('what is ranked needs a number of rows', async () => {
  const auc = (scores: Tensor, labels: Tensor): Tensor => nn.rocAuc(scores, labels)
  const compiling = T.compileOn(await sharedProcessor(), auc as never, [T.spec([rows]), T.spec([rows], 'i32')] as never)
  await expect(compiling).rejects.toThrow('elements are sorted along axis 0, and its size is known only when')
})
