/** The loop of training: what it does in which order, what it finds, and that it goes on where a checkpoint left off. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import * as data from '../../src/data/index.ts'
import * as T from '../../src/index.ts'
import * as io from '../../src/io/index.ts'
import * as train from '../../src/train/index.ts'
import { sharedDevice } from '../device.ts'
import { type Batch, batches, bytesOf, compiled, type State, start, step } from './run.ts'

const root = mkdtempSync(join(tmpdir(), 'fit-'))
afterAll(() => rmSync(root, { recursive: true }))

let program: Awaited<ReturnType<typeof compiled>>
beforeAll(async () => {
  program = await compiled()
})

let folders = 0
const folder = (): io.Checkpoints => io.checkpoints(join(root, `run-${folders++}`))

/** What the loop that is written by hand comes to. */
const byHand = async (epochs: number): Promise<{ readonly state: State; readonly losses: readonly number[] }> => {
  let state = start
  const losses = []
  for (let epoch = 0; epoch < epochs; epoch++)
    for await (const batch of data.prefetch(batches(epoch))) {
      const result = await program.run(state, batch)
      state = result.state
      losses.push(await (result.loss as unknown as T.Output).item())
    }
  return { state, losses }
}

/** A state that counts up, a measure of it: no device. */
const counting = (n: number, by: number): { readonly state: number; readonly loss: number } => ({
  state: n + by,
  loss: n,
})

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length

describe('fit', () => {
  test('is the loop that is written by hand', async () => {
    const [expected, found] = [await byHand(4), await train.fit(program, start, batches, { epochs: 4 })]
    expectTypeOf(found.state.params.weight.shape).toEqualTypeOf<readonly [2, 3]>()
    expect(await bytesOf(found.state)).toBe(await bytesOf(expected.state))
    expect(found.step).toBe(12)
    expect(found.history.map((e) => [e.epoch, e.step, e.measures])).toEqual(
      [0, 1, 2, 3].map((e) => [e, 3 * e + 3, { loss: mean(expected.losses.slice(3 * e, 3 * e + 3)) }]),
    )
  })

  test('on WGSL, and by jit, where the values come to be the same', async () => {
    const specs = [start, { x: T.spec([4, 3]), y: T.spec([4, 2]) }] as const
    const onGpu = await T.compileOn(await sharedDevice(), step, specs, { donate: [0] })
    const want = await T.read((await byHand(2)).state.params)
    const near = async (state: unknown): Promise<void> => {
      const got = await T.read((state as State).params)
      for (const name of ['weight', 'bias'] as const)
        got[name]!.forEach((x, i) => {
          expect(Math.abs(x - want[name]![i]!)).toBeLessThan(1e-5)
        })
    }
    await near((await train.fit(onGpu, start, batches, { epochs: 2 })).state)
    // State and measures of `jit` are on the host; they are kept and saved all the same.
    const to = folder()
    const tensors = (epoch: number) => data.map(batches(epoch), (batch) => data.asTensors(batch) as unknown as Batch)
    const options = { epochs: 2, best: {}, checkpoints: { to } }
    const { best, history } = await train.fit(T.jit(step), start, tensors, options)
    expect([best!.epoch, history[1]!.measures['loss']! < history[0]!.measures['loss']!]).toEqual([1, true])
    await near(best!.state)
    await near((await train.fit(T.jit(step), start, tensors, options)).state)
    // As documented: another program reads both from the newest checkpoint.
    const held = await (await to.latest())!.load({ state: start, best: start })
    for (const state of [held.state, held.best]) await near(state)
  })

  test('tells of every step and epoch in order, while the next batch is prepared', async () => {
    const events: string[] = []
    const source = function* (epoch: number): Generator<number> {
      for (const n of [1, 2]) {
        events.push(`batch ${epoch}.${n}`)
        yield n
      }
    }
    const { state, history } = await train.fit(
      async (n: number, by: number) => {
        events.push(`step +${by}`)
        await new Promise((done) => setTimeout(done, 5))
        return counting(n, by)
      },
      10,
      source,
      {
        epochs: 2,
        onStep: ({ step, epoch, batch, measures }) =>
          void events.push(`done ${step} (${epoch}.${batch}) ${measures['loss']}`),
        evaluate: (n, epoch) => ({ twice: 2 * n + epoch }),
        onEpoch: ({ epoch, measures }) => void events.push(`epoch ${epoch} ${JSON.stringify(measures)}`),
      },
    )
    expect(events).toEqual([
      ...['batch 0.1', 'step +1', 'batch 0.2', 'step +2', 'done 1 (0.0) 10', 'done 2 (0.1) 11'],
      'epoch 0 {"loss":10.5,"twice":26}',
      ...['batch 1.1', 'step +1', 'batch 1.2', 'step +2', 'done 3 (1.0) 13', 'done 4 (1.1) 14'],
      'epoch 1 {"loss":13.5,"twice":33}',
    ])
    expect([state, history.length]).toEqual([16, 2])
  })

  test('stops early, and keeps the best state', async () => {
    const losses = [3, 1, 2, Number.NaN, 0.5]
    const { best, history, state } = await train.fit(
      (x: T.Tensor, by: number) => ({ state: T.add(x, by) }),
      T.tensor(0) as T.Tensor,
      [1],
      {
        epochs: 9,
        evaluate: (_, epoch) => ({ loss: losses[epoch]! }),
        stop: train.earlyStopping({ patience: 2 }),
        best: {},
      },
    )
    expect(history).toHaveLength(4)
    expect(best!.epoch).toBe(1)
    expect([T.reference(best!.state).data, T.reference(state).data]).toEqual([Int32Array.of(2), Int32Array.of(4)])
  })

  test('the best state is not consumed by the runs that follow', async () => {
    const best = { measure: 'score', mode: 'max' } as const
    const evaluate = (_: unknown, epoch: number): train.Measures => ({ score: [1, 3, 2][epoch]! })
    const found = await train.fit(program, start, batches, { epochs: 3, evaluate, best })
    expect(found.best!.epoch).toBe(1)
    expect(await bytesOf(found.best!.state)).toBe(await bytesOf((await byHand(2)).state))
  })
})

