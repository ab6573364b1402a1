/** Orders of rows from a random key: the same key, the same order, on every machine. */
import { evaluate } from '../lang/evaluate.ts'
import type { Key } from '../lang/tensor/random/keys.ts'
import { bits } from '../lang/tensor/random/uniform.ts'
import { nodeOf } from '../lang/types/tensor.ts'

/**
 * A random order of 0 … count-1 (Fisher and Yates, as Durstenfeld 1964): row i changes places with one of the rows up
 * to it, chosen by the i-th random word of `key`. The bias is below count / 2³².
 * @example
 * data.shuffled(4, random.key(0)).sort() // => [0, 1, 2, 3]
 */
export const shuffled = (count: number, key: Key): Uint32Array => {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  const { data: words } = evaluate({ inputs: [], outputs: [nodeOf(bits(key, [count]))] }, [])[0]!
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((words[i]! / 2 ** 32) * (i + 1))
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
