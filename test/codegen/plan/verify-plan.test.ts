/** Plans of real programs are sound; each way to spoil one is found and named. */
import { describe, expect, it } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Binding, Kernel, KStmt } from '../../../codegen/kernel/kernel.ts'
import type { Place, Plan, Step } from '../../../codegen/plan/plan.ts'
import type { PlanFault } from '../../../codegen/plan/plan-fault.ts'
import { planError, verifyPlan } from '../../../codegen/plan/verify-plan.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import * as T from '../../../src/index.ts'
import { mlpProgram } from '../../mlp-step.ts'
import { input, output, place, planOf } from '../../runtime/plans.ts'

type Dispatch = Extract<Step, { readonly kind: 'dispatch' }>

const isDispatch = (s: Step): s is Dispatch => s.kind === 'dispatch'
const rules = (faults: readonly PlanFault[]): readonly string[] => [...new Set(faults.map((f) => f.rule))]
const training = mlpProgram().plan
/** `plan` with step `i` replaced. */
const withStep = (plan: Plan, i: number, change: (s: Dispatch) => Step): Plan => ({
  ...plan,
  steps: plan.steps.map((s, n) => (n === i && isDispatch(s) ? change(s) : s)),
})

const program = (
  f: (...xs: readonly T.Tensor[]) => readonly T.Tensor[],
  shapes: readonly (readonly number[])[],
  options: T.CompileOptions,
): T.Program =>
  T.orThrow(
    T.compile(
      f as never,
      shapes.map((s) => T.spec(s)),
      options,
    ),
  ) as T.Program

describe('sound plans', () => {
  const small = { ...portable, storageBuffers: 6 }
  const programs: Readonly<Record<string, () => T.Program>> = {
    'a training step that gives its state away': () => mlpProgram(),
    'the same with few bindings': () => mlpProgram({ profile: small }),
    'the same without giving anything away': () => mlpProgram({ donate: [] }),
    'the same for hardware': () => mlpProgram({ profile: T.hardware }),
    'a sum of neighbours': () => program((x) => [T.add(x!, T.roll(x!, 1))], [[64]], { donate: [0] }),
    'an update in place': () => program((x, d) => [T.add(x!, d!)], [[64], [64]], { donate: [0] }),
    'an update in place of a tensor that is bound in parts': () =>
      program((x) => [T.add(x!, 1)], [[999]], { donate: [0], profile: { ...portable, maxBindingBytes: 1024 } }),
    'neighbours in a tensor that is bound in parts': () =>
      program((x) => [T.add(x!, T.flip(x!))], [[999]], {
        donate: [0],
        profile: { ...portable, maxBindingBytes: 1024 },
      }),
    'a counter that others read': () =>
      program((n, x) => [T.add(n!, 1), T.mul(x!, n!)], [[], [64]], { donate: [0, 1] }),
    'two arguments that change places': () => program((x, y) => [y!, x!], [[5], [5]], { donate: [0, 1] }),
    'a constant, an argument and an empty result': () =>
      program((x) => [T.tensor([1, 2, 3]), x!, T.zeros([0, 2])], [[3]], { keep: ['[1]'] }),
  }
  it.each(Object.keys(programs))('%s', (name) => {
    const { plan } = programs[name]!()
    expect(verifyPlan(plan)).toEqual([])
    // A Plan is data: nothing of what is checked is lost on the way through JSON.
    expect(verifyPlan(JSON.parse(JSON.stringify(plan)) as Plan)).toEqual([])
    expect(planError(plan)).toBeUndefined()
  })
})

