/** Ten thousand training steps on the device hold exactly the memory of the first: nobody writes `dispose`, nothing piles up. */
import { expect, it } from 'vitest'
import * as T from '../src/index.ts'
import { mlpProgram, mlpStart } from './mlp-step.ts'
import { openTeam } from './runtime/cpu/open-team.ts'

// A device of its own: what other tests leave behind would be counted.
const devices: readonly (readonly [string, () => Promise<T.Device>])[] = [
  ['GPU', () => T.openDevice({ quiet: true })],
  ['processor', () => openTeam(2)],
]

it.each(devices)('live bytes stay constant over 10,000 steps on the %s', { timeout: 240_000 }, async (_, open) => {
  const device = await open()
  const loaded = (await T.toPromise(mlpProgram().load(device))) as T.Loaded
  const [start, ...batch] = mlpStart() as readonly never[]
  const bytes: number[] = []
  const losses: number[] = []
  let state: unknown = start
  for (let i = 1; i <= 10_000; i++) {
    const result = (await loaded.run(state as never, ...batch)) as unknown as { state: unknown; loss: T.Output }
    state = result.state
    // Most losses are never read: those must not pile up either.
    if (i % 1000 === 0) {
      losses.push((await result.loss.read())[0]!)
      bytes.push(device.liveBytes())
    }
  }
  expect(new Set(bytes).size, `live bytes every 1000 steps: ${bytes.join(', ')}`).toBe(1)
  // Arenas, and a few small buffers on the way to the host.
  expect(bytes[0]! - loaded.executable.plan.prediction.peakBytes).toBeLessThan(4096)
  expect(losses[9]).toBeLessThan(losses[0]!)
  device.destroy()
})
