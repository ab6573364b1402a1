/** Runs a loaded plan: uploads, one submission, results as handles. The only place where work is encoded. */
import type { Place, Plan } from '../../codegen/plan/plan.ts'
import { invariant, type RuntimeError, TensorloomError } from '../lang/errors.ts'
import { type Argument, areUnderWay, arrived, type Checked, checkArguments } from './argument.ts'
import type { Dispatch, Guarded, Piece } from './backend.ts'
import type { Device } from './device.ts'
import { copy, encodeSegments, homeAt, play, type Run, sameHome } from './encode.ts'
import { type Loaded, load, type Segment, writePieces } from './load.ts'
import { aware, demandAlive } from './loss.ts'
import { type Lease, lease, stretch } from './memory-pool.ts'
import { type Show, showFlat, tell } from './report-observations.ts'
import {
  consume,
  copyBytes,
  type Home,
  type Output,
  type Resident,
  rehome,
  resident,
  type Store,
  storeOf,
} from './resident.ts'
import { type Fitted, fitRun } from './run-sizes.ts'
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

/** What the executor knows from run to run. */
interface State {
  /** Per output: the resident that lies in the arena there, if it was not collected. */
  readonly tenants: (WeakRef<Resident> | undefined)[]
  /** Per input: the resident whose copy is there, for stable places. */
  readonly copied: (Store | undefined)[]
  broken: RuntimeError | undefined
}

/**
 * Residents that live in the arena and are not handed back in their own place would be overwritten by this run: they move
 * to memory of their own first. True when there were any.
 */
const rescue = (run: Run, state: State, args: readonly Checked[]): boolean => {
  const { loaded } = run
  let any = false
  loaded.plan.outputs.forEach((slot, o) => {
    const handle = state.tenants[o]?.deref()
    const store = handle && storeOf(handle)
    const here = homeAt(loaded, slot.place)
    if (!handle || !store?.home || !sameHome(store.home, here)) return
    const input = slot.inPlaceOf === undefined ? undefined : loaded.plan.inputs[slot.inPlaceOf]
    const back = slot.inPlaceOf === undefined ? undefined : args[slot.inPlaceOf]
    if (
      input?.donated &&
      back?.kind === 'resident' &&
      back.store === store &&
      sameHome(here, homeAt(loaded, input.place))
    )
      return
    const own = lease(loaded.device, 'storage', store.bytes, loaded.largest)
    copy(run, here, own, store.bytes)
    rehome(handle, store, { pieces: own.pieces, lease: own })
    any = true
  })
  return any
}

/** Puts `words` at `to`: before all that is encoded, or in its turn when copies of before must come first. */
const upload = (run: Run, words: ArrayBufferView<ArrayBuffer>, to: Home, ordered: boolean): void =>
  writePieces(ordered ? run.commands : run.loaded.device.backend, to.pieces, words)

const placeInputs = (run: Run, state: State, args: readonly Checked[], ordered: boolean): void => {
  const { loaded, slots } = run
  slots.inputs.forEach((slot, i) => {
    const arg = args[i]!
    const to = homeAt(loaded, slot.place)
    if (arg.kind === 'host') {
      state.copied[i] = undefined
      upload(run, arg.words, to, ordered)
      return
    }
    if (state.copied[i] === arg.store) return
    copy(run, arg.store.home!, to, copyBytes(slot))
    state.copied[i] = loaded.stable[i] && !slot.donated ? arg.store : undefined
  })
}

/**
 * Copies of the donated residents that the run is going to overwrite, by argument, where it may yet refuse its arguments; those
 * that have memory of their own need none.
 */
const backUp = (run: Run, args: readonly Checked[]): readonly (Lease | undefined)[] => {
  const { device, largest, plan } = run.loaded
  if (!plan.observations.some((o) => o.kind === 'finite')) return []
  return plan.inputs.map((slot, i) => {
    const arg = args[i]!
    if (!slot.donated || arg.kind !== 'resident' || arg.store.home!.lease) return undefined
    const own = lease(device, 'storage', arg.store.bytes, largest)
    copy(run, arg.store.home!, own, arg.store.bytes)
    return own
  })
}

