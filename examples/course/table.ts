/** Tables for people: columns aligned, numbers to the right. */

/** A number is shown with four digits, or as text that its maker wrote. */
export type Cell = string | number

export interface Table {
  readonly title: string
  readonly columns?: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** Whole numbers whole, others with four significant digits. */
export const showCell = (cell: Cell): string => {
  if (typeof cell === 'string') return cell
  return Number.isInteger(cell) ? `${cell}` : `${Number(cell.toPrecision(4))}`
}

/** Also 1.4e-6, 4.81 ± 0.97 and 93 % are numbers, or none was measured. */
const isNumber = (cell: Cell | undefined): boolean =>
  typeof cell !== 'string' || /^([-−\d][\d.,e±%\s+-]*|–|)$/.test(cell)

/** Which columns hold numbers alone. */
export const columnsOfNumbers =
  ({ rows }: Table) =>
  (column: number): boolean =>
    rows.every((row) => isNumber(row[column]))

/** The table as lines of text. */
export const showTable = (table: Table): string => {
  const { title, columns, rows } = table
  const body = rows.map((row) => row.map(showCell))
  const lines = columns ? [columns, ...body] : body
  const count = Math.max(...lines.map((l) => l.length))
  const widths = Array.from({ length: count }, (_, i) => Math.max(...lines.map((l) => [...(l[i] ?? '')].length)))
  const holdsNumbers = columnsOfNumbers(table)
  const align = (line: readonly string[]): string =>
    line
      .map((text, i) => (holdsNumbers(i) ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((w) => '─'.repeat(w)).join('  ')
  const [head, rest] = columns ? [[align(columns), rule], body] : [[], body]
  return [title, ...head, ...rest.map(align)].join('\n')
}
