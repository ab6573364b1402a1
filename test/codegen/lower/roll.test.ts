/** Register copies in a loop: where one pays, what stays outside it, and that each copy computes its own element. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KStmt } from '../../../codegen/kernel/kernel.ts'
import { chooseRoll, type Roll, type Run, readersIn, runsOf } from '../../../codegen/lower/roll.ts'
import { printKernel } from '../../../codegen/targets/wgsl/print-module.ts'
import { software } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Range } from '../../../passes/loop/ir/cluster.ts'
import { placeCluster } from '../../../passes/loop/schedule/nest.ts'
import type { Role, Schedule } from '../../../passes/loop/schedule/roles.ts'
import { build as b } from '../../../src/lang/build.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { interpretPlan, planOf, runDevice } from '../../differential.ts'
import { f32, program } from '../../passes/graph/programs.ts'
import { arbitraryInputs, expectClose, jointCluster } from '../../passes/loop/clusters.ts'
import { expressionsOf, kernelOf, runByHand, statementsOf } from '../hand-made.ts'

const matmul = (x: Node, y: Node): Node => b.dot([x, y], { lhs: [0, 1], rhs: [1, 2], out: [0, 2] })
const tanh = (x: Node): Node => b.tanh([x], {})

/** A layer and its square: two stores behind a contraction. */
const layer = (rows: number, inner: number, columns: number): Graph =>
  program([f32(rows, inner), f32(inner, columns), f32(columns)], (x, w, bias) => {
    const y = tanh(b.add([matmul(x, w), b.broadcast([bias], { shape: [rows, columns], axes: [0] })], {}))
    return [y, b.mul([y, y], {})]
  })

type For = Extract<KStmt, { readonly kind: 'for' }>

const loopsIn = (body: readonly KStmt[]): readonly For[] => statementsOf(body).filter((s) => s.kind === 'for')

/** Loops that read a register copy by their own counter, which loops of reductions do not. */
const copyLoopsIn = (body: readonly KStmt[]): readonly For[] =>
  loopsIn(body).filter((loop) =>
    loop.body.some(
      (s) =>
        s.kind === 'let' && s.value.kind === 'read' && s.value.index.kind === 'ref' && s.value.index.name === loop.name,
    ),
  )

/** How often a function is called in the text of the kernel itself, helpers aside. */
const callsIn = (text: string, name: string): number => text.slice(text.indexOf('fn main')).split(`${name}(`).length - 1

const copies = (unroll: number, vector = false): Role => ({ unroll, vector })

/** The outputs of a graph as one cluster, with roles for the ranges of its largest store. */
const scheduled = (graph: Graph, onGrid: number, roles: readonly Role[]) => {
  const single = jointCluster(graph.outputs)
  const ranges = single.cluster.stores.map((s) => s.ranges).toSorted((x, y) => y.length - x.length)[0]!
  const schedule: Schedule = {
    nest: placeCluster(single.cluster, ranges.slice(0, onGrid)),
    roles: new Map(roles.map((role, i) => [ranges[i]!, role])),
  }
  const { kernel } = kernelOf(single.cluster, software, schedule)
  /** Whether the kernel computes what the reference does. */
  const runs = (): void => {
    const inputs = arbitraryInputs(graph)
    const memory = new Map(graph.inputs.map((n, i) => [single.bufferOf(n).id, inputs[i]!.data]))
    const results = runByHand(single.cluster, memory, software, schedule)
    const want = evaluate(graph, inputs)
    const got = graph.outputs.map((n, i) => ({ ...want[i]!, data: results.get(single.bufferOf(n).id)! }))
    expectClose(got, want)
  }
  return { schedule, ranges, kernel, runs }
}

/** How the runs of a nest outside its loops are rolled. */
const rollsOf = (schedule: Schedule): readonly (Roll | undefined)[] => {
  const unrolled = (r: Range): number => schedule.roles.get(r)?.unroll ?? 1
  return runsOf(schedule.nest.body.items).flatMap((part) =>
    'kind' in part ? [] : [chooseRoll(part, schedule, unrolled, readersIn(schedule.nest))],
  )
}

