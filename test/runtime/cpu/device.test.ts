/** The processor as a device: whole programs, what they are planned for, what does not fit, what it leaves to the event loop. */
import { availableParallelism } from 'node:os'
import { describe, expect, it, vi } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import * as T from '../../../src/index.ts'
import { openCpu } from '../../../src/runtime/cpu/open-cpu.ts'
import { loadPlan } from '../../../src/runtime/execute.ts'
import { sharedDevice, sharedProcessor } from '../../device.ts'
import { affine, input, kernelOf, output, place, planFor, planOf } from '../plans.ts'
import { busy } from './busy.ts'

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
    const device = await T.openDevice({ prefer: 'cpu', threads: 1, quiet: true })
    expect([device.kind, device.gpu, device.description]).toEqual(['cpu', undefined, 'cpu, 1 thread'])
    expect(T.profileOf(device)).toBe(T.profiles.cpu)
    device.destroy()
    expect(await device.whenLost).toMatchObject({ tag: 'DeviceLost' })
    expect(device.backend.create).toBeTypeOf('function')
  })

  it('has the threads that it is told, or those of the machine', async () => {
    const threadsOf = async (threads?: number): Promise<string> => {
      const device = await T.openDevice({ prefer: 'cpu', quiet: true, ...(threads ? { threads } : {}) })
      device.destroy()
      return device.description
    }
    const all = availableParallelism()
    expect(await Promise.all([threadsOf(3), threadsOf()])).toEqual([
      'cpu, 3 threads',
      `cpu, ${all} ${all === 1 ? 'thread' : 'threads'}`,
    ])
    for (const threads of [0, -1, 1.5, Number.NaN, '2', null])
      expect(await failure(T.openDevice({ prefer: 'cpu', threads: threads as number }))).toEqual({
        tag: 'UsageError',
        message: `T.openDevice: the option 'threads' is ${typeof threads === 'string' ? `'${threads}'` : threads}, not a whole number above 0`,
        hint: 'write { threads: 1 }',
      })
    expect(await failure(T.openDevice({ prefer: 'cpu', threads: 65 }))).toEqual({
      tag: 'UsageError',
      message: 'T.openDevice: threads is 65',
      hint: 'write a whole number from 1 to 64, or leave it out for all that the machine has',
    })
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
    const loaded = await T.compileOn(await sharedProcessor(), wave, [T.spec([3, 4])])
    expect(loaded.program.plan.profile.name).toBe('cpu')
    const onGpu = await T.toPromise(loaded.program.load(await sharedDevice()))
    expect(onGpu.executable.plan.profile.target).toBe('wgsl')
  })

  it('whose profile was named is refused where that is for another target', async () => {
    const gpu = await sharedDevice()
    const [forGpu, forCpu] = [T.portable, T.profiles.cpu].map((profile) =>
      T.orThrow(T.compile(wave, [T.spec([3, 4])], { profile, name: 'wave' })),
    )
    expect(await failure(T.toPromise(forGpu!.load(await sharedProcessor())))).toEqual({
      tag: 'UnsupportedFeature',
      feature: `kernels in wgsl (wave is planned for portable; ${(await sharedProcessor()).description} runs wasm)`,
      hint: 'compile for profileOf(device), or without a profile',
    })
    expect(await failure(T.toPromise(forCpu!.load(gpu)))).toMatchObject({
      tag: 'UnsupportedFeature',
      feature: expect.stringMatching(/^kernels in wasm \(wave is planned for cpu; .* runs wgsl\)$/),
    })
    expect(await run(await T.toPromise(forCpu!.load(await sharedProcessor())))).toBeLessThan(close)
  })

  it('may have as many bindings in a kernel as the profile says', async () => {
    const n = T.profiles.cpu.storageBuffers - 1
    const at = (i: number) => place(0, i * 16, 4)
    const bindings = [...Array.from({ length: n }, () => ['f32', 'read'] as const), ['f32', 'read_write'] as const]
    const sum = kernelOf('sum', bindings, (i, bs) => [
      k.ifStmt(k.eq(i, k.u32(0)), [
        k.varStmt('s', k.kType('f32'), k.lit(0)),
        ...bs.slice(0, n).map((b) => k.assign('s', k.add(k.ref('s', k.kType('f32')), k.load(b, k.u32(0))))),
        k.store(bs[n]!, k.u32(0), k.ref('s', k.kType('f32'))),
      ]),
    ])
    const device = await sharedProcessor()
    const out = place(1, 0, 4)
    const plan = planOf({
      arenas: [n * 16, 16],
      kernels: [sum],
      steps: [
        { kind: 'dispatch', kernel: 0, workgroups: 1, bindings: [...Array.from({ length: n }, (_, i) => at(i)), out] },
      ],
      inputs: [input('[0]', [n * 4], 'f32', place(0, 0, n * 16))],
      outputs: [output('', [1], 'f32', out)],
    })
    const [y] = await (await loadPlan(device, planFor(device, plan))).run([
      Float32Array.from({ length: n * 4 }, (_, i) => i),
    ])
    expect(Array.from(await y!.read())).toEqual([2 * n * (n - 1)])
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
    const loaded = await T.compileOn(await sharedProcessor(), (x: T.Tensor) => T.checkNumerics(until(x), 'end'), [
      T.spec([]),
    ])
    const end = async (x: number): Promise<number> => (await (await loaded.run([x])).read())[0]!
    expect(await Promise.all([100, 3, 0.5].map(end))).toEqual([0.78125, 0.75, 0.5])
    expect(await failure(loaded.run([Number.NaN]))).toMatchObject({ tag: 'NumericsError', label: 'end' })
  })
})

