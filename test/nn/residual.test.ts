/** What goes past: residual blocks against their parts one by one, in training and after, over every number of axes. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { agreesWithReference } from '../../src/testing/agree.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { checkVmap } from '../../src/testing/check-vmap.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { flat, mistakeOf } from '../lang/tensor/run.ts'
import { near } from './near.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape)

const image = some(1, 2, 3, 5, 4)
const stirred = <P>(tree: P, seed: number): P =>
  T.mapTree(tree as never, (t: Tensor) =>
    T.add(t, T.mul(some(seed + t.shape.length * 9 + t.shape[0]!, ...t.shape), 0.25)),
  ) as P
const narrow = nn.residualBlockInit(random.key(2), 3, 3)
const wide = nn.residualBlockInit(random.key(3), 3, 4, { stride: 2 })
const plain = { params: stirred(narrow.params, 1), running: stirred(narrow.running, 2) }
const changed = { params: stirred(wide.params, 3), running: stirred(wide.running, 4) }

describe('residual', () => {
  test('adds what the function gives', () => {
    expect(flat(nn.residual(image, T.square))).toEqual(flat(T.add(image, T.square(image))))
  })
  test.each([
    [
      () => nn.residual(image, (x) => T.narrow(x, 0, 1)),
      'what goes past has shape [2, 3, 5, 4], what is added [1, 3, 5, 4]',
    ],
  ] as const)('mistake %# is named', (f, reason) => {
    expect(mistakeOf(f())).toMatchObject({ op: 'nn.residual', reason })
  })
  test('a function that is none, or gives no tensor, is refused', () => {
    expect(() => nn.residual(image, T.ones([2]) as never)).toThrow(
      'nn.residual: the second argument is a tensor, not a',
    )
    expect(() => nn.residual(image, (() => 3) as never)).toThrow(
      'nn.residual: what the function gives is 3, not a tensor',
    )
  })
})

describe('residualBlock', () => {
  test('is its parts, by the batch and by running statistics', () => {
    const { conv1, bn1, conv2, bn2 } = plain.params
    for (const running of [undefined, plain.running]) {
      const [one, two] = [running?.bn1 ?? {}, running?.bn2 ?? {}]
      const inner = nn.relu(nn.batchNorm(nn.conv2d(image, conv1, { padding: 1 }) as Tensor, { ...bn1, ...one }))
      const outer = nn.batchNorm(nn.conv2d(inner, conv2, { padding: 1 }) as Tensor, { ...bn2, ...two })
      near(nn.residualBlock(image, plain.params, { running }), flat(nn.relu(T.add(image, outer))))
    }
  })
  test('projects what goes past where sizes change', () => {
    const { conv1, bn1, conv2, bn2, downsample } = changed.params
    const inner = nn.relu(nn.batchNorm(nn.conv2d(image, conv1, { padding: 1, stride: 2 }) as Tensor, bn1))
    const outer = nn.batchNorm(nn.conv2d(inner, conv2, { padding: 1 }) as Tensor, bn2)
    const past = nn.batchNorm(nn.conv2d(image, downsample!.conv, { stride: 2 }) as Tensor, downsample!.bn)
    near(nn.residualBlock(image, changed.params, { stride: 2 }), flat(nn.relu(T.add(past, outer))))
  })
  test('in training gives what it gives without, and moved statistics', () => {
    const { output, running } = nn.residualBlockStep(image, changed.params, changed.running, {
      stride: 2,
      momentum: 0.5,
    })
    near(output, flat(nn.residualBlock(image, changed.params, { stride: 2 })))
    const first = nn.conv2d(image, changed.params.conv1, { padding: 1, stride: 2 }) as Tensor
    const step = nn.batchNormStep(first, { ...changed.params.bn1, ...changed.running.bn1 }, { momentum: 0.5 })
    near(running.bn1.runningVar, flat(step.runningVar))
    const past = nn.conv2d(image, changed.params.downsample!.conv, { stride: 2 }) as Tensor
    const { bn } = changed.running.downsample!
    near(running.downsample!.bn.runningMean, flat(nn.batchNormStep(past, { ...bn }, { momentum: 0.5 }).runningMean))
    expect(Object.keys(nn.residualBlockStep(image, plain.params, plain.running).running)).toEqual(['bn1', 'bn2'])
  })
  test.each([1, 2, 3])('over %i axes', (axes) => {
    const kernelSize = Array.from({ length: axes }, (_, i) => (i === 1 ? 5 : 3))
    const { params, running } = nn.residualBlockInit(random.key(4), 2, 3, { kernelSize, stride: 2 })
    const sizes = Array.from({ length: axes }, () => 5)
    expect(nn.residualBlock(T.ones([1, 2, ...sizes]), params, { stride: 2, running }).shape).toEqual([
      1,
      3,
      ...sizes.map(() => 3),
    ])
  })
  test.each([
    [{ conv1: { weight: T.ones([3, 2, 3, 3]) } }, '3 input channels and 3 output channels'],
    [{ bn2: { weight: T.ones([1]) } }, 'the weight has shape [1], not [3]'],
    [{ conv2: { weight: T.ones([3, 3, 2, 2]) } }, 'what goes past has shape'],
  ])('parameters of another shape are refused by the block %#', (part, reason) => {
    const found = mistakeOf(nn.residualBlock(image, { ...plain.params, ...part }))
    expect(found.op).toBe('nn.residualBlock')
    expect(found.reason).toContain(reason)
  })
  test.each([
    [() => nn.residualBlock(image, { ...plain.params, bn1: undefined as never }), "the parameter 'bn1' is missing"],
    [
      () => nn.residualBlock(image, { ...plain.params, conv1: {} as never }),
      "the parameter of conv1 'weight' is missing",
    ],
    [
      () => nn.residualBlock(image, changed.params, { running: plain.running }),
      "the parameter of running.downsample 'bn' is missing",
    ],
    [
      () => nn.residualBlock(image, plain.params, { running: null as never }),
      'null stands where a record of parameter',
    ],
    [() => nn.residualBlock(image, undefined as never), 'nn.residualBlock'],
  ])('mistake %# is named', (f, message) => {
    expect(f).toThrow(message)
    expect(f).toThrow('nn.residualBlock')
  })
  test('initial sizes that are none are refused', () => {
    expect(() => nn.residualBlockInit(random.key(0), 3, -1)).toThrow('nn.residualBlockInit: outputs is -1')
    expect(() => nn.residualBlockInit(random.key(0), 3, 3, { kernelSize: [3, 0.5] })).toThrow('kernel size 1 is 0.5')
    expect(() => nn.residualBlockInit(random.key(0), 3, 3, { kernelSize: [] })).toThrow(
      'nn.residualBlockInit: the kernel size has 0',
    )
  })
  test('gradients are those of finite differences, and batches those of their parts', () => {
    const small = some(5, 2, 3, 3, 3)
    checkGrad(
      (x: Tensor, p: nn.ResidualBlockParams) => nn.residualBlock(x, p, { running: changed.running, stride: 2 }),
      [small, changed.params],
      { maxElements: 3 },
    )
    checkVmap(((x: Tensor) => nn.residualBlock(x, plain.params, { running: plain.running })) as never, [
      some(6, 2, 1, 3, 3, 3),
    ])
  })
})

test('devices agree with the reference', async () => {
  const f = (x: Tensor, p: nn.ResidualBlockParams, running: nn.ResidualBlockRunning): unknown =>
    nn.residualBlockStep(x, p, running, { stride: 2 })
  for (const device of [await sharedDevice(), await sharedProcessor()])
    expect(await agreesWithReference(f, [some(7, 2, 3, 3, 3), changed.params, changed.running], { device })).toBe(true)
})