/** An item of a run in a word. */
const opOf = (item: Run[number]): string =>
  item.kind === 'store' ? 'store' : item.value.kind === 'alu' ? item.value.op : item.value.kind

const functionsIn = (body: readonly KStmt[]): readonly string[] =>
  expressionsOf(body).flatMap((e) => (e.kind === 'unary' ? [e.op] : []))

const storesIn = (body: readonly KStmt[]): number => statementsOf(body).filter((s) => s.kind === 'store').length

describe('what follows a contraction', () => {
  it.each([
    ['tiles that divide the rows', 40, 4],
    ['an edge of the rows', 37, 4],
  ] as const)('stands once in the text, in a loop over the copies: %s', async (_, rows, unroll) => {
    const graph = layer(rows, 16, 128)
    const { plan } = planOf(graph, software)
    const { kernel } = plan.kernels[0]!
    const [loop, ...more] = copyLoopsIn(kernel.body)
    expect(more).toEqual([])
    expect(kernel.arrays.map(({ space, size }) => [space, size])).toEqual([['private', unroll]])
    expect(callsIn(printKernel(kernel), 'tl_tanh_4')).toBe(1)
    expect(storesIn(loop!.body)).toBe(2)
    const inputs = arbitraryInputs(graph)
    const want = evaluate(graph, inputs)
    expectClose(interpretPlan(plan, inputs), want)
    expectClose(await runDevice(graph, inputs, software), want, 'device')
  })

  it('is right at the edges of both ranges', () => {
    const { kernel, runs } = scheduled(layer(13, 6, 11), 2, [copies(5), copies(3)])
    const [loop, ...more] = copyLoopsIn(kernel.body)
    // The copies of the shorter range stand in the text.
    expect([more.length, callsIn(printKernel(kernel), 'tl_tanh'), storesIn(loop!.body)]).toEqual([0, 3, 6])
    runs()
  })

  it('takes loops inside one another where two ranges have copies', () => {
    const { kernel, runs } = scheduled(layer(16, 6, 32), 2, [copies(8), copies(2, true)])
    const [outer, inner, ...more] = copyLoopsIn(kernel.body)
    expect(more).toEqual([])
    expect(statementsOf(outer!.body)).toContain(inner)
    expect(callsIn(printKernel(kernel), 'tl_tanh_4')).toBe(1)
    runs()
  })

  it.each<[string, boolean, readonly Role[], (y: Node) => Node]>([
    ['not a store of eight numbers', false, [copies(8)], (y) => y],
    ['not a store of four vectors', false, [copies(4), copies(1, true)], (y) => y],
    ['not a sum of four vectors', false, [copies(4), copies(1, true)], (y) => b.add([y, y], {})],
    ['a function of four vectors', true, [copies(4), copies(1, true)], tanh],
    ['a function of eight numbers', true, [copies(8)], tanh],
  ])('is a loop where that saves text: %s', (_, isRolled, roles, after) => {
    const graph = program([f32(16, 6), f32(6, 32)], (x, w) => after(matmul(x, w)))
    const { kernel, runs } = scheduled(graph, 2, roles)
    expect([kernel.arrays.length, copyLoopsIn(kernel.body).length]).toEqual(isRolled ? [1, 1] : [0, 0])
    runs()
  })
})

