/** The row of threefry: random bits as a pure function of key and counter. */
import * as E from '#fp/Either'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { refuse, wrongCount } from './operand-checks.ts'
import { wrongPair } from './pointwise.ts'
import { batchedArgs } from './rule-parts.ts'

const rotations: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24]
const parity = 0x1bd11bda

/**
 * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the block of
 * `(count0, count1)` under the key `(key0, key1)`, as two u32 words.
 */
export const threefryBlock = (
  key0: number,
  key1: number,
  count0: number,
  count1: number,
): readonly [number, number] => {
  const keys = [key0, key1, key0 ^ key1 ^ parity]
  let x = (count0 + key0) | 0
  let y = (count1 + key1) | 0
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8]!
    x = (x + y) | 0
    y = ((y << r) | (y >>> (32 - r))) ^ x
    if (round % 4 === 3) {
      const injection = (round + 1) / 4
      x = (x + keys[injection % 3]!) | 0
      y = (y + keys[(injection + 1) % 3]! + injection) | 0
    }
  }
  return [x >>> 0, y >>> 0]
}

/** Four u32 operands of one shape (key0, key1, count0, count1) → two u32 outputs of that shape. No tangent. */
export const threefry: Primitive<ParamsOf['threefry']> = {
  infer: (xs) => {
    const bad = wrongCount(xs, 4)
    if (bad) return bad
    const x = xs[0]!
    const other = xs.find((y) => y.dtype !== 'u32')
    if (other) return refuse(`needs u32 operands, got ${other.dtype}`, undefined, "convert with T.cast(x, 'u32')")
    for (const y of xs) {
      const unequal = wrongPair(x, y)
      if (unequal) return unequal
    }
    return E.right([x, x])
  },
  jvp: () => [undefined, undefined],
  transpose: 'nonlinear',
  batch: (c) => {
    const block = c.b.threefry(batchedArgs(c), {})
    return [c.b.get([block], { index: 0 }), c.b.get([block], { index: 1 })]
  },
  eval: ([key0, key1, count0, count1]) => {
    const n = key0!.data.length
    const [first, second] = [new Uint32Array(n), new Uint32Array(n)]
    for (let i = 0; i < n; i++) {
      const [x, y] = threefryBlock(key0!.data[i]!, key1!.data[i]!, count0!.data[i]!, count1!.data[i]!)
      first[i] = x
      second[i] = y
    }
    return [first, second]
  },
}
