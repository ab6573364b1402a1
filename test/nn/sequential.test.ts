/** Layers one after the other: parameters at the places of their layers, keys of their own, and training of the whole. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { flattenTensors } from '../../src/lang/tree.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { adam } from '../../src/optim/index.ts'
import * as random from '../../src/random/index.ts'
import { sharedProcessor } from '../device.ts'
import { flat } from '../lang/tensor/run.ts'

const key = random.key(1)
const model = nn.sequential(
  nn.layer(
    (k) => nn.conv2dInit(k, 1, 2, 3),
    (x, p) => nn.conv2d(x, p),
  ),
  nn.relu,
  (x) => T.flatten(x, { startAxis: 1 }),
  nn.sequential(nn.dense(8, 4, { bias: false }), nn.dropoutLayer({ p: 0.5 })),
  nn.dense(4, 3),
)
const params = model.init(key)
const x = random.normal(random.key(2), [5, 1, 4, 4])

test('parameters stand where their layers do', () => {
  expect(flattenTensors(params).paths).toEqual(['[0].bias', '[0].weight', '[3][0].weight', '[4].bias', '[4].weight'])
  expect([params[1], params[2], params[3][1]]).toEqual([null, null, null])
  // Each layer draws from a key of its own.
  const twins = nn.sequential(nn.dense(3, 3), nn.dense(3, 3)).init(key)
  expect(flat(twins[0].weight)).not.toEqual(flat(twins[1].weight))
})

test('it is its layers one after the other', () => {
  const hidden = T.flatten(nn.relu(nn.conv2d(x, params[0])) as Tensor, { startAxis: 1 })
  const want = nn.linear(nn.linear(hidden, params[3][0]) as Tensor, params[4])
  expect(model.apply(params, x)).toBe(want)
  expect(nn.sequential().apply([], x)).toBe(x)
})

test('a key drops what is dropped in training, the same key the same', () => {
  const quiet = flat(model.apply(params, x))
  const drawn = flat(model.apply(params, x, key))
  expect(drawn).not.toEqual(quiet)
  expect(flat(model.apply(params, x, key))).toEqual(drawn)
  const two = nn.sequential(nn.dropoutLayer(), nn.dropoutLayer())
  const kept = flat(two.apply(two.init(key), T.ones([400]), key)).filter((v) => v !== 0)
  // Places that drop alike would keep half; two draws keep a quarter, raised twice.
  expect(kept.length / 400).toBeCloseTo(0.25, 1)
  expect(new Set(kept)).toEqual(new Set([4]))
})

test('it is trained on a device as any function is', async () => {
  const [inputs, labels] = [random.normal(random.key(3), [12, 4]), T.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])]
  const net = nn.sequential(nn.dense(4, 16), nn.tanh, nn.dense(16, 3))
  const start = { params: net.init(key), optimiser: adam(0.1).init(net.init(key)) }
  const step = (state: typeof start, a: Tensor, b: Tensor) => {
    const loss = (p: typeof start.params): T.Tensor => nn.crossEntropy(net.apply(p, a), b) as Tensor
    const [value, grads] = T.valueAndGrad(loss)(state.params)
    const next = adam(0.1).update(state.params, grads, state.optimiser)
    return { state: { params: next.params, optimiser: next.state }, loss: value }
  }
  const program = await T.compileOn(await sharedProcessor(), step, [start, T.spec([12, 4]), T.spec([12], 'i32')])
  const [a, b] = [Float32Array.from(flat(inputs)), Int32Array.from(flat(labels))]
  let result = await program.run(start, a, b)
  const first = await result.loss.item()
  for (let i = 0; i < 40; i++) result = await program.run(result.state, a, b)
  expect(await result.loss.item()).toBeLessThan(first / 10)
})

test('layers side by side see the same input, and one tensor is made of what they give', () => {
  const joined = (...parts: readonly Tensor[]): Tensor => T.concat(parts, { axis: 1 })
  const both = nn.parallel(joined, nn.dense(3, 2), (y) => y, nn.sequential(nn.dense(3, 1), nn.relu))
  const [y, p] = [random.normal(random.key(5), [4, 3]), both.init(key)]
  expect(flattenTensors(p).paths).toEqual(['[0].bias', '[0].weight', '[2][0].bias', '[2][0].weight'])
  expect(both.apply(p, y)).toBe(joined(nn.linear(y, p[0]), y, nn.relu(nn.linear(y, p[2][0]))))
  expect(nn.parallel(T.sub, (a) => a, T.neg).apply([null, null], y)).toBe(T.sub(y, T.neg(y)))
  // Each draws from a key of its own, in init and in training.
  const twins = nn.parallel(T.sub, nn.dropoutLayer(), nn.dropoutLayer())
  expect(flat(twins.apply(twins.init(key), T.ones([50]), key)).some((v) => v !== 0)).toBe(true)
})

describe('mistakes', () => {
  test.each([
    [() => nn.sequential(nn.relu, { weight: T.ones([2]) } as never), 'nn.sequential: argument 2 is an object, neither'],
    [() => nn.parallel(T.add, nn.relu, 2 as never), 'nn.parallel: argument 3 is 2, neither a layer nor a function'],
    [
      () => nn.parallel(nn.dense(2, 2) as never, nn.relu),
      'nn.parallel: the first argument is an object, not a function',
    ],
    [() => nn.parallel(T.add), 'nn.parallel: there are no layers'],
    [() => nn.parallel(T.add, nn.relu, nn.relu).apply([null] as never, x), 'nn.parallel: there are 1 parameters for 2'],
    [() => nn.sequential(T.ones([2]) as never), 'nn.sequential: argument 1 is a tensor, neither'],
    [() => nn.layer(3 as never, nn.relu as never), 'nn.layer: the first argument is 3, not a function'],
    [() => nn.layer(() => null, null as never), 'nn.layer: the second argument is null, not a function'],
    [() => nn.dense(4, 1.5), 'nn.dense: outputs is 1.5'],
    [() => nn.dropoutLayer({ p: 2 }), "nn.dropoutLayer: the option 'p' is 2"],
    [() => model.init(3 as never), 'nn.sequential: the key is 3, not a key'],
    [() => nn.sequential(nn.dense(2, 2)).apply([] as never, x), 'nn.sequential: there are 0 parameters for 1 layers'],
    [
      () => nn.sequential(nn.dense(2, 2)).apply(params[4] as never, x),
      'nn.sequential: the parameters are an object, not a',
    ],
  ])('%# is named', (f, message) => {
    expect(f).toThrow(message)
  })
})
