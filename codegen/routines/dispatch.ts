/**
 * Routines in the Kernel IR: what the author of one writes (dispatches over tensors in memory, addressed by element),
 * and their assembly into kernels with bindings. `routines/` holds one file a routine.
 */

import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { ceilDiv, type Shape, sizeOf } from '../../src/lang/dim.ts'
import { byteSize, type KernelDType } from '../../src/lang/dtype.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import type { ParamsOf } from '../../src/lang/ir.ts'
import * as k from '../kernel/build-kernel.ts'
import { storageScalar } from '../kernel/element-bytes.ts'
import type { Binding, KExpr, Kernel, KStmt, LocalArray, Scalar } from '../kernel/kernel.ts'
import { textPrefix } from '../kernel/reserved-names.ts'
import { bindingsOf, joinNeighbours, partsOf, type Span, tenantsOf } from '../lower/bind.ts'
import { placeOf } from '../lower/buffer-names.ts'
import { workgroupSizeFor } from '../lower/workgroup-size.ts'
import type { Place } from '../plan/plan.ts'

/**
 * How a dispatch accesses its tensors. Indices (u32) count elements; a bool is a bool here, although stored as a word.
 */
export interface Tensors {
  readonly load: (b: Buffer, index: KExpr) => KExpr
  readonly store: (b: Buffer, index: KExpr, value: KExpr) => KStmt
  /** A name no other variable of the kernel has. */
  readonly name: (prefix: string) => string
}

/** Binds `e` to a `let`: the statement, and the reference to it. A load is then not repeated after a store. */
export const hold = (t: Tensors, e: KExpr): { readonly value: KExpr; readonly statement: KStmt } => {
  const name = t.name('v')
  return { value: k.ref(name, e.type), statement: k.letStmt(name, e) }
}

/** One dispatch of a routine. */
export interface RoutineDispatch {
  readonly name: string
  readonly workgroups: number
  readonly workgroupSize: number
  readonly arrays?: readonly LocalArray[]
  readonly reads: readonly Buffer[]
  readonly writes: readonly Buffer[]
  readonly body: (t: Tensors) => readonly KStmt[]
  /** A user's text instead of a body, and the tensors that it names, in order. */
  readonly text?: {
    readonly op: ParamsOf['kernel']
    readonly inputs: readonly Buffer[]
    readonly outputs: readonly Buffer[]
  }
}

/** A dispatch that runs `body` for each of `threads` invocations. */
export const perThread = (
  threads: number,
  profile: Profile,
  body: (t: Tensors, thread: KExpr) => readonly KStmt[],
): Pick<RoutineDispatch, 'workgroups' | 'workgroupSize' | 'body'> => {
  const workgroupSize = workgroupSizeFor(threads, profile)
  return {
    workgroupSize,
    workgroups: ceilDiv(threads, workgroupSize),
    body: (t) => {
      const id = t.name('thread')
      const thread = k.add(k.mul(k.builtin('gridIndex'), k.u32(workgroupSize)), k.builtin('localIndex'))
      return [k.letStmt(id, thread), k.ifStmt(k.lt(k.ref(id), k.u32(threads)), body(t, k.ref(id)))]
    },
  }
}

/** The compute type of `dtype`: f16 accumulates in f32. */
export const computeType = (dtype: KernelDType): Scalar => (dtype === 'f16' ? 'f32' : dtype)

/** The address of element `step` of line `line` along `axis`. */
export const lineAddress = (shape: Shape, axis: number): ((line: KExpr, step: KExpr) => KExpr) => {
  const length = shape[axis]!
  const inner = sizeOf(shape.slice(axis + 1))
  return (line, step) => {
    const row = k.div(line, k.u32(inner))
    const column = k.rem(line, k.u32(inner))
    return k.add(k.add(k.mul(row, k.u32(length * inner)), k.mul(step, k.u32(inner))), column)
  }
}

/** A kernel and the places it is bound to. */
export interface AssembledRoutine {
  readonly kernel: Kernel
  readonly places: readonly Place[]
}

/** The dispatch without its empty tensors, which may have no place; a user's text keeps all of its tensors. */
export const withoutEmpty = (d: RoutineDispatch): RoutineDispatch => {
  const filled = (bs: readonly Buffer[]): readonly Buffer[] => bs.filter((b) => b.size > 0)
  return d.text ? d : { ...d, reads: filled(d.reads), writes: filled(d.writes) }
}

/** Elements of a tensor in one binding, from element `offset` of it on. */
interface Stretch {
  readonly binding: Binding
  readonly offset: number
  readonly count: number
}

/**
 * Assembles a dispatch into a kernel and its bindings. All bindings of an arena that it writes are read-write. Tensors of a
 * user's text have bindings of their own; others share them where there are too few.
 */
