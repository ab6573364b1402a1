/**
 * The program slice of a kernel that determines its memory accesses and execution counts: all addresses, loop bounds
 * and conditions, and the variables they depend on. All other arithmetic can be counted without being executed.
 */

import type { KExpr, Kernel } from '../kernel.ts'
import { eachStatement, expressionsOf, operandsOf } from '../parts.ts'

/** A guard: one lane of a condition, and the value it must have for the access to happen. */
export interface Guard {
  readonly cond: KExpr
  readonly lane: number
  readonly want: 0 | 1
}

/** A load or store: the element `index` of `binding`, accessed where all guards hold. */
export interface Touch {
  readonly binding: string
  readonly index: KExpr
  readonly guards: readonly Guard[]
}

export interface Slice {
  /** Names that addresses, bounds and conditions depend on. */
  readonly needed: ReadonlySet<string>
  /** Bindings whose elements determine addresses, such as the indices of a gather. */
  readonly valued: ReadonlySet<string>
  /** Whether an address is read from a local array, so that only running the whole kernel tells what it touches. */
  readonly isWhole: boolean
}

/**
 * The loads performed by evaluating `lanes` lanes of `e`; those in the arms of a select are guarded by its condition.
 */
export const touchesOf = (e: KExpr, width: number = e.type.width): readonly Touch[] => {
  const found: Touch[] = []
  const free = new Set<KExpr>()
  const visit = (x: KExpr, lane: number, guards: readonly Guard[]): void => {
    switch (x.kind) {
      case 'splat':
        visit(x.a, 0, guards)
        return
      case 'vec':
        visit(x.items[lane]!, 0, guards)
        return
      case 'lane':
        visit(x.a, x.lane, guards)
        return
      case 'select': {
        visit(x.cond, lane, guards)
        const arm = (a: KExpr, want: 0 | 1): void => {
          if (hasLoad(a)) visit(a, lane, [...guards, { cond: x.cond, lane, want }])
        }
        arm(x.a, 1)
        arm(x.b, 0)
        return
      }
      case 'load':
        visit(x.index, 0, guards)
        if (x.component) visit(x.component, 0, guards)
        if (guards.length === 0) {
          if (free.has(x)) return
          free.add(x)
        }
        found.push({ binding: x.binding, index: x.index, guards })
        return
      case 'read':
        visit(x.index, 0, guards)
        return
      default:
        for (const o of operandsOf(x)) visit(o, lane, guards)
    }
  }
  for (let lane = 0; lane < width; lane++) visit(e, lane, [])
  return found
}

const hasLoad = (e: KExpr): boolean => e.kind === 'load' || operandsOf(e).some(hasLoad)

/** The slice of `kernel`. */
export const sliceOf = (kernel: Kernel): Slice => {
  const definitions = new Map<string, KExpr[]>()
  const needed = new Set<string>()
  const work: string[] = []
  const valued = new Set<string>()
  let reads = false
  const need = (e: KExpr): void => {
    if (e.kind === 'ref' && !needed.has(e.name)) {
      needed.add(e.name)
      work.push(e.name)
    }
    if (e.kind === 'load') valued.add(e.binding)
    if (e.kind === 'read') reads = true
    for (const o of operandsOf(e)) need(o)
  }
  const define = (name: string, e: KExpr | undefined): void => {
    const all = definitions.get(name) ?? []
    if (e) all.push(e)
    definitions.set(name, all)
  }
  eachStatement(kernel.body, (s) => {
    if (s.kind === 'let' || s.kind === 'assign') define(s.name, s.value)
    if (s.kind === 'var') define(s.name, s.init)
    if (s.kind === 'store') need(s.index)
    if (s.kind === 'for') {
      need(s.from)
      need(s.to)
    }
    if (s.kind === 'if') need(s.cond)
    for (const e of expressionsOf(s)) {
      for (const t of touchesOf(e)) {
        need(t.index)
        for (const g of t.guards) need(g.cond)
      }
    }
  })
  while (work.length > 0) for (const e of definitions.get(work.pop()!) ?? []) need(e)
  return { needed, valued, isWhole: reads }
}
