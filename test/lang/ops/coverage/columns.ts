/** The columns of the coverage table: each judges one program around one op, on the interpreters. */
import { hardware, portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import { isReverseOnly } from '../../../../passes/graph/inline.ts'
import { isBufferLeaf } from '../../../../passes/loop/fuse/stored-nodes.ts'
import { batchOnto } from '../../../../passes/transform/batch.ts'
import { jvpGraph } from '../../../../passes/transform/jvp.ts'
import { build as b, constant, typeOf } from '../../../../src/lang/build.ts'
import { isFloat } from '../../../../src/lang/dtype.ts'
import { TensorloomError } from '../../../../src/lang/errors.ts'
import { evaluate } from '../../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../../src/lang/ir.ts'
import { fill } from '../../../../src/lang/ops/rule-parts.ts'
import type { Value } from '../../../../src/lang/primitive.ts'
import { gradientOf } from '../../../../src/testing/derivative.ts'
import { type Sample, showSample } from '../../../../src/testing/sample.ts'
import { agrees, dotTest, slopesOf } from '../../../../src/testing/slopes.ts'
import { difference, expectation } from '../../../../src/testing/tolerance.ts'
import { planOf, runKernelInterp, runLoop } from '../../../differential.ts'
import { stagesOf } from '../../../random/harness.ts'

/** What came of judging: 'right', nothing to judge (`none`), or rounding decides (`skipped`). Mistakes are thrown. */
export type Verdict = 'right' | 'none' | 'skipped'

const wrong = (what: string, sample: Sample): never => {
  throw new Error(`${what}\n${showSample(sample)}`)
}

/** The program after all passes. */
const lowered = (graph: Graph): Graph => stagesOf(graph).at(-1)!.graph

/** Loop and Kernel interpreter against the Float64 reference. */
export const forward = (sample: Sample): Verdict => {
  const expected = expectation(sample)
  if ('discarded' in expected) return 'skipped'
  const graph = lowered(sample.graph)
  for (const [name, run] of [
    ['Loop interpreter', () => runLoop(graph, sample.inputs, portable)],
    ['Kernel interpreter', () => runKernelInterp(graph, sample.inputs, hardware)],
  ] as const) {
    const found = difference(expected, run(), graph)
    if (found) wrong(`${name}: ${found}`, sample)
  }
  return 'right'
}

/** An elementwise user of a node. */
const consumer = (n: Node): Node => {
  const type = typeOf(n)
  return type.dtype === 'bool' ? b.not([n], {}) : b.add([n, fill(b, type, 1)], {})
}

/** The same program with a user behind every result. */
export const withConsumers = ({ graph, inputs }: Sample): Sample => ({
  graph: { inputs: graph.inputs, outputs: graph.outputs.map(consumer) },
  inputs,
})

/** Dispatches of a program. */
const dispatches = (graph: Graph): number => planOf(lowered(graph)).plan.prediction.dispatches

/** Whether users of the results are computed where the results are. */
export const joins = (sample: Sample): boolean => {
  const { inputs, outputs } = sample.graph
  // Leaves are in memory anyway, and their users are all there is to compute.
  if (outputs.every(isBufferLeaf)) return true
  const alone = dispatches({ inputs, outputs })
  return alone > 0 && dispatches(withConsumers(sample).graph) <= alone
}

/** What `f` gives, or 'none' where the op has no derivative of this kind and says so. */
const whereDefined = (f: () => Verdict): Verdict => {
  try {
    return f()
  } catch (e) {
    if (e instanceof TensorloomError && e.error.tag === 'UsageError' && /(reverse|forward) mode/.test(e.message))
      return 'none'
    throw e
  }
}

const gradOf = (sample: Sample): Verdict => {
  const slopes = slopesOf(sample, { maxElements: 6 })
  if (!slopes) return 'none'
  const settled = slopes.filter((p) => p.settled && Number.isFinite(p.difference))
  for (const p of settled) if (!agrees(p, 1e-3)) wrong(`gradient: ${JSON.stringify(p)}`, sample)
  return settled.length > 0 || slopes.length === 0 ? 'right' : 'skipped'
}

/** Gradients against central differences; 'none' where nothing has a derivative. */
export const grad = (sample: Sample): Verdict => whereDefined(() => gradOf(sample))

/** Fixed numbers without a pattern, from -1.5 to 1.5. */
const spread = (salt: number, size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, e) => (((e * 5 + salt * 3) % 7) - 3) / 2)

