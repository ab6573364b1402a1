/** Spelling of figures, tables and headings on the terminal. */

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** `1.5 kB`: three digits at most, powers of 1000. */
export const bytesText = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`
}

/** `12 345 678`: digits in groups, so that large counts can be read. */
export const countText = (n: number): string =>
  Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ')

/** `2 kernels`, `1 dispatch`. */
export const plural = (n: number, one: string, many: string = `${one}s`): string =>
  `${countText(n)} ${n === 1 ? one : many}`

/** Bold on a terminal, plain in pipes and where NO_COLOR asks for it (no-color.org: any value but the empty one). */
export const heading = (text: string): string =>
  process.stdout.isTTY && !process.env['NO_COLOR'] ? `\u001b[1m${text}\u001b[0m` : text

/** Rows in columns as wide as their longest cell. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Every line of `text` moved right. */
export const indent = (text: string, by = '  '): string => text.replace(/^(?=.)/gm, by)
