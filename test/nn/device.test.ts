/** What the goldens do not ask of a device, on one: sizes that do not divide, updates and searches by index, with their gradients. */
import { expect, test } from 'vitest'
import { grad } from '../../passes/transform/gradient.ts'
import { compile, orThrow, spec, toPromise } from '../../src/compile/compile.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { agreesWithReference } from '../../src/testing/agree.ts'
import { sharedDevice } from '../device.ts'
import { flat } from '../lang/tensor/run.ts'

const some = (seed: number, ...shape: readonly number[]): Tensor =>
  T.fromArray(flat(random.uniform(random.key(seed), shape, { low: -1, high: 1 })), shape)

const image = some(1, 2, 3, 7, 5)
const index = T.tensor([4, 0, 4, 2, 0, 1, 4])

const resized = (x: Tensor): readonly Tensor[] => [
  nn.adaptiveAvgPool2d(x, [3, 4]),
  nn.adaptiveMaxPool2d(x, [9, 2]),
  nn.interpolate(x, { size: [5, 11], mode: 'bilinear' }),
  nn.interpolate(x, { scaleFactor: [1.4, 0.7], mode: 'bicubic' }),
  nn.fold(nn.unfold(x, { kernelSize: [3, 2], stride: 2, padding: 1 }), {
    outputSize: [7, 5],
    kernelSize: [3, 2],
    stride: 2,
    padding: 1,
  }),
]

const updated = (x: Tensor, source: Tensor, at: Tensor): readonly Tensor[] => {
  const columns = T.broadcastTo(T.expandDims(at, -1), [7, 3]) as Tensor
  return [
    T.scatter(x, columns, source),
    T.scatterMax(x, columns, source),
    T.scatterMin(x, columns, source),
    T.setAtIndices(x, [at], source),
    T.setAtIndices(x, [at], source, { accumulate: true }),
    nn.embeddingBag(at, x as Tensor<readonly [number, number]>, { offsets: T.tensor([0, 2, 2, 5]), mode: 'max' }),
  ]
}

const total = (xs: readonly Tensor[]): Tensor =>
  xs.map((x, k) => T.mul(T.sum(T.square(x)) as Tensor, 1 + k)).reduce((a, b) => T.add(a, b) as Tensor)

const device = await sharedDevice()

test('resizing', async () => {
  const f = (x: Tensor): unknown => [resized(x), grad((y: Tensor) => total(resized(y)) as never)(x)]
  expect(await agreesWithReference(f, [image], { device })).toBe(true)
})

test('updates at indices', async () => {
  const f = (x: Tensor, source: Tensor, at: Tensor): unknown => [
    updated(x, source, at),
    grad((a: Tensor) => total(updated(a, source, at)) as never)(x),
    grad((s: Tensor) => total(updated(x, s, at)) as never)(source),
  ]
  expect(await agreesWithReference(f, [some(2, 5, 3), some(3, 7, 3), index as Tensor], { device })).toBe(true)
})

test('searches, products of many', async () => {
  const sorted = T.tensor([-0.5, -0.25, 0, 0, 0.5, 0.75, 2]) as Tensor
  const f = (s: Tensor, v: Tensor, a: Tensor): unknown => [
    T.searchsorted(s, v),
    T.searchsorted(s, v, { side: 'right' }),
    T.einsum('ij,jk,kl,l->i', a, T.matrixTranspose(a) as Tensor, a, T.select(a, 0)),
  ]
  const values = T.tensor([0, 0.5, -3, 9, 0.25]) as Tensor
  expect(await agreesWithReference(f, [sorted, values, some(4, 6, 3)], { device })).toBe(true)
})

test('neighbours, to the bit', async () => {
  const bits = (a: Tensor, b: Tensor): Tensor => T.bitcast(T.nextafter(a, b) as Tensor, 'i32') as Tensor
  const [a, b] = [T.tensor([0.5, -1.5, 3, 2, -2]) as Tensor, T.tensor([1, 2, -1, 2, -9.5]) as Tensor]
  const program = orThrow(compile(bits as never, [spec([5]), spec([5])] as never, { name: 'neighbours' }))
  const loaded = await toPromise(program.load(device))
  const out = (await loaded.run(...([a, b].map((t) => Float32Array.from(flat(t))) as never))) as unknown as Output
  expect(Array.from((await out.read()) as ArrayLike<number>)).toEqual(flat(bits(a, b)))
})
