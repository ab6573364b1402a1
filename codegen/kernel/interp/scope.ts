/**
 * Name resolution of the kernel interpreter: variables by slot, arrays, memory; each name is resolved once, and
 * checked.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { Kernel, KFunction } from '../kernel.ts'
import type { NativeMeaning } from './native-meaning.ts'
import type { Counters, Memory } from './storage.ts'

/** One invocation: its variables by slot, its private arrays, its indices. */
export interface Invocation {
  readonly slots: Float64Array
  readonly privates: readonly Float64Array[]
  local: number
}

export interface Group {
  grid: number
}

export type Lane = (v: Invocation) => number

/** A function on the lanes of all its arguments, one after another; the lanes of each result. */
export type CompiledFunction = (args: readonly number[]) => readonly (readonly number[])[]

export interface Scope {
  /** What errors name. */
  readonly kernel: Pick<Kernel, 'name'>
  readonly functionOf: (f: KFunction) => CompiledFunction
  readonly native: NativeMeaning
  readonly group: Group
  readonly memory: ReadonlyMap<string, Memory>
  readonly arrays: ReadonlyMap<string, (v: Invocation) => Float64Array>
  readonly slots: Map<string, number>
  slotCount: number
  readonly counters: Counters | undefined
}

export const slotOf = (c: Scope, name: string): number => {
  const slot = c.slots.get(name)
  invariant(slot !== undefined, `${c.kernel.name}: ${name} is used before it is defined`)
  return slot
}

export const define = (c: Scope, name: string, width: number): number => {
  invariant(!c.slots.has(name), `${c.kernel.name}: ${name} is defined twice`)
  const slot = c.slotCount
  c.slots.set(name, slot)
  c.slotCount += width
  return slot
}

export const memoryOf = (c: Scope, name: string): Memory => {
  const m = c.memory.get(name)
  invariant(m, `${c.kernel.name}: no binding ${name}`)
  return m
}

export const arrayOf = (c: Scope, name: string): ((v: Invocation) => Float64Array) => {
  const a = c.arrays.get(name)
  invariant(a, `${c.kernel.name}: no array ${name}`)
  return a
}

/** The offset of element `index` of an array, checked. */
export const cell = (c: Scope, name: string, cells: Float64Array, index: number, width: number): number => {
  const at = index * width
  if (at >= cells.length)
    throw new Error(
      `tensorloom bug: ${name}[${index}] of ${cells.length / width} elements, workgroup ${c.group.grid} of ${c.kernel.name}`,
    )
  return at
}
