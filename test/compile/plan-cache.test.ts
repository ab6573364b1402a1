/** Plans that are looked up: what makes two programs the same, and what is kept of them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { cachedPlans, forgetPlans } from '../../src/compile/plan-cache.ts'
import { version } from '../../src/compile/version.ts'
import * as T from '../../src/index.ts'
import { root } from '../cli/command.ts'
import { sharedDevice } from '../device.ts'
import { mlpSpecs, mlpStep } from '../mlp-step.ts'

const counter = vi.hoisted(() => ({ plans: 0 }))
vi.mock('../../codegen/plan/make-plan.ts', async (original) => {
  const real = await original<typeof import('../../codegen/plan/make-plan.ts')>()
  const makePlan: typeof real.makePlan = (...args) => {
    counter.plans++
    return real.makePlan(...args)
  }
  return { ...real, makePlan }
})

beforeEach(() => {
  forgetPlans()
  counter.plans = 0
})

type F = (...xs: never[]) => unknown
const compile = (f: F, specs: readonly unknown[] = [T.spec([4])], options: T.CompileOptions = {}): T.Program =>
  T.orThrow(T.compile(f as never, specs, { name: 'p', ...options })) as T.Program

const wave = (x: T.Tensor): T.Tensor => T.mul(T.sin(x), 2) as T.Tensor

describe('in memory', () => {
  it('a program is planned once, whoever wrote it', () => {
    const plan = compile(wave).plan
    expect(compile(wave).plan).toBe(plan)
    expect(compile((y: T.Tensor) => T.mul(T.sin(y), 2)).plan).toBe(plan)
    expect(
      compile((y: T.Tensor) => {
        T.exp(y)
        const two = T.tensor(2, { dtype: 'f32' })
        return T.mul(T.sin(y), two)
      }).plan,
    ).toBe(plan)
    expect(counter.plans).toBe(1)
    const other = compile(wave, undefined, { name: 'q' }).plan
    expect(other).toEqual({ ...plan, name: 'q' })
    expect([counter.plans, other.kernels === plan.kernels]).toEqual([1, true])
  })

  it.each<[string, F, readonly unknown[], T.CompileOptions]>([
    ['another function', (x: T.Tensor) => T.mul(T.cos(x), 2), [T.spec([4])], {}],
    ['another constant', (x: T.Tensor) => T.mul(T.sin(x), 3), [T.spec([4])], {}],
    ['-0 for 0', (x: T.Tensor) => T.mul(T.sin(x), -0), [T.spec([4])], {}],
    ['0 for -0', (x: T.Tensor) => T.mul(T.sin(x), 0), [T.spec([4])], {}],
    ['another shape', wave, [T.spec([5])], {}],
    ['another dtype', wave, [T.spec([4], 'f16')], { profile: { ...T.portable, features: ['shader-f16'] } }],
    ['another tree of arguments', (x: { a: T.Tensor }) => wave(x.a), [{ a: T.spec([4]) }], {}],
    ['another tree of results', (x: T.Tensor) => [wave(x)], [T.spec([4])], {}],
    ['an argument that is not used', (x: T.Tensor) => wave(x), [T.spec([4]), T.spec([4])], {}],
    ['an observation', (x: T.Tensor) => T.debug(wave(x), 'a'), [T.spec([4])], {}],
    ['another label', (x: T.Tensor) => T.debug(wave(x), 'b'), [T.spec([4])], {}],
    ['a donated argument', wave, [T.spec([4])], { donate: [0] }],
    ['a kept result', wave, [T.spec([4])], { keep: [''] }],
    ['subnormals', wave, [T.spec([4])], { subnormals: 'keep' }],
    ['fast mathematics', wave, [T.spec([4])], { fastMath: true }],
    ['a profile of another name', wave, [T.spec([4])], { profile: { ...T.portable, name: 'mine' } }],
    ['a profile with other limits', wave, [T.spec([4])], { profile: { ...T.portable, storageBuffers: 7 } }],
    [
      'a profile with other costs',
      wave,
      [T.spec([4])],
      { profile: { ...T.portable, costs: { ...T.portable.costs, dispatch: 1 } } },
    ],
  ])('%s is another program', (_, f, specs, options) => {
    compile(wave)
    compile(f, specs, options)
    expect(counter.plans).toBe(2)
    compile(f, specs, options)
    expect(counter.plans).toBe(2)
  })

  it('a user’s op with another text is another program', () => {
    const twice = (name: string, wgsl: string) =>
      T.elementwise({ name, wgsl, reference: (x: number) => 2 * x } as never) as never as (x: T.Tensor) => T.Tensor
    const [a, b] = [
      twice('cacheTwice', 'fn cacheTwice(x: f32) -> f32 { return x + x; }'),
      twice('cacheTwice2', 'fn cacheTwice2(x: f32) -> f32 { return 2.0 * x; }'),
    ]
    for (const f of [a, b, a, b]) compile((x: T.Tensor) => f(x))
    expect(counter.plans).toBe(2)
  })

  it('provenance is planned anew, and so is cache: false', () => {
    for (const options of [{ provenance: true }, { cache: false }, {}, { cache: false }] as const) {
      compile(wave, undefined, options)
      compile(wave, undefined, options)
    }
    expect(counter.plans).toBe(2 + 2 + 1 + 2)
  })

  it('mistakes are found every time, and nothing is kept of them', () => {
    for (const f of [(x: T.Tensor) => T.reshape(x, [5]), (x: T.Tensor) => T.broadcastTo(T.expandDims(x, 1), [4, 5e9])])
      for (const _ of [0, 1]) expect(T.compile(f as never, [T.spec([4])])._tag).toBe('Left')
    expect(cachedPlans().plans).toBe(0)
  })

  it('what explains a plan is made when it is asked for', () => {
    const first = compile(wave)
    const { plan, planned: known, stages: before } = first
    const again = compile(wave)
    expect(counter.plans).toBe(1)
    const { planned, stages } = again
    expect([counter.plans, planned.plan, again.planned]).toEqual([2, plan, planned])
    expect(planned.kernels.map((k) => k.kernel)).toEqual(known.kernels.map((k) => k.kernel))
    expect(stages.map((s) => [s.name, T.showGraph(s.graph)])).toEqual(before.map((s) => [s.name, T.showGraph(s.graph)]))
  })

  it('plans are frozen, and what the caller does to the profile afterwards is not in them', () => {
    const profile = { ...T.portable, features: [...T.portable.features] }
    const { plan } = compile(wave, undefined, { profile })
    profile.storageBuffers = 4
    profile.features.push('shader-f16')
    expect(plan.profile).toEqual(T.portable)
    const deep = plan.kernels[0]!.kernel.body[0] as { kind: string }
    expect(() => {
      deep.kind = 'let'
    }).toThrow(TypeError)
    expect(() => (plan.steps as unknown[]).push(0)).toThrow(TypeError)
  })

  it('a large constant is the program’s own', async () => {
    const table = (shift: number): T.Tensor =>
      T.fromArray(
        Float32Array.from({ length: 5000 }, (_, i) => i + shift),
        [5000],
      )
    const [one, two] = [table(0), table(1)]
    const plus = (t: T.Tensor) => compile((x: T.Tensor) => T.add(x, t), [T.spec([5000])])
    const plans = [plus(one), plus(two), plus(one), plus(table(0))].map((p) => p.plan)
    expect(counter.plans).toBe(2)
    expect(plans.map((p) => p.data[0]!.values[7])).toEqual([7, 8, 7, 7])
    expect(plans[3]).toEqual(plans[0])
    const { bytes } = cachedPlans()
    compile((x: T.Tensor) => T.add(x, T.fromArray(new Float32Array(1 << 20), [1 << 20])), [T.spec([1 << 20])])
    expect(cachedPlans().bytes).toBeLessThan(2 * bytes)
    const loaded = await T.toPromise(plus(two).load(await sharedDevice()))
    const out = (await loaded.run(new Float32Array(5000))) as { read: () => Promise<Float32Array> }
    expect((await out.read())[4999]).toBe(5000)
  })

  it('nothing that is kept holds a graph', () => {
    const { plan } = compile(mlpStep as F, mlpSpecs, { donate: [0] })
    const seen = new Set<unknown>([plan])
    for (const x of seen) {
      if (typeof x !== 'object' || x === null) continue
      expect([Object.prototype, Array.prototype, Float32Array.prototype]).toContain(Object.getPrototypeOf(x))
      for (const v of Object.values(x)) seen.add(v)
    }
  })

  it('is bounded: the least recently used goes', () => {
    const nth = (i: number): T.Program => compile((x: T.Tensor) => T.mul(x, i + 0.5), [T.spec([4])])
    for (let i = 0; i < 300; i++) {
      nth(i)
      nth(0)
    }
    expect(cachedPlans().plans).toBe(256)
    counter.plans = 0
    nth(0)
    nth(299)
    expect(counter.plans).toBe(0)
    nth(1)
    expect(counter.plans).toBe(1)
    const before = cachedPlans().bytes
    forgetPlans()
    expect([before > 0, cachedPlans()]).toEqual([true, { plans: 0, bytes: 0 }])
  })
})

describe('the option', () => {
  it.each<[unknown, string]>([
    ['', "compile: cache is ''"],
    [true, 'compile: cache is true'],
    [7, 'compile: cache is 7'],
    [['a'], 'compile: cache is an array'],
  ])('%j is refused', (cache, message) => {
    const made = T.compile(wave, [T.spec([4])], { cache: cache as never })
    expect(made).toMatchObject({
      left: { tag: 'UsageError', message, hint: "write a folder, { cache: '.plans' }, or false" },
    })
  })

  it('names no folder where there are none', () => {
    const real = process.getBuiltinModule
    try {
      Object.assign(process, { getBuiltinModule: undefined })
      expect(T.compile(wave, [T.spec([4])], { cache: 'never-made' })).toMatchObject({
        left: { tag: 'UsageError', message: 'compile: there are no files here to keep plans in' },
      })
      expect(T.compile(wave, [T.spec([4])])._tag).toBe('Right')
    } finally {
      Object.assign(process, { getBuiltinModule: real })
    }
  })

  it('knows the version of the package', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }
    expect(version).toBe(manifest.version)
  })
})
