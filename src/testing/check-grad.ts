/** The law of derivatives: gradients agree with finite differences in Float64, and both modes with one another. */
import { isReverseOnly } from '../../passes/graph/inline.ts'
import { jvpGraph } from '../../passes/graph/jvp.ts'
import { constant, typeOf } from '../lang/build.ts'
import { allocate, isFloat } from '../lang/dtype.ts'
import { evaluate } from '../lang/evaluate.ts'
import type { Node } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { demandFunction, demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { traceTree } from '../lang/trace.ts'
import { flattenTree, isTensor } from '../lang/tree.ts'
import { nodeOf, type Tensor } from '../lang/types.ts'
import { gradientOf } from './derivative.ts'
import type { Sample } from './sample.ts'

/** How derivatives are compared. */
export interface GradOptions {
  /** Allowed difference relative to the larger of the two; 1e-4 unless said. */
  readonly tolerance?: number
  /** Elements of each argument that are moved, spread evenly; 24 unless said. */
  readonly maxElements?: number
}

const gradOptions: OptionNames<GradOptions> = { tolerance: 'may', maxElements: 'may' }

/** One element of one input: what the gradient says, and what finite differences say. */
export interface SlopePair {
  readonly input: number
  readonly element: number
  readonly gradient: number
  readonly difference: number
  /** What rounding makes of the difference at most. */
  readonly noise: number
  /** False where the differences to either side disagree: a kink or a jump lies near. */
  readonly settled: boolean
}

const dotOf = (xs: readonly Value[], ys: readonly (Value | undefined)[]): { sum: number; size: number } => {
  let sum = 0
  let size = 0
  xs.forEach((x, k) => {
    const y = ys[k]
    if (!y) return
    x.data.forEach((v, i) => {
      sum += v * y.data[i]!
      size += Math.abs(v * y.data[i]!)
    })
  })
  return { sum, size }
}

const constantOf = (n: Node | undefined): Value | undefined => n && evaluate({ inputs: [], outputs: [n] }, [])[0]

/**
 * Gradients of Σ weights · outputs of a sample beside central differences of the interpreter, for some elements of each
 * float input. Undefined when no output depends smoothly on a float input.
 */
export const slopesOf = (sample: Sample, maxElements = 24): readonly SlopePair[] | undefined => {
  const gradient = gradientOf(sample)
  if (!gradient) return undefined
  const weights = gradient.weights.map(constantOf)
  const found = evaluate(gradient.sample.graph, sample.inputs)
  const lossAt = (input: number, element: number, by: number): { sum: number; size: number } => {
    const moved = sample.inputs.map((v, i) => {
      if (i !== input) return v
      const data = allocate(v.dtype, v.data.length)
      data.set(v.data)
      data[element]! += by
      return { ...v, data }
    })
    return dotOf(evaluate(sample.graph, moved), weights)
  }
  const here = lossAt(0, -1, 0)
  const noise = here.size * 1e-15
  return gradient.of.flatMap((input, k) => {
    const { data } = sample.inputs[input]!
    const step = Math.max(1, Math.ceil(data.length / maxElements))
    const pairs: SlopePair[] = []
    for (let element = 0; element < data.length; element += step) {
      const width = 1e-5 * Math.max(1, Math.abs(data[element]!))
      const side = (by: number): number => (lossAt(input, element, by).sum - here.sum) / by
      const [above, below, near] = [side(width), side(-width), side(width / 4)]
      const difference = (above + below) / 2
      // The sides of a curve differ by its second derivative times the width, those of a kink by the kink; and the slope
      // of a jump grows as the width falls.
      const slack = 1e-3 * Math.max(1, Math.abs(difference)) + (4 * noise) / width
      const settled = Math.abs(above - below) <= slack && Math.abs(above - near) <= slack
      pairs.push({
        input,
        element,
        gradient: found[k]!.data[element]!,
        difference,
        // What the curve bends within the width: where a gradient is 0 and turns, as in relu(x)² at 0, it is all there is.
        noise: (4 * noise) / width + Math.abs(above - below) / 2,
        settled,
      })
    }
    return pairs
  })
}

/** Whether a gradient is what finite differences say. */
export const agrees = (p: SlopePair, tolerance: number): boolean =>
  Math.abs(p.gradient - p.difference) <=
  tolerance * Math.max(1e-2, Math.abs(p.gradient), Math.abs(p.difference)) + p.noise

/**
 * ⟨weights, J·t⟩ and ⟨Jᵀ·weights, t⟩ for a fixed direction t: equal for every program, kinks included. `size` is what
 * their terms add up to without signs. Undefined where nothing has a derivative, or something has none in forward mode.
 */
export const dotTest = (sample: Sample): { forward: number; reverse: number; size: number } | undefined => {
  const gradient = gradientOf(sample)
  if (!gradient) return undefined
  const { graph, inputs } = sample
  if (isReverseOnly(graph.outputs)) return undefined
  const directions = inputs.map((v, i): Node | undefined => {
    if (!isFloat(v.dtype)) return undefined
    return constant(
      v,
      Float64Array.from(v.data, (_, e) => (((e * 5 + i * 3) % 7) - 3) / 2),
    )
  })
  const tangents = jvpGraph(graph, directions)
  const kept = tangents.flatMap((t, i) => (t ? [{ t, i }] : []))
  const moved = evaluate({ inputs: graph.inputs, outputs: kept.map((k) => k.t) }, inputs)
  const forward = dotOf(
    moved,
    kept.map((k) => constantOf(gradient.weights[k.i])),
  )
  const pulled = evaluate(gradient.sample.graph, inputs)
  const reverse = dotOf(
    pulled,
    gradient.of.map((i) => constantOf(directions[i])),
  )
  return { forward: forward.sum, reverse: reverse.sum, size: forward.size + reverse.size }
}

/**
 * Checks `f` at `args` (trees of constant tensors, as f takes them): its gradient against central differences of the
 * Float64 interpreter, for fixed cotangents of all float results, and forward against reverse mode (where a customVjp
 * leaves one). Throws an Error
 * that names the argument and element where they differ, or where the function has a kink.
 * @example
 * testing.checkGrad((x: T.Tensor) => T.sum(T.exp(x)), [T.tensor([0.5, 1])]) // => undefined
 */
export const checkGrad = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  options: GradOptions = {},
): void => {
  demandRecord('checkGrad', gradOptions, options)
  const { tolerance = 1e-4, maxElements = 24 } = options
  const sample = sampleOfCall('checkGrad', f, args)
  const slopes = slopesOf(sample, maxElements)
  if (!slopes) throw new Error('checkGrad: no result depends on a float argument in a way that has a derivative')
  for (const p of slopes) {
    const where = `argument ${sample.paths[p.input]}, element ${p.element}`
    if (!p.settled)
      throw new Error(`checkGrad: ${where}: finite differences do not settle: the function has a kink there`)
    if (!agrees(p, tolerance))
      throw new Error(`checkGrad: ${where}: the gradient is ${p.gradient}, finite differences give ${p.difference}`)
  }
  const both = dotTest(sample)
  if (both === undefined) return
  const { forward, reverse, size } = both
  if (!(Math.abs(forward - reverse) <= 1e-9 * Math.max(1e-3, size)))
    throw new Error(`checkGrad: forward mode gives ${forward}, reverse mode ${reverse} in the same direction`)
}

/** The call `f(...args)` as a sample: the traced graph and the values of the constant tensors; `caller` needs it. */
export const sampleOfCall = <A extends readonly unknown[]>(
  caller: string,
  f: (...args: A) => unknown,
  args: A,
): Sample & { readonly paths: readonly string[] } => {
  demandFunction(caller, 'the first argument', f)
  demandList(caller, args, 'arguments', `${caller}(f, [x])`)
  const { leaves } = flattenTree<Tensor>(args, isTensor)
  const traced = traceTree(f as (...xs: never[]) => unknown, args)
  const inputs = leaves.map((leaf) => constantOf(nodeOf(leaf))!)
  for (const n of traced.graph.outputs) typeOf(n)
  return { graph: traced.graph, inputs, paths: traced.inputPaths }
}
