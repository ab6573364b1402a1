/** The scoreboard's figures are held: dispatches, submits, bytes against their floor, predictions, and right results. */
import { describe, expect, test } from 'vitest'
import type { Plan } from '../../codegen/plan/plan.ts'
import type { Program } from '../../src/compile/compile.ts'
import { typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { byteSize, type HostArray } from '../../src/lang/dtype.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Value } from '../../src/lang/primitive.ts'
import type { Argument } from '../../src/runtime/argument.ts'
import { loadPlan } from '../../src/runtime/execute.ts'
import { sharedDevice } from '../device.ts'
import { type HostInput, inputsFor } from './inputs.ts'
import type { BenchProgram } from './program.ts'
import { programs } from './programs.ts'
import { compileBench, measure, type Row } from './scoreboard.ts'
import { small } from './small.ts'

const named = (name: string): BenchProgram => programs.find((p) => p.name === name)!

/** Dispatches reached; a program may get better, never worse. */
const reached: Readonly<Record<string, number>> = {
  chain: 1,
  softmax: 1,
  layernorm: 1,
  mean_var: 1,
  sum_max: 1,
  maps12: 1,
  matmul256: 1,
  matmul512: 1,
  matmul_bias_gelu: 1,
  matmul_views: 1,
  matmul_twice: 1,
  argmax: 1,
  attention: 3,
  attention_grad: 7,
  layernorm_grad: 2,
  conv_bias_relu: 1,
  mlp_grads: 5,
  mlp_train: 7,
  adam12: 2,
  cnn_train: 10,
  lstm_train: 64,
  gpt_block: 10,
  gpt_block_grad: 20,
  gather: 1,
  sort: 1,
  cumsum: 1,
}

/** Programs that are only planned here: `npm run scoreboard` runs and counts them. */
const planned: ReadonlySet<string> = new Set([
  'conv_bias_relu',
  'cnn_train',
  'lstm_train',
  'gpt_block',
  'gpt_block_grad',
  'gather',
])

/** Programs that read each input once and write each output once. */
const streaming: ReadonlySet<string> = new Set([
  'chain',
  'softmax',
  'layernorm',
  'mean_var',
  'sum_max',
  'maps12',
  'argmax',
  'adam12',
])

const bytesOf = (s: Plan['inputs'][number] | Plan['outputs'][number]): number => sizeOf(s.shape) * byteSize(s.dtype)
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)

/** Every input read once and every output written once; what is updated in place is one piece of memory. */
const floorOf = ({ inputs, outputs }: Plan): number =>
  sum(inputs.map(bytesOf)) + sum(outputs.filter((o) => o.inPlaceOf === undefined).map(bytesOf))

test('every program has its figures pinned', () => {
  expect(programs.map((p) => p.name).sort()).toEqual(Object.keys(reached).sort())
})

describe('counts of one warm call', () => {
  test.each(programs.filter((p) => !planned.has(p.name)).map((p) => [p.name, p] as const))('%s', async (name, p) => {
    const row: Row = await measure(p)
    const { dispatches, submits, bytes, flops, peakBytes, predicted } = row
    expect(dispatches).toBeLessThanOrEqual(reached[name]!)
    expect(submits).toBe(1)
    expect({ dispatches, submits, bytes, flops, peakBytes }).toEqual(predicted)
    if (!streaming.has(name)) return
    const floor = floorOf(compileBench(p).plan)
    expect(bytes / floor).toBeLessThanOrEqual(1.25)
    expect(bytes / floor).toBeGreaterThan(0.99)
  })
})

describe('plans of the large programs', () => {
  test.each([...planned].map((name) => [name]))('%s', (name) => {
    const { plan } = compileBench(named(name))
    expect(plan.steps.filter((s) => s.kind === 'dispatch').length).toBeLessThanOrEqual(reached[name]!)
    expect(plan.prediction).toMatchObject({ submits: 1, peakBytes: sum(plan.arenas) })
  })

  test('gather moves the rows it takes, not the table', () => {
    const { plan } = compileBench(named('gather'))
    expect(plan.prediction.bytes).toBeLessThanOrEqual(1.25 * (2 * 128 * 768 * 4 + 128 * 4))
  })
})

