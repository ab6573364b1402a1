/** Integer expressions as constant + Σ coefficient·slot modulo 2³², and closures that evaluate them. */
import type { KExpr } from '../kernel.ts'

/** Coefficients and constant are integers of 32 bits with sign. */
export interface Affine {
  readonly constant: number
  readonly terms: ReadonlyMap<number, number>
}

export type Num = () => number

const none: ReadonlyMap<number, number> = new Map()

/** The value of one slot. */
export const slotAffine = (slot: number): Affine => ({ constant: 0, terms: new Map([[slot, 1]]) })

/** a ± b. */
export const sum = (a: Affine, b: Affine, sign: 1 | -1): Affine => {
  const terms = new Map(a.terms)
  for (const [slot, c] of b.terms) {
    const next = ((terms.get(slot) ?? 0) + sign * c) | 0
    if (next === 0) terms.delete(slot)
    else terms.set(slot, next)
  }
  return { constant: (a.constant + sign * b.constant) | 0, terms }
}

const scaled = (a: Affine, by: number): Affine => {
  const terms = new Map<number, number>()
  for (const [slot, c] of a.terms) {
    const next = Math.imul(c, by)
    if (next !== 0) terms.set(slot, next)
  }
  return { constant: Math.imul(a.constant, by), terms }
}

/** The affine form of a u32 or i32 scalar; `leaf` gives that of what is no sum or multiple. */
export const affineOf = (e: KExpr, leaf: (e: KExpr) => Affine | undefined): Affine | undefined => {
  if (e.type.width !== 1 || (e.type.scalar !== 'u32' && e.type.scalar !== 'i32')) return undefined
  if (e.kind === 'lit') return { constant: e.value | 0, terms: none }
  if ((e.kind === 'cast' || e.kind === 'bitcast') && (e.a.type.scalar === 'u32' || e.a.type.scalar === 'i32'))
    return affineOf(e.a, leaf)
  if (e.kind !== 'binary') return leaf(e)
  const constant = e.b.kind === 'lit' ? e.b.value : e.a.kind === 'lit' ? e.a.value : undefined
  switch (e.op) {
    case 'add':
    case 'sub': {
      const a = affineOf(e.a, leaf)
      const b = a && affineOf(e.b, leaf)
      return b && sum(a, b, e.op === 'add' ? 1 : -1)
    }
    case 'mul': {
      if (constant === undefined) return leaf(e)
      const a = affineOf(e.b.kind === 'lit' ? e.a : e.b, leaf)
      return a && scaled(a, constant | 0)
    }
    case 'shiftLeft': {
      if (e.b.kind !== 'lit' || e.b.value < 0 || e.b.value >= 32) return leaf(e)
      const a = affineOf(e.a, leaf)
      return a && scaled(a, 1 << e.b.value)
    }
    default:
      return leaf(e)
  }
}

/** Evaluates an affine form as u32 over `slots`. */
export const evaluateAffine = ({ constant: k, terms }: Affine, slots: Float64Array): Num => {
  const [a, b, c] = [...terms]
  if (!a) return () => k >>> 0
  const [i, ci] = a
  if (!b) {
    if (ci === 1) return k === 0 ? () => slots[i]! >>> 0 : () => (slots[i]! + k) >>> 0
    return () => (Math.imul(ci, slots[i]!) + k) >>> 0
  }
  const [j, cj] = b
  if (!c) return () => (Math.imul(ci, slots[i]!) + Math.imul(cj, slots[j]!) + k) >>> 0
  if (terms.size === 3) {
    const [l, cl] = c
    return () => (Math.imul(ci, slots[i]!) + Math.imul(cj, slots[j]!) + Math.imul(cl, slots[l]!) + k) >>> 0
  }
  const at = Int32Array.from(terms.keys())
  const by = Int32Array.from(terms.values())
  return () => {
    let total = k
    for (let n = 0; n < at.length; n++) total = (total + Math.imul(by[n]!, slots[at[n]!]!)) | 0
    return total >>> 0
  }
}

/** Equal keys mean equal forms. */
export const affineKey = ({ constant, terms }: Affine): string =>
  [...terms].sort(([a], [b]) => a - b).reduce((text, [slot, c]) => `${text}+${c}#${slot}`, `${constant}`)
