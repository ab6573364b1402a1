/** Encoding the steps of a run, and playing loops whose end the device finds out: a submission a chunk, the flag read in between. */
import type { Place } from '../../codegen/plan/plan.ts'
import { alignUp } from '../lang/dim.ts'
import type { RuntimeError } from '../lang/errors.ts'
import type { Commands, Guarded } from './backend.ts'
import type { Fitted } from './fitted.ts'
import type { Loaded, Segment } from './load.ts'
import { type Lease, lease, stretch } from './memory-pool.ts'
import { copyPieces, download, type Home } from './resident.ts'
import { decode } from './words.ts'

/** One run while it is encoded. */
export interface Run {
  readonly loaded: Loaded
  /** The plan's slots at the sizes of this run. */
  readonly slots: Fitted
  /** A new one after every submission. */
  commands: Commands
  /** Memory needed until the submit only. */
  readonly scratch: Lease[]
}

/** Copies between places, of one memory too. */
export const copy = (run: Run, from: Home, to: Home, bytes: number): void => {
  if (bytes === 0 || sameHome(from, to)) return
  const { commands } = run
  const { device, largest } = run.loaded
  if (device.backend.copiesWithin || !from.pieces.some((a) => to.pieces.some((b) => a.memory === b.memory))) {
    copyPieces(commands, from.pieces, to.pieces, bytes)
    return
  }
  // WebGPU refuses copies within one buffer, even of disjoint ranges.
  const between = lease(device, 'storage', bytes, largest)
  run.scratch.push(between)
  copyPieces(commands, from.pieces, between.pieces, bytes)
  copyPieces(commands, between.pieces, to.pieces, bytes)
}

/** Whether both start at the same byte of the same memory. */
export const sameHome = (a: Home, b: Home): boolean => {
  const [x, y] = [a.pieces[0], b.pieces[0]]
  return x?.memory === y?.memory && x?.offset === y?.offset
}

/** Where a place is on the device. */
export const homeAt = (loaded: Loaded, place: Place): Home => ({
  pieces: stretch(loaded.arenas[place.arena]!, place.offset, place.bytes),
})

const encodeSegment = (run: Run, segment: Exclude<Segment, { readonly kind: 'while' }>): void => {
  const { loaded, commands } = run
  if (segment.kind === 'pass') {
    commands.run(segment.dispatches)
    return
  }
  const { from, to } = segment
  copy(run, homeAt(loaded, from), homeAt(loaded, to), alignUp(Math.min(from.bytes, to.bytes), 4))
}

/** Encodes segments; yields the flag of a while whenever it must be known, and goes on with its answer. */
export function* encodeSegments(run: Run, segments: readonly Segment[]): Generator<Place, void, boolean> {
  for (const s of segments) {
    if (s.kind !== 'while') encodeSegment(run, s)
    else while (yield s.flag) yield* encodeSegments(run, s.segments)
  }
}

const submit = (run: Run): void => {
  run.commands.submit()
  run.commands = run.loaded.device.backend.begin()
}

/** The one word at a place, on its way to the host. */
const fetchFlag = (run: Run, flag: Place): Lease => {
  const staging = lease(run.loaded.device, 'staging', 4)
  copy(run, homeAt(run.loaded, flag), { pieces: staging.pieces }, 4)
  submit(run)
  return staging
}

/**
 * Plays what `encodeSegments` (with what comes before and after it) yields: a flag is copied out and awaited, all between
 * two flags is one submission inside error scopes. Rejects where the device refuses one of them.
 */
export const play = async <A>(run: Run, encoding: Generator<Place, A, boolean>, bytes: number): Promise<Guarded<A>> => {
  const { device } = run.loaded
  const troubles: Promise<RuntimeError | undefined>[] = []
  const advance = (goesOn: boolean): IteratorResult<Lease, A> => {
    const { value, trouble } = device.backend.guarded(bytes, (): IteratorResult<Lease, A> => {
      const next = encoding.next(goesOn)
      return next.done ? next : { done: false, value: fetchFlag(run, next.value) }
    })
    troubles.push(trouble)
    return value
  }
  let step = advance(false)
  while (!step.done) {
    const goesOn = await download(device, step.value, troubles.splice(0), (m) => decode('u32', m, 0, 1)[0] !== 0)
    step = advance(goesOn)
  }
  return { value: step.value, trouble: troubles[0]! }
}
