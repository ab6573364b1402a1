/** Scalars that are only spread over the lanes of vectors: WebAssembly loads a number into all lanes at once. */
import type { KExpr, KStmt } from '../../kernel/kernel.ts'
import { eachStatement, expressionsOf, operandsOf } from '../../kernel/parts.ts'

/** Whether an expression reads one word, which a vector can have in all lanes: neither an f16 nor a bool, whose lanes are masks. */
export const isWordLoad = (e: KExpr): e is Extract<KExpr, { readonly kind: 'load' | 'read' }> =>
  (e.kind === 'read' || (e.kind === 'load' && !e.component)) &&
  e.type.width === 1 &&
  e.type.scalar !== 'f16' &&
  e.type.scalar !== 'bool'

/** The names of loads that are read in splats alone: they are held as vectors. */
export const spreadLoads = (body: readonly KStmt[]): ReadonlySet<string> => {
  const [loaded, plain] = [new Set<string>(), new Set<string>()]
  const walk = (e: KExpr): void => {
    if (e.kind === 'ref') plain.add(e.name)
    if (e.kind === 'splat' && e.a.kind === 'ref') return
    for (const o of operandsOf(e)) walk(o)
  }
  eachStatement(body, (s) => {
    if (s.kind === 'let' && isWordLoad(s.value)) loaded.add(s.name)
    for (const e of expressionsOf(s)) walk(e)
  })
  return new Set([...loaded].filter((name) => !plain.has(name)))
}
