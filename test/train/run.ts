/** A small run of training whose every part comes from what it is given: state with a random key, data shuffled by the epoch. */
import * as data from '../../src/data/index.ts'
import * as T from '../../src/index.ts'
import * as io from '../../src/io/index.ts'
import * as nn from '../../src/nn/index.ts'
import { adam, type Optimiser, type OptimiserState } from '../../src/optim/index.ts'
import * as random from '../../src/random/index.ts'
import * as train from '../../src/train/index.ts'

const optimiser: Optimiser = adam(0.01)

type Params = nn.LinearParams<2, 3, 'f32'>
/** Parameters, the optimiser's state, and the key of the next noise. */
export interface State {
  readonly params: Params
  readonly optimiser: OptimiserState
  readonly key: random.Key
}

const params: Params = nn.linearInit(random.key(1), 3, 2)

export const start: State = { params, optimiser: optimiser.init(params), key: random.key(79) }

export interface Batch {
  readonly x: T.Tensor<readonly [4, 3], 'f32'>
  readonly y: T.Tensor<readonly [4, 2], 'f32'>
}

export interface Result {
  readonly state: State
  readonly loss: T.Tensor
  readonly guess: T.Tensor
}

/** One step: noise on the inputs from the state's key, which the next state has another of. */
export const step = (state: State, { x, y }: Batch): Result => {
  const noisy = T.add(x, T.mul(random.normal(state.key, [4, 3]), 0.1))
  const [loss, grads] = T.valueAndGrad((p: Params) => nn.mseLoss(nn.linear(noisy, p), y))(state.params)
  const next = optimiser.update(state.params, grads, state.optimiser)
  const key = random.foldIn(state.key, 1)
  return { state: { params: next.params, optimiser: next.state, key }, loss, guess: nn.linear(x, state.params) }
}

/** Twelve rows, so three batches of four. */
export const points: Readonly<Record<keyof Batch, data.Column<Float32Array>>> = {
  x: { shape: [12, 3], data: Float32Array.from({ length: 36 }, (_, i) => Math.sin(i * i)) },
  y: { shape: [12, 2], data: Float32Array.from({ length: 24 }, (_, i) => Math.cos(i * i)) },
}

export const batches = (epoch: number): Iterable<typeof points> =>
  data.batches(points, { size: 4, key: random.foldIn(random.key(3), epoch) })

/** The step on one thread of the processor. */
export const compiled = async (cache?: string): Promise<T.Loaded<readonly [State, Batch], Result>> => {
  const device = await T.openDevice({ prefer: 'cpu', threads: 1, quiet: true })
  return T.compileOn(device, step, [start, { x: T.spec([4, 3]), y: T.spec([4, 2]) }], {
    donate: [0],
    name: 'step',
    ...(cache === undefined ? {} : { cache }),
  })
}

/** All bytes of a state, as text. */
export const bytesOf = async (state: T.TensorTree): Promise<string> =>
  Buffer.from(await T.toSafetensors(state)).toString('hex')

/** The run of this process' arguments: folder, epochs, and a folder for plans. Says when it begins, a dot a step, and the end state. */
export const main = async ([folder, epochs, cache]: readonly string[]): Promise<void> => {
  const program = await compiled(cache)
  process.stdout.write('ready\n')
  const { state, history } = await train.fit(program, start, batches, {
    epochs: Number(epochs),
    checkpoints: { to: io.checkpoints(folder!), every: 1 },
    onStep: () => void process.stdout.write('.\n'),
  })
  process.stdout.write(`${JSON.stringify({ state: await bytesOf(state), history })}\n`)
}
