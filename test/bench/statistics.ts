/** What is said of measured times. */

/** The middle of the sorted values, the mean of the two middle ones where they are even; NaN of none. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Ours against the best of the others, and which that is; undefined where there is none. */
export const against = (
  ours: number,
  others: Readonly<Record<string, number | undefined>>,
): { readonly ratio: number; readonly better: string } | undefined => {
  const known = Object.entries(others).filter((e): e is [string, number] => e[1] !== undefined)
  const best = known.sort((a, b) => a[1] - b[1])[0]
  return best && { ratio: ours / best[1], better: best[0] }
}

/** Three figures, no more digits than a noisy measurement has. */
export const figure = (x: number): string =>
  x >= 100 ? String(Math.round(x)) : x >= 10 ? x.toFixed(1) : x >= 1 ? x.toFixed(2) : x.toPrecision(2)

/** Columns side by side, the first to the left and the others to the right, two spaces between. */
export const columns = (lines: readonly (readonly string[])[]): string => {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}
