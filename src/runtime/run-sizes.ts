/** The sizes of one run: what the arguments say of the named sizes of a plan, and its slots at those sizes. */

import type { InputSlot, Slot } from '../../codegen/plan/plan.ts'
import { everyStep } from '../../codegen/plan/steps.ts'
import type { Region } from '../../passes/graph/index-inputs.ts'
import { ceilDiv, productOf, sizeOf } from '../lang/dim.ts'
import type { HostArray } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { sameShape, showShape, stridesOf } from '../lang/shape.ts'
import { type Size, type SizeValues, showSized, sizeAt } from '../lang/size.ts'
import type { Argument } from './argument.ts'
import type { Commands } from './backend.ts'
import { asPlanned, type FitRun, type Layout, type SlotAt } from './fitted.ts'
import { type Loaded, wordsKey, writePieces } from './load.ts'
import { storeOf } from './resident.ts'
import type { HostValues } from './words.ts'

const refuse = (path: string, reason: string, hint?: string): never =>
  raise({ tag: 'ArgumentError', path, reason, ...(hint === undefined ? {} : { hint }) })

/** The shape that a slot has at these sizes, and its layout where that matters. */
const slotAt = <S extends Slot>(slot: S, values: SizeValues): SlotAt<S> => {
  if (!slot.axes) return slot
  const shape = slot.axes.map((s) => sizeAt(s, values))
  const first = slot.shape.findIndex((s) => s !== 1)
  const inRow = shape.every((s, axis) => axis <= first || s === slot.shape[axis])
  return inRow ? { ...slot, shape } : { ...slot, shape, layout: layoutOf(shape, slot.shape) }
}

const isCount = (x: unknown): x is ArrayLike<unknown> => Array.isArray(x) || ArrayBuffer.isView(x)

/** The shape that an argument says it has. */
const shapeOf = (argument: Argument | undefined): readonly number[] | undefined =>
  typeof argument === 'object' && argument !== null && 'shape' in argument && Array.isArray(argument.shape)
    ? argument.shape
    : undefined

/** What is known of the named sizes, and which argument says so. */
type Known = Map<string, { readonly value: number; readonly path: string }>

const note = (known: Known, slot: Slot, name: string, value: number): void => {
  const before = known.get(name)
  if (before && before.value !== value)
    refuse(slot.path, `has ${value} for '${name}', where ${before.path} has ${before.value}`, 'they must be equal')
  known.set(name, { value, path: slot.path })
}

const readShape = (known: Known, slot: Slot, shape: readonly number[]): void => {
  const axes = slot.axes!
  const differs = shape.length !== axes.length || axes.some((s, i) => typeof s === 'number' && s !== shape[i])
  if (differs) refuse(slot.path, `got shape ${showShape(shape)}, ${showSized(slot)} was expected`)
  for (const [i, s] of axes.entries()) if (typeof s !== 'number') note(known, slot, s.name, shape[i]!)
}

/** The size that a flat array of `count` elements has for the one axis that is not known yet; false where there are more. */
const readCount = (known: Known, slot: Slot, count: number): boolean => {
  const named = slot.axes!.filter((s): s is Exclude<Size, number> => typeof s !== 'number')
  const open = named.length === 1 ? named : named.filter((s) => !known.has(s.name))
  if (open.length !== 1) return open.length === 0
  const values = new Map([...known].map(([name, { value }]) => [name, value]))
  const rest = productOf(slot.axes!, (s) => (s === open[0] ? 1 : sizeAt(s, values)))
  if (rest === 0) return false
  if (count % rest !== 0)
    refuse(slot.path, `got ${count} elements, which are no whole rows of ${rest}: ${showSized(slot)} was expected`)
  note(known, slot, open[0]!.name, count / rest)
  return true
}

/** What the arguments say of the named sizes: shapes first, then how many elements there are. */
const sizesIn = (slots: readonly InputSlot[], args: readonly Argument[]): Known => {
  const known: Known = new Map()
  const flat: (readonly [InputSlot, number])[] = []
  for (const [i, slot] of slots.entries()) {
    if (!slot.axes) continue
    const argument = args[i]
    const shape = shapeOf(argument)
    if (shape) readShape(known, slot, shape)
    else if (isCount(argument)) flat.push([slot, argument.length])
    else if (typeof argument === 'number' || typeof argument === 'boolean') flat.push([slot, 1])
  }
  let open = flat
  for (let before = -1; open.length !== before; ) {
    before = open.length
    open = open.filter(([slot, count]) => !readCount(known, slot, count))
  }
  for (const [slot] of open)
    refuse(slot.path, `a flat array does not say the sizes of ${showSized(slot)}`, 'give { shape, data }')
  return known
}

/** Refuses results whose elements lie in memory as another bound has them; what else is wrong with an argument is told later. */
const demandLayouts = (slots: readonly SlotAt<InputSlot>[], args: readonly Argument[]): void => {
  for (const [i, slot] of slots.entries()) {
    const argument = args[i]
    const store = typeof argument === 'object' && argument !== null ? storeOf(argument) : undefined
    if (!store?.home || !sameShape(shapeOf(argument)!, slot.shape)) continue
    if (`${store.layout?.shape}` !== `${slot.layout?.shape}`)
      refuse(slot.path, 'it is laid out for other bounds', 'await its read() and pass { shape, data }')
  }
}

