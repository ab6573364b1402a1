/** Runs a loaded plan: uploads, one submission, results as handles. */
import type { Plan } from '../../codegen/plan/plan.ts'
import { invariant, type RuntimeError, TensorloomError } from '../lang/errors.ts'
import { type Argument, areUnderWay, arrived, type Checked, checkArguments } from './argument.ts'
import type { Guarded } from './backend.ts'
import type { Device } from './device.ts'
import { play, type Run } from './encode.ts'
import { type Encoded, encodeRun, type State, valuesOf } from './encode-run.ts'
import type { FitRun, Fitted } from './fitted.ts'
import { type Loaded, load } from './load.ts'
import { aware, demandAlive } from './loss.ts'
import type { Lease } from './memory-pool.ts'
import { type Show, tell } from './report-observations.ts'
import { consume, copyBytes, type Output, type Resident, rehome, resident, type Store } from './resident.ts'
import { type Batch, batchOf, createRing, layoutBatch, valueAt } from './staging.ts'

/** A program on a device. */
export interface Executable {
  readonly plan: Plan
  readonly device: Device
  /**
   * Runs the plan on one argument a leaf and gives one result a leaf. Work is encoded and submitted before this returns (or
   * waits its turn, on copies of host arrays), in call order, so host arrays may be changed at once; the promise resolves when the device is not too far behind.
   * Rejects (TensorloomError) with ArgumentError, IndexError, ConsumedHandle before anything has changed, or DeviceLost,
   * OutOfMemory, ValidationError; after those two of the device itself the state is unknown, and only `reload` goes on.
   */
  readonly run: (args: readonly Argument[]) => Promise<readonly Output[]>
  /** The same program afresh, on `device` (after a loss: a newly opened one). */
  readonly reload: (device: Device) => Promise<Executable>
}

/** Runs between two markers when nothing is read: how far the host may be ahead. */
const runsAhead = 16

/** A donated argument, and the memory that its elements are in until the run is known to take it. */
interface Given {
  readonly handle: Resident
  readonly store: Store
  readonly lease: Lease | undefined
}

/** Arguments that fit. */
interface Ready {
  readonly slots: Fitted
  readonly args: readonly Checked[]
}

/** Runs that wait for the device in the middle: what comes after waits for them, so that work keeps its order. */
const waiting = new WeakMap<Device, Promise<unknown>>()

/** Host arguments that the caller may change while the run waits. */
const ownCopies = (args: readonly Checked[]): readonly Checked[] =>
  args.map((a) => (a.kind === 'host' ? { ...a, words: a.words.slice() } : a))