describe('what fails', () => {
  it('in a user’s reference is told to whoever reads, and in all later runs', async () => {
    const failing = T.elementwise({
      name: 'failing_here',
      wgsl: 'fn failing_here(x: f32) -> f32 { return x; }',
      reference: (x: number) => {
        if (x > 1) throw new Error('too much')
        return x
      },
      derivatives: () => [T.tensor(1)],
    } as never) as unknown as (x: T.Tensor) => T.Tensor
    const loaded = await T.compileOn(await sharedProcessor(), failing, [T.spec([2])])
    const first = async (x: readonly number[]): Promise<number> => (await (await loaded.run(x as number[])).read())[0]!
    expect(await first([0.5, 1])).toBe(0.5)
    expect(await failure(first([1, 2]))).toMatchObject({
      tag: 'ValidationError',
      message: expect.stringContaining('too much'),
    })
    expect(await failure(first([0, 0]))).toMatchObject({ tag: 'ValidationError' })
  })

  it('by the policy of a page says so, and works where the policy has changed', async () => {
    const device = await sharedProcessor()
    const plan = planFor(device, affine(2, false))
    const refused = new WebAssembly.CompileError('disallowed by embedder')
    const compile = vi.spyOn(WebAssembly, 'compile').mockRejectedValue(refused)
    expect(await failure(loadPlan(device, plan))).toMatchObject({
      tag: 'UnsupportedFeature',
      hint: "the page's content security policy must allow 'wasm-unsafe-eval'",
    })
    compile.mockRestore()
    const [y] = await (await loadPlan(device, plan)).run([[1, 2]])
    expect(Array.from(await y!.read())).toEqual([3, 5])
  })
})

describe('memory', () => {
  it('that does not suffice is a typed error at loading, and nothing stays behind', async () => {
    const device = openCpu({ mostBytes: 2 ** 20 })
    // The first of its two arenas is there.
    const large = planFor(device, affine(2 ** 17, false))
    expect(await failure(loadPlan(device, large))).toMatchObject({ tag: 'OutOfMemory' })
    expect(device.liveBytes()).toBe(0)
    const fitting = await loadPlan(device, planFor(device, affine(4, false)))
    expect(Array.from(await (await fitting.run([[1, 2, 3, 4]]))[0]!.read())).toEqual([3, 5, 7, 9])
    device.destroy()
  })

  it('is zero where it is lent again', async () => {
    const { backend } = openCpu()
    const first = backend.create(64, 'storage')
    backend.write({ memory: first, offset: 0, bytes: 64 }, new Uint8Array(64).fill(7))
    expect(backend.mapped(first)).toEqual(new Uint8Array(64).fill(7))
    backend.destroy(first)
    expect(backend.mapped(backend.create(64, 'storage'))).toEqual(new Uint8Array(64))
  })

  it('past what addresses reach is a LimitError', async () => {
    const device = await sharedProcessor()
    const plan = planFor(device, affine(4, false))
    expect(await failure(loadPlan(device, { ...plan, arenas: [2 ** 32, 64] }))).toMatchObject({
      tag: 'LimitError',
      limit: 2 ** 32,
    })
  })
})

describe('the event loop', () => {
  it('has its turn while work waits, and a host array is copied at the call', async () => {
    const device = openCpu()
    const n = 6400
    const program = await loadPlan(device, planFor(device, busy(n, 4000)))
    const x = new Float32Array(n)
    const turns = { count: 0 }
    const start = performance.now()
    const look = setInterval(() => turns.count++, 1)
    const pending = Array.from({ length: 8 }, async (_, i) => {
      x.fill(i)
      const [y] = await program.run([x])
      return (await y!.read())[n - 1]
    })
    x.fill(100)
    expect(await Promise.all(pending)).toEqual(Array.from({ length: 8 }, (_, i) => 2 * i))
    clearInterval(look)
    // A slice is 20 ms of the clock, however busy the machine is, which others use too.
    expect((performance.now() - start) / turns.count).toBeLessThan(100)
    device.destroy()
  })
})
