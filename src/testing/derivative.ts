/** Derivatives of random programs as random programs: their gradients go through every layer like any other graph. */
import { jvpGraph } from '../../passes/transform/jvp.ts'
import { linearise } from '../../passes/transform/linearise.ts'
import { transpose } from '../../passes/transform/transpose.ts'
import { build, constant, typeOf } from '../lang/build.ts'
import { sizeOf } from '../lang/dim.ts'
import { isFloat } from '../lang/dtype.ts'
import type { Node, TensorType } from '../lang/ir.ts'
import { fill } from '../lang/ops/rule-parts.ts'
import type { Sample } from './sample.ts'

/** Fixed, unequal weights: quarters from -1 to 1 without 0. */
const weights = (type: TensorType, salt: number): Node =>
  constant(
    type,
    Float64Array.from({ length: sizeOf(type.shape) }, (_, i) => {
      const quarter = ((i * 7 + salt * 3) % 8) - 4
      return (quarter < 0 ? quarter : quarter + 1) / 4
    }),
  )

/** A derivative of a sample: the sample that computes it, and which inputs (outputs) of the original its outputs go with. */
export interface Derivative {
  readonly sample: Sample
  readonly of: readonly number[]
  /** The cotangents (tangents), one per output (input) of the original; undefined where it has none. */
  readonly weights: readonly (Node | undefined)[]
}

/** What the results of a function are weighted with: one constant an output. */
export type Cotangents = (type: TensorType, output: number) => Node

/** The gradient of Σ weights · outputs in every float input that matters; undefined when none does. */
export const gradientOf = ({ graph, inputs }: Sample, cotangents: Cotangents = weights): Derivative | undefined => {
  const linear = linearise(graph)
  const given = linear.tangents.map((t, i) => t && cotangents(typeOf(t), i))
  const places = linear.inputs.flatMap((n, i) => (n ? [{ n, i }] : []))
  const found = transpose(
    linear.tangents,
    places.map((p) => p.n),
    given,
  )
  const kept = places.flatMap(({ i }, k) => (found[k] ? [{ node: found[k], i }] : []))
  if (kept.length === 0) return undefined
  return {
    sample: { graph: { inputs: graph.inputs, outputs: kept.map((k) => k.node) }, inputs },
    of: kept.map((k) => k.i),
    weights: given,
  }
}

/**
 * A step of gradient descent: the sample's results, and every float input moved against its gradient. Its new inputs have
 * the types of the old, so they can take their places.
 */
export const descentOf = (sample: Sample): Sample | undefined => {
  const gradient = gradientOf(sample)
  if (!gradient) return undefined
  const { graph, inputs } = sample
  const moved = gradient.of.map((at, k) => {
    const x = graph.inputs[at]!
    const by = build.mul([gradient.sample.graph.outputs[k]!, fill(build, typeOf(x), 0.125)], {})
    return build.sub([x, by], {})
  })
  return { graph: { inputs: graph.inputs, outputs: [...graph.outputs, ...moved] }, inputs }
}

/** The directional derivative along a fixed direction in every float input, by forward mode; undefined when there is none. */
export const tangentOf = ({ graph, inputs }: Sample): Sample | undefined => {
  const given = graph.inputs.map((n, i) => (isFloat(n.params.dtype) ? weights(n.params, i) : undefined))
  const outputs = jvpGraph(graph, given).filter((t) => t !== undefined)
  return outputs.length === 0 ? undefined : { graph: { inputs: graph.inputs, outputs }, inputs }
}