describe('a spoilt training step', () => {
  const weight = training.inputs.find((s) => s.path.endsWith('params.w2'))!
  const update = training.steps.findIndex((s) => isDispatch(s) && s.writes!.some((w) => w.place === weight.place))
  const reader = training.steps.findIndex(
    (s, i) => isDispatch(s) && i < update && s.reads!.some((r) => r.value === weight.value),
  )

  it('an update that overwrites a weight still to be read', () => {
    expect(reader).toBeGreaterThanOrEqual(0)
    const steps = [...training.steps]
    ;[steps[reader], steps[update]] = [steps[update]!, steps[reader]!]
    const faults = verifyPlan({ ...training, steps })
    const late = faults.find((f) => f.step === update && f.message.startsWith(`reads value ${weight.value} `))
    expect(late?.rule).toBe('stale')
    expect(planError({ ...training, steps })).toMatchObject({ tag: 'ArgumentError', path: 'plan' })
  })

  it('a step left out', () => {
    const steps = training.steps.filter((_, i) => i !== 0)
    expect(verifyPlan({ ...training, steps })[0]).toMatchObject({
      rule: 'stale',
      message: expect.stringMatching(/^reads value \d+ at .*, which holds nothing$/),
    })
  })

  it('the last step left out: a result is missing', () => {
    expect(rules(verifyPlan({ ...training, steps: training.steps.slice(0, -1) }))).toContain('result')
  })

  it('a value put where another one lives', () => {
    const first = training.steps[0] as Dispatch
    const taken = first.writes![0]!.place
    const bad = withStep(training, 1, (s) => {
      const own = s.writes![0]!.place
      const move = (p: Place): Place => (p === own ? { ...taken, bytes: own.bytes } : p)
      return { ...s, bindings: s.bindings.map(move), writes: s.writes!.map((w) => ({ ...w, place: move(w.place) })) }
    })
    expect(verifyPlan(bad).length).toBeGreaterThan(0)
    expect(rules(verifyPlan(bad)).some((r) => r === 'stale' || r === 'binding')).toBe(true)
  })

  it('two arguments on one place', () => {
    const inputs = training.inputs.map((s, i) => (i === 1 ? { ...s, place: training.inputs[0]!.place } : s))
    expect(verifyPlan({ ...training, inputs })).toContainEqual({
      rule: 'place',
      message: expect.stringMatching(/^argument .* and argument .* overlap$/),
    })
  })

  it('an arena that is too small, a place past its end, one that is misaligned', () => {
    const arenas = training.arenas.map((n) => (n === 0 ? 0 : n - 256))
    expect(rules(verifyPlan({ ...training, arenas }))).toEqual(['place'])
    const moved = (offset: number): Plan =>
      withStep(training, 0, (s) => ({ ...s, bindings: s.bindings.map((p, i) => (i === 0 ? { ...p, offset } : p)) }))
    expect(verifyPlan(moved(2 ** 30))[0]).toMatchObject({
      rule: 'place',
      step: 0,
      message: expect.stringContaining('outside its arena'),
    })
    expect(verifyPlan(moved(128))[0]).toMatchObject({
      rule: 'place',
      step: 0,
      message: expect.stringContaining('not aligned'),
    })
  })

  it('more than the profile grants', () => {
    const limited = (profile: Partial<Plan['profile']>): readonly string[] =>
      verifyPlan({ ...training, profile: { ...portable, ...profile } }).map((f) => `${f.rule}: ${f.message}`)
    expect(limited({ storageBuffers: 3 })[0]).toMatch(/^limit: kernel .*: storage buffers: \d of 3$/)
    expect(limited({ maxBindingBytes: 256 })[0]).toMatch(/^limit: kernel .*: bytes of binding b\d: \d+ of 256$/)
    expect(limited({ workgroupThreads: 4 })[0]).toMatch(/invocations of a workgroup: \d+ of 4$/)
    expect(limited({ maxGridSide: 1 })[0]).toMatch(/workgroups: \d+ of 1$/)
  })

  it('a copy between dispatches', () => {
    const { place: at } = training.inputs[0]!
    const steps: readonly Step[] = [training.steps[0]!, { kind: 'copy', from: at, to: at }, ...training.steps.slice(1)]
    expect(verifyPlan({ ...training, steps })).toContainEqual({
      rule: 'order',
      step: 1,
      message: 'a copy between dispatches',
    })
  })

  it('a binding too few', () => {
    const bad = withStep(training, 0, (s) => ({ ...s, bindings: s.bindings.slice(1) }))
    expect(rules(verifyPlan(bad))).toEqual(['binding'])
  })

  it('a result in place of an argument of another shape', () => {
    const outputs = training.outputs.map((o) => (o.inPlaceOf === 0 ? { ...o, shape: [...o.shape, 1] } : o))
    expect(rules(verifyPlan({ ...training, outputs }))).toContain('result')
  })
})