describe('checkpoints', () => {
  test('a run goes on where it left off, in the middle of an epoch too, and ends as the unbroken one', async () => {
    const evaluate = (_: unknown, epoch: number): train.Measures => ({ score: [2, 1, 3, Number.NaN, 0][epoch]! })
    const options = { epochs: 5, evaluate, best: { measure: 'score' } } as const
    const unbroken = await train.fit(program, start, batches, options)
    for (const failAt of [1, 2, 3, 5, 9, 13]) {
      const to = folder()
      const failing = {
        ...options,
        checkpoints: { to, every: 2 },
        onStep: ({ step }: train.StepReport) => {
          if (step === failAt) throw new Error('out of coffee')
        },
      }
      await expect(train.fit(program, start, batches, failing)).rejects.toThrow('out of coffee')
      expect(to.steps().at(-1) ?? 0).toBe(Math.max(2 * Math.floor((failAt - 1) / 2), 3 * Math.floor((failAt - 1) / 3)))
      const steps: number[] = []
      const resumed = await train.fit(program, start, batches, {
        ...options,
        checkpoints: { to, every: 2 },
        onStep: ({ step }) => void steps.push(step),
      })
      expect(steps[0]).toBeLessThanOrEqual(failAt)
      expect(resumed.history).toEqual(unbroken.history)
      expect(await bytesOf(resumed.state)).toBe(await bytesOf(unbroken.state))
      expect([resumed.best!.epoch, await bytesOf(resumed.best!.state)]).toEqual([
        4,
        await bytesOf(unbroken.best!.state),
      ])
    }
  })

  test('a run that is done is not done again; more epochs are', async () => {
    const to = folder()
    const first = await train.fit(program, start, batches, { epochs: 2, checkpoints: { to } })
    let steps = 0
    const count = (): void => void steps++
    const again = await train.fit(program, start, batches, { epochs: 2, checkpoints: { to }, onStep: count })
    expect([steps, again.step]).toEqual([0, 6])
    expect(await bytesOf(again.state)).toBe(await bytesOf(first.state))
    const { state } = await (await to.latest())!.load({ state: start })
    expect(await bytesOf(state)).toBe(await bytesOf(first.state))
    const longer = await train.fit(program, start, batches, { epochs: 3, checkpoints: { to }, onStep: count })
    expect(steps).toBe(3)
    expect(await bytesOf(longer.state)).toBe(await bytesOf((await byHand(3)).state))
  })

  test('of another state are refused', async () => {
    const to = folder()
    await train.fit((x: T.Tensor, by: number) => ({ state: T.add(x, by) }), T.tensor([1, 2]) as T.Tensor, [1], {
      checkpoints: { to },
    })
    await expect(train.fit(program, start, batches, { checkpoints: { to } })).rejects.toThrow(
      'it does not fit the tree',
    )
  })
})

describe('evaluate', () => {
  test('weighs batches by their rows', async () => {
    const rows = T.dim('rows', { max: 8 })
    const measure = (w: T.Tensor<readonly [], 'f32'>, { x }: { readonly x: T.Tensor<readonly [number], 'f32'> }) => ({
      mean: T.mean(T.mul(x, w)),
      all: x,
    })
    const device = await T.openDevice({ prefer: 'cpu', threads: 1, quiet: true })
    const program = await T.compileOn(device, measure, [T.spec([]), { x: T.spec([rows]) }])
    const x = { shape: [7], data: Float32Array.of(1, 2, 3, 4, 5, 6, 21) }
    expect(await train.evaluate(program, 2, data.batches({ x }, { size: 3, rest: 'keep' }))).toEqual({ mean: 12 })
  })
  test('of a state with more than the program takes, or less, says which part to give', async () => {
    const measure = ({ w }: { readonly w: T.Tensor<readonly [], 'f32'> }, x: T.Tensor) => ({
      mean: T.mean(T.mul(x, w)),
    })
    const device = await T.openDevice({ prefer: 'cpu', threads: 1, quiet: true })
    const program = await T.compileOn(device, measure, [{ w: T.spec([]) }, T.spec([2])])
    const all = { w: T.tensor(2, { dtype: 'f32' }), moments: T.zeros([3]) }
    const data = [Float32Array.of(1, 5)] as never
    const wayOut = /hint: evaluate gives the program the whole state: .* as evaluate\(program, state\.params, data\)/
    await expect(train.evaluate(program, all, data)).rejects.toThrow(/moments: is one key too many/)
    await expect(train.evaluate(program, all, data)).rejects.toThrow(wayOut)
    await expect(train.evaluate(program, {} as never, data)).rejects.toThrow(wayOut)
    // What is wrong with a batch is told as it is.
    await expect(train.evaluate(program, { w: all.w }, [3] as never)).rejects.not.toThrow(wayOut)
    expect(await train.evaluate(program, { w: all.w }, data)).toEqual({ mean: 6 })
  })
})

