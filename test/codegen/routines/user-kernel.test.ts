/** Users' WGSL in programs: fused or alone, in the Loop and Kernel interpreters and on the device; its text in modules. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emittedPlan } from '../../../codegen/export/aot/emitted.ts'
import { printModule } from '../../../codegen/export/aot/module.ts'
import { software } from '../../../codegen/targets/wgsl/profiles.ts'
import { inlined } from '../../../passes/graph/inline.ts'
import { grad } from '../../../passes/transform/gradient.ts'
import { vmap } from '../../../passes/transform/vmap.ts'
import { orThrow } from '../../../src/compile/compile.ts'
import { freshInputs, typeOf } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph } from '../../../src/lang/ir.ts'
import { parseGraph } from '../../../src/lang/parse.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { showGraph } from '../../../src/lang/print/graph-text.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import { topological } from '../../../src/lang/topological.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../src/lang/types/tensor.ts'
import { arbGraph } from '../../../src/testing/arb-graph.ts'
import { gradientOf } from '../../../src/testing/derivative.ts'
import { united } from '../../../src/testing/sample.ts'
import { difference, expectation } from '../../../src/testing/tolerance.ts'
import { planOf, runDevice, runKernelInterp, runLoop } from '../../differential.ts'
import { noise } from '../../lang/ops/rules.ts'

/** Names that clash with ours and with one another's. */
const first = T.elementwise({
  name: 'tl_exp',
  wgsl: 'const v0 = 3.0; fn helper(x: f32) -> f32 { return x + v0; } fn tl_exp(x: f32) -> f32 { return helper(x); }',
  reference: (x: number) => x + 3,
})
const second = T.elementwise({
  name: 'clash',
  wgsl: 'fn helper(x: f32) -> f32 { return x * 2; } fn clash(x: f32, b: bool) -> i32 { return select(-1, i32(helper(x)), b); }',
  reference: (x: number, b: number) => (b ? Math.trunc(x * 2) : -1),
})
/** The difference of two tensors of any shape and how many of its elements are positive, as bools too. */
const compare = T.customKernel({
  name: 'compare',
  inputs: ['p', 'q'],
  outputs: ['d', 'n', 'positive'],
  infer: ([p, q]) =>
    `${p!.shape}` === `${q!.shape}`
      ? [p!, { shape: [], dtype: 'u32' }, { shape: p!.shape, dtype: 'bool' }]
      : 'p and q must have one shape',
  wgsl: `
    var<workgroup> counts: array<atomic<u32>, 1>;
    fn compare(workgroup: u32, local: u32) {
      for (var i = local; i < arrayLength(&p); i += 64u) {
        d[i] = p[i] - q[i];
        let is = d[i] > 0;
        positive[i] = u32(is);
        if is { atomicAdd(&counts[0], 1u); }
      }
      workgroupBarrier();
      if local == 0u { n[0] = atomicLoad(&counts[0]); }
    }`,
  workgroups: () => 1,
  reference: ([p, q]) => {
    const d = p!.data.map((x, i) => x - q!.data[i]!)
    return [d, [d.filter((x) => x > 0).length], d.map((x) => (x > 0 ? 1 : 0))]
  },
})

/** A vector from its end to its beginning. */
const turned: (x: Tensor) => Tensor = T.customKernel({
  name: 'turned',
  inputs: ['x'],
  outputs: ['y'],
  infer: ([x]) => [x!],
  wgsl: `fn turned(workgroup: u32, local: u32) {
    let i = workgroup * 32 + local;
    if i < x_size { y[i] = x[x_size - 1 - i]; }
  }`,
  workgroupSize: 32,
  workgroups: ([x]) => Math.ceil(x!.shape[0]! / 32),
  reference: ([x]) => [x!.data.toReversed()],
  jvp: (_x, _y, [dx]) => [turned(dx!)],
  vjp: (_x, _y, [ct]) => [turned(ct!)],
})

const program = (shapes: readonly (readonly number[])[], f: (...xs: Tensor[]) => readonly Tensor[]): Graph => {
  const inputs = freshInputs(shapes.map((shape) => ({ shape, dtype: 'f32' })))
  return { inputs, outputs: f(...inputs.map((n) => tensorOf(n))).map(nodeOf) }
}

const quarters = (graph: Graph): readonly Value[] =>
  graph.inputs.map((n, i) => {
    const v = noise('f32', typeOf(n).shape, i)
    return { ...v, data: Float64Array.from(v.data, (x) => Math.round(x * 4) / 4) }
  })

/** Every layer gives what the references give, to the bit: all numbers here are quarters. */
const agrees = async (graph: Graph): Promise<void> => {
  const inputs = quarters(graph)
  const want = evaluate(graph, inputs)
  expect(runLoop(graph, inputs)).toEqual(want)
  expect(runKernelInterp(graph, inputs)).toEqual(want)
  expect(runKernelInterp(graph, inputs, software, true)).toEqual(want)
  expect(await runDevice(graph, inputs)).toEqual(want)
}

const mixed = (x: Tensor, y: Tensor): readonly Tensor[] => [
  T.add(second(first(x), T.less(x, y)), second(y, true)),
  first(T.mul(x, 2)),
]

