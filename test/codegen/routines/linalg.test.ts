/** Factorisations by their kernels, in the Kernel interpreter and in WGSL: a thread a matrix, and a workgroup. */
import { describe, expect, it } from 'vitest'
import { hardware, software } from '../../../codegen/targets/wgsl/profiles.ts'
import { build as b, freshInputs } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { runDevice, runKernelInterp } from '../../differential.ts'
import { tabulate } from '../../lang/ops/rules.ts'

/** Symmetric, definite, its eigenvalues apart from each other. */
const matrix = (lead: readonly number[], n: number): Value =>
  tabulate('f32', [...lead, n, n], (at) => {
    const [i, j] = at.slice(-2) as [number, number]
    const shift = at.slice(0, -2).reduce((s, x) => s + x, 1)
    return Math.fround(i === j ? 2 + i * shift : (0.5 * Math.cos(i + j + shift)) / Math.sqrt(n))
  })

const outputsOf = (n: Node, count: number): readonly Node[] =>
  Array.from({ length: count }, (_, index) => b.get([n], { index }))

/** Everything of one matrix, and of its tall part. */
const program = (x: Value, width: number): { readonly graph: Graph; readonly inputs: readonly Value[] } => {
  const inputs = freshInputs([{ shape: x.shape, dtype: 'f32' }])
  const a: Node = inputs[0]!
  const rank = x.shape.length
  const stop = [...x.shape.slice(0, -1), width]
  const tall = b.slice([a], { start: stop.map(() => 0), stop, step: stop.map(() => 1) })
  const wide = b.permute([tall], { axes: [...stop.keys()].slice(0, -2).concat([rank - 1, rank - 2]) })
  const solves = [true, false].flatMap((lower) =>
    [true, false].map((unit) => b.triangularSolve([a, tall], { lower, transposed: !lower, unit })),
  )
  const outputs = [
    ...solves,
    b.cholesky([a], {}),
    ...outputsOf(b.lu([a], {}), 3),
    ...outputsOf(b.lu([tall], {}), 3),
    ...outputsOf(b.lu([wide], {}), 3),
    ...outputsOf(b.qr([tall], { complete: false }), 2),
    ...outputsOf(b.qr([tall], { complete: true }), 2),
    ...outputsOf(b.eigh([a], {}), 2),
    ...outputsOf(b.svd([tall], {}), 3),
  ]
  return { graph: { inputs, outputs }, inputs: [x] }
}

const agree = (got: readonly Value[], want: readonly Value[], rtol: number): void => {
  want.forEach((w, o) => {
    const size = Math.max(1, ...w.data)
    const worst = Math.max(0, ...Array.from(w.data, (x, i) => Math.abs(x - got[o]!.data[i]!)))
    expect(worst / size, `output ${o}`).toBeLessThan(rtol)
  })
}

describe('the kernels of linear algebra', () => {
  it.each([
    { lead: [], n: 1, width: 1 },
    { lead: [2], n: 5, width: 3 },
    { lead: [], n: 8, width: 8 },
  ])('agree with the reference: %o', async ({ lead, n, width }) => {
    const { graph, inputs } = program(matrix(lead, n), width)
    const want = evaluate(graph, inputs)
    agree(runKernelInterp(graph, inputs), want, 1e-5)
    agree(runKernelInterp(graph, inputs, hardware), want, 1e-5)
    agree(await runDevice(graph, inputs, software), want, 1e-5)
  })
  it('agree on matrices of 64', () => {
    const { graph, inputs } = program(matrix([], 64), 33)
    agree(runKernelInterp(graph, inputs), evaluate(graph, inputs), 1e-4)
  })
  it('work in a workgroup on the device', async () => {
    const { graph, inputs } = program(matrix([2], 7), 5)
    agree(await runDevice(graph, inputs, hardware), evaluate(graph, inputs), 1e-5)
  })
  it('fail as the reference does', async () => {
    const inputs = freshInputs([{ shape: [2, 2], dtype: 'f32' }])
    const graph = { inputs, outputs: [b.cholesky([inputs[0]!], {}), b.get([b.lu([inputs[0]!], {})], { index: 0 })] }
    const given = [tabulate('f32', [2, 2], ([i, j]) => (i === j ? 0 : 2))]
    const want = evaluate(graph, given).map((v) => Array.from(v.data))
    expect(runKernelInterp(graph, given).map((v) => Array.from(v.data))).toEqual(want)
    expect((await runDevice(graph, given, software)).map((v) => Array.from(v.data))).toEqual(want)
  })
})
