/**
 * What gradients say beside what finite differences of the Float64 interpreter say, element by element where there are
 * few and along random directions where there are many: one wrong element of a thousand shows in every direction.
 */
import { isReverseOnly } from '../../passes/graph/inline.ts'
import { jvpGraph } from '../../passes/transform/jvp.ts'
import { constant, typeOf } from '../lang/build.ts'
import { sizeOf } from '../lang/dim.ts'
import { allocate, isFloat } from '../lang/dtype.ts'
import { evaluate } from '../lang/evaluate.ts'
import type { Node, TensorType } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { gradientOf } from './derivative.ts'
import { type Dice, seededDice } from './dice.ts'
import type { Sample } from './sample.ts'

/** Some elements of one input, moved together: what the gradient says, and what finite differences say. */
export interface SlopePair {
  readonly input: number
  readonly elements: readonly number[]
  readonly gradient: number
  readonly difference: number
  /** What rounding makes of the difference at most. */
  readonly noise: number
  /** False where the differences to either side disagree: a kink or a jump lies near. */
  readonly settled: boolean
}

/** How slopes are taken. */
export interface SlopeOptions {
  /** Up to so many elements of an input are moved one by one, more of them along random directions; 24 unless said. */
  readonly maxElements?: number | undefined
  /** Allowed difference relative to the larger of the two, beyond which a direction is searched for its element. */
  readonly tolerance?: number | undefined
  /** Where cotangents and directions come from. */
  readonly dice?: Dice | undefined
  /** Whether float outputs without a derivative count too: they say that they do not change. */
  readonly isWhole?: boolean | undefined
}

/** Every element takes part in a direction, so few of them suffice; more than one, as in one of them errors may cancel. */
const directions = 8

const dotOf = (
  xs: readonly (Value | undefined)[],
  ys: readonly (Value | undefined)[],
): { sum: number; size: number } => {
  let sum = 0
  let size = 0
  xs.forEach((x, k) => {
    const y = ys[k]
    if (!x || !y) return
    x.data.forEach((v, i) => {
      sum += v * y.data[i]!
      size += Math.abs(v * y.data[i]!)
    })
  })
  return { sum, size }
}

/** The value of a node that depends on no input. */
export const constantOf = (n: Node | undefined): Value | undefined => n && evaluate({ inputs: [], outputs: [n] }, [])[0]

/** Of either sign and never near 0, so that nothing hides behind a small weight; few bits, which every float dtype holds. */
const drawWeights = (dice: Dice, size: number): Float64Array =>
  Float64Array.from({ length: size }, () => (dice.chance(0.5) ? 1 : -1) * (0.5 + dice.int(0, 16) / 16))

/** Random cotangents: one constant for each output that they are asked for. */
export const drawCotangent =
  (dice: Dice) =>
  (type: TensorType): Node =>
    constant(type, drawWeights(dice, sizeOf(type.shape)))

/** Whether a gradient is what finite differences say. */
export const agrees = (p: SlopePair, tolerance: number): boolean =>
  Math.abs(p.gradient - p.difference) <=
  tolerance * Math.max(1e-2, Math.abs(p.gradient), Math.abs(p.difference)) + p.noise

/** A function of one input's elements: Σ weights · outputs with some of them moved, and the gradient it should have. */
interface Target {
  readonly input: number
  readonly lossAt: (moves: ReadonlyMap<number, number>) => number
  readonly here: number
  readonly rounding: number
  readonly at: (element: number) => number
  readonly gradientAt: (element: number) => number
}

/** `by` along the given elements: one of them as it is, several by their weights times their own size. */
const probe = (target: Target, elements: readonly number[], along: Float64Array | undefined): SlopePair => {
  const scaleOf = (e: number): number => Math.max(1, Math.abs(target.at(e)))
  const isOne = elements.length === 1
  const stepOf = (e: number): number => (isOne || !along ? 1 : along[e]! * scaleOf(e))
  const width = 1e-5 * (isOne ? scaleOf(elements[0]!) : 1)
  const side = (by: number): number =>
    (target.lossAt(new Map(elements.map((e) => [e, by * stepOf(e)]))) - target.here) / by
  const [above, below, near] = [side(width), side(-width), side(width / 4)]
  const difference = (above + below) / 2
  const noise = (4 * target.rounding) / width
  // The sides of a curve differ by its second derivative times the width, those of a kink by the kink; and the slope
  // of a jump grows as the width falls.
  const slack = 1e-3 * Math.max(1, Math.abs(difference)) + noise
  return {
    input: target.input,
    elements,
    gradient: elements.reduce((sum, e) => sum + target.gradientAt(e) * stepOf(e), 0),
    difference,
    // What the curve bends within the width: where a gradient is 0 and turns, as in relu(x)² at 0, it is all there is.
    noise: noise + Math.abs(above - below) / 2,
    settled: Math.abs(above - below) <= slack && Math.abs(above - near) <= slack,
  }
}

