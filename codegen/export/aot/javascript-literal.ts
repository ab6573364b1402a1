/** Data as JavaScript source: like JSON, but NaN, infinities and -0 survive, and long text keeps its lines. */

const width = 110

const identifier = /^[A-Za-z_$][\w$]*$/

/**
 * A property name, quoted where necessary. `__proto__` is written as a computed key, as it would set the prototype
 * otherwise.
 */
export const printKey = (key: string): string =>
  key === '__proto__' ? '["__proto__"]' : identifier.test(key) ? key : JSON.stringify(key)

/** Template literals normalise carriage returns, so text with one is quoted. */
const printText = (text: string): string =>
  text.includes('\n') && !text.includes('\r') ? `\`${text.replace(/[\\`]|\$\{/g, '\\$&')}\`` : JSON.stringify(text)

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
