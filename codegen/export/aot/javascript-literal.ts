/** Data as JavaScript source: like JSON, but NaN, infinities and -0 survive, and long text keeps its lines. */
import { quoted, visible } from '../../../src/lang/visible-text.ts'

const width = 110

const identifier = /^[A-Za-z_$][\w$]*$/

/**
 * A property name, quoted where necessary. `__proto__` is written as a computed key, as it would set the prototype
 * otherwise.
 */
export const printKey = (key: string): string =>
  key === '__proto__' ? '["__proto__"]' : identifier.test(key) ? key : quoted(key)

/** Lines stay lines, in a template, where nothing else in the text would not show. */
const printText = (text: string): string => {
  const lines = text.split('\n')
  if (lines.length === 1 || lines.some((line) => visible(line) !== line) || /<[/!]/.test(text)) return quoted(text)
  return `\`${text.replace(/[\\`]|\$\{/g, '\\$&')}\``
}

/**
 * `value` (numbers, text, booleans, arrays, plain records, undefined; no cycles) as an expression. Deterministic: keys
 * keep their order, what fits on a line stays on one. Absent properties and undefined ones are the same and left out.
 */
export const printLiteral = (value: unknown, indent = ''): string => {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'string') return printText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const inner = `${indent}  `
  const isList = Array.isArray(value)
  const items = isList
    ? value.map((x: unknown) => printLiteral(x, inner))
    : Object.entries(value)
        .filter(([, x]) => x !== undefined)
        .map(([key, x]) => `${printKey(key)}: ${printLiteral(x, inner)}`)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (items.length === 0) return open + close
  const line = isList ? items.join(', ') : ` ${items.join(', ')} `
  if (indent.length + line.length <= width && !line.includes('\n')) return open + line + close
  return `${open}\n${items.map((x) => `${inner}${x},\n`).join('')}${indent}${close}`
}
