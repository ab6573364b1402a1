/**
 * Arithmetic on index expressions: a linear normal form over ranges, with floor division and remainder by constants
 * simplified through bounds. Every rule is checked by brute force in the mirrored test.
 */
import { floorDiv } from '../../../src/lang/dim.ts'
import type { Atom, Bound, Index, LoopValue, Range } from './cluster.ts'

type Term = Index['terms'][number]

const gcd = (a: number, b: number): number => {
  let [x, y] = [Math.abs(a), Math.abs(b)]
  while (y !== 0) [x, y] = [y, x % y]
  return x
}

const boundsOf = (atom: Atom): readonly [number, number] => {
  switch (atom.kind) {
    case 'range':
      return [0, Math.max(0, atom.range.size - 1)]
    case 'div':
      return [floorDiv(atom.of.min, atom.by), floorDiv(atom.of.max, atom.by)]
    case 'mod':
      return [0, atom.by - 1]
    case 'value':
      return [0, Math.max(0, atom.size - 1)]
  }
}

const build = (terms: readonly Term[], offset: number): Index => {
  // 0 · -1 is -0 in JavaScript, and an iota on that index would be a negative zero.
  const constant = offset + 0
  let min = constant
  let max = constant
  let key = `${constant}`
  for (const { atom, coefficient } of terms) {
    const [lo, hi] = boundsOf(atom)
    min += coefficient * (coefficient > 0 ? lo : hi)
    max += coefficient * (coefficient > 0 ? hi : lo)
    key += `+${coefficient}*${atom.key}`
  }
  return { terms, constant, min, max, key }
}

const merge = (terms: Iterable<Term>, constant: number): Index => {
  const sum = new Map<string, Term>()
  for (const t of terms) {
    const seen = sum.get(t.atom.key)
    sum.set(t.atom.key, seen ? { atom: t.atom, coefficient: seen.coefficient + t.coefficient } : t)
  }
  const kept = [...sum.values()].filter((t) => t.coefficient !== 0)
  kept.sort((a, b) => (a.atom.key < b.atom.key ? -1 : 1))
  return recombine(kept, constant)
}

/** c·by·floor(x / by) + c·(x mod by) = c·x, whichever form `divIndex` gives the quotient. */
const recombine = (terms: readonly Term[], constant: number): Index => {
  if (terms.length < 2) return build(terms, constant)
  for (const m of terms) {
    if (m.atom.kind !== 'mod') continue
    const { of, by } = m.atom
    const quotient = divIndex(of, by)
    const part = quotient.constant === 0 && quotient.terms.length === 1 ? quotient.terms[0]! : undefined
    if (!part) continue
    const whole = m.coefficient * by * part.coefficient
    const d = terms.find((t) => t.atom.key === part.atom.key && t.coefficient === whole)
    if (!d) continue
    const rest = terms.filter((t) => t !== m && t !== d)
    return merge([...rest, ...scaleTerms(of.terms, m.coefficient)], constant + of.constant * m.coefficient)
  }
  return build(terms, constant)
}

const scaleTerms = (terms: readonly Term[], k: number): readonly Term[] =>
  terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient * k }))

export const constantIndex = (value: number): Index => build([], value)

/** The index `r` itself; a range of size 1 (or 0) is the constant 0. */
export const rangeIndex = (range: Range): Index =>
  range.size <= 1
    ? constantIndex(0)
    : build([{ atom: { kind: 'range', range, key: `r${range.id}` }, coefficient: 1 }], 0)

/** A data-dependent index in [0, size). */
export const valueIndex = (value: LoopValue, size: number): Index =>
  size <= 1
    ? constantIndex(0)
    : build([{ atom: { kind: 'value', value, size, key: `v${value.id}` }, coefficient: 1 }], 0)

export const addIndex = (a: Index, b: Index): Index =>
  a.terms.length === 0
    ? build(b.terms, a.constant + b.constant)
    : b.terms.length === 0
      ? build(a.terms, a.constant + b.constant)
      : merge([...a.terms, ...b.terms], a.constant + b.constant)

export const shiftIndex = (a: Index, by: number): Index => (by === 0 ? a : build(a.terms, a.constant + by))

export const scaleIndex = (a: Index, k: number): Index =>
  k === 0 ? constantIndex(0) : k === 1 ? a : build(scaleTerms(a.terms, k), a.constant * k)

/** a = by·quotient + rest with rest's coefficients not multiples of `by` and its constant in [0, by). */
const split = (a: Index, by: number): { readonly quotient: Index; readonly rest: Index } => {
  const quotient: Term[] = []
  const rest: Term[] = []
  for (const t of a.terms) {
    if (t.coefficient % by === 0) quotient.push({ atom: t.atom, coefficient: t.coefficient / by })
    else rest.push(t)
  }
  const c = floorDiv(a.constant, by)
  return { quotient: build(quotient, c), rest: build(rest, a.constant - c * by) }
}

/** floor(a / by), by >= 1. */
export const divIndex = (a: Index, by: number): Index => {
  if (by === 1) return a
  const { quotient, rest } = split(a, by)
  const low = floorDiv(rest.min, by)
  if (low === floorDiv(rest.max, by)) return shiftIndex(quotient, low)
  const g = rest.terms.reduce((x, t) => gcd(x, t.coefficient), by)
  const small =
    g > 1
      ? divIndex(
          build(
            rest.terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient / g })),
            floorDiv(rest.constant, g),
          ),
          by / g,
        )
      : divAtom(rest, by)
  return addIndex(quotient, small)
}

