/** Layers of convolutions, embeddings and norms: what their functions do with what their initial weights are, in sequences, on devices. */
import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as T from '../../src/index.ts'
import { flattenTensors } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { agreesWithReference } from '../../src/testing/agree.ts'
import { checkGrad } from '../../src/testing/check-grad.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { flat } from '../lang/tensor/run.ts'

const key = random.key(3)
const some = (...shape: readonly number[]): Tensor => T.fromArray(flat(random.normal(random.key(9), shape)), shape)

/** A layer, an input, its parameters, and what comes out. */
type Case = readonly [
  name: string,
  layer: nn.Layer<never>,
  x: Tensor,
  params: unknown,
  y: (p: never, x: Tensor) => unknown,
]

const make = <P>(
  name: string,
  layer: nn.Layer<P>,
  x: Tensor,
  params: NoInfer<P>,
  y: (p: NoInfer<P>, x: Tensor) => unknown,
): Case => [name, layer as never, x, params, y as never]

const cases: readonly Case[] = [
  make(
    'conv1d',
    nn.conv1dLayer(4, 6, 3, { stride: 2, padding: 'same', groups: 2, bias: false }),
    some(2, 4, 7),
    nn.conv1dInit(key, 4, 6, 3, { groups: 2, bias: false }),
    (p, x) => nn.conv1d(x, p, { stride: 2, padding: 'same', groups: 2 }),
  ),
  make(
    'conv2d',
    nn.conv2dLayer(3, 2, [3, 2], {
      dilation: 2,
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
    some(3, 7, 5),
    nn.conv2dInit(key, 3, 2, [3, 2]),
    (p, x) =>
      nn.conv2d(x, p, {
        dilation: 2,
        padding: [
          [1, 0],
          [0, 2],
        ],
      }),
  ),
  make('conv3d', nn.conv3dLayer(2, 3, 2), some(1, 2, 3, 4, 3), nn.conv3dInit(key, 2, 3, 2), (p, x) => nn.conv3d(x, p)),
  make(
    'convTranspose1d',
    nn.convTranspose1dLayer(2, 4, 3, { stride: 2, outputPadding: 1, groups: 2 }),
    some(2, 2, 4),
    nn.convTranspose1dInit(key, 2, 4, 3, { groups: 2 }),
    (p, x) => nn.convTranspose1d(x, p, { stride: 2, outputPadding: 1, groups: 2 }),
  ),
  make(
    'convTranspose2d',
    nn.convTranspose2dLayer(3, 2, 4, { stride: 2, padding: 1 }),
    some(2, 3, 3, 2),
    nn.convTranspose2dInit(key, 3, 2, 4),
    (p, x) => nn.convTranspose2d(x, p, { stride: 2, padding: 1 }),
  ),
  make(
    'convTranspose3d',
    nn.convTranspose3dLayer(1, 2, [1, 2, 2], { bias: false }),
    some(1, 1, 2, 2, 2),
    nn.convTranspose3dInit(key, 1, 2, [1, 2, 2], { bias: false }),
    (p, x) => nn.convTranspose3d(x, p),
  ),
  make(
    'layerNorm',
    nn.layerNormLayer([3, 2], { eps: 0.5, bias: false }),
    some(4, 3, 2),
    nn.layerNormInit([3, 2], { bias: false }),
    (p, x) => nn.layerNorm(x, p, { eps: 0.5 }),
  ),
  make('layerNorm of one axis', nn.layerNormLayer(3), some(4, 3), nn.layerNormInit(3), (p, x) => nn.layerNorm(x, p)),
  make('rmsNorm', nn.rmsNormLayer(3, { eps: 0.5 }), some(4, 3), nn.rmsNormInit(3), (p, x) =>
    nn.rmsNorm(x, p, { eps: 0.5 }),
  ),
  make('groupNorm', nn.groupNormLayer(6, { groups: 3, eps: 0.5 }), some(2, 6, 3), nn.groupNormInit(6), (p, x) =>
    nn.groupNorm(x, p, { groups: 3, eps: 0.5 }),
  ),
  make('instanceNorm', nn.instanceNormLayer(2, { eps: 0.5 }), some(3, 2, 4), nn.instanceNormInit(2), (p, x) =>
    nn.instanceNorm(x, p, { eps: 0.5 }),
  ),
]

test.each(cases)('%s is its function of its initial weights', (_, layer, x, params, y) => {
  const own = layer.init(key)
  const [got, want] = [own, params].map((p) => flattenTensors(p))
  expect(got!.paths).toEqual(want!.paths)
  expect(got!.leaves.map(flat)).toEqual(want!.leaves.map(flat))
  expect(flat(layer.apply(own, x))).toEqual(flat(y(own, x) as Tensor))
})

test('an embedding has a table, whose row of padding is zeros and learns nothing', () => {
  const { init, apply } = nn.embeddingLayer(4, 3, { paddingIndex: -1, std: 0.5 })
  const table = init(key)
  expectTypeOf(table.shape).toEqualTypeOf<readonly [4, 3]>()
  expect(flat(table)).toEqual(flat(nn.embeddingInit(key, 4, 3, { paddingIndex: -1, std: 0.5 })))
  const x = T.tensor([
    [0, 3],
    [1, 0],
  ])
  expect(flat(apply(table, x))).toEqual(flat(nn.embedding(x, table)))
  const slope = flat(T.grad((p: typeof table) => T.sum(apply(p, x)))(table))
  expect(slope).toEqual([2, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0])
  expect(flat(nn.embeddingLayer(2, 1).apply(T.tensor([[5], [6]], { dtype: 'f32' }), T.tensor([1])))).toEqual([6])
})

test('types of parameters are those of sizes and options', () => {
  const model = nn.sequential(
    nn.conv2dLayer(1, 6, 5),
    nn.maxPool2d({ kernelSize: 2 }),
    nn.layerNormLayer(4, { bias: false }),
  )
  const params = model.init(key)
  expectTypeOf(params[0].weight.shape).toEqualTypeOf<readonly [6, 1, 5, 5]>()
  expectTypeOf(params[1]).toEqualTypeOf<null>()
  expectTypeOf(params[2]).toEqualTypeOf<{ readonly weight: Tensor<readonly [4], 'f32'> }>()
  expectTypeOf(nn.convTranspose1dLayer(2, 4, 3, { bias: false }).init(key).weight.shape).toEqualTypeOf<
    readonly [2, 4, 3]
  >()
  expect(Object.keys(params[2])).toEqual(['weight'])
})

test('it prints itself as the call that made it', () => {
  expect(inspect(nn.conv2dLayer(1, 6, 5, { padding: 2 }))).toBe('nn.conv2dLayer(1, 6, 5, { padding: 2 })')
  expect(inspect(nn.groupNormLayer(4, { groups: 2 }))).toBe('nn.groupNormLayer(4, { groups: 2 })')
})

test('a sequence of them has gradients, and is on both back ends what it is in the interpreter', async () => {
  const model = nn.sequential(
    nn.embeddingLayer(5, 4),
    (x) => T.swapaxes(x, 1, 2),
    nn.conv1dLayer(4, 4, 3, { padding: 'same' }),
    nn.groupNormLayer(4, { groups: 2 }),
    nn.convTranspose1dLayer(4, 2, 2, { stride: 2 }),
    nn.instanceNormLayer(2),
    T.flatten({ startAxis: 1 }),
    nn.layerNormLayer(12),
    nn.rmsNormLayer(12),
    nn.dense(12, 2),
  )
  const params = model.init(key)
  const { leaves, shape } = flattenTensors(params)
  const fixed = leaves.map((x) => T.fromArray(flat(x), x.shape, { dtype: 'f32' }))
  const x = T.tensor([
    [0, 2, 4],
    [3, 1, 1],
  ])
  const of = (...ps: readonly Tensor[]): Tensor =>
    T.sum(T.square(model.apply(T.unflattenTree(shape, ps) as never, x))) as Tensor
  checkGrad(of as never, fixed)
  const both = (x: Tensor, ...ps: readonly Tensor[]): unknown => {
    const given = T.unflattenTree(shape, ps) as typeof params
    const loss = (p: typeof params): Tensor => T.sum(T.square(model.apply(p, x))) as Tensor
    return [model.apply(given, x), T.grad(loss)(given)]
  }
  for (const device of [await sharedProcessor(), await sharedDevice()])
    expect(await agreesWithReference(both, [x, ...fixed], { device })).toBe(true)
})

describe('mistakes', () => {
  test.each([
    [() => nn.conv2dLayer(1.5, 2, 3), 'nn.conv2dLayer: inputs is 1.5'],
    [() => nn.conv1dLayer(3, 4, 2, { groups: 2 }), 'nn.conv1dLayer: 2 groups do not divide 3 input channels'],
    [() => nn.conv3dLayer(1, 2, [2, 2]), 'nn.conv3dLayer: the kernel size'],
    [() => nn.convTranspose2dLayer(1, 2, 3, { padding: 'same' } as never), 'nn.convTranspose2dLayer: the option'],
    [() => nn.embeddingLayer(-1, 2), 'nn.embeddingLayer: count is -1'],
    [() => nn.layerNormLayer([2, -3]), 'nn.layerNormLayer: size 1 is -3'],
    [() => nn.groupNormLayer(4, {} as never), "nn.groupNormLayer: the option 'groups' is missing"],
    [() => nn.rmsNormLayer(0.5), 'nn.rmsNormLayer: features is 0.5'],
    [() => nn.instanceNormLayer(2, { epsilon: 1 } as never), "nn.instanceNormLayer: there is no option 'epsilon'"],
  ])('%# is named', (f, message) => {
    expect(f).toThrow(message)
  })
})
