/** Names beside their colours, under a picture where they hide nothing. */

/** What lines are painted in where nobody says how. */
export const palette: readonly string[] = [
  '#1f5fa8',
  '#c8322f',
  '#2e7d50',
  '#8a5fb0',
  '#b87a1e',
  '#0f8b8d',
  '#d1495b',
  '#4d4d4d',
]

/** XML has no spelling at all for control characters and halves of surrogate pairs. */
export const escaped = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** What has a name and a colour. */
export interface Named {
  readonly name: string
  readonly colour?: string
}

/** The colour of the entry with number `i`. */
export const colourOf = ({ colour }: Named, i: number): string => escaped(colour ?? palette[i % palette.length]!)

export interface Legend {
  readonly svg: string
  readonly height: number
}

const lineHeight = 22
/** About as wide as a letter of 14 pixels; no browser is there to ask. */
const letter = 8.4
const [swatch, gap] = [16, 20]

/** The legend of `entries` from (`left`, `top`) on, in as many lines of `width` as it needs. */
export const legend = (entries: readonly Named[], left: number, top: number, width: number): Legend => {
  let [x, y] = [0, 0]
  const parts = entries.map((entry, i) => {
    const own = swatch + 6 + letter * entry.name.length
    if (x > 0 && x + own > width) [x, y] = [0, y + lineHeight]
    const at = left + x
    x += own + gap
    const mark = `<rect x="${at.toFixed(1)}" y="${top + y + 8}" width="${swatch}" height="5" rx="2" fill="${colourOf(entry, i)}"/>`
    return `${mark}<text x="${(at + swatch + 6).toFixed(1)}" y="${top + y + 15}">${escaped(entry.name)}</text>`
  })
  return { svg: parts.join('\n'), height: entries.length === 0 ? 0 : y + lineHeight + 6 }
}
