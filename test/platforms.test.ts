/**
 * Emitted modules on three WebGPU implementations: Dawn in Node, Chromium, and Deno (wgpu with naga). Hand-made programs
 * of every dtype and kind of result, where one that fails must not hide the others; then random programs.
 */
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { build, typeOf } from '../src/lang/build.ts'
import { sizeOf } from '../src/lang/dim.ts'
import { allocate, type HostArray } from '../src/lang/dtype.ts'
import { evaluate } from '../src/lang/evaluate.ts'
import type { Graph, Node, Op } from '../src/lang/ir.ts'
import { primitives } from '../src/lang/ops/primitive-table.ts'
import type { Value } from '../src/lang/primitive.ts'
import * as T from '../src/lang/tensor/index.ts'
import { trace } from '../src/lang/trace.ts'
import { nodeOf, type Tensor, tensorOf } from '../src/lang/types/tensor.ts'
import { arbGraph } from '../src/testing/arb-graph.ts'
import { type Sample, showSample } from '../src/testing/sample.ts'
import { difference, expectation } from '../src/testing/tolerance.ts'
import { closeBrowser, runCasesInBrowser } from './browser.ts'
import { runCasesInDeno } from './deno.ts'
import { planOf } from './differential.ts'
import type { Case, CaseReport } from './emitted-cases.ts'
import { stagesOf } from './random/harness.ts'
import { rnnCase } from './rnn-step.ts'

afterAll(closeBrowser)

const platforms: readonly (readonly [string, (cases: readonly Case[]) => Promise<CaseReport>])[] = [
  ['Chromium', runCasesInBrowser],
  ['Deno', runCasesInDeno],
]

const caseOf = ({ graph, inputs }: Sample): Case => ({ plan: planOf(graph).plan, inputs: inputs.map((v) => v.data) })

/** The same after the passes: not every op has kernels of its own. */
const simplified = ({ graph, inputs }: Sample): Sample => ({ graph: stagesOf(graph).at(-1)!.graph, inputs })

/** Host arrays as the interpreter's values, to compare them. */
const valuesOf = (graph: Graph, arrays: readonly HostArray[]): readonly Value[] =>
  graph.outputs.map((n, i) => {
    const { shape, dtype } = typeOf(n)
    const data = allocate(dtype, sizeOf(shape))
    data.set(arrays[i]!)
    return { shape, dtype, data }
  })

const value = (dtype: Value['dtype'], shape: readonly number[], values: readonly number[]): Value => {
  const data = allocate(dtype, values.length)
  data.set(values)
  return { dtype, shape, data }
}

const program = (inputs: readonly Value[], f: (...xs: Tensor[]) => readonly Tensor[]): Sample => ({
  graph: trace((ns: readonly Node[]) => f(...ns.map((n) => tensorOf(n))).map(nodeOf), inputs),
  inputs,
})

const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1.5]
const large = Float32Array.from({ length: 100 }, (_, i) => i - 50)

/** Small whole numbers of either sign, whose sums are exact. */
const whole = (size: number): readonly number[] => Array.from({ length: size }, (_, i) => ((i * 37) % 101) - 50)

/** Programs whose results are exact on every device. */
const exact: Readonly<Record<string, Sample>> = {
  'special values': program([value('f32', [5], specials)], (x) => [T.neg(x), T.isnan(x), T.where(T.isfinite(x), x, 7)]),
  'integers at their ends': program(
    [value('i32', [3], [-(2 ** 31), 2 ** 31 - 1, -7]), value('u32', [3], [0, 2 ** 32 - 1, 9])],
    (i, u) => [T.add(i, 1), T.add(u, u), T.bitwiseNot(u)],
  ),
  'packed dtypes': program(
    [
      value('bf16', [5], [1, -2, 0.5, 3, Number.NaN]),
      value('i8', [3], [127, -128, -1]),
      value('u8', [5], [0, 1, 255, 128, 7]),
    ],
    (h, i, u) => [T.mul(h, h), T.add(i, 1), T.neg(u), T.cast(u, 'i8'), T.sum(u), i],
  ),
  'bool in and out': program([value('bool', [4], [1, 0, 0, 1])], (b) => [T.logicalNot(b), T.any(b), T.countNonzero(b)]),
  'scalars and empty tensors': program([value('f32', [], [3]), value('f32', [0, 3], [])], (s, e) => [
    T.mul(s, s),
    T.mul(e, 2),
    T.sum(e, { axis: 0 }),
  ]),
  'results that are arguments and constants': program([value('f32', [3], [1, 2, 3])], (x) => [x, T.zeros([2]), x]),
  'a large constant': program([value('f32', [100], Array.from(large))], (x) => [T.add(x, T.fromArray(large, [100]))]),
  indices: program([value('i32', [2, 2], [3, 0, 1, 3])], (i) => [
    tensorOf(build.gather([nodeOf(T.arange(8, { dtype: 'i32' })), nodeOf(i)], { batch: 0 })),
    tensorOf(build.scatterAdd([nodeOf(i), nodeOf(T.ones([2, 2], { dtype: 'i32' }))], { batch: 0, size: 5 })),
  ]),
  'a loop that only the device knows the end of': simplified(
    program([value('i32', [5], [1, 2, 3, 7, 27])], (start) => {
      // Collatz: how many turns each number takes to 1.
      const turn = ([n, count]: readonly [Tensor, Tensor]): readonly [Tensor, Tensor] => {
        const isOdd = T.equal(T.remainder(n, 2), 1)
        const next = T.where(isOdd, T.add(T.mul(n, 3), 1), T.floorDivide(n, 2))
        const isDone = T.equal(n, 1)
        return [T.where(isDone, n, next), T.add(count, T.cast(T.logicalNot(isDone), 'i32'))]
      }
      const state = [start, T.mul(start, 0)] as readonly [Tensor, Tensor]
      return T.whileLoop(([n]: readonly [Tensor, Tensor]) => T.any(T.greater(n, 1)), turn, state, { chunk: 5 })
    }),
  ),
  'sorts, prefix sums and branches': simplified(
    program([value('i32', [2, 5], [3, -1, 3, 9, 0, 7, 7, 2, -8, 5]), value('i32', [], [1])], (x, which) => [
      T.sort(x),
      T.argsort(x),
      T.cumsum(x, { axis: 1 }),
      T.switch(which, [(a: Tensor) => T.add(a, 1), (a: Tensor) => T.mul(a, 2)], x),
    ]),
  ),
  'rows and tiles that workgroups share': simplified(
    program([value('f32', [2, 2049], whole(2 * 2049)), value('f32', [65, 50], whole(65 * 50))], (x, a) => [
      T.sum(x, { axis: 1 }),
      T.argmax(x, { axis: 1 }),
      T.sub(x, T.max(x, { axis: 1, keepdims: true })),
      T.relu(T.matmul(a, T.matrixTranspose(a))),
    ]),
  ),
  'random bits': program([value('u32', [2], [1, 2])], (k) => {
    const bits = build.threefry([nodeOf(k), nodeOf(k), nodeOf(k), nodeOf(k)], {})
    return [tensorOf(build.get([bits], { index: 0 })), tensorOf(build.get([bits], { index: 1 }))]
  }),
}

