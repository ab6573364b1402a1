/** The processor as a device: whole programs, what they are planned for, what does not fit, what it leaves to the event loop. */
import { describe, expect, it } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import * as T from '../../../src/index.ts'
import { openCpu } from '../../../src/runtime/cpu/device.ts'
import { loadPlan } from '../../../src/runtime/execute.ts'
import { sharedDevice } from '../../device.ts'
import { eachDevice } from '../each-device.ts'
import { affine, kernelOf, planFor } from '../plans.ts'

const cpu = eachDevice.find((d) => d.name === 'cpu')!
const failure = async (p: Promise<unknown>): Promise<unknown> => {
  const e = await p.then(
    () => undefined,
    (x: unknown) => x,
  )
  expect(e).toBeInstanceOf(T.TensorloomError)
  return (e as T.TensorloomError).error
}

describe('openDevice', () => {
  it('opens the processor, which has the constant profile', async () => {
    const device = await T.openDevice({ prefer: 'cpu', quiet: true })
    expect([device.kind, device.gpu, device.description]).toEqual(['cpu', undefined, 'cpu, 1 thread'])
    expect(T.profileOf(device)).toBe(T.profiles.cpu)
    device.destroy()
    expect(await device.whenLost).toMatchObject({ tag: 'DeviceLost' })
    expect(device.backend.create).toBeTypeOf('function')
  })
})

describe('a program', () => {
  type Wave = (x: T.Tensor) => T.Tensor
  const wave: Wave = (x) => T.sum(T.mul(T.sin(x), 2), { axis: 1 }) as T.Tensor
  const x = Float32Array.from({ length: 12 }, (_, i) => i / 4)
  const expected = (T.reference(wave(T.fromArray(x, [3, 4]))) as T.HostTensor).data
  /** The largest distance of the results from those of the interpreter. */
  const run = async (loaded: { readonly run: (...args: never[]) => Promise<unknown> }): Promise<number> => {
    const out = (await loaded.run(x as never)) as { readonly read: () => Promise<Float32Array> }
    return Math.max(...(await out.read()).map((v, i) => Math.abs(v - expected[i]!)))
  }
  const close = 1e-5

  it('is planned for the device that loads it, and goes from one to the other', async () => {
    const program = T.orThrow(T.compile(wave, [T.spec([3, 4])]))
    expect(program.plan.profile.target).toBe('wgsl')
    const device = openCpu()
    const onCpu = await T.toPromise(program.load(device))
    expect(onCpu.executable.plan.profile).toEqual(T.profiles.cpu)
    expect(onCpu.executable.plan.kernels.every((k) => k.wgsl === undefined)).toBe(true)
    expect(await run(onCpu)).toBeLessThan(close)
    // It is planned once.
    expect((await T.toPromise(program.load(device))).executable.plan).toBe(onCpu.executable.plan)
    const onGpu = await T.toPromise(onCpu.reload(await sharedDevice()))
    expect(onGpu.executable.plan).toBe(program.plan)
    expect(await run(onGpu)).toBeLessThan(close)
    device.destroy()
  })

  it('of compileOn is planned for its device alone, and for another when it is loaded there', async () => {
    const loaded = await T.compileOn(await cpu.shared(), wave, [T.spec([3, 4])])
    expect(loaded.program.plan.profile.name).toBe('cpu')
    const onGpu = await T.toPromise(loaded.program.load(await sharedDevice()))
    expect(onGpu.executable.plan.profile.target).toBe('wgsl')
  })

  it('whose profile was named is refused where that is for another target', async () => {
    const gpu = await sharedDevice()
    const [forGpu, forCpu] = [T.portable, T.profiles.cpu].map((profile) =>
      T.orThrow(T.compile(wave, [T.spec([3, 4])], { profile, name: 'wave' })),
    )
    expect(await failure(T.toPromise(forGpu!.load(await cpu.shared())))).toEqual({
      tag: 'UnsupportedFeature',
      feature: 'kernels in wgsl (wave is planned for portable; cpu, 1 thread runs wasm)',
      hint: 'compile for profileOf(device), or without a profile',
    })
    expect(await failure(T.toPromise(forCpu!.load(gpu)))).toMatchObject({
      tag: 'UnsupportedFeature',
      feature: expect.stringMatching(/^kernels in wasm \(wave is planned for cpu; .* runs wgsl\)$/),
    })
    expect(await run(await T.toPromise(forCpu!.load(await cpu.shared())))).toBeLessThan(close)
  })

  it('may have as many arguments in one kernel as the profile says, and more in several', async () => {
    const n = T.profiles.cpu.storageBuffers + 200
    const weighted = (...xs: readonly T.Tensor[]): T.Tensor =>
      T.sum(T.stack(xs.map((x, i) => T.mul(x, i % 3))) as T.Tensor, { axis: 0 }) as T.Tensor
    const specs = Array.from({ length: n }, () => T.spec([2]))
    const loaded = await T.compileOn(await cpu.shared(), weighted, specs)
    const given = Array.from({ length: n }, (_, i) => Float32Array.of(i, 1))
    const expected = [0, 1].map((at) => given.reduce((sum, x, i) => sum + x[at]! * (i % 3), 0))
    expect(Array.from(await (await loaded.run(...(given as never[]))).read())).toEqual(expected)
    const most = Math.max(...loaded.program.plan.kernels.map((k) => k.kernel.bindings.length))
    expect(most).toBeGreaterThan(300)
  })

  it('runs loops whose end it finds out, users’ own functions, and observations', async () => {
    const halve = T.elementwise({
      name: 'halve_here',
      wgsl: 'fn halve_here(x: f32) -> f32 { return x / 2.0; }',
      reference: (x: number) => x / 2,
      derivatives: () => [T.tensor(0.5)],
    } as never) as unknown as Wave
    const until = (x: T.Tensor): T.Tensor =>
      T.whileLoop(
        (c: T.Tensor) => T.greater(c, 1) as T.Tensor,
        (c: T.Tensor) => halve(c),
        x as never,
      ) as unknown as T.Tensor
    const loaded = await T.compileOn(await cpu.shared(), (x: T.Tensor) => T.checkNumerics(until(x), 'end'), [
      T.spec([]),
    ])
    const end = async (x: number): Promise<number> => (await (await loaded.run([x])).read())[0]!
    expect(await Promise.all([100, 3, 0.5].map(end))).toEqual([0.78125, 0.75, 0.5])
    expect(await failure(loaded.run([Number.NaN]))).toMatchObject({ tag: 'NumericsError', label: 'end' })
  })
})

