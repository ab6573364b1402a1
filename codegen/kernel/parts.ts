/** The parts of expressions and statements: what walks over kernels are made of. */
import type { KExpr, KStmt } from './kernel.ts'

/** The operands of an expression, in order. */
export const operandsOf = (e: KExpr): readonly KExpr[] => {
  switch (e.kind) {
    case 'lit':
    case 'ref':
    case 'builtin':
    case 'word':
      return []
    case 'unary':
    case 'cast':
    case 'bitcast':
    case 'splat':
    case 'lane':
      return [e.a]
    case 'binary':
      return [e.a, e.b]
    case 'select':
      return [e.cond, e.a, e.b]
    case 'vec':
      return e.items
    case 'load':
      return e.component ? [e.index, e.component] : [e.index]
    case 'read':
      return [e.index]
    case 'threefry':
    case 'call':
    case 'native':
    case 'apply':
      return e.args
  }
}

/** The expressions of one statement, without those of its blocks. */
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

/** The blocks of one statement. */
export const blocksIn = (s: KStmt): readonly (readonly KStmt[])[] =>
  s.kind === 'for' ? [s.body] : s.kind === 'if' ? [s.then, s.else] : []

/** Calls `f` for every statement, in preorder. */
export const eachStatement = (body: readonly KStmt[], f: (s: KStmt) => void): void => {
  for (const s of body) {
    f(s)
    for (const inner of blocksIn(s)) eachStatement(inner, f)
  }
}

/** Whether a barrier is among the statements, at any depth. */
export const hasBarrier = (body: readonly KStmt[]): boolean =>
  body.some((s) => s.kind === 'barrier' || blocksIn(s).some(hasBarrier))
