/** What `profile` says of kernels, on the processor and on the software GPU, and what it leaves as it was. */
import { describe, expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Device } from '../../src/runtime/device.ts'
import { waitingStopwatch } from '../../src/runtime/stopwatch.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'

const n = T.dim('n', { max: 64 })

/** A step that gives its state away, with loops of known and unknown length, a size that is named, and a sort. */
const step = (state: T.Tensor<readonly [64], 'f32'>, x: T.Tensor<readonly [number], 'f32'>) => {
  const turned = T.foriLoop(0, 3, (_, a) => T.sin(T.cumsum(a)), state)
  const halved = T.whileLoop(
    (a: T.Tensor) => T.greater(T.max(a), 1),
    (a) => T.div(a, 2) as T.Tensor,
    T.mul(state, 4) as T.Tensor,
    { maxIterations: 64, chunk: 1 },
  )
  return { state: T.add(state, 1), out: T.add(T.sum(x), T.sum(T.add(turned, halved))), order: T.sort(state) }
}

const begin = Float32Array.from({ length: 64 }, (_, i) => i / 64)
const rows = { shape: [5], data: Float32Array.of(1, 2, 3, 4, 5) }

const compiled = (device: Device) =>
  T.compileOn(device, step, [T.spec([64]), T.spec([n])], { donate: [0], provenance: true, name: 'step' })

describe.each([
  ['the processor', sharedProcessor, 'processor'],
  ['the software GPU', sharedDevice, 'timestamps'],
] as const)('on %s', (_, open, clock) => {
  test('every dispatch has its time, and nothing is given away', async () => {
    const program = await compiled(await open())
    const want = await (await program.run(begin, rows)).out.item()
    const { state } = await program.run(begin, rows)
    const found = await T.profile(program, [state, rows], { runs: 3 })
    // State that was given to a profile is there for the next run, with what it held.
    expect(await T.read(state)).toEqual(begin.map((v) => v + 1))
    const next = await program.run(state, rows)
    expect(await next.state.read()).toEqual(begin.map((v) => v + 2))
    expect(await (await program.run(begin, rows)).out.item()).toBe(want)

    expect(found).toMatchObject({ runs: 3, clock, device: program.device.description })
    const { kernels } = found
    expect(kernels.reduce((sum, k) => sum + k.share, 0)).toBeCloseTo(1, 9)
    expect(kernels.reduce((sum, k) => sum + k.ms, 0)).toBeCloseTo(found.ms, 9)
    expect(kernels.map((k) => k.ms)).toEqual(kernels.map((k) => k.ms).toSorted((a, b) => b - a))
    for (const k of kernels) expect(k.ms, k.kernel).toBeGreaterThanOrEqual(0)
    expect(found.ms).toBeGreaterThan(0)
    // The while loop turns until its maximum is not above 1: of 4·(1 + 63/64), three times, in chunks of one turn.
    const calls = kernels.map((k) => k.calls)
    expect(Math.max(...calls)).toBeGreaterThanOrEqual(3)
    expect(kernels.some((k) => k.source.includes('profile.test.ts'))).toBe(true)
    for (const k of kernels) expect(k.predicted.ms).toBeGreaterThan(0)
    const text = String(found).split('\n')
    expect(text[0]).toMatch(/^\d+\.\d{3} ms in kernels on .* \(the median of 3\)$/)
    expect(text[1]).toMatch(/^kernel +calls +ms +share +predicted ms +MB +Mflop +source$/)
    expect(text).toHaveLength(kernels.length + 2)
  })
})

test('calls of a loop of known length, and bytes and operations, are those of the prediction', async () => {
  const program = await T.compileOn(
    await sharedProcessor(),
    (x: T.Tensor<readonly [512], 'f32'>) => T.sum(T.foriLoop(0, 5, (_, a) => T.cumsum(T.sin(a)), x)),
    [T.spec([512])],
  )
  const { kernels } = await T.profile(program, [new Float32Array(512)], { runs: 1 })
  const { dispatches, bytes, flops } = program.program.plan.prediction
  const total = (of: (k: T.KernelTime) => number): number => kernels.reduce((sum, k) => sum + of(k), 0)
  expect(total((k) => k.calls)).toBe(dispatches)
  expect(total((k) => k.predicted.bytes)).toBe(bytes)
  expect(total((k) => k.predicted.flops)).toBe(flops)
})

test('the host times a GPU that has no clock', async () => {
  const { backend } = await sharedDevice()
  const program = await T.compileOn(await sharedDevice(), (x: T.Tensor) => T.sin(x), [T.spec([64])])
  const from = performance.now()
  const device = program.device
  const blind = { ...device, gpu: Object.create(device.gpu!, { features: { value: new Set() } }) as GPUDevice }
  const found = await T.profile({ ...program, device: blind } as typeof program, [begin], { runs: 2 })
  expect(found.clock).toBe('waits')
  expect(found.ms).toBeGreaterThan(0)
  expect(found.ms).toBeLessThan(performance.now() - from)
  expect(String(found)).toContain('its answer included')
  await expect(waitingStopwatch(backend)({} as never)).rejects.toThrow()
})

test('mistakes', async () => {
  const program = await T.compileOn(await sharedProcessor(), (x: T.Tensor) => T.sin(x), [T.spec([64])])
  await expect(T.profile(program.program as never, [begin] as never)).rejects.toThrow(
    'profile: the first argument is an object, not a program on a device',
  )
  await expect(T.profile(program, begin as never)).rejects.toThrow(
    'profile takes an array of arguments, not a Float32Array',
  )
  await expect(T.profile(program, [begin], { run: 3 } as never)).rejects.toThrow("profile: there is no option 'run'")
  await expect(T.profile(program, [begin], { runs: 0 })).rejects.toThrow("the option 'runs' is 0")
  await expect(T.profile(program, [new Float32Array(3)])).rejects.toThrow('[0]')
})
