/** The loop of training: steps over batches, epochs over data, and what is done in between. */
import { demandSource, prefetch, type Source } from '../data/prefetch.ts'
import type { Checkpoints } from '../io/checkpoints.ts'
import { raise } from '../lang/errors.ts'
import { demandFunction, demandRecord, type OptionNames, showArgument } from '../lang/tensor/arguments.ts'
import { bestOf, demandMode, type Epoch, type Goal, goalOptions } from './history.ts'
import { afterEpoch, afterStep, keepIn, type Place, resume, type Standing } from './place.ts'
import { hostCopy, type Measures, measuresOf, runnerOf, type Step, type Stepped } from './step.ts'

/** A step that is done. */
export interface StepReport {
  /** Counted over the whole run, from 1. */
  readonly step: number
  /** Counted from 0. */
  readonly epoch: number
  /** The batch of the epoch, counted from 0. */
  readonly batch: number
  readonly measures: Measures
}

/** Where checkpoints go, and how often. */
export interface FitCheckpoints {
  /** What `io.checkpoints(folder)` gives. A whole checkpoint that is there already is where the run continues. */
  readonly to: Checkpoints
  /** Steps between two of them; at the ends of epochs only unless given. */
  readonly every?: number | undefined
}

/** What `fit` does besides steps. */
export interface FitOptions<S> {
  /** How often it goes over the data; 1 unless given. */
  readonly epochs?: number | undefined
  /** Called after each step, in order: for a progress bar, a log. */
  readonly onStep?: ((report: StepReport) => void | Promise<void>) | undefined
  /** Called after each epoch, `evaluate` included. */
  readonly onEpoch?: ((epoch: Epoch, history: readonly Epoch[]) => void | Promise<void>) | undefined
  /** Measures of the state after an epoch, such as the loss on data that it has not learned from. */
  readonly evaluate?: ((state: S, epoch: number) => Measures | Promise<Measures>) | undefined
  /** Whether to end after an epoch: `earlyStopping({ measure: 'validation' })`, or any function of the history. */
  readonly stop?: ((history: readonly Epoch[]) => boolean) | undefined
  /** Keeps the state of the epoch that was best by this measure. */
  readonly best?: Goal | undefined
  readonly checkpoints?: FitCheckpoints | undefined
  /** Batches prepared ahead; 1 unless given. */
  readonly ahead?: number | undefined
}

const fitOptions: OptionNames<FitOptions<unknown>> = {
  epochs: 'count',
  onStep: 'own',
  onEpoch: 'own',
  evaluate: 'own',
  stop: 'own',
  best: 'own',
  checkpoints: 'own',
  ahead: 'count',
}

const checkpointsOptions: OptionNames<FitCheckpoints> = { to: 'must own', every: 'count' }

/** What became of it. */
export interface Fitted<S> {
  readonly state: S
  readonly step: number
  readonly history: readonly Epoch[]
  /** The state of the best epoch (as constant tensors), where `best` was asked for. */
  readonly best?: { readonly state: S; readonly epoch: number }
}

const demandFit = (step: unknown, options: FitOptions<never>): void => {
  demandRecord('fit', fitOptions, options)
  if (typeof step !== 'function' && typeof (step as { readonly run?: unknown } | undefined)?.run !== 'function')
    raise({
      tag: 'UsageError',
      message: `fit: the step is ${showArgument(step)}, neither a compiled program nor a function`,
      hint: 'await T.compileOn(device, step, [state, batch], { donate: [0] })',
    })
  for (const name of ['onStep', 'onEpoch', 'evaluate', 'stop'] as const)
    if (options[name] !== undefined)
      demandFunction('fit', `the option '${name}'`, options[name], 'what it is called with')
  if (options.best !== undefined) {
    demandRecord('fit, best', goalOptions, options.best)
    demandMode('fit, best', options.best)
  }
  if (options.checkpoints !== undefined) demandRecord('fit, checkpoints', checkpointsOptions, options.checkpoints)
}

/** What is left of an epoch from batch `from` on. */
const rest = async function* <B>(source: Source<B>, from: number): AsyncGenerator<B, void, undefined> {
  let i = 0
  for await (const batch of source) if (i++ >= from) yield batch
}

/** The run after what is left of its epoch. */
const runEpoch = async <S, B>(
  run: (state: S, batch: B) => Promise<Stepped>,
  batches: AsyncIterable<B>,
  from: Standing<S>,
  { onStep, checkpoints }: FitOptions<never>,
): Promise<Standing<S>> => {
  let { state, place } = from
  /** Tells what the last step measured; the next one is under way before that is known. */
  let tell = async (): Promise<void> => {}
  for await (const batch of batches) {
    const results = await run(state, batch)
    state = results.state as S
    const measuring = measuresOf(results)
    // Whoever waits for it hears of a failure.
    measuring.catch(() => undefined)
    await tell()
    tell = async () => {
      const measures = await measuring
      const { epoch, batch } = place
      place = afterStep(place, measures)
      await onStep?.({ step: place.step, epoch, batch, measures })
    }
    if (checkpoints?.every === undefined || (place.step + 1) % checkpoints.every !== 0) continue
    await tell()
    tell = async () => {}
    await keepIn(checkpoints.to, { ...from, state, place })
  }
  await tell()
  return { ...from, state, place }
}