/** Sixteen floats at `state` (given away) become sixteen new ones in the same place; `extra` lies in an arena of its own. */
const update = (body: (p: Binding, q: Binding) => readonly KStmt[], more: Partial<Kernel> = {}): Plan => {
  const p: Binding = { name: 'p', element: k.kType('f32'), access: 'read_write' }
  const q: Binding = { name: 'q', element: k.kType('f32'), access: 'read' }
  const kernel: Kernel = { name: 'update', workgroupSize: 4, bindings: [p, q], arrays: [], body: body(p, q), ...more }
  const [state, extra] = [place(0, 0, 64), place(1, 0, 64)]
  return planOf({
    arenas: [256, 256],
    kernels: [{ kernel, wgsl: '' }],
    steps: [
      {
        kind: 'dispatch',
        kernel: 0,
        workgroups: 4,
        bindings: [state, extra],
        reads: [
          { value: 0, place: state },
          { value: 1, place: extra },
        ],
        writes: [{ value: 2, place: state }],
      },
    ],
    inputs: [
      input('[0]', [16], 'f32', state, { donated: true, value: 0 }),
      input('[1]', [16], 'f32', extra, { value: 1 }),
    ],
    outputs: [output('', [16], 'f32', state, { keep: true, inPlaceOf: 0, value: 2 })],
  })
}

const thread = k.add(k.mul(k.builtin('gridIndex'), k.u32(4)), k.builtin('localIndex'))
const i = k.ref('i')

describe('in place', () => {
  const sound: Readonly<Record<string, Plan>> = {
    'each invocation its own element': update((p, q) => [
      k.letStmt('i', thread),
      k.store(p, i, k.add(k.load(p, i), k.load(q, i))),
    ]),
    'the same index spelled twice': update((p) => [
      k.letStmt('x', k.load(p, thread)),
      k.letStmt('i', thread),
      k.store(p, i, k.ref('x', k.kType('f32'))),
    ]),
    'a loop that moves both': update(
      (p) => [
        k.forStmt('j', k.u32(0), k.u32(4), 1, [
          k.letStmt('i', k.add(k.mul(k.builtin('gridIndex'), k.u32(4)), k.ref('j'))),
          k.store(p, i, k.neg(k.load(p, i))),
        ]),
      ],
      { workgroupSize: 1 },
    ),
    'the neighbour of what is not overwritten': update((p, q) => [
      k.letStmt('i', thread),
      k.store(p, i, k.load(q, k.rem(k.add(i, k.u32(1)), k.u32(16)))),
    ]),
  }
  it.each(Object.keys(sound))('allows %s', (name) => {
    expect(verifyPlan(sound[name]!)).toEqual([])
  })

  const f32 = k.kType('f32')
  const bad: Readonly<Record<string, Plan>> = {
    'a neighbour': update((p) => [
      k.letStmt('i', thread),
      k.store(p, i, k.add(k.load(p, i), k.load(p, k.rem(k.add(i, k.u32(1)), k.u32(16))))),
    ]),
    'a neighbour that runs past the end': update((p) => [
      k.letStmt('i', thread),
      k.store(p, i, k.load(p, k.add(i, k.u32(1)))),
    ]),
    'a sum over all': update((p) => [
      k.letStmt('i', thread),
      k.varStmt('s', f32),
      k.forStmt('j', k.u32(0), k.u32(16), 1, [k.assign('s', k.add(k.ref('s', f32), k.load(p, k.ref('j'))))]),
      k.store(p, i, k.ref('s', f32)),
    ]),
    'the own element, after it was overwritten': update((p) => [
      k.letStmt('i', thread),
      k.store(p, i, k.lit(1)),
      k.letStmt('x', k.load(p, i)),
      k.store(p, k.rem(k.add(i, k.u32(1)), k.u32(16)), k.ref('x', f32)),
    ]),
    'the own element again in each round of a loop': update((p) => [
      k.letStmt('i', thread),
      k.forStmt('j', k.u32(0), k.u32(4), 1, [k.store(p, i, k.neg(k.load(p, i)))]),
    ]),
    'a computed element': update((p, q) => [
      k.letStmt('i', thread),
      k.store(p, i, k.load(p, k.min(k.cast(k.load(q, i), 'u32'), k.u32(15)))),
    ]),
    'one element, by everybody': update((p) => [
      k.letStmt('x', k.load(p, k.u32(3))),
      k.store(p, k.u32(3), k.ref('x', f32)),
      k.store(p, thread, k.ref('x', f32)),
    ]),
  }
  it.each(Object.keys(bad))('refuses %s', (name) => {
    expect(rules(verifyPlan(bad[name]!))).toContain('in place')
  })

  it('a counter: one invocation may, many may not', () => {
    const count = (guarded: boolean): Plan => {
      const plan = update((p) => {
        const step = k.store(p, k.u32(0), k.add(k.load(p, k.u32(0)), k.lit(1)))
        return guarded ? [k.letStmt('i', thread), k.ifStmt(k.lt(i, k.u32(1)), [step])] : [step]
      })
      const counter = place(0, 0, 16)
      return {
        ...withStep(plan, 0, (s) => ({
          ...s,
          bindings: [counter, s.bindings[1]!],
          reads: [{ value: 0, place: counter }],
          writes: [{ value: 2, place: counter }],
        })),
        inputs: plan.inputs.map((s, n) => (n === 0 ? { ...s, shape: [], place: counter } : s)),
        outputs: plan.outputs.map((s) => ({ ...s, shape: [], place: counter })),
      }
    }
    expect(verifyPlan(count(true))).toEqual([])
    expect(rules(verifyPlan(count(false)))).toEqual(['in place'])
  })
})

