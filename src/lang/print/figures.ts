/** Figures for people. */

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