const divAtom = (a: Index, by: number): Index => {
  const only = a.terms.length === 1 && a.constant === 0 ? a.terms[0]! : undefined
  if (only?.coefficient === 1 && only.atom.kind === 'div') return divIndex(only.atom.of, only.atom.by * by)
  if (only?.coefficient === 1 && only.atom.kind === 'mod' && only.atom.by % by === 0) {
    return modIndex(divIndex(only.atom.of, by), only.atom.by / by)
  }
  return build([{ atom: { kind: 'div', of: a, by, key: `(${a.key})/${by}` }, coefficient: 1 }], 0)
}

/** a mod by with a result in [0, by), by >= 1. */
export const modIndex = (a: Index, by: number): Index => {
  if (by === 1) return constantIndex(0)
  const { rest } = split(a, by)
  const low = floorDiv(rest.min, by)
  if (low === floorDiv(rest.max, by)) return shiftIndex(rest, -low * by)
  const g = rest.terms.reduce((x, t) => gcd(x, t.coefficient), by)
  if (g > 1) {
    const c = floorDiv(rest.constant, g)
    const inner = build(
      rest.terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient / g })),
      c,
    )
    return shiftIndex(scaleIndex(modIndex(inner, by / g), g), rest.constant - c * g)
  }
  const only = rest.terms.length === 1 && rest.constant === 0 ? rest.terms[0]! : undefined
  if (only?.coefficient === 1 && only.atom.kind === 'mod' && only.atom.by % by === 0) return modIndex(only.atom.of, by)
  return build([{ atom: { kind: 'mod', of: rest, by, key: `(${rest.key})%${by}` }, coefficient: 1 }], 0)
}

/** The ranges an index depends on, including those of its data-dependent atoms. */
export const rangesOfIndex = (a: Index, into: Set<Range> = new Set()): Set<Range> => {
  for (const { atom } of a.terms) {
    if (atom.kind === 'range') into.add(atom.range)
    else if (atom.kind === 'value') for (const r of atom.value.ranges) into.add(r)
    else rangesOfIndex(atom.of, into)
  }
  return into
}

/**
 * The free ranges of a point and of the bounds under which it is evaluated. A reduction below must not bind any of
 * them, even where a view has dropped one from the point.
 */
export const freeRanges = (point: readonly Index[], bounds: readonly Bound[]): ReadonlySet<Range> => {
  const out = new Set<Range>()
  for (const p of point) rangesOfIndex(p, out)
  for (const b of bounds) rangesOfIndex(b.index, out)
  return out
}

/** Substitutes index expressions for ranges (and for data-dependent atoms); atoms that are not mapped stay. */
export const substituteIndex = (
  a: Index,
  range: (r: Range) => Index | undefined,
  value?: (v: LoopValue) => LoopValue,
): Index => {
  let out = constantIndex(a.constant)
  for (const { atom, coefficient } of a.terms)
    out = addIndex(out, scaleIndex(substituteAtom(atom, range, value), coefficient))
  return out
}

const substituteAtom = (
  atom: Atom,
  range: (r: Range) => Index | undefined,
  value: ((v: LoopValue) => LoopValue) | undefined,
): Index => {
  switch (atom.kind) {
    case 'range':
      return range(atom.range) ?? rangeIndex(atom.range)
    case 'div':
      return divIndex(substituteIndex(atom.of, range, value), atom.by)
    case 'mod':
      return modIndex(substituteIndex(atom.of, range, value), atom.by)
    case 'value':
      return valueIndex(value ? value(atom.value) : atom.value, atom.size)
  }
}

/** Row-major flat index of a point. */
export const flatten = (point: readonly Index[], shape: readonly number[]): Index => {
  let out = constantIndex(0)
  for (let i = 0; i < shape.length; i++) out = addIndex(scaleIndex(out, shape[i]!), point[i]!)
  return out
}

/** The point with row-major flat index `flat`. */
export const unflatten = (flat: Index, shape: readonly number[]): readonly Index[] => {
  const point: Index[] = []
  let rest = flat
  for (let i = shape.length - 1; i >= 0; i--) {
    point[i] = i === 0 ? rest : modIndex(rest, Math.max(1, shape[i]!))
    rest = divIndex(rest, Math.max(1, shape[i]!))
  }
  return point
}

/** The value of an index at one point. */
export const evaluateIndex = (a: Index, range: (r: Range) => number, value: (v: LoopValue) => number): number => {
  let out = a.constant
  for (const { atom, coefficient } of a.terms) {
    const x =
      atom.kind === 'range'
        ? range(atom.range)
        : atom.kind === 'value'
          ? Math.min(Math.max(value(atom.value), 0), atom.size - 1)
          : atom.kind === 'div'
            ? floorDiv(evaluateIndex(atom.of, range, value), atom.by)
            : evaluateIndex(atom.of, range, value) - atom.by * floorDiv(evaluateIndex(atom.of, range, value), atom.by)
    out += coefficient * x
  }
  return out
}