// Only derivatives bring customLinear about, and they transpose it away.
const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => op !== 'customLinear')

/** The same for all platforms, as built and after the passes; programs whose discrete values hang on rounding cannot be judged. */
const drawn = [
  ...fc.sample(arbGraph({ without: ['while', 'cond'] }), { seed: 42, numRuns: 60 }),
  ...fc.sample(arbGraph({ maxNodes: 25, ops }), { seed: 43, numRuns: 60 }).map(simplified),
]
const judged = drawn.flatMap((sample) => {
  const expected = expectation(sample)
  return 'discarded' in expected ? [] : [{ sample, expected }]
})

it('what workgroups share is in workgroup memory', () => {
  const { plan } = caseOf(exact['rows and tiles that workgroups share']!)
  const spaces = plan.kernels.flatMap((k) => k.kernel.arrays.map((a) => a.space))
  expect(spaces.filter((s) => s === 'workgroup').length).toBeGreaterThanOrEqual(4)
})

describe.each(platforms)('%s', (_, run) => {
  it('gives the interpreter’s results, and one error where one program is refused', async () => {
    const samples = Object.values(exact)
    const cases = samples.map(caseOf)
    const { plan, inputs } = cases[0]!
    const broken = {
      ...plan,
      kernels: plan.kernels.map((k) => ({ ...k, wgsl: k.wgsl!.replace('fn main', 'fn main(') })),
    }
    const report = await run([...cases.slice(0, 3), { plan: broken, inputs }, ...cases.slice(3)])
    expect(report.adapter).toMatch(/swiftshader/i)
    expect(report.results).toHaveLength(cases.length + 1)
    expect(report.results[3]).toMatchObject({ error: expect.stringContaining('does not compile') })
    const results = [...report.results.slice(0, 3), ...report.results.slice(4)]
    Object.keys(exact).forEach((name, i) => {
      const { graph, inputs } = samples[i]!
      const result = results[i]!
      if ('error' in result) throw new Error(`${name}: ${result.error}`)
      const got = valuesOf(graph, result.outputs)
      expect([name, got]).toEqual([name, evaluate(graph, inputs)])
    })
  })

  it('trains through a loop, step after step on what stayed on the device', async () => {
    const { given, expected } = rnnCase()
    expect(given.plan.steps.some((s) => s.kind === 'repeat')).toBe(true)
    const { results } = await run([given])
    const [result] = results
    if (!result || 'error' in result) throw new Error(result?.error)
    expected.forEach(({ dtype, data }, i) => {
      const got = Array.from(result.outputs[i]!)
      if (dtype === 'i32') expect(got).toEqual(Array.from(data))
      else got.forEach((x, k) => void expect(x).toBeCloseTo(data[k]!, 5))
    })
  })

  it('runs random programs within their tolerance', async () => {
    expect(judged.length).toBeGreaterThanOrEqual(drawn.length * 0.8)
    const { results } = await run(judged.map(({ sample }) => caseOf(sample)))
    judged.forEach(({ sample, expected }, i) => {
      const result = results[i]!
      const wrong =
        'error' in result ? result.error : difference(expected, valuesOf(sample.graph, result.outputs), sample.graph)
      if (wrong !== undefined) throw new Error(`program ${i}: ${wrong}\n${showSample(sample)}`)
    })
  })
})
