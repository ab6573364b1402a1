/** Learners: the step that is written by hand, with keys, results beside the loss and running statistics. */

import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as data from '../../src/data/index.ts'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import { adam, sgd } from '../../src/optim/index.ts'
import * as random from '../../src/random/index.ts'
import * as train from '../../src/train/index.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'
import { type Batch, batches, points, type State, start } from './run.ts'

type Params = State['params']
const loss = (p: Params, { x, y }: Batch) => nn.mseLoss(nn.linear(x, p), y)
const batch = { x: T.ones([4, 3]), y: T.zeros([4, 2]) } as const

/** All numbers of a tree. */
const numbers = (tree: unknown): readonly number[][] => {
  const { leaves } = T.flattenTree(
    T.reference(tree),
    (x): x is T.HostTensor => x !== null && typeof x === 'object' && 'data' in x,
  )
  return leaves.map((x) => Array.from(x.data))
}

describe('learner', () => {
  test('steps as the step that is written by hand', () => {
    const optimiser = adam(0.01)
    const { init, step } = train.learner(loss, optimiser)
    const first = init(start.params)
    expect(Object.keys(first)).toEqual(['params', 'optimiser'])
    const [value, grads] = T.valueAndGrad(loss)(start.params, batch)
    const { params, state } = optimiser.update(start.params, grads, first.optimiser)
    const got = step(first, batch)
    expect(numbers(got)).toEqual(numbers({ state: { params, optimiser: state }, loss: value }))
    expectTypeOf(got.state.params).toEqualTypeOf<Params>()
  })

  test('draws with a key of its own in every step', () => {
    const seen: T.Tensor[] = []
    const noisy = (p: Params, some: Batch, key?: random.Key) => {
      if (key) seen.push(key)
      return loss(p, some)
    }
    const { init, step } = train.learner(noisy, sgd(0.1))
    const one = step(init(start.params, { key: start.key }), batch)
    const two = step(one.state, batch)
    const [next, own] = random.splitList(start.key)
    expect(numbers([seen[0], one.state.key])).toEqual(numbers([own, next]))
    expect(numbers(seen[1])).toEqual(numbers(random.splitList(next)[1]))
    expect(numbers(two.state.key)).not.toEqual(numbers(one.state.key))
    expect('key' in step(init(start.params), batch).state).toBe(false)
    expect(seen).toHaveLength(2)
  })

  test('gives what the loss gave beside itself', () => {
    const measured = (p: Params, some: Batch) =>
      [loss(p, some), { error: T.sqrt(loss(p, some)), running: T.tensor(1) }] as const
    const { init, step } = train.learner(measured, sgd(0.1), { hasAux: true })
    const { state, error, running, ...rest } = step(init(start.params), batch)
    expect(Object.keys(rest)).toEqual(['loss'])
    expect(numbers(error)[0]![0]! ** 2).toBeCloseTo(numbers(rest.loss)[0]![0]!, 5)
    // It means nothing where there are no running statistics.
    expect([numbers(running), 'running' in state]).toEqual([[[1]], false])
  })

  test('hands running statistics on, which carry no gradient', () => {
    const { params: scale, running } = nn.batchNormInit(3)
    const normed = (
      p: { scale: nn.Scale<readonly [3]>; linear: Params },
      { x, y }: Batch,
      now: typeof running,
      key: random.Key,
    ) => {
      const noise = random.normal(key, [4, 3])
      const { output, ...next } = nn.batchNormStep(T.add(x, noise), { ...p.scale, ...now })
      return [nn.mseLoss(nn.linear(output, p.linear), y), { running: next, spread: T.std(noise) }] as const
    }
    const { init, step } = train.learner(normed, sgd(0.1), { running: true })
    const begin = init({ scale, linear: start.params }, { key: start.key, running })
    const { state, ...rest } = step(begin, batch)
    expect(Object.keys(rest)).toEqual(['loss', 'spread'])
    const noise = random.normal(random.splitList(start.key)[1], [4, 3])
    const want = T.mul(T.mean(T.add(batch.x, noise), { axis: 0 }), 0.1)
    numbers(state.running.runningMean)[0]!.forEach((mean, i) => {
      expect(mean).toBeCloseTo(numbers(want)[0]![i]!, 6)
    })
    expectTypeOf(state.running.runningVar.dtype).toEqualTypeOf<'f32'>()
    expect(step(state, batch).state.running).not.toBe(state.running)
  })

  test('needs no batch where the loss takes none', () => {
    const { init, step } = train.learner((w: T.Tensor<readonly [2], 'f32'>) => T.sum(T.square(w)), sgd(0.25))
    expect(numbers(step(init(T.tensor([1.5, -2.5]))).state.params)).toEqual([[0.75, -1.25]])
  })

  test('prints itself as the call that made it', () => {
    expect(inspect(train.learner(loss, sgd(0.1)))).toBe('train.learner(loss, optim.sgd(0.1))')
  })
})

