/** Puts a plan on a device: arenas, constants, kernels with what they are bound to. Everything a run needs is made here, once. */
import type { OutputSlot, Place, Plan, Step } from '../../codegen/plan/plan.ts'
import { everyStep } from '../../codegen/plan/steps.ts'
import { boundBytes, buffersBehind, overlaps, wholeVectors } from '../../passes/memory/place-bytes.ts'
import { largestBuffer } from '../../passes/profile.ts'
import { alignUp } from '../lang/dim.ts'
import { invariant, raise, TensorloomError } from '../lang/errors.ts'
import { visible } from '../lang/visible-text.ts'
import type { Bound, Commands, Dispatch, Piece } from './backend.ts'
import type { Device } from './device.ts'
import { demandAlive } from './loss.ts'
import { stretch } from './memory-pool.ts'
import { encode } from './words.ts'

/**
 * Consecutive dispatches are one pass; copies stand between passes. A while is submitted again and again, as long
 * as the word at its flag is not zero.
 */
export type Segment =
  | { readonly kind: 'pass'; readonly dispatches: readonly Dispatch[] }
  | { readonly kind: 'copy'; readonly from: Place; readonly to: Place }
  | { readonly kind: 'while'; readonly flag: Place; readonly segments: readonly Segment[] }

/** By dispatch, the numbers of the bindings that a result lies at. */
export type Moves = ReadonlyMap<Dispatch, readonly number[]>

/** A plan on a device. */
export interface Loaded {
  readonly device: Device
  readonly plan: Plan
  /** Each a row of pieces. */
  readonly arenas: readonly (readonly Piece[])[]
  /** Bytes of the largest piece of memory that the plan may have. */
  readonly largest: number
  readonly segments: readonly Segment[]
  /** Where the words of dispatches are, by `wordsKey`. */
  readonly words: ReadonlyMap<string, Piece>
  /** Whether a run waits for the device in the middle. */
  readonly waits: boolean
  /** Per output: the bindings that move with it where it is not to be copied; none where it must be. */
  readonly movable: readonly (Moves | undefined)[]
  /** Per input: nothing in the plan writes its place, so what a run put there is there still at the next. */
  readonly stable: readonly boolean[]
}

/** Frees the arenas of programs that nobody holds any more. */
const dropped = new FinalizationRegistry<{ readonly device: Device; readonly arenas: Loaded['arenas'] }>((held) =>
  destroyArenas(held.device, held.arenas),
)

const destroyArenas = (device: Device, arenas: Loaded['arenas']): void => {
  for (const { memory } of arenas.flat()) device.backend.destroy(memory)
}

/** All places that the steps of a plan may write, padding of bindings included. */
const writtenPlaces = (plan: Plan): readonly Place[] =>
  everyStep(plan.steps).flatMap((step) => {
    if (step.kind === 'copy') return [step.to]
    const { bindings } = plan.kernels[step.kernel]!.kernel
    return step.bindings
      .filter((_, i) => bindings[i]?.access === 'read_write')
      .map((place) => ({ ...place, bytes: boundBytes(place) }))
  })

const stableInputs = (plan: Plan): readonly boolean[] => {
  const written = writtenPlaces(plan)
  return plan.inputs.map((slot) => !written.some((place) => overlaps(place, slot.place)))
}

/** Memory of the size `bytes` as a piece. */
const createPiece = (device: Device, bytes: number, use: 'storage' | 'words'): Piece => ({
  memory: device.backend.create(bytes, use),
  offset: 0,
  bytes,
})

/** Fills `arenas`, so that those that were made are known where the next one fails. */
const createArenas = (device: Device, plan: Plan, arenas: Piece[][]): void => {
  for (const bytes of plan.arenas) {
    const row: Piece[] = []
    arenas.push(row)
    for (const size of buffersBehind(bytes, plan.profile)) row.push(createPiece(device, size, 'storage'))
  }
}