describe('kernels against their steps', () => {
  const own = (p: Binding): KStmt => k.store(p, thread, k.load(p, thread))
  const whole = update((p) => [own(p)])

  it('an arena read and written in one dispatch', () => {
    const bad = withStep({ ...whole, arenas: [512, 256] }, 0, (s) => ({
      ...s,
      bindings: [s.bindings[0]!, place(0, 256, 64)],
    }))
    expect(verifyPlan(bad)).toEqual([
      { rule: 'binding', step: 0, message: 'arena 0 is bound read_write by p and read by q' },
    ])
  })

  it('two written bindings that overlap', () => {
    const p2: Binding = { name: 'p2', element: k.kType('f32'), access: 'read_write' }
    const { kernel } = whole.kernels[0]!
    const kernels = [{ kernel: { ...kernel, bindings: [kernel.bindings[0]!, p2] }, wgsl: '' }]
    const bad = withStep({ ...whole, kernels }, 0, (s) => ({ ...s, bindings: [s.bindings[0]!, place(0, 0, 16)] }))
    expect(rules(verifyPlan(bad))).toEqual(['binding'])
  })

  it('a binding that is no whole number of elements', () => {
    const bad = withStep(whole, 0, (s) => ({ ...s, bindings: [place(0, 0, 62), s.bindings[1]!] }))
    expect(rules(verifyPlan(bad))).toEqual(['binding'])
  })

  it('a store outside the results, a result that is written in part', () => {
    const past = update((p) => [k.store(p, k.add(thread, k.u32(1)), k.lit(0))])
    expect(rules(verifyPlan(past))).toEqual(['access'])
    const half = update((p) => [k.ifStmt(k.lt(thread, k.u32(8)), [own(p)])])
    expect(verifyPlan(half)).toEqual([
      { rule: 'access', step: 0, message: 'kernel update does not write all of value 2 at 0:0+64' },
    ])
  })

  it('a load of something the step does not name', () => {
    const bad = withStep(
      update((p, q) => [k.store(p, thread, k.load(q, thread))]),
      0,
      (s) => ({
        ...s,
        reads: s.reads!.slice(0, 1),
      }),
    )
    expect(rules(verifyPlan(bad))).toEqual(['access'])
  })

  it('memory that nobody has written, without the names of values', () => {
    const anonymous = withStep(
      update((p, q) => [k.store(p, thread, k.load(q, thread))]),
      0,
      (s) => ({
        kind: 'dispatch',
        kernel: s.kernel,
        workgroups: s.workgroups,
        bindings: s.bindings,
      }),
    )
    const unnamed = { ...anonymous, outputs: anonymous.outputs.map(({ value: _, ...o }) => o) }
    expect(verifyPlan(unnamed)).toEqual([])
    const bad = { ...unnamed, inputs: unnamed.inputs.slice(0, 1) }
    expect(verifyPlan(bad)).toEqual([
      { rule: 'stale', step: 0, message: 'reads something at 1:0+64, which holds nothing' },
    ])
  })

  it('an argument that was not given away, a constant', () => {
    const inputs = whole.inputs.map((s) => ({ ...s, donated: false }))
    const outputs = whole.outputs.map(({ inPlaceOf: _, ...o }) => o)
    expect(rules(verifyPlan({ ...whole, inputs, outputs }))).toEqual(['overwritten'])
    const data = [{ place: place(0, 0, 64), value: 0, dtype: 'f32' as const, values: new Float32Array(16) }]
    expect(rules(verifyPlan({ ...whole, inputs: whole.inputs.slice(1), outputs, data }))).toEqual(['overwritten'])
  })
})
