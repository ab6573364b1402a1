/** Spelling of tables and headings on the terminal. */

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