/** The run after the end of its epoch: measured, told, kept where it is the best or a checkpoint is due. */
const endEpoch = async <S>(
  { state, place: before, best: kept }: Standing<S>,
  { evaluate, best: goal, onEpoch, checkpoints }: FitOptions<S>,
): Promise<Standing<S>> => {
  const found = (await evaluate?.(state, before.epoch)) ?? {}
  const place = afterEpoch(before, found)
  const epoch = place.history.at(-1)!
  const rivals = kept ? [place.history[kept.epoch]!, epoch] : [epoch]
  const isBest = goal !== undefined && bestOf('fit', rivals, goal) === rivals.length - 1
  const best = isBest ? { epoch: epoch.epoch, state: await hostCopy(state) } : kept
  await onEpoch?.(epoch, place.history)
  if (checkpoints) await keepIn(checkpoints.to, { state, place, best })
  return { state, place, best }
}

const demandBatches = (epoch: number, { batch }: Place): void => {
  if (batch > 0) return
  raise({
    tag: 'UsageError',
    message: `fit: the data gave no batch in epoch ${epoch}`,
    hint: 'a generator can be gone over once: give a function of the epoch, (epoch) => data.batches(…)',
  })
}

/**
 * Trains: `step` over every batch of `data`, `epochs` times. `step` is a compiled program (or a function such as `T.jit` gives) of
 * `(state, batch)` whose result has the next `state`; every other result that is a scalar is a measure. `data` is what a loop
 * can go over, again in each epoch, or a function of the epoch (counted from 0), which can shuffle by a key of its own:
 * `(epoch) => data.batches(points, { size, key: random.foldIn(key, epoch) })`. The next batch is prepared while the device works.
 *
 * With `checkpoints`, the run continues where the newest whole checkpoint left off and ends bit for bit as the unbroken run does,
 * as long as step and data are functions of what they are given: random keys belong into the state. Steps that were done before are
 * not done again, nor told to `onStep`: `step` and `history` go on from those of the checkpoint. Where that has all epochs already,
 * nothing runs, no callback is called, and its state and history are the result; more `epochs` make it go on. A checkpoint holds
 * the tree `{ state }`, or `{ state, best }` with the option `best`, so that `(await to.latest())!.load({ state: like })` reads it
 * in another program.
 *
 * UsageError for data without batches and unknown measures; otherwise rejects as the step, the data and the checkpoints do.
 * @example
 * const points = { x: { shape: [4], data: Float32Array.of(1, 2, 3, 4) } }
 * const device = await T.openDevice({ prefer: 'cpu', quiet: true })
 * const step = (w: T.Tensor<readonly [], 'f32'>, { x }: { x: T.Tensor<readonly [2], 'f32'> }) => {
 *   const [loss, slope] = T.valueAndGrad((w: T.Tensor<readonly [], 'f32'>) => T.mean(T.square(T.sub(T.mul(x, w), x))))(w)
 *   return { state: T.sub(w, T.mul(slope, 0.05)), loss }
 * }
 * const program = await T.compileOn(device, step, [T.spec([]), { x: T.spec([2]) }], { donate: [0] })
 * const { state, history } = await train.fit(program, T.tensor(0, { dtype: 'f32' }), data.batches(points, { size: 2 }), { epochs: 20 })
 * Math.round(1000 * (await T.read(state))[0]!) // => 1000
 * history.at(-1)!.step // => 40
 */
export const fit = async <S, B, R extends Stepped>(
  step: Step<S, B, R>,
  state: NoInfer<S>,
  data: Source<NoInfer<B>> | ((epoch: number) => Source<NoInfer<B>>),
  options: FitOptions<R['state']> = {},
): Promise<Fitted<R['state']>> => {
  demandFit(step, options)
  const { epochs = 1, stop, ahead = 1 } = options
  const run = runnerOf(step) as (state: R['state'], batch: B) => Promise<R>
  let at: Standing<R['state']> = await resume(options.checkpoints?.to, state)
  const isOver = (history: readonly Epoch[]): boolean => history.length > 0 && stop?.(history) === true
  while (at.place.epoch < epochs && !isOver(at.place.history)) {
    const { epoch, batch } = at.place
    const source = typeof data === 'function' ? data(epoch) : data
    demandSource('fit', source, true)
    at = await runEpoch(run, prefetch(rest(source, batch), { ahead }), at, options)
    demandBatches(epoch, at.place)
    at = await endEpoch(at, options)
  }
  const { best, place } = at
  const result = { state: at.state, step: place.step, history: place.history }
  return best ? { ...result, best: best as unknown as NonNullable<Fitted<R['state']>['best']> } : result
}
