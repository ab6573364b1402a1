/**
 * Addresses and conditions of a kernel as linear forms over atoms: the workgroup index, mixed-radix digits of the
 * invocation index, loop counters, and opaque terms; and how each of them changes from one workgroup to the next.
 */

import { ceilDiv, floorDiv } from '../../../src/lang/dim.ts'
import { anything, type Interval, join } from '../interval.ts'
import type { KExpr } from '../kernel.ts'
import { operandsOf } from '../parts.ts'
import { type Affine, affineOf, slotAffine, sum } from './count-affine.ts'

/** The atoms of a linear form. */
export type Atom =
  | { readonly kind: 'grid' }
  | { readonly kind: 'local' }
  /** floor((grid·p + local·q + c) / by) mod size; q is 0 or 1. */
  | {
      readonly kind: 'digit'
      readonly p: number
      readonly q: number
      readonly c: number
      readonly by: number
      readonly size: number
    }
  | { readonly kind: 'counter'; readonly range: Interval }
  /** An opaque function of the workgroup index and the digits in `of`; a select between two linear forms keeps both. */
  | {
      readonly kind: 'opaque'
      readonly of: ReadonlySet<number>
      readonly choice?: { readonly cond: KExpr; readonly lane: number; readonly yes: Affine; readonly no: Affine }
    }

/** The outcome of a condition for a whole workgroup. */
export type Truth = boolean | undefined

export interface Forms {
  readonly atoms: readonly Atom[]
  /** The linear form of an integer expression. */
  readonly of: (e: KExpr) => Affine | undefined
  /** The workgroup index and the digits that any lane of an expression depends on. */
  readonly basesOf: (e: KExpr, lane: number) => ReadonlySet<number>
  /** A `let`. */
  readonly bind: (name: string, e: KExpr) => void
  /** Declares a mutable variable. */
  readonly vary: (name: string) => void
  /** A loop's counter. */
  readonly count: (name: string, range: Interval) => void
  /** The range of a form in workgroup `w`, or in any workgroup. */
  readonly range: (a: Affine, w?: number) => Interval
  /** Whether a condition is uniformly true or uniformly false in workgroup `w`. */
  readonly truth: (cond: KExpr, lane: number, w: number) => Truth
  /** How a digit runs through its values over the invocations of workgroup `w`, as far as workgroups differ in it. */
  readonly pattern: (atom: number, w: number) => string
  /** The value of a digit for the first invocation of workgroup `w`. */
  readonly start: (atom: number, w: number) => number
}

export const gridAtom = 0
const localAtom = 1
const nothing: ReadonlySet<number> = new Set()

