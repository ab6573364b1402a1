/** The counting interpreter and the prediction against the whole interpreter's counters: equal to the byte. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { apply, native } from '../../../../codegen/kernel/build-function.ts'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import { workgroupClasses } from '../../../../codegen/kernel/count/count-classes.ts'
import { kernelCounter } from '../../../../codegen/kernel/count/count-kernel.ts'
import { sliceOf } from '../../../../codegen/kernel/count/count-slice.ts'
import { kernelFunction } from '../../../../codegen/kernel/functions/table.ts'
import { type HostBinding, makeCounters, runKernel } from '../../../../codegen/kernel/interp/run-kernel.ts'
import type { Binding, Kernel, KStmt, LocalArray } from '../../../../codegen/kernel/kernel.ts'
import { eachStatement } from '../../../../codegen/kernel/parts.ts'
import type { Plan } from '../../../../codegen/plan/plan.ts'
import { workOf } from '../../../../codegen/plan/predict.ts'
import { everyStep, kernelOf } from '../../../../codegen/plan/steps.ts'
import { hardware, portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../../../../passes/profile.ts'
import { isFloat } from '../../../../src/lang/dtype.ts'
import { arbGraph } from '../../../../src/testing/arb-graph.ts'
import { gradientOf } from '../../../../src/testing/derivative.ts'
import type { Sample } from '../../../../src/testing/sample.ts'
import { planOf } from '../../../differential.ts'

const seed = 42

interface Figures {
  readonly flops: number
  readonly bindings: readonly number[]
}

const viewOf = (b: HostBinding, { element: { scalar } }: Binding): ArrayLike<number> => {
  const words = scalar === 'f32' ? Float32Array : scalar === 'i32' ? Int32Array : Uint32Array
  return new words(b.buffer as ArrayBuffer, b.byteOffset ?? 0, (b.byteLength ?? b.buffer.byteLength) >> 2)
}

const sizesOf = (bindings: readonly HostBinding[]): readonly number[] =>
  bindings.map((b) => b.byteLength ?? b.buffer.byteLength)

/** By the counting interpreter, from memory as it is before the kernel runs. */
const counted = (kernel: Kernel, workgroups: number, bindings: readonly HostBinding[]): Figures | undefined => {
  const views = new Map(
    kernel.bindings.map((b, i) => [b.name, { view: viewOf(bindings[i]!, b), width: b.element.width }]),
  )
  const counter = kernelCounter(kernel, sizesOf(bindings), (name, element, lane) => {
    const { view, width } = views.get(name)!
    return view[element * (width === 3 ? 4 : width) + lane] ?? 0
  })
  if (!counter) return undefined
  for (let w = 0; w < workgroups; w++) counter.run(w)
  return { flops: counter.flops(), bindings: counter.bytes() }
}

/** By the whole interpreter, which writes the bindings. */
const interpreted = (kernel: Kernel, workgroups: number, bindings: readonly HostBinding[]): Figures => {
  const counters = makeCounters()
  runKernel(kernel, workgroups, bindings, counters)
  return { flops: counters.flops, bindings: kernel.bindings.map((_, i) => counters.bindings[i] ?? 0) }
}

const total = (f: Figures): { readonly bytes: number; readonly flops: number } => ({
  bytes: f.bindings.reduce((a, b) => a + b, 0),
  flops: f.flops,
})

const storesTo = (kernel: Kernel): ReadonlySet<string> => {
  const out = new Set<string>()
  eachStatement(kernel.body, (s) => {
    if (s.kind === 'store') out.add(s.binding)
  })
  return out
}

