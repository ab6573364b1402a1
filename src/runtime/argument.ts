/** Checks the arguments of a run against the plan's input slots, before anything is changed. */

import type { InputSlot } from '../../codegen/plan/plan.ts'
import type { IndexRange } from '../../passes/graph/index-inputs.ts'
import { sizeOf, stepCount } from '../lang/dim.ts'
import { type DType, type HostArray, integerRange, isInteger } from '../lang/dtype.ts'
import { raise, showOperand } from '../lang/errors.ts'
import { positionOf, sameShape, stridesOf } from '../lang/shape.ts'
import { isPromise } from '../lang/strangers.ts'
import type { Device } from './device.ts'
import type { SlotAt } from './fitted.ts'
import { type Output, type Resident, type Store, storeOf } from './resident.ts'
import { encode, type HostValues, type Words } from './words.ts'

/** What a run takes per leaf: flat host values, a plain number or boolean for one element, or a resident result. */
export type Argument = HostValues | ShapedValues | number | boolean | Output

/** Flat values that say their shape: it must be the one that the program takes. */
export interface ShapedValues {
  readonly shape: readonly number[]
  readonly data: HostValues
}

/** A checked argument: words to upload, or a store to take from. */
export type Checked =
  | { readonly kind: 'host'; readonly words: Words }
  | { readonly kind: 'resident'; readonly handle: Resident; readonly store: Store }

const refuse = (path: string, reason: string, hint?: string): never =>
  raise({ tag: 'ArgumentError', path, reason, ...(hint === undefined ? {} : { hint }) })

/** Names of the host arrays that hold each dtype without a conversion that could lose something by mistake. */
const arraysOf: Readonly<Record<DType, readonly string[]>> = {
  f32: ['Float32Array', 'Float64Array'],
  f16: ['Float32Array', 'Float64Array'],
  i32: ['Int32Array', 'Int16Array'],
  u32: ['Uint32Array', 'Uint16Array'],
  bool: ['Uint8Array'],
  bf16: ['Float32Array', 'Float64Array'],
  i8: ['Int8Array'],
  u8: ['Uint8Array'],
}

const checkPlain = (slot: HostSlot, values: readonly (number | boolean)[]): void => {
  const { dtype } = slot
  for (let i = 0; i < values.length; i++) {
    const v = values[i]
    if (typeof v === 'boolean' ? dtype !== 'bool' : typeof v !== 'number')
      refuse(
        slot.path,
        `element ${i} is ${Array.isArray(v) ? 'a list' : `of type ${typeof v}`}, ${showOperand(slot)} was expected`,
        Array.isArray(v) ? 'give all elements in one flat array, row by row' : undefined,
      )
    if (isInteger(dtype) && typeof v === 'number') {
      const [low, high] = integerRange[dtype]
      if (!Number.isInteger(v) || v < low || v > high) refuse(slot.path, `element ${i} is ${v}, which is no ${dtype}`)
    }
  }
}

/** Raises IndexError for the first element out of range. */
const checkRange = (
  slot: HostSlot,
  values: HostValues,
  { op, size, region, except, fromEnd, site }: IndexRange,
): void => {
  const strides = stridesOf(slot.shape)
  const counts = region ? region.start.map((a, k) => stepCount(a, region.stop[k]!, region.step[k]!)) : slot.shape
  const total = sizeOf(counts)
  for (let k = 0; k < total; k++) {
    let at = k
    if (region) {
      const position = positionOf(k, counts)
      at = position.reduce((sum, p, a) => sum + (region.start[a]! + p * region.step[a]!) * strides[a]!, 0)
    }
    const index = Number(values[at])
    if ((index >= (fromEnd ? -size : 0) && index < size) || index === except) continue
    const hint = `it is in argument ${slot.path}`
    raise({ tag: 'IndexError', op, index, size, position: positionOf(at, slot.shape), hint, ...(site ? { site } : {}) })
  }
}

/** What a slot says of host values that go there. */
type HostSlot = Pick<SlotAt<InputSlot>, 'path' | 'shape' | 'dtype' | 'indexOf' | 'layout'>

/** Host values as words of a device. Raises ArgumentError where they do not fit, IndexError for an index out of range. */
export const hostWords = (slot: HostSlot, values: HostValues): Words => {
  if (Array.isArray(values)) checkPlain(slot, values as readonly (number | boolean)[])
  else {
    const name = (values as HostArray)[Symbol.toStringTag]
    if (!arraysOf[slot.dtype].includes(name))
      refuse(slot.path, `got ${name} for ${showOperand(slot)}`, `give ${arraysOf[slot.dtype][0]}`)
  }
  const count = sizeOf(slot.shape)
  if (values.length !== count) refuse(slot.path, `got ${values.length} elements, ${showOperand(slot)} has ${count}`)
  // Sizes are numbers in a run.
  for (const range of slot.indexOf ?? []) checkRange(slot, values, range as IndexRange)
  return encode(slot.dtype, slot.layout?.spread(values) ?? values)
}

