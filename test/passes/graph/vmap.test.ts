import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { batchGraph } from '../../../passes/graph/batch.ts'
import { errorsOf } from '../../../passes/graph/check.ts'
import { grad, jvp } from '../../../passes/graph/gradient.ts'
import { vmap } from '../../../passes/graph/vmap.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import * as T from '../../../src/index.ts'
import { allocate } from '../../../src/lang/dtype.ts'
import { TensorloomError } from '../../../src/lang/errors.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/order.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { nodeOf } from '../../../src/lang/types.ts'
import * as nn from '../../../src/nn/index.ts'
import * as random from '../../../src/random/index.ts'
import * as testing from '../../../src/testing/index.ts'

const size = 3

/** Example `i` of an argument: its own value, then the same numbers turned by a step that differs by input. */
const turned = (v: Value, input: number, i: number): Value => {
  const data = allocate(v.dtype, v.data.length)
  for (let e = 0; e < data.length; e++) data[e] = v.data[(e + i * (input + 1)) % data.length]!
  return { ...v, data }
}

const stackOf = (vs: readonly Value[]): Value => {
  const one = vs[0]!
  const data = allocate(one.dtype, one.data.length * vs.length)
  for (const [i, v] of vs.entries()) data.set(v.data as never, i * one.data.length)
  return { ...one, shape: [vs.length, ...one.shape], data }
}

/** The outputs; undefined where an index is out of range. */
const outputsOf = (graph: Graph, xs: readonly Value[]): readonly Value[] | undefined => {
  try {
    return evaluate(graph, xs)
  } catch (e) {
    if (e instanceof TensorloomError && e.error.tag === 'IndexError') return undefined
    throw e
  }
}

/** Each example of `graph` batched in `flags` against the graph alone, bit by bit; the reason where they differ. */
const differs = ({ graph, inputs }: testing.Sample, flags: readonly boolean[]): string | undefined => {
  const batch = batchGraph(graph, flags, size)
  const wrong = verifyGraph(batch.graph, 'checked')[0]
  if (wrong) return wrong
  const examples = Array.from({ length: size }, (_, i) => {
    const xs = inputs.map((v, k) => (flags[k] ? turned(v, k, i) : v))
    // Turned numbers may not be indices any more; then the example is the sample's own once more.
    const values = outputsOf(graph, xs)
    return values ? { xs, values } : { xs: inputs, values: evaluate(graph, inputs) }
  })
  const stacked = inputs.map((v, k) => (flags[k] ? stackOf(examples.map((e) => e.xs[k]!)) : v))
  const got = evaluate(batch.graph, stacked)
  for (const [k, v] of got.entries()) {
    const want = batch.batched[k] ? stackOf(examples.map((e) => e.values[k]!)) : examples[0]!.values[k]!
    if (v.dtype !== want.dtype || v.shape.join() !== want.shape.join())
      return `output ${k}: ${v.shape} for ${want.shape}`
    const at = want.data.findIndex((x, e) => !Object.is(x, v.data[e]))
    if (at >= 0) return `output ${k}, element ${at}: ${v.data[at]} together, ${want.data[at]} alone`
  }
  return undefined
}

describe('batchGraph', () => {
  it('is f example by example on random graphs, exactly, whichever inputs are batched', () => {
    fc.assert(
      fc.property(testing.arbGraph({ maxNodes: 14, maxElements: 64 }), fc.nat(255), (sample, bits) => {
        const flags = sample.inputs.map((_, i) => ((bits >> (i % 8)) & 1) === 1)
        expect(differs(sample, flags)).toBeUndefined()
      }),
      { seed: 42, numRuns: 300 },
    )
  })
})
