/** How long each dispatch of a plan takes: a device whose work is done one dispatch after the other, each with a clock beside it. */
import { type RuntimeError, TensorloomError } from '../lang/errors.ts'
import type { Backend, Commands, Dispatch } from './backend.ts'
import type { Device } from './device.ts'

/** Does one dispatch alone, after all that came before; resolves to its milliseconds when it is done. */
export type Stopwatch = (dispatch: Dispatch) => Promise<number>

/** What a device that is timed is, and what it took. */
export interface TimedDevice {
  readonly device: Device
  /** The milliseconds of the dispatches done so far, by their numbers among those of the plan that do something; empties itself. */
  readonly taken: () => Promise<ReadonlyMap<number, readonly number[]>>
}

/** Work of commands, as it is recorded. */
type Recorded = { readonly dispatch: Dispatch } | { readonly other: (commands: Commands) => void }

const refusing = (trouble: RuntimeError | undefined): void => {
  if (trouble) throw new TensorloomError(trouble)
}

/** Encodes, submits and waits for what `encode` says; rejects where the device refuses it. */
export const doneAlone = async (backend: Backend, encode: (commands: Commands) => void): Promise<void> => {
  const { trouble } = backend.guarded(0, () => {
    const commands = backend.begin()
    encode(commands)
    commands.submit()
  })
  refusing(await trouble)
  await backend.settled()
}

/** The clock of the host around a submission of one dispatch, which any device can be timed with. */
export const waitingStopwatch =
  (backend: Backend): Stopwatch =>
  async (dispatch) => {
    const from = performance.now()
    await doneAlone(backend, (commands) => commands.run([dispatch]))
    return performance.now() - from
  }

/**
 * A device like `device`, for one plan: all work waits for that before it, so that a dispatch is alone when `stopwatch` times it.
 * What is created is that of the device itself.
 */
export const timedDevice = (device: Device, stopwatch: Stopwatch): TimedDevice => {
  const { backend } = device
  const { rebound: _, ...primitives } = backend
  const numbers = new Map<Dispatch, number>()
  let times = new Map<number, number[]>()
  let work: Promise<unknown> = Promise.resolve()
  /** After all that was asked for before; whoever waits for the work hears of a failure. */
  const later = (f: () => unknown): Promise<unknown> => {
    work = work.then(f)
    work.catch(() => {})
    return work
  }
  const play = async (recorded: readonly Recorded[]): Promise<void> => {
    for (let i = 0; i < recorded.length; i++) {
      const next = recorded[i]!
      if ('dispatch' in next) {
        const number = numbers.get(next.dispatch)!
        const ms = await stopwatch(next.dispatch)
        times.set(number, [...(times.get(number) ?? []), ms])
      } else await doneAlone(backend, next.other)
    }
  }
  const begin = (): Commands => {
    const recorded: Recorded[] = []
    const record = (other: (commands: Commands) => void): void => void recorded.push({ other })
    return {
      write: (to, bytes) => {
        const held = bytes.slice()
        record((commands) => commands.write(to, held))
      },
      copy: (...args) => record((commands) => commands.copy(...args)),
      run: (dispatches) => void recorded.push(...dispatches.map((dispatch) => ({ dispatch }))),
      submit: () => void later(() => play(recorded)),
    }
  }
  const timed: Backend = {
    ...primitives,
    begin,
    write: (to, bytes) => {
      const held = bytes.slice()
      later(() => backend.write(to, held))
    },
    destroy: (memory) => void later(() => backend.destroy(memory)),
    map: (staging) => later(() => backend.map(staging)),
    settled: () => later(() => backend.settled()),
    prepare: async (plan, bound) => {
      const ready = await backend.prepare(plan, bound)
      ready.forEach((dispatch, number) => {
        numbers.set(dispatch, number)
      })
      return ready
    },
  }
  return {
    device: { ...device, backend: timed },
    taken: async () => {
      await timed.settled()
      const found = times
      times = new Map()
      return found
    },
  }
}
