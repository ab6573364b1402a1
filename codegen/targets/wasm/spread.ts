/** Scalars that are only spread over the lanes of vectors: WebAssembly loads a number into all lanes at once. */
import type { KExpr, KStmt } from '../../kernel/kernel.ts'

/** What reads a name: spread over four lanes, or as it is. */
interface Uses {
  readonly loaded: Set<string>
  readonly plain: Set<string>
}

const walk = (e: KExpr, uses: Uses): void => {
  switch (e.kind) {
    case 'ref':
      uses.plain.add(e.name)
      return
    case 'splat':
      if (e.a.kind !== 'ref') walk(e.a, uses)
      return
    case 'unary':
    case 'cast':
    case 'bitcast':
    case 'lane':
      walk(e.a, uses)
      return
    case 'binary':
      walk(e.a, uses)
      walk(e.b, uses)
      return
    case 'select':
      for (const x of [e.cond, e.a, e.b]) walk(x, uses)
      return
    case 'vec':
      for (const x of e.items) walk(x, uses)
      return
    case 'load':
      walk(e.index, uses)
      if (e.component) walk(e.component, uses)
      return
    case 'read':
      walk(e.index, uses)
      return
    case 'threefry':
    case 'call':
    case 'native':
    case 'apply':
      for (const x of e.args) walk(x, uses)
      return
    case 'lit':
    case 'builtin':
    case 'word':
      return
  }
}

const isLoad = (e: KExpr): boolean =>
  (e.kind === 'read' || (e.kind === 'load' && !e.component)) && e.type.width === 1 && e.type.scalar !== 'f16'

const visit = (body: readonly KStmt[], uses: Uses): void => {
  for (const s of body)
    switch (s.kind) {
      case 'let':
        if (isLoad(s.value)) uses.loaded.add(s.name)
        walk(s.value, uses)
        break
      case 'var':
        if (s.init) walk(s.init, uses)
        break
      case 'assign':
        walk(s.value, uses)
        break
      case 'store':
      case 'write':
        walk(s.index, uses)
        walk(s.value, uses)
        break
      case 'for':
        walk(s.from, uses)
        walk(s.to, uses)
        visit(s.body, uses)
        break
      case 'if':
        walk(s.cond, uses)
        visit(s.then, uses)
        visit(s.else, uses)
        break
      case 'barrier':
        break
    }
}

/** The names of loads that are read in splats alone: they are held as vectors. */
export const spreadLoads = (body: readonly KStmt[]): ReadonlySet<string> => {
  const uses: Uses = { loaded: new Set(), plain: new Set() }
  visit(body, uses)
  return new Set([...uses.loaded].filter((name) => !uses.plain.has(name)))
}
