/** Rows of cells as columns of text. */

/** Columns as wide as their widest cell, lines without blanks at their end; those at `numbers` stand to the right. */
export const columnsText = (rows: readonly (readonly string[])[], numbers: readonly number[] = []): string => {
  const widths: number[] = []
  const lengthOf = (text: string): number => [...text].length
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, lengthOf(cell))
    })
  const shown = (cell: string, i: number): string => {
    const blanks = ' '.repeat(widths[i]! - lengthOf(cell))
    return numbers.includes(i) ? blanks + cell : cell + blanks
  }
  return rows.map((row) => row.map(shown).join('  ').trimEnd()).join('\n')
}
