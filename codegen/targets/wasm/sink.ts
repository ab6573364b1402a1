/**
 * The order of statements in the steps of a reduction: what an accumulation adds is computed right before it, so that few
 * values wait in registers. Engines keep the order they are given.
 */
import type { KExpr, KStmt } from '../../kernel/kernel.ts'
import { operandsOf } from '../../kernel/parts.ts'

type Let = Extract<KStmt, { readonly kind: 'let' }>

/** The names that an expression reads. */
const namesIn = (e: KExpr): ReadonlySet<string> => {
  const names = new Set<string>()
  const walk = (x: KExpr): void => {
    if (x.kind === 'ref') names.add(x.name)
    for (const y of operandsOf(x)) walk(y)
  }
  walk(e)
  return names
}

/** Whether accumulations are most of what a block is for: a step of a reduction with several states. */
const isStep = (body: readonly KStmt[]): boolean =>
  body.every((s) => s.kind === 'let' || s.kind === 'assign') && body.filter((s) => s.kind === 'assign').length >= 4

/** The statements of a step in the order of its accumulations; of other blocks as they are. */
export const sunk = (body: readonly KStmt[]): readonly KStmt[] => {
  if (!isStep(body)) return body
  const waiting = new Map<string, { readonly statement: Let; readonly names: ReadonlySet<string> }>()
  const out: KStmt[] = []
  const compute = (name: string): void => {
    const found = waiting.get(name)
    if (!found) return
    waiting.delete(name)
    for (const n of found.names) compute(n)
    out.push(found.statement)
  }
  for (const s of body) {
    if (s.kind === 'let') {
      waiting.set(s.name, { statement: s, names: namesIn(s.value) })
      continue
    }
    if (s.kind !== 'assign') continue
    // Who reads the variable reads it before it changes.
    for (const [name, { names }] of waiting) if (names.has(s.name)) compute(name)
    for (const name of namesIn(s.value)) compute(name)
    out.push(s)
  }
  for (const name of [...waiting.keys()]) compute(name)
  return out
}