export const createForms = (workgroups: number, workgroupSize: number): Forms => {
  const atoms: Atom[] = [{ kind: 'grid' }, { kind: 'local' }]
  const digits = new Map<string, number>()
  const lets = new Map<string, KExpr>()
  const counters = new Map<string, number>()
  const opaques = new WeakMap<KExpr, number>()
  const memo = new WeakMap<KExpr, { readonly form: Affine | undefined }>()
  const bases = new WeakMap<KExpr, Map<number, ReadonlySet<number>>>()

  const atom = (a: Atom): number => atoms.push(a) - 1

  const digit = (p: number, q: number, c: number, by: number, size: number): Affine => {
    const key = [p, q, c, by, size].join()
    const at = digits.get(key) ?? atom({ kind: 'digit', p, q, c, by, size })
    digits.set(key, at)
    return slotAffine(at)
  }

  const opaque = (e: KExpr): Affine => {
    const seen = opaques.get(e)
    if (seen !== undefined) return slotAffine(seen)
    const below = operandBases(e, 0)
    let choice: Extract<Atom, { readonly kind: 'opaque' }>['choice']
    if (e.kind === 'select') {
      const [yes, no] = [of(e.a), of(e.b)]
      if (yes && no) choice = { cond: e.cond, lane: 0, yes, no }
    }
    const at = atom({ kind: 'opaque', of: below, ...(choice ? { choice } : {}) })
    opaques.set(e, at)
    return slotAffine(at)
  }

  /** Splits `a` into by·whole + rest, where rest has no term divisible by `by` and a constant in [0, by). */
  const divide = (a: Affine, by: number): { readonly whole: Affine; readonly rest: Affine } => {
    const whole = new Map<number, number>()
    const rest = new Map<number, number>()
    for (const [at, c] of a.terms) {
      if (c % by === 0) whole.set(at, c / by)
      else rest.set(at, c)
    }
    const constant = ((a.constant % by) + by) % by
    return {
      whole: { constant: (a.constant - constant) / by, terms: whole },
      rest: { constant, terms: rest },
    }
  }

  /** The coefficients of a form that consists of workgroup and local index only. */
  const threadOf = (a: Affine): { readonly p: number; readonly q: number; readonly c: number } | undefined => {
    const q = a.terms.get(localAtom) ?? 0
    const own = [...a.terms.keys()].every((t) => t === gridAtom || t === localAtom)
    return own && (q === 0 || q === 1) ? { p: a.terms.get(gridAtom) ?? 0, q, c: a.constant } : undefined
  }

  /** A digit that has not been split yet. */
  const openDigit = (a: Affine): Extract<Atom, { readonly kind: 'digit' }> | undefined => {
    const [term, ...more] = a.terms
    if (!term || more.length > 0 || a.constant !== 0 || term[1] !== 1) return undefined
    const only = atoms[term[0]]!
    return only.kind === 'digit' && only.size === Number.POSITIVE_INFINITY ? only : undefined
  }

  const quotient = (e: KExpr, a: Affine, by: number): Affine => {
    const { whole, rest } = divide(a, by)
    const r = range(rest)
    const add = (b: Affine): Affine => sum(whole, b, 1)
    if (r.low >= 0 && r.high < by) return whole
    const thread = threadOf(rest)
    if (thread) return add(digit(thread.p, thread.q, thread.c, by, Number.POSITIVE_INFINITY))
    const open = openDigit(rest)
    if (open) return add(digit(open.p, open.q, open.c, open.by * by, Number.POSITIVE_INFINITY))
    return opaque(e)
  }

  const remainder = (e: KExpr, a: Affine, by: number): Affine => {
    const { rest } = divide(a, by)
    const r = range(rest)
    if (r.low >= 0 && r.high < by) return rest
    const thread = threadOf(rest)
    if (thread) return digit(thread.p, thread.q, thread.c, 1, by)
    const open = openDigit(rest)
    return open ? digit(open.p, open.q, open.c, open.by, by) : opaque(e)
  }

  const leaf = (e: KExpr): Affine | undefined => {
    if (e.kind === 'builtin') return slotAffine(e.name === 'gridIndex' ? gridAtom : localAtom)
    if (e.kind === 'ref') {
      const counter = counters.get(e.name)
      if (counter !== undefined) return slotAffine(counter)
      const meaning = lets.get(e.name)
      return (meaning && of(meaning)) ?? opaque(e)
    }
    if (e.kind === 'binary' && e.b.kind === 'lit' && e.type.scalar === 'u32') {
      const a = of(e.a)
      const by = e.b.value
      if (a && e.op === 'div' && by > 0) return quotient(e, a, by)
      if (a && e.op === 'rem' && by > 0) return remainder(e, a, by)
      if (a && e.op === 'shiftRight' && by < 31) return quotient(e, a, 2 ** by)
      if (a && e.op === 'and' && Number.isInteger(Math.log2(by + 1))) return remainder(e, a, by + 1)
      if (a && e.op === 'min' && range(a).high <= by) return a
    }
    return opaque(e)
  }

  const of = (e: KExpr): Affine | undefined => {
    const seen = memo.get(e)
    if (seen) return seen.form
    const form = affineOf(e, leaf)
    memo.set(e, { form })
    return form
  }

  const basesOfForm = (a: Affine): ReadonlySet<number> => {
    const out = new Set<number>()
    for (const t of a.terms.keys()) {
      const x = atoms[t]!
      if (x.kind === 'grid' || (x.kind === 'digit' && x.p !== 0)) out.add(t)
      if (x.kind === 'opaque') for (const b of x.of) out.add(b)
    }
    return out
  }

  const basesOf = (e: KExpr, lane: number): ReadonlySet<number> => {
    const seen = bases.get(e)?.get(lane)
    if (seen) return seen
    const found = makeBases(e, lane)
    bases.set(e, (bases.get(e) ?? new Map<number, ReadonlySet<number>>()).set(lane, found))
    return found
  }

  const makeBases = (e: KExpr, lane: number): ReadonlySet<number> => {
    if (e.kind === 'builtin') return new Set(e.name === 'gridIndex' ? [gridAtom] : [])
    if (e.kind === 'ref') {
      if (counters.has(e.name)) return nothing
      const meaning = lets.get(e.name)
      if (!meaning) return new Set([gridAtom])
      return basesOf(meaning, lane)
    }
    if (e.kind === 'vec') return basesOf(e.items[lane]!, 0)
    if (e.kind === 'lane') return basesOf(e.a, e.lane)
    if (e.kind === 'read') return new Set([gridAtom])
    const form = e.kind === 'binary' ? of(e) : undefined
    return form ? basesOfForm(form) : operandBases(e, lane)
  }

  const operandBases = (e: KExpr, lane: number): ReadonlySet<number> => {
    const out = new Set<number>()
    if (e.kind === 'ref') {
      if (!lets.has(e.name)) out.add(gridAtom)
      else for (const b of basesOf(lets.get(e.name)!, lane)) out.add(b)
    }
    for (const o of operandsOf(e)) for (const b of basesOf(o, o.type.width === 1 ? 0 : lane)) out.add(b)
    return out
  }

  const atomRange = (a: Atom, w: number | undefined): Interval => {
    switch (a.kind) {
      case 'grid':
        return w === undefined ? { low: 0, high: workgroups - 1 } : { low: w, high: w }
      case 'local':
        return { low: 0, high: workgroupSize - 1 }
      case 'counter':
        return a.range
      case 'opaque':
        return a.choice && w === undefined ? join(range(a.choice.yes), range(a.choice.no)) : anything
      case 'digit': {
        if (w === undefined)
          return { low: 0, high: Math.min(a.size, ceilDiv(a.p * workgroups + workgroupSize, a.by)) - 1 }
        const from = floorDiv(a.p * w + a.c, a.by)
        const to = floorDiv(a.p * w + a.c + a.q * (workgroupSize - 1), a.by)
        if (a.size === Number.POSITIVE_INFINITY) return { low: from, high: to }
        if (to - from >= a.size || from % a.size > to % a.size) return { low: 0, high: a.size - 1 }
        return { low: from % a.size, high: to % a.size }
      }
    }
  }

  const range = (a: Affine, w?: number): Interval => {
    let low = a.constant
    let high = a.constant
    for (const [t, c] of a.terms) {
      const r = atomRange(atoms[t]!, w)
      low += c * (c > 0 ? r.low : r.high)
      high += c * (c > 0 ? r.high : r.low)
    }
    return { low, high }
  }

  const compare = (op: 'lt' | 'le' | 'eq', a: Interval, b: Interval): Truth => {
    if (op === 'eq') {
      if (a.low === a.high && b.low === b.high && a.low === b.low) return true
      return a.high < b.low || b.high < a.low ? false : undefined
    }
    const strict = op === 'lt'
    if (strict ? a.high < b.low : a.high <= b.low) return true
    return (strict ? a.low >= b.high : a.low > b.high) ? false : undefined
  }

  const truth: Forms['truth'] = (e, lane, w) => {
    switch (e.kind) {
      case 'lit':
        return e.value !== 0
      case 'ref': {
        const meaning = lets.get(e.name)
        return meaning && truth(meaning, lane, w)
      }
      case 'splat':
        return truth(e.a, 0, w)
      case 'vec':
        return truth(e.items[lane]!, 0, w)
      case 'lane':
        return truth(e.a, e.lane, w)
      case 'unary': {
        const x = e.op === 'not' ? truth(e.a, lane, w) : undefined
        return x === undefined ? undefined : !x
      }
      case 'binary': {
        if (e.op === 'lt' || e.op === 'le' || e.op === 'eq') {
          const [a, b] = [of(e.a), of(e.b)]
          return a && b ? compare(e.op, range(a, w), range(b, w)) : undefined
        }
        if (e.op !== 'and' && e.op !== 'or') return undefined
        const [x, y] = [truth(e.a, lane, w), truth(e.b, lane, w)]
        const settles = e.op === 'or'
        if (x === settles || y === settles) return settles
        return x === undefined || y === undefined ? undefined : !settles
      }
      default:
        return undefined
    }
  }

  return {
    atoms,
    of,
    basesOf,
    bind: (name, e) => {
      lets.set(name, e)
    },
    vary: (name) => {
      lets.delete(name)
    },
    count: (name, r) => {
      counters.set(name, atom({ kind: 'counter', range: r }))
    },
    range,
    truth,
    pattern: (at, w) => {
      const a = atoms[at]!
      if (a.kind !== 'digit' || a.q === 0) return ''
      const t = a.p * w + a.c
      const next = (period: number): number | '' => {
        const left = period - (((t % period) + period) % period)
        return left < workgroupSize ? left : ''
      }
      return `${next(a.by)}/${a.size === Number.POSITIVE_INFINITY ? '' : next(a.by * a.size)}`
    },
    start: (at, w) => {
      const a = atoms[at]!
      if (a.kind !== 'digit') return w
      const value = floorDiv(a.p * w + a.c, a.by)
      return a.size === Number.POSITIVE_INFINITY ? value : ((value % a.size) + a.size) % a.size
    },
  }
}