export const assembleDispatch = (
  d: RoutineDispatch,
  memory: MemoryPlan,
  profile: Profile,
): AssembledRoutine | LimitError => {
  const buffers = [...new Set([...d.reads, ...d.writes])]
  const tenants = tenantsOf(buffers, memory)
  const written = new Set(d.writes.map((b) => placeOf(memory, b).arena))
  const large = d.text && tenants.find((t) => partsOf(t.place, profile).length > 1)
  if (large)
    return overLimit(`bytes of a tensor that ${d.name} reads or writes`, large.place.bytes, profile.maxBindingBytes)
  const spans: readonly Span[] = d.text
    ? tenants.map((t) => ({ place: t.place, tenants: [t] }))
    : joinNeighbours(tenants, profile)
  const needed = bindingsOf(spans, profile)
  if (needed > profile.storageBuffers) return overLimit(`storage buffers of ${d.name}`, needed, profile.storageBuffers)
  const turn = new Map(tenants.map((t, i) => [t, i]))
  const firstUse = (s: Span): number => Math.min(...s.tenants.map((t) => turn.get(t)!))
  const bindings: Binding[] = []
  const places: Place[] = []
  /** The stretches of each tensor in order: one, unless it is larger than a binding may be. */
  const stretches = new Map<Buffer, readonly Stretch[]>()
  for (const span of spans.toSorted((a, b) => firstUse(a) - firstUse(b))) {
    const all = span.tenants.flatMap((t) => t.buffers)
    const scalars = new Set(all.map((b) => storageScalar(b.dtype)))
    const element = k.kType(scalars.size === 1 ? [...scalars][0]! : 'u32')
    const own = partsOf(span.place, profile).map((place) => {
      const access = written.has(place.arena) ? 'read_write' : 'read'
      const binding: Binding = { name: `${d.text ? textPrefix : 'b'}${bindings.length}`, element, access }
      bindings.push(binding)
      places.push(place)
      return { binding, place }
    })
    for (const { place, buffers: bs } of span.tenants) {
      for (const b of bs) {
        const size = byteSize(b.dtype)
        const end = place.offset + place.bytes
        const found = own.flatMap(({ binding, place: p }): readonly Stretch[] => {
          const [low, high] = [Math.max(place.offset, p.offset), Math.min(end, p.offset + p.bytes)]
          return low < high ? [{ binding, offset: (low - p.offset) / size, count: (high - low) / size }] : []
        })
        stretches.set(b, found)
      }
    }
  }
  let names = 0
  const tensors: Tensors = {
    load: (b, index) => {
      const word = loadFrom(stretches.get(b)!, index)
      if (b.dtype === 'bool') return k.cast(word, 'bool')
      return word.type.scalar === b.dtype ? word : k.bitcast(word, b.dtype)
    },
    store: (b, index, value) => {
      const element = value.type.scalar === b.dtype ? value : k.cast(value, b.dtype)
      const word = b.dtype === 'bool' ? k.cast(element, 'u32') : element
      return storeTo(stretches.get(b)!, index, word)
    },
    name: (prefix) => `${prefix}${names++}`,
  }
  const { name, workgroupSize, arrays = [], text } = d
  if (text) {
    // An empty tensor has no binding: its name denotes an array of one element.
    const nothing: LocalArray[] = []
    const variable = (b: Buffer): string => {
      const bound = stretches.get(b)?.[0]
      if (bound) return bound.binding.name
      const element = k.kType(storageScalar(b.dtype))
      nothing.push({ name: `${textPrefix}e${nothing.length}`, space: 'workgroup', element, size: 1 })
      return nothing[nothing.length - 1]!.name
    }
    const [inputs, outputs] = [text.inputs.map(variable), text.outputs.map(variable)]
    return {
      kernel: {
        name,
        workgroupSize,
        bindings,
        arrays: nothing,
        body: [],
        text: { op: text.op, inputs, outputs },
      },
      places,
    }
  }
  return { kernel: { name, workgroupSize, bindings, arrays, body: d.body(tensors) }, places }
}

const shifted = (index: KExpr, by: number): KExpr => (by === 0 ? index : k.add(index, k.u32(by)))

/** The element of a tensor in stretches. */
const loadFrom = ([first, ...others]: readonly Stretch[], index: KExpr): KExpr => {
  const { binding, offset, count } = first!
  const here = k.load(binding, shifted(index, offset))
  if (others.length === 0) return here
  return k.select(k.lt(index, k.u32(count)), here, loadFrom(others, k.sub(index, k.u32(count))))
}

const storeTo = ([first, ...others]: readonly Stretch[], index: KExpr, value: KExpr): KStmt => {
  const { binding, offset, count } = first!
  const { scalar } = binding.element
  const word = value.type.scalar === scalar ? value : k.bitcast(value, scalar)
  const here = k.store(binding, shifted(index, offset), word)
  if (others.length === 0) return here
  return k.ifStmt(k.lt(index, k.u32(count)), [here], [storeTo(others, k.sub(index, k.u32(count)), value)])
}

const overLimit = (what: string, needed: number, limit: number): LimitError => ({
  tag: 'LimitError',
  what,
  needed,
  limit,
  hint: 'compile for a profile with higher limits, or work on smaller parts',
})
