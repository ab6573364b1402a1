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

/** A number as text: whole part, and the rest from the point on, be it a unit. */
const number = /^([-+]?\d+)(\D.*)?$/

/** What stands for a number that there is not. */
const isNothing = (text: string): boolean => text === '' || /^[-–—]$/.test(text)

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((t) => [...t].length))

/** Whether a column holds numbers: it is moved to the right. */
const isOfNumbers = (texts: readonly string[]): boolean =>
  texts.some((t) => number.test(t)) && texts.every((t) => isNothing(t) || number.test(t))

/** Which columns of a table hold numbers alone. */
export const columnsOfNumbers =
  ({ rows }: Table) =>
  (column: number): boolean =>
    isOfNumbers(rows.map((row) => showCell(row[column] ?? '')))

/**
 * What the decimals of a column lack at their ends: where it follows them, be it invisibly, points stand below each other.
 * Nothing where there is a unit, whose letters are not as wide as digits.
 */
export const tailsOf = (texts: readonly string[]): readonly string[] => {
  const rests = texts.map((t) => number.exec(t)?.[2] ?? '')
  if (!rests.every((rest) => /^(\.\d+)?$/.test(rest))) return texts.map(() => '')
  const longest = rests.reduce((a, b) => (b.length > a.length ? b : a), '')
  return rests.map((rest) => longest.slice(rest.length))
}

/** Numbers as wide as one another, with their points below each other. */
const aligned = (texts: readonly string[]): readonly string[] => {
  const parts = texts.map((t) => number.exec(t) ?? ['', t])
  const rests = parts.map(([, , rest = '']) => rest)
  const [left, right] = [widest(parts.map(([, whole]) => whole!)), widest(rests)]
  return parts.map(([, whole], i) => whole!.padStart(left) + rests[i]!.padEnd(right))
}

/** The table as lines of text. */
export const showTable = ({ title, columns, rows }: Table): string => {
  const count = Math.max(columns?.length ?? 0, ...rows.map((r) => r.length))
  const shown = Array.from({ length: count }, (_, i) => {
    const cells = rows.map((row) => showCell(row[i] ?? ''))
    const isNumeric = isOfNumbers(cells)
    const body = isNumeric ? aligned(cells) : cells
    const width = widest([columns?.[i] ?? '', ...body])
    const pad = (text: string): string => (isNumeric ? text.padStart(width) : text.padEnd(width))
    return { width, head: pad(columns?.[i] ?? ''), body: body.map(pad) }
  })
  const line = (cells: readonly string[]): string => cells.join('  ').trimEnd()
  const rule = line(shown.map(({ width }) => '─'.repeat(width)))
  return [
    title,
    ...(columns ? [line(shown.map(({ head }) => head)), rule] : []),
    ...rows.map((_, r) => line(shown.map(({ body }) => body[r]!))),
  ].join('\n')
}
