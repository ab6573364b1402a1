/** Encoding the steps of a run, and playing loops whose end the device finds out: a submission a chunk, the flag read in between. */
import type { Place } from '../../../codegen/plan/plan.ts'
import { alignUp } from '../../lang/dim.ts'
import type { RuntimeError } from '../../lang/errors.ts'
import { copyPieces, download, type Home } from '../resident.ts'
import { type Lease, lease, stretch } from './buffer-pool.ts'
import { type Guarded, guarded } from './guard.ts'
import type { Loaded, Segment } from './load.ts'

/** One run while it is encoded. */
export interface Run {
  readonly loaded: Loaded
  /** A new one after every submission. */
  encoder: GPUCommandEncoder
  /** Buffers needed until the submit only. */
  readonly scratch: Lease[]
  readonly spent: GPUBuffer[]
}

/** Copies between places, of one buffer too. */
export const copy = (run: Run, from: Home, to: Home, bytes: number): void => {
  if (bytes === 0 || sameHome(from, to)) return
  if (!from.pieces.some((a) => to.pieces.some((b) => a.buffer === b.buffer))) {
    copyPieces(run.encoder, from.pieces, to.pieces, bytes)
    return
  }
  // WebGPU refuses copies within one buffer, even of disjoint ranges.
  const between = lease(run.loaded.device, 'home', bytes, run.loaded.largest)
  run.scratch.push(between)
  copyPieces(run.encoder, from.pieces, between.pieces, bytes)
  copyPieces(run.encoder, between.pieces, to.pieces, bytes)
}

/** Whether both start at the same byte of the same buffer. */
export const sameHome = (a: Home, b: Home): boolean => {
  const [x, y] = [a.pieces[0], b.pieces[0]]
  return x?.buffer === y?.buffer && x?.offset === y?.offset
}

/** Where a place is on the device. */
export const homeAt = (loaded: Loaded, place: Place): Home => ({
  pieces: stretch(loaded.arenas[place.arena]!, place.offset, place.bytes),
})

const encodeSegment = (run: Run, segment: Exclude<Segment, { readonly kind: 'while' }>): void => {
  const { loaded, encoder } = run
  if (segment.kind === 'copy') {
    const { from, to } = segment
    copy(run, homeAt(loaded, from), homeAt(loaded, to), alignUp(Math.min(from.bytes, to.bytes), 4))
    return
  }
  const pass = encoder.beginComputePass()
  let current: GPUComputePipeline | undefined
  for (const { pipeline, group, x, y } of segment.dispatches) {
    if (pipeline !== current) pass.setPipeline((current = pipeline))
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(x, y)
  }
  pass.end()
}

/** Encodes segments; yields the flag of a while whenever it must be known, and goes on with its answer. */
export function* encodeSegments(run: Run, segments: readonly Segment[]): Generator<Place, void, boolean> {
  for (const s of segments) {
    if (s.kind !== 'while') encodeSegment(run, s)
    else while (yield s.flag) yield* encodeSegments(run, s.segments)
  }
}

const submit = (run: Run): void => {
  const { gpu } = run.loaded.device
  gpu.queue.submit([run.encoder.finish()])
  run.encoder = gpu.createCommandEncoder()
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
    const { value, trouble } = guarded(device, bytes, (): IteratorResult<Lease, A> => {
      const next = encoding.next(goesOn)
      return next.done ? next : { done: false, value: fetchFlag(run, next.value) }
    })
    troubles.push(trouble)
    return value
  }
  let step = advance(false)
  while (!step.done) {
    const goesOn = await download(device, step.value, troubles.splice(0), (m) => new Uint32Array(m, 0, 1)[0] !== 0)
    step = advance(goesOn)
  }
  return { value: step.value, trouble: troubles[0]! }
}
