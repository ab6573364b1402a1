/** Nobody disposes of anything, and yet device memory comes back: consumed, dropped and collected results, dropped programs. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Plan } from '../../codegen/plan/plan.ts'
import type { Device } from '../../src/runtime/device.ts'
import { type Executable, loadPlan } from '../../src/runtime/execute.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { eachDevice } from './each-device.ts'
import { accumulate, affine, output, planFor } from './plans.ts'

let gc: () => void

beforeAll(() => {
  setFlagsFromString('--expose-gc')
  gc = runInNewContext('gc') as () => void
})

/** Collects garbage until `done`, letting finalisers run in between. */
const collectUntil = async (done: () => boolean): Promise<void> => {
  for (let i = 0; i < 50 && !done(); i++) {
    gc()
    await new Promise((next) => setTimeout(next, 5))
  }
}

describe.each(eachDevice)('memory of the $name', ({ open }) => {
  const loadOn = (device: Device, plan: Plan): Promise<Executable> => loadPlan(device, planFor(device, plan))

  it('comes back from dropped results: later runs reuse it', async () => {
    const n = 1 << 18
    const device = await open()
    const program = await loadOn(device, affine(n, true))
    const x = new Float32Array(n)
    const sweep = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await program.run([x])
    }
    await sweep()
    const after = device.liveBytes()
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 5; i++) {
        gc()
        await new Promise((next) => setTimeout(next, 5))
      }
      await sweep()
    }
    expect(device.liveBytes()).toBeLessThanOrEqual(after + 2 * n * 4)
    device.destroy()
  })

  it('comes back at once from a donated result', async () => {
    const device = await open()
    const plan = accumulate(4)
    const read = { ...plan, outputs: plan.outputs.map((slot) => output(slot.path, slot.shape, slot.dtype, slot.place)) }
    const [make, take] = [await loadOn(device, affine(4, true)), await loadOn(device, read)]
    const ones = [1, 1, 1, 1]
    const step = async (): Promise<number[]> => {
      const [state] = await make.run([ones])
      const [, sum] = await take.run([state!, ones])
      return Array.from(await sum!.read())
    }
    expect(await step()).toEqual([16])
    const before = device.liveBytes()
    for (let i = 0; i < 50; i++) expect(await step()).toEqual([16])
    expect(device.liveBytes()).toBe(before)
    device.destroy()
  })

  it('comes back from a dropped program, but not while a result of it lives', async () => {
    const device = await open()
    const start = device.liveBytes()
    const make = async (): Promise<Output> => {
      const program = await loadOn(device, accumulate(1 << 16))
      return (await program.run([new Float32Array(1 << 16), new Float32Array(1 << 16).fill(3)]))[0]!
    }
    const scope = async (): Promise<void> => {
      const state = await make()
      await collectUntil(() => false)
      const values = await state.read()
      expect(values.every((v) => v === 3)).toBe(true)
      expect(device.liveBytes()).toBeGreaterThan(start + 2 * 4 * (1 << 16))
    }
    await scope()
    // What stays are the idle staging buffers of the reads: one of the state's size, one of a scalar's.
    const rest = start + 4 * (1 << 16) + 64
    await collectUntil(() => device.liveBytes() <= rest)
    expect(device.liveBytes()).toBeLessThanOrEqual(rest)
    device.destroy()
  })
})
