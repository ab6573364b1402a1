/** The types of a jitted training step: its state, an optimiser's among it, goes in and comes out. */
import { expect, expectTypeOf, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import { adam } from '../../src/optim/index.ts'

const params = { weight: T.zeros([1, 2]), bias: T.zeros([1]) }
const start = { params, optimiser: adam(0.1).init(params) }

const step = (state: typeof start, x: T.Tensor<readonly [4, 2]>, y: T.Tensor<readonly [4, 1]>) => {
  const [loss, grads] = T.valueAndGrad((p: typeof params) => nn.mseLoss(nn.linear(x, p), y))(state.params)
  const next = adam(0.1).update(state.params, grads, state.optimiser)
  return { state: { params: next.params, optimiser: next.state }, loss }
}

test('jit takes what it gave', async () => {
  const run = T.jit(step)
  const [x, y] = [T.ones([4, 2]), T.ones([4, 1])]
  const first = await run(start, x, y)
  expectTypeOf(first.loss).toEqualTypeOf<T.HostTensor>()
  expectTypeOf(first.state.params.weight).toEqualTypeOf<T.HostTensor>()
  const second = await run(first.state, x, y)
  expect(second.loss.data[0]).toBeLessThan(first.loss.data[0]!)
})

test('with donate, jit gives handles, which are tensors of the same types', async () => {
  const run = T.jit(step, { donate: [0] })
  const [x, y] = [
    { shape: [4, 2], data: new Float32Array(8) },
    { shape: [4, 1], data: new Float32Array(4) },
  ]
  let { state, loss } = await run(start, x, y)
  expectTypeOf(state.params.weight.shape).toEqualTypeOf<readonly [1, 2]>()
  expectTypeOf(loss.item()).toEqualTypeOf<Promise<number>>()
  ;({ state, loss } = await run(state, x, y))
  expect(await loss.item()).toBe(0)
  expect(T.isHandle(state.params.weight)).toBe(true)
})
