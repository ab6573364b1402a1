/** Several threads: the same bits, the same errors, and nothing that stays behind. */
import type { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Place, Plan } from '../../../codegen/plan/plan.ts'
import { cpu } from '../../../codegen/targets/wasm/profile.ts'
import * as T from '../../../src/index.ts'
import type { HostArray } from '../../../src/lang/dtype.ts'
import type { CpuDevice } from '../../../src/runtime/cpu/device.ts'
import type { Device } from '../../../src/runtime/device.ts'
import { loadPlan } from '../../../src/runtime/execute.ts'
import { arbGraph } from '../../../src/testing/arb-graph.ts'
import { united } from '../../../src/testing/sample.ts'
import { type HostInput, inputsFor } from '../../bench/inputs.ts'
import { programs } from '../../bench/programs.ts'
import { planOf as planOfGraph } from '../../differential.ts'
import { runs, stagesOf } from '../../random/harness.ts'
import { runScript, sourceUrl } from '../../run-script.ts'
import { affine, input, kernelOf, output, place, planFor, planOf } from '../plans.ts'
import { busy } from './busy.ts'
import { openTeam } from './open-team.ts'

const opened: Promise<readonly CpuDevice[]> = Promise.all([1, 2, 3].map(openTeam))
afterAll(async () => {
  for (const device of await opened) device.destroy()
})
afterEach(() => {
  vi.restoreAllMocks()
})

const bytesOf = (a: HostArray): Buffer => Buffer.from(a.buffer, a.byteOffset, a.byteLength)

/** The bytes of all results. */
const resultsOn = async (device: Device, plan: Plan, inputs: readonly HostInput[]): Promise<readonly Buffer[]> => {
  const outputs = await (await loadPlan(device, plan)).run(inputs)
  return Promise.all(outputs.map(async (o) => bytesOf(await o.read())))
}

/** Fails where a result has other bits on any of the devices than on the first. */
const hasTheSameBits = async (name: string, plan: Plan, inputs: readonly HostInput[]): Promise<void> => {
  const [first, ...others] = await opened
  const expected = await resultsOn(first!, plan, inputs)
  for (const device of others) {
    const different = (await resultsOn(device, plan, inputs)).findIndex((bytes, i) => !bytes.equals(expected[i]!))
    expect(different, `result ${different} of ${name} with ${device.description}`).toBe(-1)
  }
}

/** The messages that workers get from now on, and who gets them. */
const watchWorkers = () => {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  return vi.spyOn(Worker.prototype, 'postMessage')
}

describe('1, 2 and 3 threads have the same bits', () => {
  // Their tables and weights take seconds to fill.
  const slow = ['gather', 'gpt_block', 'gpt_block_grad', 'chain', 'lstm_train', 'cnn_train']
  const tested = programs.filter(({ name }) => !slow.slice(0, runs(6, 0)).includes(name))

  it('in the programs of the scoreboard', async () => {
    const posted = watchWorkers()
    let shareable = 0
    for (const { name, f, specs, options } of tested) {
      const { plan } = T.orThrow(T.compile(f as never, specs as never, { ...options, profile: cpu }))
      if (plan.steps.some((s) => s.kind === 'dispatch' && s.workgroups > 1)) shareable++
      await hasTheSameBits(name, plan, inputsFor(plan.inputs))
    }
    // The module of each goes to one worker and two: the threads had something to do with it.
    expect([posted.mock.calls.length, shareable > 15]).toEqual([3 * shareable, true])
  })

  it('in random programs', async () => {
    const seed = 5
    const samples = fc.sample(arbGraph({ maxNodes: 25 }), { seed, numRuns: runs(72, 2400) })
    const posted = watchWorkers()
    for (let i = 0; i < samples.length; i += 24) {
      const { graph, inputs } = united(samples.slice(i, i + 24))
      await hasTheSameBits(
        `samples ${i} to ${i + 23} of seed ${seed}`,
        planOfGraph(stagesOf(graph).at(-1)!.graph, cpu).plan,
        inputs.map((v) => v.data as HostInput),
      )
    }
    expect(posted.mock.calls.length).toBeGreaterThan((3 * samples.length) / 24 / 2)
  })
})

describe('dispatches that need each other', () => {
  it('come one after the other, in lists of any length', async () => {
    // Each element is that at the other end of the line before, and one more: chunks that begin too early read what is old.
    const n = 64 * 24
    const line = kernelOf(
      'line',
      [
        ['f32', 'read'],
        ['f32', 'read_write'],
      ],
      (i, [x, y]) => [k.store(y!, i, k.add(k.load(x!, k.sub(k.u32(n - 1), i)), k.lit(1)))],
    )
    const [there, back] = [place(0, 0, n * 4), place(1, 0, n * 4)]
    const dispatch = (from: Place, to: Place) =>
      ({ kind: 'dispatch', kernel: 0, workgroups: n / 64, bindings: [from, to] }) as const
    const times = 400
    const plan = planOf({
      arenas: [n * 4, n * 4],
      kernels: [line],
      steps: [{ kind: 'repeat', times, steps: [dispatch(there, back), dispatch(back, there)] }],
      inputs: [input('[0]', [n], 'f32', there)],
      outputs: [output('', [n], 'f32', there)],
    })
    const x = Float32Array.from({ length: n }, (_, i) => i)
    for (const device of await opened) {
      const program = await loadPlan(device, planFor(device, plan))
      for (let i = 0; i < 3; i++) expect(await (await program.run([x]))[0]!.read()).toEqual(x.map((v) => v + 2 * times))
    }
  })
})

