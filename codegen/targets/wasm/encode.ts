/** The binary format of WebAssembly: numbers, strings, vectors and sections. */

const sevenBits = 0x7f
const more = 0x80

/** An unsigned LEB128 number below 2^32. */
export const unsigned = (n: number): readonly number[] => {
  const out: number[] = []
  let rest = n >>> 0
  while (rest > sevenBits) {
    out.push((rest & sevenBits) | more)
    rest >>>= 7
  }
  out.push(rest)
  return out
}

/** A signed LEB128 number of 32 bits. */
export const signed = (n: number): readonly number[] => {
  const out: number[] = []
  let rest = n | 0
  while (rest < -64 || rest > 63) {
    out.push((rest & sevenBits) | more)
    rest >>= 7
  }
  out.push(rest & sevenBits)
  return out
}

const view = new DataView(new ArrayBuffer(4))

/** Four bytes of a word, the lowest first. */
export const wordBytes = (word: number): readonly number[] => {
  view.setUint32(0, word >>> 0, true)
  return [0, 1, 2, 3].map((i) => view.getUint8(i))
}

/** The bits of an f32; NaN is the quiet one. */
export const floatBits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7fc00000
  view.setFloat32(0, x, true)
  return view.getUint32(0, true)
}

/** A count and the items after it. */
export const vector = (items: readonly (readonly number[])[]): readonly number[] => [
  ...unsigned(items.length),
  ...items.flat(),
]

/** A name of ASCII characters. */
export const name = (text: string): readonly number[] => [
  ...unsigned(text.length),
  ...[...text].map((c) => c.charCodeAt(0)),
]

/** What is preceded by its length in bytes. */
export const sized = (bytes: readonly number[]): readonly number[] => unsigned(bytes.length).concat(bytes)

/** A section by its number. */
export const section = (id: number, content: readonly number[]): readonly number[] => [id].concat(sized(content))

/** `\0asm`, version 1. */
export const header: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