/** Memory of its own for each kept output that takes no argument's place. */
const ownHomes = ({ loaded }: Run): readonly (Lease | undefined)[] =>
  loaded.plan.outputs.map((slot) =>
    slot.keep && slot.inPlaceOf === undefined
      ? lease(loaded.device, 'storage', copyBytes(slot), loaded.largest)
      : undefined,
  )

/** The segments of a plan, in which results that can move lie where they are to stay. */
const movedSegments = ({ loaded }: Run, homes: readonly (Lease | undefined)[]): readonly Segment[] => {
  const elsewhere = new Map<Dispatch, Map<number, Piece>>()
  loaded.movable.forEach((moves, o) => {
    for (const [dispatch, bindings] of moves ?? [])
      for (const i of bindings)
        elsewhere.set(dispatch, (elsewhere.get(dispatch) ?? new Map()).set(i, homes[o]!.pieces[0]!))
  })
  if (elsewhere.size === 0) return loaded.segments
  const { rebound } = loaded.device.backend
  const moved = new Map([...elsewhere].map(([d, pieces]) => [d, rebound!(d, pieces)]))
  return loaded.segments.map((s) =>
    s.kind === 'pass' ? { ...s, dispatches: s.dispatches.map((d) => moved.get(d) ?? d) } : s,
  )
}

/** Where each kept output lives from now on; undefined for the others. */
const placeKept = (run: Run, homes: readonly (Lease | undefined)[]): readonly (Home | undefined)[] =>
  run.loaded.plan.outputs.map((slot, o) => {
    if (!slot.keep) return undefined
    const own = homes[o]
    const here = homeAt(run.loaded, slot.place)
    if (!own) return here
    if (!run.loaded.movable[o]) copy(run, here, own, copyBytes(slot))
    return { pieces: own.pieces, lease: own }
  })

interface Encoded {
  readonly kept: readonly (Home | undefined)[]
  readonly staging: Lease | undefined
  readonly backups: readonly (Lease | undefined)[]
}

function* encodeRun(
  run: Run,
  state: State,
  args: readonly Checked[],
  layout: ReturnType<typeof layoutBatch>,
): Generator<Place, Encoded, boolean> {
  const { loaded, slots } = run
  const { device } = loaded
  const ordered = rescue(run, state, args)
  const backups = backUp(run, args)
  placeInputs(run, state, args, ordered)
  const homes = ownHomes(run)
  yield* encodeSegments(run, movedSegments(run, homes))
  const kept = placeKept(run, homes)
  const staging = layout.bytes > 0 ? lease(device, 'staging', layout.bytes, loaded.largest) : undefined
  if (staging)
    valuesOf(slots).forEach((slot, i) => {
      const bytes = copyBytes(slot)
      copy(run, homeAt(loaded, slot.place), { pieces: stretch(staging.pieces, layout.offsets[i]!, bytes) }, bytes)
    })
  run.commands.submit()
  for (const l of run.scratch) l.release()
  return { kept, staging, backups }
}

/** The results that are read once. */
const valuesOf = ({ outputs }: Pick<Fitted, 'outputs'>): Fitted['outputs'] => outputs.filter((slot) => !slot.keep)

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
export const executableOf = (loaded: Loaded, show: Show): Executable => {
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
    const slots = fitRun(plan, args)
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
      const held = { device, bytes: copyBytes(slot), home, owner: loaded, trouble }
      const handle = resident(slot, layout ? { ...held, layout } : held)
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
    reload: (next) => loadPlan(next, plan, show),
  }
}

/**
 * Loads `plan` on `device` and makes it ready to run; `show` is how T.debug shows elements. Rejects (TensorloomError) with LimitError, UnsupportedFeature,
 * OutOfMemory, ValidationError or DeviceLost.
 * @example
 * const { plan } = T.orThrow(T.compile((x) => T.add(x, 1), [T.spec([2])]))
 * const executable = await runtime.loadPlan(await T.defaultDevice(), plan)
 * const [out] = await executable.run([[1, 2]])
 * await out!.read() // => [2, 3]
 */
export const loadPlan = async (device: Device, plan: Plan, show: Show = showFlat): Promise<Executable> =>
  executableOf(await load(device, plan), show)