/** Tells the dispatches how far loops go at these sizes. */
const writeWords = ({ plan, words }: Loaded, commands: Commands, values: SizeValues): void => {
  const written = new Set<string>()
  for (const step of everyStep(plan.steps)) {
    if (step.kind !== 'dispatch' || !step.limits) continue
    const key = wordsKey(step)
    const piece = words.get(key)
    if (!piece || written.has(key)) continue
    written.add(key)
    // A mask may let nothing through: `i < n - 5` where there are three.
    const steps = step.limits.map(({ size, by, most }) =>
      Math.min(most, ceilDiv(Math.max(0, sizeAt(size, values)), by)),
    )
    writePieces(commands, [piece], Uint32Array.from(steps))
  }
}

/** `plan` on these arguments. Throws ArgumentError where they do not agree on a size, or one is out of bounds. */
export const fitRun: FitRun = (plan, args) => {
  const { sizes, inputs, outputs, observations } = plan
  if (!sizes) {
    demandLayouts(inputs, args)
    return asPlanned(plan, args)
  }
  const slots = inputs.slice(0, inputs.length - sizes.length)
  if (args.length > slots.length)
    refuse(`[${slots.length}]`, `is one too many: the program takes ${slots.length} leaves, got ${args.length}`)
  const known = sizesIn(slots, args)
  const values = sizes.map(({ name, max, least }): readonly [string, number] => {
    const found = known.get(name)
    if (!found) {
      const slot = slots.find((s) => s.axes?.some((a) => typeof a !== 'number' && a.name === name))!
      return refuse(slot.path, `is missing, ${showSized(slot)} was expected`)
    }
    const { value, path } = found
    if (value > max)
      refuse(
        path,
        `has ${value} for '${name}', which is at most ${max} in this program`,
        `give it in parts, or compile with T.dim('${name}', { max: ${value} })`,
      )
    if (value < least) refuse(path, `has ${value} for '${name}', of which the program needs ${least} at least`)
    return [name, value]
  })
  const at = new Map(values)
  const fitted = inputs.map((slot) => rangesAt(slotAt(slot, at), at))
  demandLayouts(fitted, args)
  return {
    inputs: fitted,
    outputs: outputs.map((slot) => slotAt(slot, at)),
    observations: observations.map((o) => (o.axes ? { ...o, shape: o.axes.map((s) => sizeAt(s, at)) } : o)),
    begin: (loaded, commands) => writeWords(loaded, commands, at),
    args: [...args, ...slots.slice(args.length).map((): never => undefined as never), ...values.map(([, n]) => n)],
  }
}

/** A slot whose index ranges are numbers. */
const rangesAt = (slot: SlotAt<InputSlot>, values: SizeValues): SlotAt<InputSlot> => {
  const { indexOf } = slot
  if (!indexOf) return slot
  const all = (sizes: readonly Size[]): readonly number[] => sizes.map((s) => sizeAt(s, values))
  const regionAt = ({ start, stop, step }: Region<Size>): Region => ({
    start: all(start),
    stop: all(stop),
    step: all(step),
  })
  return {
    ...slot,
    indexOf: indexOf.map(({ size, region, ...range }) => ({
      ...range,
      size: sizeAt(size, values),
      ...(region ? { region: regionAt(region) } : {}),
    })),
  }
}

/** Calls `visit` with each stretch of elements in a row: where it is in `shape`, where in `layout`, how many. */
const eachRow = (
  shape: readonly number[],
  layout: readonly number[],
  visit: (at: number, laid: number, count: number) => void,
): void => {
  const strides = stridesOf(layout)
  const last = shape.length - 1
  const count = shape[last]!
  const rows = sizeOf(shape.slice(0, last))
  const position = new Array<number>(last).fill(0)
  for (let row = 0; row < rows; row++) {
    visit(
      row * count,
      position.reduce((sum, p, axis) => sum + p * strides[axis]!, 0),
      count,
    )
    for (let axis = last - 1; axis >= 0; axis--) {
      if (++position[axis]! < shape[axis]!) break
      position[axis] = 0
    }
  }
}

/** Elements of `shape` at their positions in `held`, the rest being zeros. */
const layoutOf = (shape: readonly number[], held: readonly number[]): Layout => ({
  shape: held,
  spread: (values) => {
    const out: Writable = ArrayBuffer.isView(values)
      ? new (values.constructor as new (n: number) => HostArray)(sizeOf(held))
      : new Array<number>(sizeOf(held)).fill(0)
    eachRow(shape, held, (at, laid, count) => {
      for (let i = 0; i < count; i++) out[laid + i] = values[at + i]!
    })
    return out as HostValues
  },
  gather: (values) => {
    const out = new (values.constructor as new (n: number) => typeof values)(sizeOf(shape))
    eachRow(shape, held, (at, laid, count) => out.set(values.subarray(laid, laid + count) as never, at))
    return out
  },
})

interface Writable {
  [i: number]: number | boolean
}
