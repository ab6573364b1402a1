/** The derivatives of digamma as graphs: a partial sum and Euler–Maclaurin's rest on the right, the reflection at 0 on the left. */
import { floorDiv } from '../dim.ts'
import type { Build, Node } from '../ir.ts'
import { operandType } from './operand-checks.ts'
import { fill, offset, scale, subtractFrom } from './rule-parts.ts'

/** B₂, B₄ … B₁₂. */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730]

const power = (b: Build, x: Node, n: number): Node => {
  if (n === 1) return x
  const half = power(b, x, floorDiv(n, 2))
  const square = b.mul([half, half], {})
  return n % 2 === 0 ? square : b.mul([square, x], {})
}

/** Horner's scheme, coefficients from the constant term up. */
const polynomial = (b: Build, x: Node, coefficients: readonly number[]): Node => {
  let sum = fill(b, operandType(x), coefficients.at(-1)!)
  for (let i = coefficients.length - 2; i >= 0; i--) sum = offset(b, b.mul([sum, x], {}), coefficients[i]!)
  return sum
}

/**
 * Σ (y + k)^-(n+1) over k >= 0, for y >= 0: the first 6 + n terms one by one, the rest from `a` = y + 6 + n by
 * a^-n/n + a^-(n+1)/2 + Σ B₂ⱼ/(2j)! · (n+1)…(n+2j-1) · a^-(n+2j).
 */
const hurwitz = (b: Build, y: Node, n: number): Node => {
  const one = fill(b, operandType(y), 1)
  const terms = 6 + n
  const inverse = b.div([one, offset(b, y, terms)], {})
  let factor = 1 / 2
  const rest = bernoulli.map((number, i) => {
    // (n + 1)…(n + 2j - 1) / (2j)! for j = i + 1, from the one before.
    factor *= i === 0 ? n + 1 : ((n + 2 * i) * (n + 2 * i + 1)) / ((2 * i + 1) * (2 * i + 2))
    return number * factor
  })
  const squared = b.mul([inverse, inverse], {})
  const bracket = offset(
    b,
    b.mul([inverse, offset(b, b.mul([inverse, polynomial(b, squared, rest)], {}), 1 / 2)], {}),
    1 / n,
  )
  let sum: Node = b.mul([power(b, inverse, n), bracket], {})
  for (let k = terms - 1; k >= 0; k--)
    sum = b.add([sum, power(b, b.div([one, k === 0 ? y : offset(b, y, k)], {}), n + 1)], {})
  return sum
}

/** dⁿ/dxⁿ cot x as a polynomial of cot x: each derivative is -(1 + c²) times the one by c. */
const cotangentDerivative = (n: number): readonly number[] => {
  let p: readonly number[] = [0, 1]
  for (let i = 0; i < n; i++) {
    const slope = p.slice(1).map((c, k) => c * (k + 1))
    p = Array.from({ length: p.length + 1 }, (_, k) => -(slope[k] ?? 0) - (slope[k - 2] ?? 0))
  }
  return p
}

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))

/** The n-th derivative of digamma, n >= 1. Both branches are finite away from the poles, so that gradients pass `select`. */
export const polygamma = (b: Build, x: Node, n: number): Node => {
  const type = operandType(x)
  const left = b.lt([x, fill(b, type, 0)], {})
  const value = hurwitz(b, b.select([left, subtractFrom(b, 1, x), x], {}), n)
  const right = scale(b, value, n % 2 === 0 ? -factorial(n) : factorial(n))
  const distance = b.sub([x, b.round([x], {})], {})
  const angle = scale(b, b.select([left, distance, fill(b, type, 0.25)], {}), Math.PI)
  const cotangent = b.div([b.cos([angle], {}), b.sin([angle], {})], {})
  const turned = scale(b, polynomial(b, cotangent, cotangentDerivative(n)), Math.PI ** (n + 1))
  return b.select([left, b.sub([n % 2 === 0 ? right : b.neg([right], {}), turned], {}), right], {})
}