/** Σ weights · outputs, and what its terms add up to without signs. */
const weighted = (values: readonly (Value | undefined)[]): { readonly sum: number; readonly size: number } => {
  let [sum, size] = [0, 0]
  values.forEach((v, k) => {
    const weights = spread(k + 1, v?.data.length ?? 0)
    v?.data.forEach((x, i) => {
      sum += x * weights[i]!
      size += Math.abs(x * weights[i]!)
    })
  })
  return { sum, size }
}

/** The tangent along one direction against central differences, and against reverse mode where there is one. */
const jvpOf = (sample: Sample): Verdict => {
  const { graph, inputs } = sample
  const directions = inputs.map((v, i) => (isFloat(v.dtype) ? spread(i, v.data.length) : undefined))
  const tangents = jvpGraph(
    graph,
    directions.map((d, i) => d && constant(inputs[i]!, d)),
  )
  if (!tangents.some((t) => t !== undefined)) return 'none'
  const known = evaluate({ inputs: graph.inputs, outputs: tangents.filter((t) => t !== undefined) }, inputs)
  let next = 0
  const tangent = weighted(tangents.map((t) => t && known[next++]!))
  const floats = (values: readonly Value[]): readonly (Value | undefined)[] =>
    values.map((v, k) => (tangents[k] ? v : undefined))
  const at = (by: number): number => {
    const moved = inputs.map((v, i): Value => {
      const d = directions[i]
      return d ? { ...v, data: Float64Array.from(v.data, (x, e) => x + by * d[e]!) } : v
    })
    return weighted(floats(evaluate(graph, moved))).sum
  }
  const here = weighted(floats(evaluate(graph, inputs)))
  const width = 1e-5
  const side = (by: number): number => (at(by) - here.sum) / by
  const [above, below, near] = [side(width), side(-width), side(width / 4)]
  const slack = 1e-3 * Math.max(1, Math.abs(above)) + (4e-15 * here.size) / width
  if (!Number.isFinite(above + below + near)) return 'skipped'
  if (Math.abs(above - below) > slack || Math.abs(above - near) > slack) return 'skipped'
  if (!(Math.abs((above + below) / 2 - tangent.sum) <= slack)) wrong(`tangent ${tangent.sum}, not ${above}`, sample)
  return 'right'
}

const modesOf = (sample: Sample): Verdict => {
  const both = dotTest(sample)
  if (!both) return 'none'
  const { forward: f, reverse: r, size } = both
  if (!Number.isFinite(size)) return 'skipped'
  if (!(Math.abs(f - r) <= 1e-9 * Math.max(1e-3, size))) wrong(`forward mode gives ${f}, reverse mode ${r}`, sample)
  return 'right'
}

/** Tangents against central differences, and forward mode against reverse mode where there are both. */
export const jvp = (sample: Sample): Verdict => {
  if (isReverseOnly(sample.graph.outputs)) return 'none'
  const found = jvpOf(sample)
  if (found === 'right') whereDefined(() => modesOf(sample))
  return found
}

/** The gradient's own gradient; 'none' where the op is linear. */
export const second = (sample: Sample): Verdict =>
  whereDefined(() => {
    const gradient = gradientOf(sample)
    return gradient ? gradOf(gradient.sample) : 'none'
  })

const turned = ({ shape, dtype, data }: Value, by: number): Value => ({
  shape,
  dtype,
  data: data.map((_, i) => data[(i + by) % data.length]!) as Value['data'],
})

/** A batch of three against each example alone. Examples hold the same numbers, each in another order. */
export const vmap = (sample: Sample): Verdict => {
  const { graph, inputs } = sample
  if (inputs.length === 0) return 'none'
  const examples = [0, 1, 2].map((by) => inputs.map((v) => turned(v, by)))
  const stacked = inputs.map((v, i) => {
    const data = examples.flatMap((xs) => Array.from(xs[i]!.data))
    return constant({ shape: [3, ...v.shape], dtype: v.dtype }, data)
  })
  const { outputs, batched } = batchOnto(
    graph,
    stacked,
    inputs.map(() => true),
    3,
  )
  const together = evaluate({ inputs: [], outputs }, [])
  examples.forEach((xs, e) => {
    evaluate(graph, xs).forEach((want, o) => {
      const got = together[o]!.data.slice(batched[o] ? e * want.data.length : 0)
      // A batch of sums may add in another order.
      const bad = want.data.findIndex((x, i) => {
        const y = got[i]!
        return !(Object.is(x, y) || Math.abs(x - y) <= 1e-9 * Math.max(1, Math.abs(x)))
      })
      if (bad >= 0)
        wrong(`example ${e} of a batch: output ${o}, element ${bad}: ${got[bad]}, not ${want.data[bad]}`, sample)
    })
  })
  return 'right'
}