/**
 * One direction, halved as long as it crosses a kink or disagrees: what is left of a direction after its kinks can still
 * be judged, and the element that is wrong can be named. `probes` bounds the search.
 */
const searched = (
  target: Target,
  along: Float64Array,
  isGood: (p: SlopePair) => boolean,
  probes: number,
): readonly SlopePair[] => {
  let left = probes
  const search = (elements: readonly number[]): readonly SlopePair[] => {
    left--
    const whole = probe(target, elements, along)
    if (isGood(whole) || elements.length === 1 || left < 2) return [whole]
    const middle = elements.length >> 1
    const parts = [...search(elements.slice(0, middle)), ...search(elements.slice(middle))]
    // Small errors may show only together.
    return whole.settled && parts.every(isGood) ? [whole] : parts
  }
  return search(Array.from(along, (_, e) => e))
}

/**
 * Gradients of Σ weights · outputs of a sample beside central differences of the interpreter, for each float input; an
 * input without a gradient says that nothing depends on it. Undefined when no output depends smoothly on a float input.
 */
export const slopesOf = (sample: Sample, options: SlopeOptions = {}): readonly SlopePair[] | undefined => {
  const { maxElements = 24, tolerance = 1e-3, dice = seededDice(42), isWhole = false } = options
  const { graph, inputs } = sample
  const cotangent = drawCotangent(dice)
  const gradient = gradientOf(sample, cotangent)
  if (!gradient && !isWhole) return undefined
  const weights = graph.outputs.map((n, i) => {
    const known = gradient?.weights[i]
    return constantOf(known ?? (isWhole && isFloat(typeOf(n).dtype) ? cotangent(typeOf(n)) : undefined))
  })
  const found = gradient ? evaluate(gradient.sample.graph, inputs) : []
  const here = dotOf(evaluate(graph, inputs), weights)
  const isGood = (p: SlopePair): boolean => p.settled && agrees(p, tolerance)
  return inputs.flatMap((v, input): readonly SlopePair[] => {
    if (!isFloat(v.dtype)) return []
    const slope = found[gradient?.of.indexOf(input) ?? -1]?.data
    const target: Target = {
      input,
      here: here.sum,
      rounding: here.size * 1e-15,
      at: (e) => v.data[e]!,
      gradientAt: (e) => slope?.[e] ?? 0,
      lossAt: (moves) => {
        const data = allocate(v.dtype, v.data.length)
        data.set(v.data)
        for (const [e, by] of moves) data[e]! += by
        return dotOf(evaluate(graph, inputs.with(input, { ...v, data })), weights).sum
      },
    }
    if (v.data.length <= maxElements) return Array.from(v.data, (_, e) => probe(target, [e], undefined))
    return Array.from({ length: Math.min(maxElements, directions) }).flatMap(() =>
      searched(target, drawWeights(dice, v.data.length), isGood, 2 * maxElements),
    )
  })
}

/**
 * ⟨weights, J·t⟩ and ⟨Jᵀ·weights, t⟩ for a random direction t: equal for every program, kinks included. `size` is what
 * their terms add up to without signs. Undefined where nothing has a derivative, or something has none in forward mode.
 */
export const dotTest = (
  sample: Sample,
  dice: Dice = seededDice(42),
): { forward: number; reverse: number; size: number } | undefined => {
  const cotangent = drawCotangent(dice)
  const gradient = gradientOf(sample, cotangent)
  if (!gradient) return undefined
  const { graph, inputs } = sample
  if (isReverseOnly(graph.outputs)) return undefined
  const along = inputs.map((v) => (isFloat(v.dtype) ? cotangent(v) : undefined))
  const tangents = jvpGraph(graph, along)
  const kept = tangents.flatMap((t, i) => (t ? [{ t, i }] : []))
  const moved = evaluate({ inputs: graph.inputs, outputs: kept.map((k) => k.t) }, inputs)
  const forward = dotOf(
    moved,
    kept.map((k) => constantOf(gradient.weights[k.i])),
  )
  const pulled = evaluate(gradient.sample.graph, inputs)
  const reverse = dotOf(
    pulled,
    gradient.of.map((i) => constantOf(along[i])),
  )
  return { forward: forward.sum, reverse: reverse.sum, size: forward.size + reverse.size }
}