/** How many dispatches of a plan were compared, and how many of them predicted. */
const compare = (
  { inputs }: Sample,
  plan: Plan,
  tally: { counted: number; predicted: number; gathers: number },
): void => {
  const arenas = plan.arenas.map((bytes) => new ArrayBuffer(bytes))
  const put = (
    at: { readonly arena: number; readonly offset: number },
    data: ArrayLike<number>,
    dtype: string,
  ): void => {
    const words = dtype === 'f32' ? Float32Array : dtype === 'i32' ? Int32Array : Uint32Array
    new words(arenas[at.arena]!, at.offset, data.length).set(data)
  }
  for (const [i, slot] of plan.inputs.entries()) put(slot.place, inputs[i]!.data, slot.dtype)
  for (const d of plan.data) put(d.place, d.values, d.dtype)
  for (const step of everyStep(plan.steps)) {
    if (step.kind === 'copy') continue
    const kernel = kernelOf(plan, step)
    const bindings = step.bindings.map((p) => ({ buffer: arenas[p.arena]!, byteOffset: p.offset, byteLength: p.bytes }))
    const { valued } = sliceOf(kernel)
    const stored = storesTo(kernel)
    const mine = [...valued].some((b) => stored.has(b)) ? undefined : counted(kernel, step.workgroups, bindings)
    const whole = interpreted(kernel, step.workgroups, bindings)
    if (valued.size > 0) tally.gathers += 1
    if (!mine) continue
    expect([kernel.name, mine]).toEqual([kernel.name, whole])
    tally.counted += 1
    if (valued.size > 0) continue
    expect([kernel.name, workOf(kernel, step.workgroups, sizesOf(bindings))]).toEqual([kernel.name, total(whole)])
    tally.predicted += 1
  }
}

describe('random programs count alike', () => {
  const profiles: readonly (readonly [string, Profile, (s: Sample) => Sample | undefined])[] = [
    ['portable', portable, (s) => s],
    ['portable, gradients', portable, (s) => gradientOf(s)?.sample],
    ['hardware', hardware, (s) => s],
  ]
  test.each(profiles)('%s', (_, profile, subject) => {
    const tally = { counted: 0, predicted: 0, gathers: 0 }
    for (const drawn of fc.sample(arbGraph({ maxNodes: 20, maxElements: 500, without: ['while', 'cond'] }), {
      seed,
      numRuns: 150,
    })) {
      const sample = subject(drawn)
      if (!sample || sample.inputs.some((v) => isFloat(v.dtype) && v.dtype !== 'f32')) continue
      compare(sample, planOf(sample.graph, profile).plan, tally)
    }
    expect(tally.predicted).toBeGreaterThan(50)
    expect(tally.counted).toBeGreaterThan(tally.predicted)
  })
})

const f32 = k.kType('f32')
const vec = k.kType('f32', 4)
const c = k.u32
const grid = k.builtin('gridIndex')
const local = k.builtin('localIndex')
const x: Binding = { name: 'x', element: f32, access: 'read' }
const xv: Binding = { name: 'xv', element: vec, access: 'read' }
const n: Binding = { name: 'n', element: k.kType('u32'), access: 'read' }
const y: Binding = { name: 'y', element: f32, access: 'read_write' }
const thread = k.add(k.mul(grid, c(8)), local)
const scratch: LocalArray = { name: 'scratch', space: 'workgroup', size: 8, element: f32 }

interface Case {
  readonly bindings: readonly Binding[]
  readonly body: readonly KStmt[]
  readonly workgroups?: number
  readonly arrays?: readonly LocalArray[]
  /** Distinct workgroups, where the test is about them. */
  readonly classes?: number
  /** The prediction does not know the data and may differ. */
  readonly data?: boolean
}

const read = (b: Binding, index: Parameters<typeof k.load>[1]) => k.letStmt('v', k.load(b, index))

