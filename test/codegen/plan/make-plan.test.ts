/** From a graph to a Plan: where arguments, results and constants lie, what is copied, and what JSON keeps. */

import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { makePlan, type Request } from '../../../codegen/plan/make-plan.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { widen } from '../../../passes/graph/widen.ts'
import type { Profile } from '../../../passes/profile.ts'
import { printerFor } from '../../../src/compile/targets.ts'
import { build as b, constant } from '../../../src/lang/build.ts'
import { showError } from '../../../src/lang/errors.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node, TensorType } from '../../../src/lang/ir.ts'
import { interpretPlan } from '../../differential.ts'
import { f32, i32, program } from '../../passes/graph/programs.ts'
import { arbitraryInputs, expectClose } from '../../passes/loop/clusters.ts'

interface Said {
  readonly donated?: readonly number[]
  readonly keep?: readonly number[]
  readonly profile?: Profile
}

const requestOf = (graph: Graph, { donated = [], keep = [] }: Said): Request => ({
  name: 'program',
  graph: widen(graph),
  given: graph,
  inputs: graph.inputs.map((_, i) => ({ path: `[${i}]`, donated: donated.includes(i) })),
  outputs: graph.outputs.map((_, i) => ({ path: `[${i}]`, keep: keep.includes(i) })),
  inputTree: { list: graph.inputs.map((_, i) => i) },
  outputTree: { list: graph.outputs.map((_, i) => i) },
})

const planned = (types: readonly TensorType[], f: (...xs: Node[]) => Node | readonly Node[], said: Said = {}) => {
  const graph = program(types, f)
  const result = makePlan(requestOf(graph, said), said.profile ?? portable, printerFor(portable))
  if (E.isLeft(result)) throw new Error(showError(result.left))
  const { plan } = result.right
  const inputs = arbitraryInputs(graph)
  return { plan, check: (p: Plan = plan): void => expectClose(interpretPlan(p, inputs), evaluate(graph, inputs)) }
}

const kinds = (plan: Plan): readonly string[] => plan.steps.map((s) => s.kind)

describe('slots', () => {
  it('say what each argument and result is and where it lies', () => {
    const { plan, check } = planned([f32(2, 3), i32(4)], (x, n) => [b.neg([x], {}), b.abs([n], {})], { keep: [1] })
    expect(plan.inputs.map(({ path, shape, dtype, donated }) => ({ path, shape, dtype, donated }))).toEqual([
      { path: '[0]', shape: [2, 3], dtype: 'f32', donated: false },
      { path: '[1]', shape: [4], dtype: 'i32', donated: false },
    ])
    expect(plan.outputs.map(({ path, shape, dtype, keep }) => ({ path, shape, dtype, keep }))).toEqual([
      { path: '[0]', shape: [2, 3], dtype: 'f32', keep: false },
      { path: '[1]', shape: [4], dtype: 'i32', keep: true },
    ])
    expect(plan.name).toBe('program')
    expect(plan.profile).toEqual(portable)
    expect(plan.inputTree).toEqual({ list: [0, 1] })
    check()
  })

  it('mark arguments that index, with the bound to check', () => {
    const { plan } = planned([f32(7), i32(3)], (x, i) => b.gather([x, i], { batch: 0 }))
    expect(plan.inputs.map((s) => s.indexOf)).toEqual([undefined, [{ size: 7, op: 'gather' }]])
  })

  it.each<[string, readonly TensorType[], (...xs: Node[]) => readonly Node[], readonly string[]]>([
    ['an argument that is a result', [f32(3)], (x) => [x], []],
    ['a result asked for twice', [f32(3)], (x) => [b.neg([x], {}), b.neg([x], {})], ['dispatch']],
    ['a constant', [], () => [constant(f32(3), [1, 2, 3])], []],
    ['one number everywhere', [], () => [constant(f32(3), [2, 2, 2])], ['dispatch']],
    ['an empty result', [f32(0, 3)], (x) => [b.neg([x], {})], []],
    ['an argument that nothing uses', [f32(3), f32(5)], (x) => [b.neg([x], {})], ['dispatch']],
    ['no result at all', [f32(3)], () => [], []],
  ])('%s', (_, types, f, steps) => {
    const { plan, check } = planned(types, f)
    expect(kinds(plan)).toEqual(steps)
    expect(plan.inputs).toHaveLength(types.length)
    check()
  })
})