describe('a loop over copies', () => {
  const spread = (x: Node, columns: number): Node => b.broadcast([x], { shape: [16, columns], axes: [1] })

  it('leaves outside what a later reduction reads of each copy, and takes it from an array', () => {
    const graph = program([f32(16, 6), f32(6), f32(16, 5), f32(5, 3)], (x, w, y, z) => {
      const s = b.dot([x, w], { lhs: [0, 1], rhs: [1], out: [0] })
      const scale = b.exp([b.neg([s], {})], {})
      return [tanh(b.sin([b.sub([s, scale], {})], {})), matmul(b.mul([y, spread(scale, 5)], {}), z)]
    })
    const { kernel, schedule, runs } = scheduled(graph, 1, [copies(8)])
    const [roll] = rollsOf(schedule)
    expect(roll!.before.map(opOf)).toEqual(['neg', 'exp'])
    expect(roll!.inside.map(opOf)).toEqual(['sub', 'sin', 'tanh', 'store'])
    // The sum and its exponential.
    expect([roll!.carried.length, kernel.arrays.length]).toEqual([2, 2])
    expect(callsIn(printKernel(kernel), 'tl_exp')).toBe(8)
    expect(callsIn(printKernel(kernel), 'tl_tanh')).toBe(1)
    runs()
  })

  it('is none where all that is computed is read after another loop', () => {
    const graph = program([f32(16, 6), f32(6), f32(16, 5)], (x, w, y) => {
      const s = b.dot([x, w], { lhs: [0, 1], rhs: [1], out: [0] })
      const long = tanh(b.sin([b.exp([s], {})], {}))
      const scaled = b.reduce([b.mul([y, spread(b.exp([s], {}), 5)], {})], { monoid: 'sum', axes: [1] })
      return [long, scaled]
    })
    const { kernel, schedule, runs } = scheduled(graph, 1, [copies(8)])
    expect(rollsOf(schedule)).toEqual([undefined, undefined])
    expect([kernel.arrays.length, callsIn(printKernel(kernel), 'tl_tanh')]).toEqual([0, 8])
    runs()
  })

  it('computes before it what is the same for all copies', () => {
    const graph = program([f32(16, 6), f32(6, 8), f32(8)], (x, w, bias) =>
      tanh(b.add([matmul(x, w), b.broadcast([b.sin([bias], {})], { shape: [16, 8], axes: [0] })], {})),
    )
    const { kernel, schedule, runs } = scheduled(graph, 2, [copies(4), copies(1, true)])
    const [roll] = rollsOf(schedule)
    expect(roll!.before.map(opOf)).toEqual(['load', 'sin'])
    expect(roll!.inside.map(opOf)).toEqual(['add', 'tanh', 'store'])
    const [loop] = copyLoopsIn(kernel.body)
    expect(functionsIn(loop!.body)).toEqual(['tanh'])
    expect(functionsIn(kernel.body)).toEqual(['sin', 'tanh'])
    runs()
  })

  it('computes each element of any sizes in any tiles', () => {
    const after: readonly ((y: Node, z: Node) => readonly Node[])[] = [
      (y) => [tanh(y)],
      (y, z) => [tanh(b.add([y, z], {})), b.sin([b.mul([y, z], {})], {})],
      (y, z) => [b.flip([b.exp([b.sin([y], {})], {})], { axes: [1] }), b.exp([z], {})],
      (y, z) => [tanh(y), b.sin([b.flip([b.exp([z], {})], { axes: [0] })], {})],
      // Stores over fewer ranges than the grid.
      (y, z) => [tanh(y), tanh(b.sin([b.reduce([z], { monoid: 'sum', axes: [1] })], {}))],
      (y, z) => [tanh(b.add([y, z], {})), tanh(b.sin([b.reduce([z], { monoid: 'sum', axes: [0] })], {}))],
    ]
    let rolled = 0
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 8, max: 20 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 8, max: 24 })),
        fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 4 })),
        fc.integer({ min: 1, max: 2 }),
        fc.constantFrom(...after),
        ([rows, inner, columns], [first, second], onGrid, f) => {
          const graph = program([f32(rows, inner), f32(inner, columns), f32(rows, columns)], (x, w, z) =>
            f(matmul(x, w), z),
          )
          const isVector = columns % (4 * second) === 0
          const roles = [copies(first), copies(second, isVector)]
          const { kernel, runs } = scheduled(graph, onGrid, onGrid === 1 ? roles.slice(0, 1) : roles)
          if (kernel.arrays.length > 0) rolled++
          runs()
        },
      ),
      { seed: 42, numRuns: 100 },
    )
    expect(rolled).toBeGreaterThan(40)
  })
})
