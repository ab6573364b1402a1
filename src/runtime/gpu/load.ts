/** Puts a plan on a device: arenas, constants, pipelines, bind groups. Everything a run needs is made here, once. */
import type { Place, Plan, Step } from '../../../codegen/plan/plan.ts'
import { everyStep } from '../../../codegen/plan/steps.ts'
import { boundBytes, buffersBehind, overlaps, wholeVectors } from '../../../passes/memory/place-bytes.ts'
import { largestBuffer } from '../../../passes/profile.ts'
import { alignUp } from '../../lang/dim.ts'
import { invariant, TensorloomError } from '../../lang/errors.ts'
import { encode } from '../words.ts'
import { type Piece, stretch, usage } from './buffer-pool.ts'
import { layoutOf, pipelineOf } from './compute-pipeline.ts'
import type { Device } from './device.ts'
import { checkFit, foldGrid } from './fit-device.ts'
import { demandAlive, guarded } from './guard.ts'

/** A dispatch with everything resolved. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly x: number
  readonly y: number
}

/**
 * Consecutive dispatches are one compute pass; copies stand between passes. A while is submitted again and again, as long
 * as the word at its flag is not zero.
 */
export type Segment =
  | { readonly kind: 'pass'; readonly dispatches: readonly Dispatch[] }
  | { readonly kind: 'copy'; readonly from: Place; readonly to: Place }
  | { readonly kind: 'while'; readonly flag: Place; readonly segments: readonly Segment[] }

/** A plan on a device. */
export interface Loaded {
  readonly device: Device
  readonly plan: Plan
  /** Each a row of buffers. */
  readonly arenas: readonly (readonly Piece[])[]
  /** Bytes of the largest buffer that the plan may have. */
  readonly largest: number
  readonly segments: readonly Segment[]
  /** Whether a run waits for the device in the middle. */
  readonly waits: boolean
  /** Per input: nothing in the plan writes its place, so what a run put there is there still at the next. */
  readonly stable: readonly boolean[]
}

/** Frees the arenas of programs that nobody holds any more. */
const dropped = new FinalizationRegistry<{ readonly device: Device; readonly arenas: Loaded['arenas'] }>((held) =>
  destroyArenas(held.device, held.arenas),
)