/** Writes `words` to pieces in a row. */
export const writePieces = (
  to: Pick<Commands, 'write'>,
  pieces: readonly Piece[],
  words: ArrayBufferView<ArrayBuffer>,
): void => {
  let at = words.byteOffset
  for (const piece of stretch(pieces, 0, words.byteLength)) {
    to.write(piece, new Uint8Array(words.buffer, at, piece.bytes))
    at += piece.bytes
  }
}

const uploadData = (device: Device, plan: Plan, arenas: Loaded['arenas']): void => {
  for (const { place, dtype, values } of plan.data) {
    if (values.length === 0) continue
    writePieces(device.backend, stretch(arenas[place.arena]!, place.offset, place.bytes), encode(dtype, values))
  }
}

/** Where words may start: what every device allows. */
const wordsAlignment = 256

/** Equal keys mean that dispatches have the same words in every run. */
export const wordsKey = ({ words, limits }: Pick<Extract<Step, { kind: 'dispatch' }>, 'words' | 'limits'>): string =>
  JSON.stringify([words, limits])

/** Where the words of each dispatch lie, by their text: in one piece of memory, the last of the arenas. */
const uploadWords = (device: Device, plan: Plan, arenas: Piece[][]): ReadonlyMap<string, Piece> => {
  const places = new Map<string, Piece>()
  const given = everyStep(plan.steps).flatMap((s) => (s.kind === 'dispatch' && s.words ? [s] : []))
  const distinct = [...new Map(given.map((s) => [wordsKey(s), s.words!]))]
  const offsets: number[] = []
  let end = 0
  for (const [, words] of distinct) {
    offsets.push(end)
    end = alignUp(end + wholeVectors(words.length * 4), wordsAlignment)
  }
  if (end === 0) return places
  const piece = createPiece(device, end, 'words')
  arenas.push([piece])
  const all = new Uint32Array(end / 4)
  distinct.forEach(([key, words], i) => {
    all.set(words, offsets[i]! / 4)
    places.set(key, { ...piece, offset: offsets[i]!, bytes: wholeVectors(words.length * 4) })
  })
  writePieces(device.backend, [piece], all)
  return places
}

/** The dispatches of a plan that do something, each once, with where everything lies that they read and write. */
const boundDispatches = (
  plan: Plan,
  arenas: Loaded['arenas'],
  words: ReadonlyMap<string, Piece>,
): ReadonlyMap<Step, Bound> => {
  const found = new Map<Step, Bound>()
  for (const step of everyStep(plan.steps)) {
    if (step.kind === 'copy' || step.workgroups === 0) continue
    const kernel = plan.kernels[step.kernel]?.kernel
    invariant(kernel, `step names kernel ${step.kernel} of ${plan.kernels.length}`)
    invariant(
      step.bindings.length === kernel.bindings.length,
      `kernel ${kernel.name} takes ${kernel.bindings.length} bindings`,
    )
    const bindings = step.bindings.map((place): Piece => {
      const [piece, ...more] = stretch(arenas[place.arena]!, place.offset, boundBytes(place))
      invariant(piece && more.length === 0, `kernel ${kernel.name} binds what lies in several buffers`)
      return piece
    })
    const { workgroups } = step
    found.set(step, {
      kernel: step.kernel,
      workgroups,
      bindings,
      words: step.words && words.get(wordsKey(step)),
    })
  }
  return found
}