const cases: Readonly<Record<string, Case>> = {
  'rows and an edge': {
    bindings: [x, y],
    workgroups: 7,
    classes: 2,
    body: [
      k.letStmt('t', thread),
      k.ifStmt(k.lt(k.ref('t'), c(53)), [
        k.varStmt('acc', f32, k.lit(0)),
        k.forStmt('i', c(0), c(7), 1, [
          read(x, k.add(k.mul(k.ref('t'), c(7)), k.ref('i'))),
          k.assign('acc', k.add(k.ref('acc', f32), k.ref('v', f32))),
        ]),
        k.store(y, k.ref('t'), k.ref('acc', f32)),
      ]),
    ],
  },
  'digits of sizes that no workgroup divides': {
    bindings: [x, y],
    workgroups: 20,
    body: [
      k.letStmt('t', thread),
      k.letStmt('a', k.rem(k.ref('t'), c(10))),
      k.letStmt('b', k.rem(k.div(k.ref('t'), c(10)), c(4))),
      k.letStmt('d', k.div(k.div(k.ref('t'), c(10)), c(4))),
      read(x, k.add(k.mul(k.ref('a'), c(3)), k.mul(k.ref('d'), c(50)))),
      k.store(y, k.add(k.mul(k.ref('b'), c(10)), k.ref('a')), k.ref('v', f32)),
    ],
  },
  'two accesses of one binding that move apart': {
    bindings: [x, y],
    workgroups: 16,
    body: [
      k.letStmt('t', thread),
      k.letStmt('u', k.load(x, k.rem(k.ref('t'), c(32)))),
      read(x, k.div(k.ref('t'), c(4))),
      k.store(y, k.ref('t'), k.add(k.ref('u', f32), k.ref('v', f32))),
    ],
  },
  'padding: an address under a condition': {
    bindings: [x, y],
    workgroups: 12,
    body: [
      k.letStmt('t', thread),
      k.letStmt('r', k.div(k.ref('t'), c(12))),
      k.varStmt('acc', f32, k.lit(0)),
      k.forStmt('i', c(0), c(3), 1, [
        k.letStmt('in', k.and(k.le(c(1), k.add(k.ref('r'), k.ref('i'))), k.lt(k.add(k.ref('r'), k.ref('i')), c(7)))),
        read(x, k.select(k.ref('in', k.kType('bool')), k.add(k.ref('t'), k.mul(k.ref('i'), c(12))), c(0))),
        k.assign('acc', k.add(k.ref('acc', f32), k.ref('v', f32))),
      ]),
      k.store(y, k.ref('t'), k.ref('acc', f32)),
    ],
  },
  'a load that a select leaves out': {
    bindings: [x, xv, y],
    body: [
      k.letStmt('t', thread),
      k.store(y, k.ref('t'), k.select(k.lt(local, c(5)), k.load(x, k.ref('t')), k.lane(k.load(xv, grid), 2))),
    ],
  },
  'tiles that are moved back at the edge': {
    bindings: [x, y],
    workgroups: 4,
    body: [
      k.letStmt('at', k.min(k.mul(thread, c(5)), c(100))),
      k.forStmt('i', c(0), c(5), 2, [
        k.ifStmt(k.le(k.mul(thread, c(5)), k.add(k.ref('at'), k.ref('i'))), [
          k.store(y, k.add(k.ref('at'), k.ref('i')), k.load(x, k.add(k.ref('at'), k.ref('i')))),
        ]),
      ]),
    ],
  },
  'a loop as long as the invocation says': {
    bindings: [x, y],
    body: [
      k.varStmt('acc', f32, k.lit(1)),
      k.forStmt('i', grid, thread, 3, [
        read(x, k.ref('i')),
        k.assign('acc', k.add(k.mul(k.ref('acc', f32), k.ref('v', f32)), k.lit(2))),
      ]),
      k.store(y, thread, k.ref('acc', f32)),
    ],
  },
  'an address that assignments change': {
    bindings: [x, y],
    body: [
      k.varStmt('p', k.kType('u32'), thread),
      k.forStmt('i', c(0), c(4), 1, [
        k.store(y, k.add(k.ref('p'), c(1)), k.load(x, k.ref('p'))),
        k.assign('p', k.div(k.add(k.mul(k.ref('p'), c(3)), k.ref('i')), c(4))),
      ]),
    ],
  },
  'a gather, and a branch on what was loaded': {
    bindings: [n, x, y],
    data: true,
    body: [
      k.letStmt('at', k.min(k.load(n, thread), c(30))),
      read(x, k.mul(k.ref('at'), c(2))),
      k.ifStmt(
        k.lt(k.lit(0), k.ref('v', f32)),
        [k.store(y, thread, k.mul(k.ref('v', f32), k.lit(2)))],
        [k.store(y, c(0), k.load(x, k.add(k.mul(k.ref('at'), c(2)), c(1))))],
      ),
    ],
  },
  'a stride that is an element at a fixed place': {
    bindings: [n, x, y],
    data: true,
    body: [
      k.letStmt('s', k.load(n, c(3))),
      k.forStmt('i', c(0), c(20), 1, [k.store(y, k.ref('i'), k.load(x, k.mul(k.ref('s'), k.ref('i'))))]),
    ],
  },
  'workgroup memory and a barrier': {
    bindings: [x, y],
    arrays: [scratch],
    body: [
      k.write(scratch, local, k.load(x, thread)),
      { kind: 'barrier' },
      k.store(y, thread, k.mul(k.read(scratch, k.sub(c(7), local)), k.lit(3))),
    ],
  },
  'an address and a condition by functions and instructions of the target': {
    bindings: [x, y],
    body: [
      k.letStmt('t', apply(kernelFunction('shiftRight', 1), [k.mul(thread, c(8)), native('leadingZeros', c(1 << 30))])),
      k.ifStmt(native('any', k.lt(k.vec([k.ref('t'), local]), k.splat(c(9), 2))), [
        k.letStmt('v', apply(kernelFunction('exp', 1), [k.load(x, k.ref('t'))])),
        k.store(y, k.ref('t'), native('mul', k.ref('v', f32), native('abs', k.ref('v', f32)))),
      ]),
    ],
  },
  'nothing to do': { bindings: [x, y], workgroups: 0, body: [k.store(y, thread, k.load(x, thread))] },
}

