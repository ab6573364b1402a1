/**
 * Equivalence classes of workgroups with equal costs, found without executing any: workgroups whose conditions have the
 * same outcomes, whose invocations run through their digits in the same way, and whose addresses differ by a shift.
 */

import type { KExpr, Kernel, KStmt } from '../kernel.ts'
import { expressionsOf } from '../parts.ts'
import { createForms, type Forms, gridAtom } from './count-addresses.ts'
import type { Affine } from './count-affine.ts'
import { type Touch, touchesOf } from './count-slice.ts'

/** A class of workgroups with equal costs. */
export interface WorkgroupClass {
  readonly representative: number
  readonly count: number
}

interface Condition {
  readonly cond: KExpr
  readonly lane: number
}

/** The slice of a kernel that determines its memory accesses. */
type Item =
  | { readonly kind: 'touch'; readonly touch: Touch; readonly address: Affine | undefined }
  | {
      readonly kind: 'branch'
      readonly condition: Condition
      readonly yes: readonly Item[]
      readonly no: readonly Item[]
    }
  /** Must be equal for workgroups of one class. */
  | { readonly kind: 'same'; readonly e: KExpr }

/** What workgroups with equal outcomes must agree on besides. */
interface Demands {
  readonly patterns: readonly number[]
  readonly starts: readonly number[]
}

export const workgroupClasses = (kernel: Kernel, workgroups: number): readonly WorkgroupClass[] => {
  const forms = createForms(workgroups, kernel.workgroupSize)
  const items = read(kernel.body, forms)
  const known = new Map<string, Demands>()
  const classes = new Map<string, { readonly representative: number; count: number }>()
  for (let w = 0; w < workgroups; w++) {
    const decisions = decide(items, forms, w)
    const demands = known.get(decisions) ?? demandsOf(items, forms, w)
    known.set(decisions, demands)
    const patterns = demands.patterns.map((d) => forms.pattern(d, w))
    const starts = demands.starts.map((d) => forms.start(d, w))
    const key = `${decisions}|${patterns.join()}|${starts.join()}`
    const same = classes.get(key)
    if (same) same.count += 1
    else classes.set(key, { representative: w, count: 1 })
  }
  return [...classes.values()]
}

const read = (body: readonly KStmt[], forms: Forms): readonly Item[] => {
  const items: Item[] = []
  const add = (touch: Touch): void => {
    items.push({ kind: 'touch', touch, address: forms.of(touch.index) })
  }
  for (const s of body) {
    for (const e of expressionsOf(s)) for (const t of touchesOf(e)) add(t)
    switch (s.kind) {
      case 'let':
        forms.bind(s.name, s.value)
        break
      case 'var':
      case 'assign':
        forms.vary(s.name)
        break
      case 'store':
        add({ binding: s.binding, index: s.index, guards: [] })
        break
      case 'if':
        items.push({
          kind: 'branch',
          condition: { cond: s.cond, lane: 0 },
          yes: read(s.then, forms),
          no: read(s.else, forms),
        })
        break
      case 'for': {
        for (const e of [s.from, s.to]) if (e.kind !== 'lit') items.push({ kind: 'same', e })
        const [from, to] = [forms.of(s.from), forms.of(s.to)]
        const low = from ? forms.range(from).low : 0
        const high = to ? forms.range(to).high - 1 : Number.POSITIVE_INFINITY
        forms.count(s.name, { low, high: Math.max(low, high) })
        items.push(...read(s.body, forms))
      }
    }
  }
  return items
}

/** The conditions within an address that are evaluated in workgroup `w`, outermost first. */
const choicesOf = (a: Affine, forms: Forms, visit: (c: Condition) => boolean | undefined): void => {
  for (const t of a.terms.keys()) {
    const atom = forms.atoms[t]!
    if (atom.kind !== 'opaque' || !atom.choice) continue
    const taken = visit(atom.choice)
    if (taken !== undefined) choicesOf(taken ? atom.choice.yes : atom.choice.no, forms, visit)
  }
}

/** The outcome of every condition in workgroup `w`: true, false or mixed. */
const decide = (items: readonly Item[], forms: Forms, w: number): string => {
  let text = ''
  const test = ({ cond, lane }: Condition): boolean | undefined => {
    const t = forms.truth(cond, lane, w)
    text += t === undefined ? '?' : t ? '1' : '0'
    return t
  }
  const walk = (list: readonly Item[]): void => {
    for (const i of list) {
      if (i.kind === 'touch') {
        for (const g of i.touch.guards) test(g)
        if (i.address) choicesOf(i.address, forms, test)
      } else if (i.kind === 'branch') {
        const t = test(i.condition)
        if (t !== false) walk(i.yes)
        if (t !== true) walk(i.no)
      }
    }
  }
  walk(items)
  return text
}

