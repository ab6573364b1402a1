/**
 * Assembly of kernels: horizontally fused clusters and their places → Kernel IR with bindings.
 */

import type { Fused } from '../../passes/loop/fuse/fusion.ts'
import type { Range } from '../../passes/loop/ir/cluster.ts'
import type { LoopLimit } from '../../passes/loop/schedule/limit.ts'
import type { MemoryPlan } from '../../passes/memory/places.ts'
import type { Profile } from '../../passes/profile.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { LimitError } from '../../src/lang/errors.ts'
import { createRecent } from '../../src/lang/recent.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, Kernel, KStmt, LocalArray } from '../kernel/kernel.ts'
import type { Place, PlacedValue } from '../plan/plan.ts'
import type { Access } from './access.ts'
import { type Bound, bindBuffers } from './bind.ts'
import { type Arrays, emitCluster, type Namer } from './emit.ts'
import { threadsOf } from './emit-grid.ts'
import { workgroupSizeFor } from './workgroup-size.ts'

export interface BoundKernel {
  readonly kernel: Kernel
  readonly workgroups: number
  readonly places: readonly Place[]
  readonly reads: readonly PlacedValue[]
  readonly writes: readonly PlacedValue[]
  readonly fused: readonly Fused[]
  /** One dispatch of a routine, which may read what it writes and write in parts. */
  readonly routine?: boolean
  /** A part of a cluster that writes a tensor here and there. */
  readonly inParts?: boolean
  /** Its words: how far loops go. */
  readonly limits?: readonly LoopLimit[]
}

/** One kernel from horizontally fused clusters: each gets a contiguous range of workgroups. */
export const assembleKernel = (
  fused: readonly Fused[],
  memory: MemoryPlan,
  profile: Profile,
): BoundKernel | LimitError => {
  const bound = bindBuffers(fused, memory, profile)
  if ('tag' in bound) return bound
  const key = keyOf(fused, bound, profile)
  const made = emitted.get(key) ?? emit(fused, bound, profile)
  emitted.set(
    key,
    made,
    fused.reduce((n, f) => n + f.cost.statements, 0),
  )
  return { ...made, places: bound.places, reads: bound.reads, writes: bound.writes, fused }
}

type Emitted = Pick<BoundKernel, 'kernel' | 'workgroups' | 'limits'>

/**
 * Kernels by what they are made of, so that each is emitted, printed and analysed once in a process; bounded by their
 * statements, of which each takes about a kilobyte with its text.
 */
const emitted = createRecent<string, Emitted>(50_000)

let clusters = 0
const numbers = new WeakMap<object, number>()
const numberOf = (x: object): number => {
  const number = numbers.get(x) ?? clusters++
  numbers.set(x, number)
  return number
}

const showAccess = ({ binding, offset, rest }: Access): string =>
  `${binding.name}+${offset}${rest ? `<${rest.from}|${showAccess(rest.access)}` : ''}`

/** Equal keys mean equal kernels: the same scheduled clusters, reaching their tensors in the same way. */
const keyOf = (fused: readonly Fused[], bound: Bound, profile: Profile): string => {
  const bindings = bound.bindings.map((b) => `${b.name}:${b.element.scalar}${b.element.width}${b.access}`)
  const parts = fused.map(({ cluster, schedule, tensors, limits }) => {
    // A part of a cluster may leave some of its tensors alone.
    const accesses = [...tensors].flatMap(([b, tensor]) => {
      const access = bound.access.get(tensor.id)
      return access ? [`${b.id}=${showAccess(access)}`] : []
    })
    const ends = [...(limits?.loops ?? [])].map(([r, limit]) => `${r.id}:${JSON.stringify(limit)}`)
    return `${numberOf(cluster)}.${numberOf(schedule)}(${accesses})${ends}`
  })
  return `${profile.workgroupThreads};${bindings};${parts.join(';')}`
}