const destroyArenas = (device: Device, arenas: Loaded['arenas']): void => {
  for (const { buffer } of arenas.flat()) device.destroyBuffer(buffer)
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

const createArenas = (device: Device, plan: Plan): Piece[][] =>
  plan.arenas.map((arena) =>
    buffersBehind(arena, plan.profile).map((bytes): Piece => {
      const buffer = device.createBuffer(bytes, usage.storage | usage.copySource | usage.copyTarget)
      return { buffer, offset: 0, bytes }
    }),
  )

/** Writes `words` to pieces in a row. */
export const writePieces = (device: Device, to: readonly Piece[], words: ArrayBufferView<ArrayBuffer>): void => {
  let at = 0
  for (const { buffer, offset, bytes } of stretch(to, 0, words.byteLength)) {
    device.gpu.queue.writeBuffer(buffer, offset, words.buffer, words.byteOffset + at, bytes)
    at += bytes
  }
}

const uploadData = (device: Device, plan: Plan, arenas: Loaded['arenas']): void => {
  for (const { place, dtype, values } of plan.data) {
    if (values.length === 0) continue
    writePieces(device, stretch(arenas[place.arena]!, place.offset, place.bytes), encode(dtype, values))
  }
}

/** Where bindings of a uniform buffer may start: what every device allows. */
const uniformAlignment = 256

/** Where the words of each dispatch lie, by their text: in one uniform buffer, the last of the arenas. */
const uploadWords = (device: Device, plan: Plan, arenas: Piece[][]): ReadonlyMap<string, Piece> => {
  const places = new Map<string, Piece>()
  const lists = everyStep(plan.steps).flatMap((s) => (s.kind === 'dispatch' && s.words ? [s.words] : []))
  const distinct = [...new Map(lists.map((words) => [words.join(), words]))]
  const offsets: number[] = []
  let end = 0
  for (const [, words] of distinct) {
    offsets.push(end)
    end = alignUp(end + wholeVectors(words.length * 4), uniformAlignment)
  }
  if (end === 0) return places
  const buffer = device.createBuffer(end, usage.uniform | usage.copyTarget)
  arenas.push([{ buffer, offset: 0, bytes: end }])
  const all = new Uint32Array(end / 4)
  distinct.forEach(([key, words], i) => {
    all.set(words, offsets[i]! / 4)
    places.set(key, { buffer, offset: offsets[i]!, bytes: wholeVectors(words.length * 4) })
  })
  device.gpu.queue.writeBuffer(buffer, 0, all)
  return places
}

/** Bind groups of all dispatches in step order; equal ones are one object. */
const createGroups = (
  device: Device,
  plan: Plan,
  arenas: Loaded['arenas'],
  words: ReadonlyMap<string, Piece>,
): readonly GPUBindGroup[] => {
  const made = new Map<string, GPUBindGroup>()
  const groups: GPUBindGroup[] = []
  for (const step of everyStep(plan.steps)) {
    if (step.kind === 'copy') continue
    const kernel = plan.kernels[step.kernel]?.kernel
    invariant(kernel, `step names kernel ${step.kernel} of ${plan.kernels.length}`)
    invariant(
      step.bindings.length === kernel.bindings.length,
      `kernel ${kernel.name} takes ${kernel.bindings.length} bindings`,
    )
    const layout = layoutOf(device, kernel)
    const access = kernel.bindings.map((b) => b.access).join()
    const key = `${access} ${step.bindings.map((p) => `${p.arena}:${p.offset}:${p.bytes}`).join()} ${step.words ?? ''}`
    let group = made.get(key)
    if (!group) {
      const entries = step.bindings.map((place, binding) => {
        const size = boundBytes(place)
        const [piece, ...more] = stretch(arenas[place.arena]!, place.offset, size)
        invariant(piece && more.length === 0, `kernel ${kernel.name} binds what lies in several buffers`)
        return { binding, resource: { buffer: piece.buffer, offset: piece.offset, size } }
      })
      const given = step.words && words.get(step.words.join())!
      if (given) {
        const { buffer, offset, bytes: size } = given
        entries.push({ binding: entries.length, resource: { buffer, offset, size } })
      }
      made.set(key, (group = device.gpu.createBindGroup({ layout, entries })))
    }
    groups.push(group)
  }
  return groups
}

const segmentsOf = (
  device: Device,
  plan: Plan,
  groups: readonly GPUBindGroup[],
  pipelines: readonly GPUComputePipeline[],
): readonly Segment[] => {
  const side = Math.min(plan.profile.maxGridSide, device.gpu.limits.maxComputeWorkgroupsPerDimension)
  const groupOf = new Map(
    everyStep(plan.steps)
      .filter((s) => s.kind === 'dispatch')
      .map((s, i) => [s as Step, groups[i]!]),
  )
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
      } else if (step.workgroups > 0) {
        const [x, y] = foldGrid(step.workgroups, side)
        passOf().push({ pipeline: pipelines[step.kernel]!, group: groupOf.get(step)!, x, y })
      }
    }
  }
  const segments: Segment[] = []
  walk(plan.steps, segments)
  return segments
}

/**
 * Makes everything `plan` needs on `device`; distinct pipelines compile concurrently. Rejects with LimitError,
 * UnsupportedFeature, OutOfMemory, ValidationError (with the shader compiler's text) or DeviceLost; nothing stays behind.
 */
export const load = async (device: Device, plan: Plan): Promise<Loaded> => {
  demandAlive(device)
  checkFit(device, plan)
  const pipelines = Promise.allSettled(plan.kernels.map(({ kernel, wgsl }) => pipelineOf(device, kernel, wgsl)))
  const peak = plan.arenas.reduce((a, b) => a + wholeVectors(b), 0)
  const { value, trouble } = guarded(device, peak, () => {
    const arenas = createArenas(device, plan)
    uploadData(device, plan, arenas)
    const words = uploadWords(device, plan, arenas)
    return { arenas, groups: createGroups(device, plan, arenas, words) }
  })
  const { arenas, groups } = value
  try {
    const compiled = (await pipelines).map((p) => {
      if (p.status === 'rejected') throw p.reason
      return p.value
    })
    const refused = await trouble
    if (refused) throw new TensorloomError(refused)
    demandAlive(device)
    const segments = segmentsOf(device, plan, groups, compiled)
    const loaded = {
      device,
      plan,
      arenas,
      largest: largestBuffer(plan.profile),
      segments,
      waits: segments.some((s) => s.kind === 'while'),
      stable: stableInputs(plan),
    }
    dropped.register(loaded, { device, arenas })
    return loaded
  } catch (e) {
    destroyArenas(device, arenas)
    throw e
  }
}