/** An access and its linear address, with all selects resolved. */
interface Placed {
  readonly binding: string
  readonly address: Affine
}

/** For workgroups that decide as `w` does. */
const demandsOf = (items: readonly Item[], forms: Forms, w: number): Demands => {
  const starts = new Set<number>()
  const patterns = new Set<number>()
  const placed = new Map<string, Placed>()
  const fix = (e: KExpr, lane: number): void => {
    for (const b of forms.basesOf(e, lane)) starts.add(b)
  }
  const test = ({ cond, lane }: Condition): boolean | undefined => {
    const t = forms.truth(cond, lane, w)
    if (t === undefined) fix(cond, lane)
    return t
  }
  /** The address with every resolved select replaced by the selected form. */
  const resolve = (a: Affine): Affine => {
    let constant = a.constant
    const terms = new Map<number, number>()
    const add = (t: number, c: number): void => {
      terms.set(t, (terms.get(t) ?? 0) + c)
    }
    for (const [t, c] of a.terms) {
      const atom = forms.atoms[t]!
      const taken = atom.kind === 'opaque' && atom.choice ? test(atom.choice) : undefined
      if (atom.kind !== 'opaque' || taken === undefined) {
        add(t, c)
        if (atom.kind === 'opaque') for (const b of atom.of) starts.add(b)
        continue
      }
      const chosen = resolve(taken ? atom.choice!.yes : atom.choice!.no)
      constant += c * chosen.constant
      for (const [u, d] of chosen.terms) add(u, c * d)
    }
    return { constant, terms }
  }
  const walk = (list: readonly Item[]): void => {
    for (const i of list) {
      if (i.kind === 'same') fix(i.e, 0)
      else if (i.kind === 'branch') {
        const t = test(i.condition)
        if (t !== false) walk(i.yes)
        if (t !== true) walk(i.no)
      } else {
        if (i.touch.guards.map(test).includes(undefined)) fix(i.touch.index, 0)
        if (!i.address) {
          fix(i.touch.index, 0)
          continue
        }
        const address = resolve(i.address)
        placed.set(`${i.touch.binding}:${JSON.stringify([address.constant, ...address.terms])}`, {
          binding: i.touch.binding,
          address,
        })
      }
    }
  }
  walk(items)
  for (const { address } of placed.values())
    for (const t of address.terms.keys()) if (isDigit(forms, t)) patterns.add(t)
  for (const t of starts) if (isDigit(forms, t)) patterns.add(t)
  for (const d of shifts([...placed.values()], forms)) starts.add(d)
  return { patterns: [...patterns], starts: [...starts] }
}

const isDigit = (forms: Forms, t: number): boolean => forms.atoms[t]!.kind === 'digit'

/** Digits in which two accesses of one binding differ, so that their overlap changes between workgroups. */
const shifts = (placed: readonly Placed[], forms: Forms): ReadonlySet<number> => {
  const apart = new Set<number>()
  const byBinding = new Map<string, Map<string, { readonly address: Affine; low: number; high: number }>>()
  for (const { binding, address } of placed) {
    const moves = [...address.terms].filter(([t]) => t === gridAtom || isDigit(forms, t)).sort(([a], [b]) => a - b)
    const key = moves.join(';')
    const kinds = byBinding.get(binding) ?? new Map<string, { readonly address: Affine; low: number; high: number }>()
    byBinding.set(binding, kinds)
    const { low, high } = forms.range(address)
    const seen = kinds.get(key)
    if (!seen) kinds.set(key, { address, low, high })
    else {
      seen.low = Math.min(seen.low, low)
      seen.high = Math.max(seen.high, high)
    }
  }
  for (const kinds of byBinding.values()) {
    const all = [...kinds.values()]
    all.forEach((a, i) => {
      for (const b of all.slice(i + 1)) {
        if (a.high < b.low || b.high < a.low) continue
        for (const t of new Set([...a.address.terms.keys(), ...b.address.terms.keys()])) {
          const differs = (a.address.terms.get(t) ?? 0) !== (b.address.terms.get(t) ?? 0)
          if (differs && (t === gridAtom || isDigit(forms, t))) apart.add(t)
        }
      }
    })
  }
  return apart
}
