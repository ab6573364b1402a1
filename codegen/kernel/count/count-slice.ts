/**
 * The part of a kernel that decides which memory it touches and how often its statements run: every address, loop bound and
 * condition, and the names they are computed from. All else is arithmetic that can be counted without being done.
 */
import { operandsOf } from '../flops.ts'
import type { KExpr, Kernel, KStmt } from '../kernel.ts'

/** One lane of an expression that decides whether an access happens, and the value it must have. */
export interface Guard {
  readonly cond: KExpr
  readonly lane: number
  readonly want: 0 | 1
}

/** A load or store in the text: the element `index` of `binding`, touched where all guards hold. */
export interface Touch {
  readonly binding: string
  readonly index: KExpr
  readonly guards: readonly Guard[]
}

export interface Slice {
  /** Names that addresses, bounds and conditions depend on. */
  readonly needed: ReadonlySet<string>
  /** Bindings whose elements decide addresses: a gather's indices. */
  readonly valued: ReadonlySet<string>
  /** An address comes out of a local array: nothing less than running the kernel tells what it touches. */
  readonly isWhole: boolean
}

/** The loads that evaluating `lanes` lanes of `e` performs; the arms of a select only where it takes them. */
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

/** The expressions of one statement that run when it does, without those of its blocks. */
export const expressionsOf = (s: KStmt): readonly KExpr[] => {
  switch (s.kind) {
    case 'let':
    case 'assign':
      return [s.value]
    case 'var':
      return s.init ? [s.init] : []
    case 'store':
    case 'write':
      return [s.index, s.value]
    case 'for':
      return [s.from, s.to]
    case 'if':
      return [s.cond]
    case 'barrier':
      return []
  }
}

/** Calls `f` for every statement, outer ones first. */
export const eachStatement = (body: readonly KStmt[], f: (s: KStmt) => void): void => {
  for (const s of body) {
    f(s)
    if (s.kind === 'for') eachStatement(s.body, f)
    if (s.kind === 'if') {
      eachStatement(s.then, f)
      eachStatement(s.else, f)
    }
  }
}

/** What of a kernel must be executed to know what it touches. */
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
