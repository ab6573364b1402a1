/** A whole run: the digits, two compiled programs, epochs of learning, a test after each. */
import * as T from 'tensorloom'
import { batchCount, batches } from 'tensorloom/data'
import * as random from 'tensorloom/random'
import type { Guess } from '../pictures/digits.ts'
import { type Digits, inputs, readDigits, targets } from './digits.ts'
import { classify, init, learn, type State } from './model.ts'

/** What `T.openDevice` can be asked for, or a device that is open already. */
export type Device = NonNullable<T.DeviceOptions['prefer']> | T.Device

/** What a run is made of. */
export interface Settings {
  readonly epochs: number
  readonly seed: number
  /** What to compute on; the best there is unless given. */
  readonly device?: Device
  /** How many training and test digits to use; all of them unless given. Batches that are not full are left out. */
  readonly trainingDigits?: number
  readonly testDigits?: number
  /** Called after each step. */
  readonly onStep?: (epoch: number, done: number, total: number) => void
}

/** What an epoch brought. */
export interface Epoch {
  /** The loss of every batch. */
  readonly losses: readonly number[]
  /** The test digits, and what they were taken for. */
  readonly guesses: readonly Guess[]
  readonly accuracy: number
  readonly seconds: { readonly training: number; readonly test: number }
}

/** What a run found. */
export interface Outcome {
  readonly device: string
  readonly trainingDigits: number
  readonly epochs: readonly Epoch[]
  /** Seconds until the first step: reading the digits, compiling, loading. */
  readonly ready: number
}

export const batchSize = 64
const testSize = 500

/** A result and the seconds it took. */
const timed = async <A>(work: () => Promise<A>): Promise<readonly [A, number]> => {
  const start = performance.now()
  const result = await work()
  return [result, (performance.now() - start) / 1000]
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Data and programs. The weights begin as the seed says. */
const prepare = async ({ seed, device: wanted = 'auto', trainingDigits, testDigits }: Settings) => {
  const device = typeof wanted === 'string' ? await T.openDevice({ prefer: wanted }) : wanted
  const initial = init(random.key(seed))
  const [images, labels] = [T.spec([batchSize, 784]), T.spec([batchSize], 'i32')]
  return {
    device,
    initial,
    training: await readDigits('train', trainingDigits),
    test: await readDigits('t10k', testDigits),
    step: await T.compileOn(device, learn, [initial, images, labels], { donate: [0] }),
    predict: await T.compileOn(device, classify, [initial.params, T.spec([testSize, 784])]),
  }
}

type Programs = Awaited<ReturnType<typeof prepare>>

/** Learns from every digit once, in the order that `key` shuffles them to. */
const learnEpoch = async ({ step }: Programs, before: State, digits: Digits, key: random.Key, onStep: () => void) => {
  const losses = []
  let state = before
  for (const batch of batches(digits, { size: batchSize, key })) {
    const { next, loss } = await step.run(state, inputs(batch.images), targets(batch.labels))
    losses.push(loss.item())
    state = next
    onStep()
  }
  return { state, losses: await Promise.all(losses) }
}

/** Reads digits with what was learned so far. */
const readAll = async ({ predict }: Programs, { params }: State, digits: Digits): Promise<readonly Guess[]> => {
  const found = []
  for (const batch of batches(digits, { size: testSize })) {
    const answers = await predict.run(params, inputs(batch.images))
    found.push(...(await answers.read()))
  }
  return found.map((predicted, i) => ({
    predicted,
    label: digits.labels.data[i]!,
    pixels: digits.images.data.subarray(784 * i, 784 * (i + 1)),
  }))
}

/** Trains a network, and tests it after every epoch. The same settings give the same weights on one device. */
export const run = async (settings: Settings): Promise<Outcome> => {
  const [programs, ready] = await timed(() => prepare(settings))
  const { training, test } = programs
  const shuffling = random.foldIn(random.key(settings.seed), 1)
  const total = settings.epochs * batchCount(training, { size: batchSize })
  const epochs: Epoch[] = []
  let state: State = programs.initial
  let done = 0
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const onStep = (): void => settings.onStep?.(epoch, ++done, total)
    const key = random.foldIn(shuffling, epoch)
    const [learned, trainingSeconds] = await timed(() => learnEpoch(programs, state, training, key, onStep))
    const [guesses, testSeconds] = await timed(() => readAll(programs, learned.state, test))
    state = learned.state
    epochs.push({
      losses: learned.losses,
      guesses,
      accuracy: mean(guesses.map(({ predicted, label }) => Number(predicted === label))),
      seconds: { training: trainingSeconds, test: testSeconds },
    })
  }
  return { device: programs.device.description, trainingDigits: training.images.shape[0]!, epochs, ready }
}
