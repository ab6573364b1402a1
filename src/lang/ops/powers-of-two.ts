/**
 * Numbers of f32 as m·2ᵉ in a graph: what is computed with mantissas neither overflows nor vanishes. Scaling by a power of two
 * is exact, and the power is a constant to derivatives, which are right then, because what is computed does not depend on it.
 */
import type { Build, Node } from '../ir.ts'
import { operandType } from './operand-checks.ts'
import { fill } from './rule-parts.ts'

const clamped = (b: Build, n: Node, low: number, high: number): Node => {
  const type = operandType(n)
  return b.min([b.max([n, fill(b, type, low)], {}), fill(b, type, high)], {})
}

/**
 * ⌊(log₂ size + offset) / by⌋ as i32, the logarithm from -126 to `most`; 0 for NaN. The step is not at a power of two, where
 * rounding would decide on which side a size that is one falls.
 */
export const magnitude = (b: Build, size: Node, offset: number, by: number, most: number): Node => {
  const type = operandType(size)
  const logs = clamped(b, b.add([b.log2([size], {}), fill(b, type, offset)], {}), -126, most)
  return b.cast([b.floor([b.div([logs, fill(b, type, by)], {})], {})], { dtype: 'i32' })
}

/** 2ᵉ for whole numbers e from -126 to 127. */
const powerOfTwo = (b: Build, exponent: Node): Node => {
  const type = operandType(exponent)
  const biased = b.add([exponent, fill(b, type, 127)], {})
  return b.bitcast([b.shiftLeft([biased, fill(b, type, 23)], {})], { dtype: 'f32' })
}

/**
 * x `[…, …]` times 2ᵉ for exponents `[…]` of its leading axes. In two steps of half the exponent: what f32 holds in the end it
 * holds in between, and what it does not is infinite or 0, as no factor is.
 */
export const timesPower = (b: Build, x: Node, exponent: Node): Node => {
  const { shape } = operandType(x)
  const type = operandType(exponent)
  const inside = clamped(b, exponent, -252, 252)
  const half = b.shiftRight([inside, fill(b, type, 1)], {})
  const axes = shape.map((_, i) => i).slice(type.shape.length)
  const spread = (n: Node): Node => (axes.length === 0 ? n : b.broadcast([n], { shape, axes }))
  return [half, b.sub([inside, half], {})].reduce((y, e) => b.mul([y, spread(powerOfTwo(b, e))], {}), x)
}

/** m·2ᵉ: e is i32. */
export interface Scaled {
  readonly mantissa: Node
  readonly exponent: Node
}

/** Mantissas from √½ to √2 in size; a zero has exponent 0. */
export const split = (b: Build, x: Node): Scaled => {
  const type = operandType(x)
  const size = b.abs([b.stopGradient([x], {})], {})
  const isZero = b.eq([size, fill(b, type, 0)], {})
  const exponent = b.select([isZero, fill(b, { ...type, dtype: 'i32' }, 0), magnitude(b, size, 0.5, 1, 128)], {})
  return { mantissa: timesPower(b, x, b.neg([exponent], {})), exponent }
}

/** The product of two, split again. */
export const timesScaled = (b: Build, x: Scaled, y: Scaled): Scaled => {
  const { mantissa, exponent } = split(b, b.mul([x.mantissa, y.mantissa], {}))
  return { mantissa, exponent: b.add([b.add([x.exponent, y.exponent], {}), exponent], {}) }
}

/** The number itself: infinite or 0 where it leaves f32. */
export const joined = (b: Build, { mantissa, exponent }: Scaled): Node => timesPower(b, mantissa, exponent)