/** The executable of a loaded plan. */
const executableOf = (loaded: Loaded, show: Show, fitTo: FitRun): Executable => {
  const { device, plan } = loaded
  const layout = layoutBatch(valuesOf(plan))
  const ring = createRing()
  const state: State = { tenants: [], copied: [], broken: undefined }
  const runBytes = layout.bytes + plan.outputs.reduce((sum, slot) => sum + (slot.keep ? copyBytes(slot) : 0), 0)
  /** Whether a run may refuse what it was given when it is done. */
  const isJudged = plan.observations.some((o) => o.kind === 'finite')
  let runs = 0
  let marker: Promise<unknown> = Promise.resolve()

  /** Resolves when the work submitted one marker ago is done. */
  const keepPace = async (): Promise<void> => {
    if (++runs % runsAhead !== 0) return
    const previous = marker
    marker = device.backend.settled().catch(() => {})
    await previous
  }

  /** A run that fails half encoded may have moved residents that were never copied: the program stops there. */
  const breaking = (e: unknown): never => {
    state.broken =
      e instanceof TensorloomError
        ? (e.error as RuntimeError)
        : { tag: 'ValidationError', message: String(e), hint: 'reload the program' }
    throw e
  }

  const begin = ({ slots, args }: Ready): readonly [Run, ReturnType<typeof encodeRun>] => {
    const started: Run = { loaded, slots, commands: device.backend.begin(), scratch: [] }
    return [started, encodeRun(started, state, args, layout)]
  }

  const made = (args: readonly Argument[]): Ready => {
    const slots = fitTo(plan, args)
    return { slots, args: checkArguments(device, slots.inputs, slots.args) }
  }

  /** A run in one submission: encoded and submitted when this returns. */
  const submit = (ready: Ready): Guarded<Encoded> => {
    try {
      return device.backend.guarded(runBytes, () => {
        const end = begin(ready)[1].next()
        invariant(end.done, 'a run that waits for the device was not expected to')
        return end.value
      })
    } catch (e) {
      return breaking(e)
    }
  }

  const demandUsable = (): void => {
    demandAlive(device)
    if (state.broken) throw new TensorloomError(state.broken)
  }

  const finish = async ({ slots, args }: Ready, { value, trouble }: Guarded<Encoded>): Promise<readonly Output[]> => {
    trouble.then((error) => {
      state.broken ??= error
    })
    const given = args.flatMap((arg, i): readonly Given[] => {
      if (arg.kind !== 'resident' || !plan.inputs[i]!.donated) return []
      return [{ ...arg, lease: consume(arg.store) ?? value.backups[i] }]
    })
    if (!isJudged) for (const { lease } of given) lease?.release()
    const batch: Batch = batchOf(device, valuesOf(slots), layout.offsets, value.staging, trouble)
    let nextValue = 0
    const outputs = slots.outputs.map((slot, o): Output => {
      const home = value.kept[o]
      if (!home) return valueAt(slot, batch, nextValue++)
      const { layout } = slot
      const handle = resident(slot, { device, bytes: copyBytes(slot), layout, home, owner: loaded, trouble })
      state.tenants[o] = home.lease ? undefined : new WeakRef(handle)
      return handle
    })
    await Promise.all([ring.push(batch), keepPace()])
    const results = outputs.slice(0, outputs.length - plan.observations.length)
    try {
      await tell(slots.observations, outputs.slice(results.length), show)
    } catch (e) {
      // What was given away is as it was: it can be looked at, and given to another run.
      for (const { handle, store, lease } of isJudged ? given : [])
        if (lease) rehome(handle, store, { pieces: lease.pieces, lease })
      throw e
    }
    if (isJudged) for (const { lease } of given) lease?.release()
    return results
  }

  /** A run that waits for the device in the middle, or for one that does. */
  const runLater = async (args: readonly Argument[], own: readonly Checked[]): Promise<readonly Output[]> => {
    demandUsable()
    // What is on the device may have been given away meanwhile.
    const { slots, args: checked } = made(args)
    const ready = { slots, args: checked.map((a, i) => (a.kind === 'host' ? own[i]! : a)) }
    if (!loaded.waits) return finish(ready, submit(ready))
    return finish(ready, await play(...begin(ready), runBytes).catch(breaking))
  }

  const run = (args: readonly Argument[]): Promise<readonly Output[]> => {
    demandUsable()
    const before = waiting.get(device)
    if (areUnderWay(args)) {
      const given = arrived(args)
      return inTurn(Promise.all([given, before]).then(([all]) => runLater(all, made(all).args)))
    }
    const ready = made(args)
    if (!before && !loaded.waits) return finish(ready, submit(ready))
    const own = ownCopies(ready.args)
    return inTurn((before ?? Promise.resolve()).then(() => runLater(args, own)))
  }

  /** What comes after waits for `turn`. */
  const inTurn = (turn: Promise<readonly Output[]>): Promise<readonly Output[]> => {
    const settled = turn.then(
      () => {},
      () => {},
    )
    waiting.set(device, settled)
    settled.then(() => {
      if (waiting.get(device) === settled) waiting.delete(device)
    })
    return turn
  }
  return {
    plan,
    device,
    run: (args) => aware(device, async () => run(args)),
    reload: (next) => loadWith(fitTo, next, plan, show),
  }
}

/** `loadPlan` with `fitTo`. */
export const loadWith = async (fitTo: FitRun, device: Device, plan: Plan, show: Show): Promise<Executable> =>
  executableOf(await load(device, plan), show, fitTo)