describe('constants', () => {
  it('that lie in memory are uploaded with the program, once', () => {
    const table = constant(f32(3), [1, -0, NaN])
    const large = constant(
      i32(70),
      Array.from({ length: 70 }, (_, i) => i),
    )
    const { plan, check } = planned([f32(3)], (x) => [b.add([x, table], {}), b.mul([x, table], {}), b.neg([large], {})])
    expect(plan.data.map((d) => [d.dtype, d.values.length])).toEqual([
      ['f32', 3],
      ['i32', 70],
    ])
    expect([...plan.data[0]!.values]).toEqual([1, -0, NaN])
    check()
  })

  it('that are one number are part of the kernels', () => {
    const { plan } = planned([f32(3)], (x) => b.add([x, constant(f32(3), [2, 2, 2])], {}))
    expect(plan.data).toEqual([])
  })
})

describe('arguments that are given away', () => {
  it.each<
    [
      string,
      readonly TensorType[],
      (...xs: Node[]) => readonly Node[],
      readonly number[],
      readonly string[],
      readonly (number | undefined)[],
    ]
  >([
    ['are replaced in place', [f32(4)], (x) => [b.neg([x], {})], [0], ['dispatch'], [0]],
    [
      'are copied over where that is not possible',
      [f32(4)],
      (x) => [b.add([x, b.flip([x], { axes: [0] })], {})],
      [0],
      ['dispatch', 'copy'],
      [0],
    ],
    ['stay where they are when they come back unchanged', [f32(4)], (x) => [x], [0], [], [0]],
    [
      'stay there when something else is computed from them',
      [f32(4)],
      (x) => [b.neg([x], {}), x],
      [0],
      ['dispatch'],
      [undefined, 0],
    ],
    ['are copied when they come back twice', [f32(4)], (x) => [x, x], [0], ['dispatch'], [0, undefined]],
    ['stay where they are when they change places', [f32(4), f32(4)], (x, y) => [y, x], [0, 1], [], [1, 0]],
    [
      'are only read where no result fits',
      [f32(4)],
      (x) => [b.reduce([x], { monoid: 'sum', axes: [0] })],
      [0],
      ['dispatch'],
      [undefined],
    ],
    ['need nothing where they are empty', [f32(0)], (x) => [b.neg([x], {})], [0], [], [0]],
  ])('%s', (_, types, f, donated, steps, inPlaceOf) => {
    const { plan, check } = planned(types, f, { donated })
    expect(kinds(plan)).toEqual(steps)
    expect(plan.outputs.map((o) => o.inPlaceOf)).toEqual(inPlaceOf)
    // The next run finds a successor where the argument was, and so it stays on the device.
    for (const o of plan.outputs) {
      if (o.inPlaceOf === undefined) continue
      expect(o.place).toEqual(plan.inputs[o.inPlaceOf]!.place)
      expect(o.keep).toBe(true)
    }
    check()
  })
})

describe('an argument that is given away, in one binding with one that is read where only division tells', () => {
  it('is double-buffered', () => {
    const types = Array.from({ length: 10 }, (_, i) => f32(i === 1 ? 2 : 1))
    const { plan, check } = planned(
      types,
      (...xs) => {
        const spread = b.pad([xs[1]!], { low: [2], high: [1], interior: [1], value: 0 })
        const wider = b.pad([spread], { low: [-2], high: [2], interior: [2], value: 0 })
        return xs.map((x, i) => (i === 1 ? wider : b.neg([x], {})))
      },
      { donated: types.map((_, i) => i) },
    )
    expect(kinds(plan)).toEqual(['dispatch', 'copy'])
    check()
  })
})

describe('a plan', () => {
  it('survives JSON and still runs', () => {
    const { plan, check } = planned([f32(5, 8)], (x) => [
      b.gather([b.exp([x], {}), constant(i32(3), [4, 0, 2])], { batch: 0 }),
      b.reduce([x], { monoid: 'max', axes: [1] }),
    ])
    const copy = JSON.parse(JSON.stringify(plan)) as Plan
    expect(copy.steps).toEqual(plan.steps)
    expect(copy.kernels.map((k) => k.wgsl)).toEqual(plan.kernels.map((k) => k.wgsl))
    check(copy)
  })

  it('predicts what it is: its dispatches and its memory', () => {
    const { plan } = planned([f32(64, 64)], (x) => {
      const square = (y: Node): Node => b.dot([y, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
      return square(square(x))
    })
    expect(plan.prediction.dispatches).toBe(2)
    expect(plan.prediction.peakBytes).toBe(3 * 4 * 64 * 64)
    expect(plan.prediction.flops).toBeGreaterThanOrEqual(2 * 2 * 64 ** 3)
  })

  it('that cannot be made is a typed error, not an exception', () => {
    const graph = program([f32(5), i32(5)], (x, n) => [b.exp([x], {}), b.neg([n], {})])
    const result = makePlan(requestOf(graph, {}), { ...portable, storageBuffers: 1 }, printerFor(portable))
    expect(E.isLeft(result) && result.left).toMatchObject({ tag: 'LimitError', limit: 1 })
  })
})