describe('a function of numbers', () => {
  it.each([[[]], [[1]], [[7]], [[64]], [[3, 5]], [[2, 1, 0]]])('agrees on %s', (shape) =>
    agrees(program([shape, shape], mixed)),
  )
  it('fuses with what is around it: one dispatch, each text once', () => {
    const { plan } = planOf(program([[8, 4]], (x) => [T.mul(first(T.add(first(x), 1)), 2)]))
    expect(plan.steps).toHaveLength(1)
    const { wgsl = '' } = plan.kernels[0]!
    expect(wgsl.match(/^\/\/ op .*$/gm)).toEqual(['// op tl_exp'])
    expect(wgsl.match(/fn u0_tl_exp/g)).toHaveLength(1)
  })
  it('reads through views and into reductions', () =>
    agrees(
      program([[6, 5], [5]], (x, y) => [
        T.sum(first(T.permuteDims(x, [1, 0])), { axis: 0 }),
        T.max(T.mul(first(x), y)),
      ]),
    ))
  it('computes indices', () =>
    agrees(
      program([[9]], (x) => [
        T.take(x, T.clamp(second(T.arange(9, { dtype: 'f32' }), true), { min: 0, max: 8 }), { axis: 0 }),
      ]),
    ))
})

describe('a kernel', () => {
  it.each([[[]], [[1]], [[7]], [[130]], [[3, 5]], [[2, 0]]])('agrees on %s', (shape) =>
    agrees(program([shape, shape], (x, y) => compare(T.mul(x, 2), y))),
  )
  it('may be given one tensor twice, and feed others', () =>
    agrees(
      program([[70], [70]], (x, y) => {
        const [d, n] = compare(x, x)
        const [e, , positive] = compare(T.add(d, y), x)
        return [d, n, e, T.where(T.logicalNot(positive), first(e), d)]
      }),
    ))
  it('runs once an example, without a kernel for each, and so does its derivative', async () => {
    const graph = program([[5, 70]], (x) => {
      const f = (row: Tensor): Tensor => T.sum(T.mul(turned(T.mul(row, row)), row))
      return [vmap((row: Tensor) => turned(row))(x), vmap(grad(f))(x)]
    })
    await agrees(graph)
    const kernels = (n: number): number =>
      planOf(program([[n, 70]], (x) => [vmap((row: Tensor) => turned(row))(x)])).plan.kernels.length
    expect(kernels(50)).toBeLessThanOrEqual(kernels(5))
  })
  it('is a dispatch of its own and counts every tensor once', () => {
    const { plan } = planOf(program([[70], [70]], (x, y) => compare(x, y)))
    expect(plan.prediction).toMatchObject({ dispatches: 1, bytes: 4 * (4 * 70 + 1), flops: 0 })
  })
  it('stands in an emitted module by its text alone', () => {
    const { plan } = planOf(program([[70], [70]], (x, y) => compare(x, y)))
    const text = printModule(emittedPlan(plan).plan, 'compare.wasm')
    expect(text.match(/fn u0_compare\(/g)).toHaveLength(1)
    expect(text).not.toContain('fn compare(')
  })
})

it('agrees in random programs and their gradients', async () => {
  const ops = ['elementwise', 'kernel', 'mul', 'sin', 'reshape', 'broadcast', 'reduce', 'slice', 'gather'] as const
  const drawn = fc.sample(arbGraph({ ops, maxNodes: 8 }), { seed: 5, numRuns: 9 })
  const gradients = drawn.flatMap((s) => gradientOf(s)?.sample ?? [])
  const judged = [...drawn, ...gradients].flatMap((s) => {
    const sample = { ...s, graph: inlined(s.graph) }
    const expected = expectation(sample)
    return 'discarded' in expected ? [] : [{ sample, expected }]
  })
  const { graph, inputs } = united(judged.map((j) => j.sample))
  const seen = topological(graph.outputs).filter((n) => n.op === 'kernel' || n.op === 'elementwise')
  expect(seen.length).toBeGreaterThan(5)
  const expected = {
    values: judged.flatMap((j) => j.expected.values),
    allowed: judged.flatMap((j) => j.expected.allowed),
  }
  expect(difference(expected, await runDevice(graph, inputs), graph)).toBeUndefined()
})

it('is read back from its text', () => {
  const { outputs, inputs } = program([[7], [7]], (x, y) => [...mixed(x, y), compare(x, y)[1]])
  const read = orThrow(parseGraph(showGraph({ inputs, outputs })))
  expect(showGraph(read)).toBe(showGraph({ inputs, outputs }))
})

it('says whose WGSL does not compile, and where', async () => {
  const broken = T.elementwise({
    name: 'broken',
    wgsl: 'fn broken(x: f32) -> f32 {\n  return x + missing;\n}',
    reference: (x: number) => x,
  })
  const graph = program([[4]], (x) => [T.exp(broken(x))])
  const error = await runDevice(graph, quarters(graph)).catch((e: unknown) => e)
  expect(error).toMatchObject({
    error: {
      tag: 'ValidationError',
      message: expect.stringMatching(
        /the WGSL of broken, in kernel exp does not compile\n.*missing.*\n {6}return x \+ missing;/,
      ),
    },
  })
})