/** Where a result is bound, if it can lie elsewhere: nothing but dispatches that say so reads or writes it. */
const movesOf = (plan: Plan, { place, value, keep, inPlaceOf }: OutputSlot, ready: ReadonlyMap<Step, Dispatch>) => {
  const isAlone = plan.outputs.filter((slot) => overlaps(slot.place, place)).length === 1
  if (!keep || inPlaceOf !== undefined || value === undefined || place.bytes === 0 || !isAlone) return undefined
  if (plan.inputs.some((slot) => slot.value === value) || plan.data.some((slot) => slot.value === value))
    return undefined
  const moves = new Map<Dispatch, readonly number[]>()
  for (const step of everyStep(plan.steps)) {
    if (step.kind === 'copy') {
      if (overlaps(step.from, place) || overlaps(step.to, place)) return undefined
      continue
    }
    // Emitted plans, and those made by hand, may not say.
    if (!step.writes) return undefined
    const used = [...(step.reads ?? []), ...step.writes]
    if (!used.some((u) => u.value === value)) continue
    const bindings = step.bindings.flatMap((p, i) =>
      p.arena === place.arena && p.offset === place.offset && p.bytes === place.bytes ? [i] : [],
    )
    const whole = used.filter((u) => u.value === value || overlaps(u.place, place))
    // A binding that several values share, or one with other bounds, stays where it is.
    if (bindings.length === 0 || whole.some((u) => u.value !== value || u.place.offset !== place.offset))
      return undefined
    if (step.bindings.some((p, i) => overlaps(p, place) && !bindings.includes(i))) return undefined
    if (ready.has(step)) moves.set(ready.get(step)!, bindings)
  }
  return moves
}

const segmentsOf = (steps: readonly Step[], ready: ReadonlyMap<Step, Dispatch>): readonly Segment[] => {
  const walk = (steps: readonly Step[], segments: Segment[]): void => {
    const passOf = (): Dispatch[] => {
      const last = segments[segments.length - 1]
      if (last?.kind === 'pass') return last.dispatches as Dispatch[]
      const dispatches: Dispatch[] = []
      segments.push({ kind: 'pass', dispatches })
      return dispatches
    }
    for (const step of steps) {
      if (step.kind === 'copy') segments.push(step)
      else if (step.kind === 'repeat') for (let i = 0; i < step.times; i++) walk(step.steps, segments)
      else if (step.kind === 'while') {
        const inner: Segment[] = []
        walk(step.steps, inner)
        segments.push({ kind: 'while', flag: step.flag, segments: inner })
      } else if (ready.has(step)) passOf().push(ready.get(step)!)
    }
  }
  const segments: Segment[] = []
  walk(steps, segments)
  return segments
}

/** UnsupportedFeature for a plan whose kernels are in another language. */
const demandTarget = ({ backend, description }: Device, { name, profile }: Plan): void => {
  if (profile.target !== backend.target)
    raise({
      tag: 'UnsupportedFeature',
      feature: `kernels in ${profile.target} (${visible(name)} is planned for ${profile.name}; ${description} runs ${backend.target})`,
      hint: 'compile for profileOf(device), or without a profile',
    })
}

/**
 * Makes everything `plan` needs on `device`. Rejects with LimitError, UnsupportedFeature, OutOfMemory, ValidationError (with
 * the shader compiler's text) or DeviceLost; nothing stays behind.
 */
export const load = async (device: Device, plan: Plan): Promise<Loaded> => {
  const { backend } = device
  demandAlive(device)
  demandTarget(device, plan)
  backend.check(plan)
  const peak = plan.arenas.reduce((a, b) => a + wholeVectors(b), 0)
  const arenas: Piece[][] = []
  try {
    const { value, trouble } = backend.guarded(peak, () => {
      createArenas(device, plan, arenas)
      uploadData(device, plan, arenas)
      const words = uploadWords(device, plan, arenas)
      const bound = boundDispatches(plan, arenas, words)
      return { words, steps: [...bound.keys()], prepared: backend.prepare(plan, [...bound.values()]) }
    })
    const dispatches = await value.prepared
    const refused = await trouble
    if (refused) throw new TensorloomError(refused)
    demandAlive(device)
    const ready = new Map(value.steps.map((s, i) => [s, dispatches[i]!]))
    const segments = segmentsOf(plan.steps, ready)
    const waits = segments.some((s) => s.kind === 'while')
    const moves = backend.rebound !== undefined && !waits
    const loaded = {
      device,
      plan,
      arenas,
      largest: largestBuffer(plan.profile),
      segments,
      words: value.words,
      waits,
      movable: plan.outputs.map((slot) => (moves ? movesOf(plan, slot, ready) : undefined)),
      stable: stableInputs(plan),
    }
    dropped.register(loaded, { device, arenas })
    return loaded
  } catch (e) {
    destroyArenas(device, arenas)
    throw e
  }
}