const emit = (fused: readonly Fused[], bound: Bound, profile: Profile): Emitted => {
  const sharing = fused.flatMap((f) => f.schedule.workgroup ?? [])
  const workgroupSize =
    sharing[0]?.threads ?? workgroupSizeFor(Math.max(...fused.map((f) => threadsOf(f.schedule))), profile)
  let names = 0
  const name = (prefix: string): string => `${prefix}${names++}`
  let workgroups = 0
  const arrays = sharedArrays(name)
  const words: LoopLimit[] = []
  const branches = fused.map(({ cluster, schedule, tensors, limits }): Branch => {
    const numbers = new Map([...(limits?.loops ?? [])].map(([r, limit]) => [r, words.push(limit) - 1]))
    const limitOf = (r: Range): KExpr | undefined => (numbers.has(r) ? k.word(numbers.get(r)!) : undefined)
    const threads = threadsOf(schedule)
    const first = k.sub(k.builtin('gridIndex'), k.u32(workgroups))
    workgroups += schedule.workgroup ? threads : ceilDiv(threads, workgroupSize)
    const id = name(schedule.workgroup ? 'group' : 'thread')
    const thread = schedule.workgroup ? first : k.add(k.mul(first, k.u32(workgroupSize)), k.builtin('localIndex'))
    const access = new Map([...tensors].map(([b, tensor]) => [b.id, bound.access.get(tensor.id)!]))
    const statements = emitCluster(cluster, schedule, k.ref(id), (b) => access.get(b)!, name, arrays.next(), {
      limitOf,
      implied: limits?.implied,
    })
    return { end: workgroups, body: [k.letStmt(id, thread), k.ifStmt(k.lt(k.ref(id), k.u32(threads)), statements)] }
  })
  const kernel: Kernel = {
    name: kernelName(fused),
    workgroupSize,
    bindings: bound.bindings,
    arrays: arrays.all,
    body: choose(branches),
    ...(words.length > 0 ? { words: words.length } : {}),
  }
  return { kernel, workgroups, ...(words.length > 0 ? { limits: words } : {}) }
}

/**
 * The arrays of a kernel. A workgroup runs one branch, so branches use the same ones, workgroup memory by elements whatever
 * its size; `next` begins the next.
 */
const sharedArrays = (name: Namer): { readonly all: LocalArray[]; readonly next: () => Arrays } => {
  const all: LocalArray[] = []
  const next = (): Arrays => {
    const taken = new Set<string>()
    return (element, size, space = 'private') => {
      const isFree = (a: LocalArray): boolean =>
        !taken.has(a.name) &&
        a.space === space &&
        (a.size === size || space === 'workgroup') &&
        k.sameType(a.element, element)
      const at = all.findIndex(isFree)
      const array = all[at] ?? { name: name('c'), space, element, size }
      const whole = { ...array, size: Math.max(array.size, size) }
      if (at < 0) all.push(whole)
      else all[at] = whole
      taken.add(array.name)
      return whole
    }
  }
  return { all, next }
}

/** What the workgroups before number `end`, and behind those of the branch before, do. */
interface Branch {
  readonly end: number
  readonly body: readonly KStmt[]
}

/** Halving: devices allow 127 levels of nesting, and a workgroup finds its branch in few comparisons. */
const choose = (branches: readonly Branch[]): readonly KStmt[] => {
  if (branches.length < 2) return branches[0]?.body ?? []
  const half = ceilDiv(branches.length, 2)
  const { end } = branches[half - 1]!
  const [first, rest] = [choose(branches.slice(0, half)), choose(branches.slice(half))]
  return [k.ifStmt(k.lt(k.builtin('gridIndex'), k.u32(end)), first, rest)]
}

const kernelName = (fused: readonly Fused[]): string => {
  const ops = fused.flatMap((f) => f.stored.map((n) => (n.op === 'elementwise' ? n.params.name : n.op)))
  const counts = new Map<string, number>()
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1)
  return [...counts]
    .slice(0, 4)
    .map(([op, n]) => (n > 1 ? `${op}${n}` : op))
    .join('_')
}