describe('twenty programs that nobody waits for', () => {
  it('have each its own results', async () => {
    const [, , device] = await opened
    const n = 1000
    const pending = Array.from({ length: 20 }, async (_, i) => {
      const program = await loadPlan(device!, planFor(device!, affine(n, false)))
      const runs = Array.from({ length: 3 }, (_, j) => program.run([new Float32Array(n).fill(10 * i + j)]))
      return Promise.all(runs.map(async (r) => [...new Set((await (await r)[0]!.read()) as Float32Array)]))
    })
    expect(await Promise.all(pending)).toEqual(
      Array.from({ length: 20 }, (_, i) => [0, 1, 2].map((j) => [2 * (10 * i + j) + 1])),
    )
  })
})

const failure = (p: Promise<unknown>): Promise<unknown> =>
  p.then(
    () => undefined,
    (e: unknown) => (e instanceof T.TensorloomError ? e.error : e),
  )

describe('what goes wrong', () => {
  it('in any thread is the error of the run, and of no other', async () => {
    for (const device of (await opened).slice(1)) {
      const beyond = await loadPlan(device, planFor(device, busy(6400, 1, 2 ** 28)))
      const [out] = await beyond.run([new Float32Array(6400)])
      expect(await failure(out!.read())).toMatchObject({
        tag: 'ValidationError',
        message: expect.stringMatching(/memory access out of bounds.*wasm-function/s),
      })
      const right = await loadPlan(device, planFor(device, busy(6400, 50)))
      const [y] = await right.run([new Float32Array(6400).fill(1)])
      expect(new Set((await y!.read()) as Float32Array)).toEqual(new Set([2]))
    }
  })

  it('with a worker itself loses the device, and the program goes on with a new one', async () => {
    const posted = watchWorkers()
    const device = await openTeam(2)
    const worker = posted.mock.contexts[0] as Worker
    const n = 64 * 400
    const program = await loadPlan(device, planFor(device, busy(n, 10_000)))
    const x = new Float32Array(n).fill(1)
    const pending = Array.from({ length: 4 }, async () => (await program.run([x]))[0]!.read())
    worker.terminate()
    const lost = { tag: 'DeviceLost', reason: expect.stringContaining('a thread of the processor is gone') }
    expect((await Promise.all(pending.map(failure))).at(-1)).toMatchObject(lost)
    expect(device.lost()).toMatchObject(lost)
    expect(await failure(program.run([x]))).toMatchObject(lost)
    const other = await openTeam(2)
    const [y] = await (await program.reload(other)).run([x])
    expect(new Set((await y!.read()) as Float32Array)).toEqual(new Set([2]))
    other.destroy()
  })

  it('before a worker has work leaves the work to the caller', async () => {
    const posted = watchWorkers()
    const device = await openTeam(2)
    const gone = new Promise((resolve) => (posted.mock.contexts[0] as Worker).once('exit', resolve))
    ;(posted.mock.contexts[0] as Worker).terminate()
    await gone
    expect([device.lost(), device.team?.size()]).toEqual([undefined, 1])
    const program = await loadPlan(device, planFor(device, busy(640, 50)))
    const [y] = await program.run([new Float32Array(640).fill(1)])
    expect(new Set((await y!.read()) as Float32Array)).toEqual(new Set([2]))
    device.destroy()
  })
})

describe('the process', () => {
  it('is not held up: neither its event loop, nor its end', async () => {
    const source = `import * as T from ${sourceUrl('src/index.ts')}
      const device = await T.openDevice({ prefer: 'cpu', threads: 2, quiet: true })
      const square = T.spec([1024, 1024])
      const { run } = await T.compileOn(device, (x, y) => T.matmul(x, y), [square, square])
      const ones = new Float32Array(2 ** 20).fill(1)
      let turns = 0
      const look = setInterval(() => turns++, 1)
      const means = []
      for (let i = 0; i < 4; i++) {
        turns = 0
        const start = performance.now()
        const results = await Promise.all([await run(ones, ones), await run(ones, ones)].map((r) => r.read()))
        means.push((performance.now() - start) / Math.max(1, turns))
        console.log(results.map((r) => new Set(r).size + ':' + r[0]).join())
      }
      clearInterval(look)
      console.log(Math.min(...means), device.team.ready())
      await run(ones, ones)`
    const lines = (await runScript(source, { timeout: 60_000 })).split('\n')
    expect(lines.slice(0, 4)).toEqual(Array(4).fill('1:1024,1:1024'))
    const [mean, threads] = lines[4]!.split(' ').map(Number)
    // Slices are milliseconds of the clock, however busy the machine is, which others use too.
    expect(mean).toBeLessThan(50)
    expect(threads).toBe(2)
  })
})
