/** Random programs mapped over an axis of a named size, summed and differentiated along it, agree with those of known sizes. */
import fc from 'fast-check'
import { test } from 'vitest'
import * as T from '../../src/index.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import type { Graph } from '../../src/lang/ir.ts'
import { instantiate } from '../../src/lang/trace.ts'
import { nodeOf, tensorOf } from '../../src/lang/types/tensor.ts'
import { arbGraph, type GraphOptions } from '../../src/testing/arb-graph.ts'
import { type AnyProgram, expectAgreement, type SizedSpec } from '../passes/graph/sizes/agree.ts'
import { runs } from './harness.ts'

const seed = 4711
const n = T.dim('n', { max: 7 })
const sizes = [1, 3, 7].map((k) => ({ n: k }))

type Tensors = readonly T.Tensor[]

const call = (graph: Graph, xs: Tensors): Tensors => instantiate(graph, xs.map(nodeOf)).map(tensorOf)

const floats = (xs: Tensors): Tensors => xs.filter((x) => isFloat(x.dtype))

/** The graph for each element of a batch, and what all of them come to. */
const mapped =
  (graph: Graph): AnyProgram =>
  (...xs) => {
    const rows = T.vmap((...one: Tensors) => call(graph, one) as never)(...(xs as never[])) as unknown as Tensors
    return [...rows, ...floats(rows).flatMap((x) => [T.sum(x, { axis: 0 }), T.mean(x), T.max(x, { axis: 0 })])]
  }

/** The slope of all results together along the first argument, which all elements share. */
const slopes =
  (graph: Graph): AnyProgram =>
  (first, ...rest) => {
    const total = (w: T.Tensor): T.Tensor => {
      const inAxes = [null, ...rest.map(() => 0)]
      const f = T.vmap((...one: Tensors) => floats(call(graph, one)) as never, { inAxes } as never)
      const results = f(...([w, ...rest] as never[])) as unknown as Tensors
      return results.reduce((sum: T.Tensor, x) => T.add(sum, T.mean(T.tanh(x))), T.tensor(0, { dtype: 'f32' }))
    }
    return T.grad(total as never)(first as never)
  }

const agrees = (
  options: GraphOptions,
  count: number,
  subject: (graph: Graph) => AnyProgram | undefined,
  axes: (i: number) => readonly [T.NamedSize] | readonly [],
): void =>
  fc.assert(
    fc.property(arbGraph(options), ({ graph }) => {
      const f = subject(graph)
      if (!f || graph.inputs.length === 0) return
      const specs = graph.inputs.map(
        ({ params: { shape, dtype } }, i): SizedSpec => ({ shape: [...axes(i), ...shape], dtype }),
      )
      expectAgreement(f, specs, sizes)
    }),
    { seed, numRuns: count },
  )

const timeout = 60 * 60_000

test('values', { timeout }, () => agrees({ maxNodes: 20, specials: false }, runs(150, 6000), mapped, () => [n]))

test('slopes', { timeout }, () =>
  agrees(
    { maxNodes: 15, specials: false, without: ['while'], dtypes: ['f32', 'i32', 'bool'] },
    runs(100, 4000),
    (graph) => {
      const [first, ...rest] = graph.inputs
      const isDifferentiable = first && isFloat(first.params.dtype) && rest.length > 0
      return isDifferentiable && graph.outputs.some((o) => isFloat(tensorOf(o).dtype)) ? slopes(graph) : undefined
    },
    (i) => (i === 0 ? [] : [n]),
  ),
)
