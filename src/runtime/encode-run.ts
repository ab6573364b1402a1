/** Encodes a run: arguments are put in their places, results go where they stay or are read. The only place where work is encoded. */
import type { Place } from '../../codegen/plan/plan.ts'
import type { RuntimeError } from '../lang/errors.ts'
import type { Checked } from './argument.ts'
import type { Dispatch, Piece } from './backend.ts'
import { copy, encodeSegments, homeAt, type Run, sameHome } from './encode.ts'
import type { Fitted } from './fitted.ts'
import { type Segment, writePieces } from './load.ts'
import { type Lease, lease, stretch } from './memory-pool.ts'
import { copyBytes, type Home, type Resident, rehome, type Store, storeOf } from './resident.ts'
import type { layoutBatch } from './staging.ts'

/** What the executor knows from run to run. */
export interface State {
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

export interface Encoded {
  readonly kept: readonly (Home | undefined)[]
  readonly staging: Lease | undefined
  readonly backups: readonly (Lease | undefined)[]
}

/** The work of a run up to its submission. */
export function* encodeRun(
  run: Run,
  state: State,
  args: readonly Checked[],
  layout: ReturnType<typeof layoutBatch>,
): Generator<Place, Encoded, boolean> {
  const { loaded, slots } = run
  const { device } = loaded
  const ordered = rescue(run, state, args)
  const backups = backUp(run, args)
  slots.begin?.(loaded, run.commands)
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
export const valuesOf = ({ outputs }: Pick<Fitted, 'outputs'>): Fitted['outputs'] =>
  outputs.filter((slot) => !slot.keep)
