/** The step along a direction that satisfies the strong Wolfe conditions, found on the device. */
import {
  abs,
  add,
  clamp,
  div,
  full,
  greater,
  isfinite,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  mul,
  sqrt,
  sub,
  sum,
  where,
  whileLoop,
} from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** A function's value and gradient at a vector of f32. */
export type Objective = (x: Tensor) => readonly [Tensor, Tensor]

/** A point with its value and gradient. */
export interface Point {
  readonly x: Tensor
  readonly value: Tensor
  readonly gradient: Tensor
}

/** A step along the direction, with the value and the slope there. */
interface Probe {
  readonly step: Tensor
  readonly value: Tensor
  readonly slope: Tensor
}

/** The steps between which one is sought: `low` goes down enough, and `high` is too far (infinite as long as none is known). */
interface Search {
  readonly low: Probe & { readonly gradient: Tensor }
  readonly high: Probe
  /** The step that is tried next. */
  readonly next: Tensor
  readonly evaluations: Tensor
  readonly found: Tensor
}

/** How the search decides. */
export interface LineSearchOptions {
  /** By what part of the slope the value has to fall: 0.0001. */
  readonly c1?: number | undefined
  /** To what part of itself the slope has to fall: 0.9. */
  readonly c2?: number | undefined
  /** How often the loss is evaluated at most: 25. */
  readonly maxEvaluations?: number | undefined
}

const scalar = (x: number): Tensor => full([], x)

export const dot = (x: Tensor, y: Tensor): Tensor => sum(mul(x, y)) as Tensor

/** Where the cubic through two probes is least, kept off the ends by a tenth; the middle where there is no such number. */
const between = (a: Probe, b: Probe): Tensor => {
  const width = sub(b.step, a.step)
  const secant = mul(div(sub(b.value, a.value), width), 3)
  const theta = sub(add(a.slope, b.slope), secant)
  const root = sqrt(sub(mul(theta, theta), mul(a.slope, b.slope)))
  const part = sub(1, div(sub(add(b.slope, root), theta), add(sub(b.slope, a.slope), mul(root, 2))))
  return add(a.step, mul(width, where(isfinite(part), clamp(part, { min: 0.1, max: 0.9 }), 0.5)))
}

/**
 * The point x + a·direction with f(x + a·d) ≤ f(x) + c1·a·f'·d and |slope| ≤ c2·|slope at x| (Nocedal and Wright 2006, section
 * 3.5), tried from a = 1 on: four times as far as long as the value falls steeply, then between the last step that was not far
 * enough and one that was too far, which hold such a point between them. A value that is not finite is too far. After
 * `maxEvaluations` it is the last point that went down enough, at worst the first.
 */
export const lineSearch = (f: Objective, from: Point, direction: Tensor, options: LineSearchOptions): Point => {
  const { c1 = 1e-4, c2 = 0.9, maxEvaluations = 25 } = options
  const slope = dot(from.gradient, direction)
  // Near the end, rounding of the value hides how it falls; the slope does not.
  const slack = mul(abs(from.value), 2 ** -22)
  const along = (step: Tensor): Tensor => add(from.x, mul(direction, step))
  const turn = (now: Search): Search => {
    const [value, gradient] = f(along(now.next))
    const probe: Probe = { step: now.next, value, slope: dot(gradient, direction) }
    const falls = lessEqual(value, add(add(from.value, slack), mul(mul(slope, c1), now.next)))
    const found = logicalAnd(falls, lessEqual(abs(probe.slope), mul(abs(slope), c2)))
    const isLow = logicalAnd(falls, logicalOr(found, lessEqual(probe.slope, 0)))
    const pick = (isNew: typeof isLow, a: Tensor, b: Tensor): Tensor => where(isNew, a, b) as Tensor
    const low = {
      step: pick(isLow, probe.step, now.low.step),
      value: pick(isLow, value, now.low.value),
      slope: pick(isLow, probe.slope, now.low.slope),
      gradient: pick(isLow, gradient, now.low.gradient),
    }
    const isHigh = logicalNot(isLow)
    const high = {
      step: pick(isHigh, probe.step, now.high.step),
      value: pick(isHigh, value, now.high.value),
      slope: pick(isHigh, probe.slope, now.high.slope),
    }
    const next = pick(isfinite(high.step), between(low, high), mul(low.step, 4))
    return { low, high, next, evaluations: add(now.evaluations, full([], 1, { dtype: 'i32' })), found }
  }
  const none = scalar(Number.POSITIVE_INFINITY)
  const start: Search = {
    low: { step: scalar(0), value: from.value, slope, gradient: from.gradient },
    high: { step: none, value: none, slope: scalar(0) },
    next: scalar(1),
    evaluations: full([], 0, { dtype: 'i32' }),
    found: full([], false, { dtype: 'bool' }),
  }
  const { low } = whileLoop((now) => logicalNot(now.found as never), turn, start, { maxIterations: maxEvaluations })
  // Along a direction that is not finite, even no step at all would lead away.
  const x = where(greater(low.step, 0), along(low.step), from.x) as Tensor
  return { x, value: low.value, gradient: low.gradient }
}