const checkResident = (device: Device, slot: InputSlot, output: Output): Checked => {
  const store = storeOf(output)
  if (!store)
    return refuse(
      slot.path,
      'it is a result of another copy of the runtime',
      'await its read() and pass the host array',
    )
  if (!store.home)
    return raise({
      tag: 'ConsumedHandle',
      path: slot.path,
      hint: `${output.path} went into an earlier run; pass that run’s result`,
    })
  if (store.device !== device) {
    const lost = store.device.lost()
    return lost
      ? raise(lost)
      : refuse(
          slot.path,
          `${output.path || 'the result'} lives on another device`,
          'await its read() and pass the host array',
        )
  }
  if (output.dtype !== slot.dtype || !sameShape(output.shape, slot.shape))
    refuse(slot.path, `got ${showOperand(output)}, ${showOperand(slot)} was expected`)
  return { kind: 'resident', handle: output as Resident, store }
}

const isFlat = (x: unknown): x is HostValues => Array.isArray(x) || ArrayBuffer.isView(x)

const isShaped = (x: object): x is ShapedValues =>
  'shape' in x && Array.isArray(x.shape) && 'data' in x && isFlat(x.data)

const isOutput = (x: object): x is Output => 'kind' in x && 'read' in x && typeof x.read === 'function'

const isValue = (x: unknown): x is Output => typeof x === 'object' && x !== null && isOutput(x) && x.kind === 'value'

/** Whether a run must wait for an argument: a result of a run that is on its way to the host. */
export const areUnderWay = (args: readonly Argument[]): boolean => args.some(isValue)

const copyOf = (values: HostValues): HostValues => values.slice()

/** The arguments with what arrives on the host in place of results on their way there; others as they are now. */
export const arrived = (args: readonly Argument[]): Promise<readonly Argument[]> =>
  Promise.all(
    args.map(async (argument): Promise<Argument> => {
      if (typeof argument !== 'object' || argument === null) return argument
      if (isValue(argument)) return { shape: argument.shape, data: await argument.read() }
      if (isFlat(argument)) return copyOf(argument)
      return isShaped(argument) ? { shape: argument.shape, data: copyOf(argument.data) } : argument
    }),
  )

const checkOne = (device: Device, slot: SlotAt<InputSlot>, argument: Argument | undefined): Checked => {
  if (argument === undefined || argument === null)
    return refuse(slot.path, `is missing, ${showOperand(slot)} was expected`)
  const host = (values: HostValues): Checked => ({ kind: 'host', words: hostWords(slot, values) })
  if (typeof argument === 'number' || typeof argument === 'boolean') return host([argument] as HostValues)
  if (isFlat(argument)) return host(argument)
  if (typeof argument === 'object' && isOutput(argument as object))
    return checkResident(device, slot, argument as Output)
  if (typeof argument === 'object' && isShaped(argument)) {
    const { shape, data } = argument
    if (!sameShape(shape, slot.shape))
      refuse(slot.path, `got shape [${shape.join(', ')}], ${showOperand(slot)} was expected`)
    return host(data)
  }
  return refuse(
    slot.path,
    `got ${isPromise(argument) ? 'a promise, which was not awaited' : typeof argument}, ${showOperand(slot)} was expected`,
    isPromise(argument) ? 'await it first' : 'give a flat array or a resident result',
  )
}

/**
 * Checks all arguments: count, length, shape, dtype, index ranges, handles. Throws ArgumentError, IndexError,
 * ConsumedHandle or DeviceLost (as TensorloomError) for the first that does not fit; changes nothing.
 */
export const checkArguments = (
  device: Device,
  slots: readonly SlotAt<InputSlot>[],
  args: readonly Argument[],
): readonly Checked[] => {
  if (args.length > slots.length)
    refuse(`[${slots.length}]`, `is one too many: the program takes ${slots.length} leaves, got ${args.length}`)
  const checked = slots.map((slot, i) => checkOne(device, slot, args[i]))
  const donated = new Map<Store, string>()
  checked.forEach((c, i) => {
    const slot = slots[i]!
    if (c.kind !== 'resident' || !slot.donated) return
    const other = donated.get(c.store)
    if (other !== undefined)
      refuse(slot.path, `the same result is donated here and at ${other}`, 'it can be given away once')
    donated.set(c.store, slot.path)
  })
  return checked
}