const random = (words: number): ArrayBuffer => {
  const buffer = new ArrayBuffer(4 * words)
  const data = new Float32Array(buffer)
  for (let i = 0; i < words; i++) data[i] = Math.sin(i * 12.9898 + 1)
  return buffer
}

describe('kernels that programs seldom make', () => {
  test.each(Object.entries(cases))('%s', (name, { bindings, body, workgroups = 3, arrays = [], classes, data }) => {
    const kernel: Kernel = { name, workgroupSize: 8, bindings, arrays, body }
    const memory = bindings.map((b) => {
      const buffer = random(1024)
      if (b === n) new Uint32Array(buffer).set(Array.from({ length: 1024 }, (_, i) => (i * 7) % 40))
      return { buffer }
    })
    const mine = counted(kernel, workgroups, memory)
    const predicted = workOf(kernel, workgroups, sizesOf(memory))
    const whole = interpreted(kernel, workgroups, memory)
    expect(mine).toEqual(whole)
    if (!data) expect(predicted).toEqual(total(whole))
    if (classes !== undefined) expect(workgroupClasses(kernel, workgroups)).toHaveLength(classes)
  })

  test('an address out of a local array takes the whole interpreter', () => {
    const body: readonly KStmt[] = [
      k.write(scratch, local, k.load(x, local)),
      k.store(y, k.cast(k.read(scratch, local), 'u32'), k.lit(1)),
    ]
    const kernel: Kernel = { name: 'whole', workgroupSize: 8, bindings: [x, y], arrays: [scratch], body }
    expect(kernelCounter(kernel, [64, 64], () => 0)).toBeUndefined()
    // Memory of zeros: every invocation writes element 0.
    expect(workOf(kernel, 2, [64, 64])).toEqual({ bytes: 2 * (8 * 4 + 4), flops: 0 })
  })

  test('an index out of range is refused', () => {
    const kernel: Kernel = {
      name: 'bad',
      workgroupSize: 8,
      bindings: [x],
      arrays: [],
      body: [read(x, k.mul(local, c(3)))],
    }
    expect(() => workOf(kernel, 1, [64])).toThrow(/x\[18\] of 16 elements, workgroup 0 of bad/)
  })
})