describe('mistakes', () => {
  test('of data, of measures, of options', async () => {
    const once = data.map([1, 2], (n) => n)[Symbol.iterator]() as IterableIterator<number>
    await expect(train.fit(counting, 0, once, { epochs: 2 })).rejects.toThrow('fit: the data gave no batch in epoch 1')
    await expect(train.fit(counting, 0, [], {})).rejects.toThrow('fit: the data gave no batch in epoch 0')
    await expect(train.fit(counting, 0, 3 as never)).rejects.toThrow('fit: the source is 3, which no loop can go over')
    await expect(train.evaluate(counting, 0, 3 as never)).rejects.toThrow('evaluate: the source is 3, which no loop')
    await expect(train.evaluate(counting, 0, [])).rejects.toThrow('evaluate: the data gave no batch')
    await expect(train.fit(counting, 0, [1], { evaluate: () => ({ loss: 1 }) })).rejects.toThrow(
      "fit: the steps and 'evaluate' both measure 'loss'",
    )
    await expect(train.fit(counting, 0, [1], { best: { measure: 'accuracy' } })).rejects.toThrow(
      "fit: there is no measure 'accuracy'\n  hint: the steps and 'evaluate' gave loss",
    )
    await expect(train.fit(3 as never, 0, [1])).rejects.toThrow('fit: the step is 3, neither a compiled program nor')
    await expect(train.fit(counting, 0, [1], { epoch: 3 } as never)).rejects.toThrow("fit: there is no option 'epoch'")
    await expect(train.fit(counting, 0, [1], { best: { mode: 'most' as never } })).rejects.toThrow("the mode is 'most'")
    await expect(train.fit(counting, 0, [1], { checkpoints: {} as never })).rejects.toThrow(
      "the option 'to' is missing",
    )
    await expect(train.fit(counting, 0, [1], { onStep: 1 as never })).rejects.toThrow("'onStep' is 1, not a function")
    expect(() => train.earlyStopping({ patience: 0 })).toThrow("earlyStopping: the option 'patience' is 0")
    expect(() => train.earlyStopping({ mode: 'low' as never })).toThrow("earlyStopping: the mode is 'low'")
  })

  test('errors of the step and the data come through, and the data are closed', async () => {
    let closed = 0
    const source = function* (): Generator<number> {
      try {
        yield 1
        yield 2
        yield 3
      } finally {
        closed++
      }
    }
    const failing = (n: number, by: number): { readonly state: number } => {
      if (by === 2) throw new Error('too much')
      return { state: n }
    }
    await expect(train.fit(failing, 0, source)).rejects.toThrow('too much')
    expect(closed).toBe(1)
  })
})

describe('early stopping', () => {
  const history = (...losses: readonly number[]): readonly train.Epoch[] =>
    losses.map((loss, epoch) => ({ epoch, step: epoch, measures: { loss, accuracy: -loss } }))

  test.each<[string, train.EarlyStoppingOptions, readonly number[], boolean]>([
    ['nothing yet', {}, [], false],
    ['a better one last', { patience: 1 }, [3, 2, 1], false],
    ['a worse one', { patience: 1 }, [3, 2, 2.5], true],
    ['an equal one is no better', { patience: 1 }, [3, 2, 2], true],
    ['patience', { patience: 3 }, [3, 2, 2, 2], false],
    ['patience at its end', { patience: 3 }, [3, 2, 2, 2, 2], true],
    ['too small a step', { patience: 2, minDelta: 0.5 }, [3, 2.8, 2.6], true],
    ['small steps that add up', { patience: 2, minDelta: 0.5 }, [3, 2.8, 2.4], false],
    ['the other way', { patience: 1, measure: 'accuracy', mode: 'max' }, [3, 2, 1], false],
    ['NaN is worse than all', { patience: 1 }, [3, Number.NaN], true],
    ['and all is better than NaN', { patience: 1 }, [Number.NaN, 3], false],
  ])('%s', (_, options, losses, expected) => {
    expect(train.earlyStopping(options)(history(...losses))).toBe(expected)
  })
})
