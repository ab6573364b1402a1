/** Random draws with the distributions that graphs and values want: one place that decides what is likely. */
import type { Random } from 'fast-check'
import { type Shape, sizeOf } from '../lang/dim.ts'
import {
  allocate,
  type DType,
  type HostArray,
  type IntegerDType,
  integerRange,
  isFloat,
  isInteger,
  isUnsigned,
} from '../lang/dtype.ts'
import { roundTo } from '../lang/scalar-functions.ts'

/** Draws from one stream of random numbers. */
export interface Dice {
  /** A whole number from `low` to `high`, both included. */
  readonly int: (low: number, high: number) => number
  /** True with probability `p`. */
  readonly chance: (p: number) => boolean
  /** Any element of a list that has one. */
  readonly pick: <T>(list: readonly T[]) => T
  /** The list in random order. */
  readonly shuffle: <T>(list: readonly T[]) => readonly T[]
  /** Each element with probability `p`, in order. */
  readonly subset: <T>(list: readonly T[], p: number) => readonly T[]
  /** A number in [0, 1). */
  readonly real: () => number
}

/** Dice over fast-check's own generator, so that a seed decides everything. */
export const diceOf = (random: Pick<Random, 'nextInt'>): Dice => {
  const int: Dice['int'] = (low, high) => random.nextInt(low, high)
  const real: Dice['real'] = () => random.nextInt(0, 0x3fffffff) / 0x40000000
  const chance: Dice['chance'] = (p) => real() < p
  return {
    int,
    real,
    chance,
    pick: (list) => list[int(0, list.length - 1)]!,
    shuffle: (list) => {
      const out = list.slice()
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(0, i)
        ;[out[i], out[j]] = [out[j]!, out[i]!]
      }
      return out
    },
    subset: (list, p) => list.filter(() => chance(p)),
  }
}

/** Dice of their own for one seed, for draws that no property makes: mulberry32, which is small and good enough for weights. */
export const seededDice = (seed: number): Dice => {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const nextInt = (low = -(2 ** 31), high = 2 ** 31 - 1): number => low + Math.floor(next() * (high - low + 1))
  return diceOf({ nextInt } as Pick<Random, 'nextInt'>)
}

/** Sizes by how they break things: 1, primes, 4k (vectors), 4k+1 (their remainders). */
export const commonDims: readonly number[] = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 7, 8, 8, 9, 11, 12, 13, 16, 17]

const largeDims: readonly number[] = [16, 20, 24, 31, 32, 33, 48, 64]

/** One size; 0 with probability `empty`. Large ones are for graphs that may have thousands of elements. */
export const drawDim = (dice: Dice, empty: number, large: boolean): number => {
  if (dice.chance(empty)) return 0
  return dice.pick(large && dice.chance(0.6) ? largeDims : commonDims)
}

/** Ranks as often as programs have them. */
export const commonRanks: readonly number[] = [0, 1, 1, 2, 2, 2, 3, 3, 4]

/** As many sizes from `dims` as one of `ranks` says, of at most `limit` elements together. */
export const drawShape = (dice: Dice, dims: readonly number[], ranks: readonly number[], limit: number): Shape => {
  const rank = dice.pick(ranks)
  const shape: number[] = []
  for (let i = 0; i < rank; i++) {
    const room = Math.floor(limit / Math.max(1, sizeOf(shape)))
    const fitting = dims.filter((d) => d <= room)
    shape.push(fitting.length > 0 ? dice.pick(fitting) : 1)
  }
  return shape
}

/** How the values of one tensor are spread. */
export type ValueStyle = 'small' | 'grid' | 'whole' | 'special'

/** Floats that break things. */
export const specials: readonly number[] = [Number.NaN, Infinity, -Infinity, 0, -0, 1e30, -1e30, 1e-30]
/** Integers that break things. */
export const extremes: Readonly<Record<IntegerDType, readonly number[]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1, -1, 0, 65536],
  u32: [2 ** 32 - 1, 2 ** 31, 0, 1, 65536],
  i8: [-128, 127, -1, 0, 64],
  u8: [255, 128, 0, 1, 64],
}

const drawFloat = (dice: Dice, dtype: DType, style: ValueStyle): number => {
  if (style === 'special' && dice.chance(0.3)) return roundTo(dtype)(dice.pick(specials))
  if (style === 'grid') return dice.int(-12, 12) / 4
  if (style === 'whole') return dice.int(-6, 6)
  return roundTo(dtype)(dice.real() * 6 - 3)
}

/** One number that `dtype` can hold. */
export const drawNumber = (dice: Dice, dtype: DType, style: ValueStyle): number => {
  if (isFloat(dtype)) return drawFloat(dice, dtype, style)
  if (!isInteger(dtype)) return dice.int(0, 1)
  if (style === 'special' && dice.chance(0.3)) return dice.pick(extremes[dtype])
  const wide = style === 'small' && dice.chance(0.2)
  const [low, high] = isUnsigned(dtype) ? [0, wide ? 3000 : 12] : wide ? [-1000, 1000] : [-6, 9]
  const [least, most] = integerRange[dtype]
  return dice.int(Math.max(low, least), Math.min(high, most))
}

/** Elements for a tensor. */
export const drawData = (dice: Dice, dtype: DType, size: number, style: ValueStyle): HostArray => {
  const out = allocate(dtype, size)
  for (let i = 0; i < size; i++) out[i] = drawNumber(dice, dtype, style)
  return out
}

/** `values` in the array that the interpreter holds elements of `dtype` in. */
export const storedData = (dtype: DType, values: ArrayLike<number>): HostArray => {
  const out = allocate(dtype, values.length)
  out.set(values)
  return out
}
