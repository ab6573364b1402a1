/** Functions of the Kernel IR → WGSL. Several results are a struct, named after the function with a capital. */
import type { KFunction } from '../../kernel/kernel.ts'
import { type FunctionContext, fieldOf, functionExpression } from './function-expression.ts'
import { printStatements, type StatementPrinter } from './print-statements.ts'
import { typeName } from './type-name.ts'

const structName = (f: KFunction): string => `tl_${f.name[0]!.toUpperCase()}${f.name.slice(1)}`

/** Prints what a function's statements are made of. */
const statementPrinter = (c: FunctionContext): StatementPrinter => ({
  value: (e) => functionExpression(c, e),
  preceding: () => c.before.splice(0),
  nested: (inner) => {
    const outer = new Map(c.calls)
    inner()
    c.calls = outer
  },
})

/** Functions that are called are made known to `use`, which gives their names. */
export const printFunction = (f: KFunction, use: FunctionContext['use']): string => {
  const printer = statementPrinter({ name: f.name, use, calls: new Map(), before: [] })
  const lines: string[] = []
  printStatements(printer, f.body, '  ', lines)
  const values = f.results.map((r) => printer.value(r))
  lines.push(...printer.preceding().map((line) => `  ${line}`))
  const params = f.params.map((p) => `${p.name}: ${typeName(p.type)}`).join(', ')
  const text = (type: string, value: string): string =>
    [`fn tl_${f.name}(${params}) -> ${type} {`, ...lines, `  return ${value};`, '}', ''].join('\n')
  if (values.length === 1) return text(typeName(f.results[0]!.type), values[0]!)
  const fields = f.results.map((r, i) => `${fieldOf(f, i)}: ${typeName(r.type)}`).join(', ')
  return `struct ${structName(f)} { ${fields} }\n${text(structName(f), `${structName(f)}(${values.join(', ')})`)}`
}