describe('memory', () => {
  it('that does not suffice is a typed error at loading, and nothing stays behind', async () => {
    const device = openCpu(2 ** 20)
    const large = planFor(device, affine(2 ** 18, false))
    expect(await failure(loadPlan(device, large))).toMatchObject({ tag: 'OutOfMemory' })
    expect(device.liveBytes()).toBe(0)
    const fitting = await loadPlan(device, planFor(device, affine(4, false)))
    expect(Array.from(await (await fitting.run([[1, 2, 3, 4]]))[0]!.read())).toEqual([3, 5, 7, 9])
    device.destroy()
  })

  it('past what addresses reach is a LimitError', async () => {
    const device = await cpu.shared()
    const plan = planFor(device, affine(4, false))
    expect(await failure(loadPlan(device, { ...plan, arenas: [2 ** 32, 64] }))).toMatchObject({
      tag: 'LimitError',
      limit: 2 ** 32,
    })
  })
})

/** `times` times y = y/2 + x over `n` floats: work of milliseconds. */
const busy = (n: number, times: number): Plan => {
  const plan = affine(n, false)
  const y = k.ref('y', k.kType('f32'))
  const kernel = kernelOf(
    'busy',
    [
      ['f32', 'read'],
      ['f32', 'read_write'],
    ],
    (i, [x, out]) => [
      k.ifStmt(k.lt(i, k.u32(n)), [
        k.varStmt('y', k.kType('f32'), k.lit(0)),
        k.forStmt('j', k.u32(0), k.u32(times), 1, [k.assign('y', k.add(k.mul(y, k.lit(0.5)), k.load(x!, i)))]),
        k.store(out!, i, y),
      ]),
    ],
  )
  return { ...plan, kernels: [kernel] }
}

describe('the event loop', () => {
  it('has its turn while work waits, and a host array is copied at the call', async () => {
    const device = openCpu()
    const n = 6400
    const program = await loadPlan(device, planFor(device, busy(n, 4000)))
    const x = new Float32Array(n)
    const [turns, longest] = [{ count: 0 }, { ms: 0 }]
    let last = performance.now()
    const look = setInterval(() => {
      turns.count++
      longest.ms = Math.max(longest.ms, performance.now() - last)
      last = performance.now()
    }, 1)
    const pending = Array.from({ length: 8 }, async (_, i) => {
      x.fill(i)
      const [y] = await program.run([x])
      return (await y!.read())[n - 1]
    })
    x.fill(100)
    expect(await Promise.all(pending)).toEqual(Array.from({ length: 8 }, (_, i) => 2 * i))
    clearInterval(look)
    expect(turns.count).toBeGreaterThan(3)
    // Slices are 20 ms long; the machine of the tests is shared.
    expect(longest.ms).toBeLessThan(150)
    device.destroy()
  })
})
