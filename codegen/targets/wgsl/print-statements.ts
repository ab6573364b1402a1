/** Statements of the Kernel IR as lines of WGSL, in kernels and in functions. */
import type { KExpr, KStmt } from '../../kernel/kernel.ts'
import { typeName } from './type-name.ts'

export interface StatementPrinter {
  /** An expression that stands alone; `name` is what a `let` calls it. */
  readonly value: (e: KExpr, name?: string) => string
  /** Lines that the expressions printed since the last call need before their statement. */
  readonly preceding: () => readonly string[]
  /** Prints the statements of a block. */
  readonly nested: (inner: () => void) => void
}

/** A line that the printer of a module replaces, as it knows all loads then. */
export const barrierMark = '\u0000'

export const printStatements = (p: StatementPrinter, body: readonly KStmt[], indent: string, out: string[]): void => {
  for (const s of body) printStatement(p, s, indent, out)
}

const printStatement = (p: StatementPrinter, s: KStmt, indent: string, out: string[]): void => {
  const line = (text: string): void =>
    void out.push(...p.preceding().map((before) => `${indent}${before}`), `${indent}${text}`)
  const block = (inner: readonly KStmt[]): void => p.nested(() => printStatements(p, inner, `${indent}  `, out))
  switch (s.kind) {
    case 'let':
      line(`let ${s.name} = ${p.value(s.value, s.name)};`)
      return
    case 'var':
      line(`var ${s.name}: ${typeName(s.type)}${s.init ? ` = ${p.value(s.init)}` : ''};`)
      return
    case 'assign':
      line(`${s.name} = ${p.value(s.value)};`)
      return
    case 'store':
      line(`${s.binding}[${p.value(s.index)}] = ${p.value(s.value)};`)
      return
    case 'write':
      line(`${s.array}[${p.value(s.index)}] = ${p.value(s.value)};`)
      return
    case 'for': {
      const step = s.step === 1 ? `${s.name}++` : `${s.name} += ${s.step}u`
      line(`for (var ${s.name} = ${p.value(s.from)}; ${s.name} < ${p.value(s.to)}; ${step}) {`)
      block(s.body)
      line('}')
      return
    }
    case 'if':
      line(`if ${p.value(s.cond)} {`)
      block(s.then)
      if (s.else.length > 0) {
        line('} else {')
        block(s.else)
      }
      line('}')
      return
    case 'barrier':
      line(barrierMark)
      return
  }
}
