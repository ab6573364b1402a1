/**
 * Memory access analysis: every load and store of a kernel, the elements it may access, its order and enclosing loops.
 */

import type { Interval } from './interval.ts'
import type { KExpr, Kernel, KStmt } from './kernel.ts'
import { operandsOf } from './parts.ts'
import { createTermFacts, type Facts, noFacts } from './term-facts.ts'
import { createTermTable, type Meaning } from './term-table.ts'

/** One load or store in the text of a kernel. */
export interface MemoryAccess {
  readonly kind: 'load' | 'store'
  /** The number of the binding. */
  readonly binding: number
  /** Equal addresses are equal indices wherever one invocation reaches both. */
  readonly address: number
  /** The range of elements it may access; undefined where nothing better than the whole binding is known. */
  readonly elements: Interval | undefined
  /** Position in the order of execution. */
  readonly order: number
  /** Counters of the loops around it. */
  readonly loops: readonly string[]
  /** Counters and builtins that the address depends on. */
  readonly depends: ReadonlySet<string>
  /** Whether more than one invocation of the dispatch may execute it. */
  readonly isShared: boolean
}

export interface KernelAccess {
  /** In the order of execution. */
  readonly accesses: readonly MemoryAccess[]
  /**
   * Whether `load` sees the old value of an element that its own invocation overwrites later, and nobody else does:
   * some store has the same address where it runs (a load that stands outside the store's condition may be of anything
   * elsewhere: its value is discarded there), comes after it, and the loops around both move the address. That
   * different invocations store to different elements is what a store over a grid means; `verify-cluster.ts` checks it.
   */
  readonly isReadInPlace: (load: MemoryAccess) => boolean
}

const analysed = new WeakMap<Kernel, Map<number, KernelAccess>>()

/** The accesses of `kernel` on a grid of `workgroups`; analysed once, however many plans and dispatches ask. */
export const accessOf = (kernel: Kernel, workgroups: number): KernelAccess => {
  const known = analysed.get(kernel) ?? new Map<number, KernelAccess>()
  analysed.set(kernel, known)
  const access = known.get(workgroups) ?? analyse(kernel, workgroups)
  known.set(workgroups, access)
  return access
}

const analyse = (kernel: Kernel, workgroups: number): KernelAccess => {
  const numbers = new Map(kernel.bindings.map((b, i) => [b.name, i]))
  const isConstant = (name: string): boolean => kernel.bindings[numbers.get(name) ?? -1]?.access === 'read'
  const table = createTermTable(workgroups, kernel.workgroupSize, isConstant)
  const known = createTermFacts(table)
  const grid = table.of({ kind: 'builtin', name: 'gridIndex', type: { scalar: 'u32', width: 1 } }, new Map())
  const local = table.of({ kind: 'builtin', name: 'localIndex', type: { scalar: 'u32', width: 1 } }, new Map())
  const found: MemoryAccess[] = []
  /** The conditions that hold at each access. */
  const facts: Facts[] = []

  const record = (
    kind: MemoryAccess['kind'],
    name: string,
    address: number,
    here: Facts,
    loops: readonly string[],
  ): void => {
    const binding = numbers.get(name)
    if (binding === undefined) return
    facts.push(here)
    const elements = known.interval(address, here)
    const isSingle = [grid, local].every((t) => {
      const { low, high } = known.interval(t, here)
      return low >= high
    })
    found.push({
      kind,
      binding,
      address,
      elements: elements.high - elements.low >= 2 ** 32 - 1 ? undefined : elements,
      order: found.length,
      loops,
      depends: table.terms[address]!.depends,
      isShared: !isSingle,
    })
  }

  const visit = (e: KExpr, names: ReadonlyMap<string, Meaning>, facts: Facts, loops: readonly string[]): void => {
    for (const x of operandsOf(e)) visit(x, names, facts, loops)
    if (e.kind === 'load') record('load', e.binding, table.of(e.index, names), facts, loops)
  }

  const block = (
    body: readonly KStmt[],
    outer: ReadonlyMap<string, Meaning>,
    facts: Facts,
    loops: readonly string[],
  ): void => {
    const names = new Map(outer)
    for (const s of body) {
      switch (s.kind) {
        case 'let':
          visit(s.value, names, facts, loops)
          names.set(s.name, { kind: 'term', term: table.of(s.value, names) })
          break
        case 'var':
          if (s.init) visit(s.init, names, facts, loops)
          names.set(s.name, { kind: 'variable' })
          break
        case 'assign':
          visit(s.value, names, facts, loops)
          break
        case 'store':
          visit(s.index, names, facts, loops)
          visit(s.value, names, facts, loops)
          record('store', s.binding, table.of(s.index, names), facts, loops)
          break
        case 'write':
          visit(s.index, names, facts, loops)
          visit(s.value, names, facts, loops)
          break
        case 'for': {
          visit(s.from, names, facts, loops)
          visit(s.to, names, facts, loops)
          const { low } = known.interval(table.of(s.from, names), facts)
          const { high } = known.interval(table.of(s.to, names), facts)
          // A loop without iterations performs no access.
          if (high <= low) break
          const counter = table.counter(s.name, { low, high: high - 1 })
          block(s.body, new Map(names).set(s.name, { kind: 'term', term: counter }), facts, [...loops, s.name])
          break
        }
        case 'if': {
          visit(s.cond, names, facts, loops)
          const cond = table.of(s.cond, names)
          block(s.then, names, known.assume(cond, true, facts), loops)
          block(s.else, names, known.assume(cond, false, facts), loops)
          break
        }
        case 'barrier':
          break
      }
    }
  }
  block(kernel.body, new Map(), noFacts, [])

  const storesTo = new Map<number, MemoryAccess[]>()
  for (const s of found) if (s.kind === 'store') storesTo.set(s.binding, [...(storesTo.get(s.binding) ?? []), s])
  const meets = (a: MemoryAccess, b: MemoryAccess): boolean =>
    !a.elements || !b.elements || (a.elements.low <= b.elements.high && b.elements.low <= a.elements.high)
  const isBefore = (load: MemoryAccess, s: MemoryAccess): boolean =>
    s.order >= load.order &&
    meets(load, s) &&
    load.loops.every((l) => !s.loops.includes(l) || s.depends.has(l)) &&
    (!s.isShared || s.depends.has('gridIndex') || s.depends.has('localIndex'))
  const isSame = (load: MemoryAccess, s: MemoryAccess): boolean => {
    const where = facts[s.order]!
    return known.decided(s.address, where) === known.decided(load.address, where)
  }
  /** Equal addresses are the common case; what conditions say of two others is dear to find out. */
  const prove = (load: MemoryAccess): boolean => {
    const stores = (storesTo.get(load.binding) ?? []).filter((s) => isBefore(load, s))
    return stores.some((s) => s.address === load.address) || stores.some((s) => isSame(load, s))
  }
  const proven = new Map<number, boolean>()
  const isReadInPlace: KernelAccess['isReadInPlace'] = (load) => {
    const proof = proven.get(load.order) ?? prove(load)
    proven.set(load.order, proof)
    return proof
  }
  return { accesses: found, isReadInPlace }
}
