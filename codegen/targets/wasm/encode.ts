/** The binary format of WebAssembly: numbers, strings, vectors and sections. */

const sevenBits = 0x7f
const more = 0x80

const bytes: readonly (readonly number[])[] = Array.from({ length: sevenBits + 1 }, (_, n) => [n])

/** An unsigned LEB128 number below 2^32. */
export const unsigned = (n: number): readonly number[] => {
  if (n <= sevenBits) return bytes[n]!
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

/** Four bytes of a word, the lowest first. */
export const wordBytes = (word: number): readonly number[] => [
  word & 0xff,
  (word >>> 8) & 0xff,
  (word >>> 16) & 0xff,
  word >>> 24,
]

const view = new DataView(new ArrayBuffer(4))

/** The bits of an f32; NaN is the quiet one. */
export const floatBits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7fc00000
  view.setFloat32(0, x, true)
  return view.getUint32(0, true)
}

export type Bytes = ArrayLike<number>

/** Parts one after another. */
export const joined = (parts: readonly Bytes[]): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0))
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

/** A count and the items after it. */
export const vector = (items: readonly Bytes[]): Bytes => joined([unsigned(items.length), ...items])

/** A name of ASCII characters. */
export const name = (text: string): readonly number[] => [
  ...unsigned(text.length),
  ...[...text].map((c) => c.charCodeAt(0)),
]

/** What is preceded by its length in bytes. */
export const sized = (bytes: Bytes): Bytes => joined([unsigned(bytes.length), bytes])

/** A section by its number. */
export const section = (id: number, content: Bytes): Bytes => joined([[id], unsigned(content.length), content])

/** `\0asm`, version 1. */
export const header: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