describe('in loops', () => {
  const noisy = (p: Params, { x, y }: Batch, key: random.Key) =>
    loss(p, { x: T.add(x, T.mul(random.normal(key, [4, 3]), 0.01)), y })
  const made = train.learner(noisy, adam(0.05))
  const begin = made.init(start.params, { key: start.key })
  const specs = [begin, { x: T.spec([4, 3]), y: T.spec([4, 2]) }] as const

  test('fit, compileOn on both back ends, and a loop with jit come to the same', async () => {
    const learn = T.jit(made.step, { donate: [0] })
    let state = begin
    let last = Number.NaN
    for (const epoch of [0, 1, 2])
      for (const some of batches(epoch)) {
        const result = await learn(state, some)
        state = result.state
        last = await result.loss.item()
      }
    const want = await T.read(state)
    const [one, two] = await Promise.all(
      [sharedProcessor(), sharedDevice()].map(async (device) =>
        T.compileOn(await device, made.step, specs, { donate: [0] }),
      ),
    )
    const fitted = [
      await train.fit(one!, begin, batches, { epochs: 3 }),
      await train.fit(two!, begin, batches, { epochs: 3 }),
      await train.fit(learn, begin, batches, { epochs: 3 }),
    ]
    for (const { state: found, history } of fitted) {
      const got = await T.read(found)
      expect(got.key).toEqual(want.key)
      got.params.weight.forEach((x, i) => {
        expect(x).toBeCloseTo(want.params.weight[i]!, 5)
      })
      expect(history[2]!.measures['loss']).toBeLessThan(history[0]!.measures['loss']!)
      expect(history[2]!.measures['loss']).toBeGreaterThan(last / 10)
    }
  })

  test('evaluate goes on from its parameters', async () => {
    const judge = T.jit((p: Params, some: Batch) => ({ loss: loss(p, some) }))
    const found = await train.evaluate(judge, begin.params, data.batches(points, { size: 4 }))
    expect(found['loss']).toBeCloseTo(numbers(loss(start.params, data.asTensors(points) as never))[0]![0]!, 5)
  })
})

describe('mistakes', () => {
  const { init, step } = train.learner(loss, sgd(0.1))
  const aux = (given: unknown, options: object) => () => {
    const { init, step } = train.learner(
      (p: Params, b: Batch) => [loss(p, b), given] as never,
      sgd(0.1),
      options as never,
    )
    step(init(start.params, ('running' in options ? { running: [] } : {}) as never), batch)
  }
  test.each([
    [() => train.learner(3 as never, sgd(0.1)), 'train.learner: the loss is 3, not a function'],
    [() => train.learner(loss, {} as never), 'train.learner: an object stands where an optimiser is needed'],
    [() => init(start.params, { kye: start.key } as never), "train.learner, init: there is no option 'kye'"],
    [() => init(start.params, { key: 3 as never }), "train.learner, init: the option 'key' is 3"],
    [() => step(start.params as never, batch), 'train.learner: the state is not one of this learner'],
    [() => step({ ...init(start.params), running: [] } as never, batch), 'the state is not one of this learner'],
    [aux(T.ones([]), { hasAux: true }), 'the loss gave a tensor beside itself, not a record'],
    [aux({ state: T.ones([]) }, { hasAux: true }), "the loss gave 'state' beside itself, which the step gives"],
    [aux({ other: T.ones([]) }, { running: true }), 'the loss did not give the next running statistics'],
    [
      () => train.learner(loss as never, sgd(0.1), { running: true }).init(start.params as never, {} as never),
      "train.learner, init: the option 'running' is missing",
    ],
  ])('%# is named', (f, message) => {
    expect(f).toThrow(message)
  })
})