describe('training steps update their state where it lies', () => {
  test.each([['mlp_train'], ['adam12'], ['cnn_train']])('%s', (name) => {
    const { plan } = compileBench(named(name))
    const state = plan.inputs.flatMap((slot, i) => (slot.donated ? [i] : []))
    const inPlace = plan.outputs.flatMap((o) => (o.inPlaceOf === undefined ? [] : [o.inPlaceOf]))
    expect(inPlace.sort((a, b) => a - b)).toEqual(state)
    expect(plan.steps.filter((s) => s.kind === 'copy')).toEqual([])
  })

  test('mlp_train: six triples of parameter and moments and the step, in at most 16 dispatches', () => {
    const { plan } = compileBench(named('mlp_train'))
    const paths = plan.inputs.filter((s) => s.donated).map((s) => s.path)
    for (const name of ['w1', 'b1', 'w2', 'b2', 'w3', 'b3'])
      expect(paths.filter((p) => p.endsWith(`.${name}`))).toHaveLength(3)
    expect(paths.filter((p) => p.endsWith('step'))).toHaveLength(1)
    expect(paths).toHaveLength(19)
    expect(plan.steps.length).toBeLessThanOrEqual(16)
  })
})

const valuesOf = (program: Program, inputs: readonly HostInput[]): readonly Value[] =>
  program.stages[0]!.graph.inputs.map((n, i) => {
    const data = inputs[i]!
    return { ...typeOf(n), data: data instanceof Float32Array ? Float64Array.from(data) : data }
  })

/** The largest difference as a share of the largest element; NaN belongs where NaN belongs. */
const distance = (want: HostArray, got: ArrayLike<number>): number => {
  expect(got.length).toBe(want.length)
  let scale = 0
  let worst = 0
  for (const x of want) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
  for (let i = 0; i < want.length; i++) {
    const [x, y] = [want[i]!, got[i]!]
    if (Object.is(x, y) || x === y) continue
    const d = Math.abs(x - y) / (scale || 1)
    worst = Number.isNaN(d) ? Number.POSITIVE_INFINITY : Math.max(worst, d)
  }
  return worst
}

/** Some 80 units in the last place of the largest element. */
const tolerance = 1e-5

/** Large as they are, and not generic in their sizes: the scoreboard's own runs are their test. */
const tooLarge: ReadonlySet<string> = new Set(['gpt_block', 'gpt_block_grad'])

describe('results agree with the reference interpreter', () => {
  const cases = programs.filter((p) => !tooLarge.has(p.name)).map((p) => [p.name, small(p)] as const)
  test.each(cases)('%s', async (_, p) => {
    const program = compileBench(p)
    const { graph } = program.stages[0]!
    const inputs = inputsFor(program.plan.inputs)
    const executable = await loadPlan(await sharedDevice(), program.plan)
    const outputs = await executable.run(inputs)
    const want = evaluate(graph, valuesOf(program, inputs))
    for (const [o, slot] of program.plan.outputs.entries()) {
      const got = (await outputs[o]!.read()) as ArrayLike<number>
      expect([slot.path, distance(want[o]!.data, got) <= tolerance]).toEqual([slot.path, true])
    }
  })

  test('mlp_train: three steps on the device are three steps', async () => {
    const program = compileBench(small(named('mlp_train')))
    const { plan } = program
    const { graph } = program.stages[0]!
    const inputs = inputsFor(plan.inputs)
    const executable = await loadPlan(await sharedDevice(), plan)
    let args: readonly Argument[] = inputs
    let values = valuesOf(program, inputs)
    for (let step = 0; step < 3; step++) {
      const outputs = await executable.run(args)
      const want = evaluate(graph, values)
      for (const [o, slot] of plan.outputs.entries()) {
        const got = (await outputs[o]!.read()) as ArrayLike<number>
        expect([step, slot.path, distance(want[o]!.data, got) <= 3 * tolerance]).toEqual([step, slot.path, true])
      }
      const next = (i: number): number => plan.outputs.findIndex((slot) => slot.inPlaceOf === i)
      args = args.map((a, i) => (next(i) < 0 ? a : outputs[next(i)]!))
      values = values.map((v, i) => (next(i) < 0 ? v : want[next(i)]!))
    }
  })
})
