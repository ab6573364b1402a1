/** Our side of the bench: the programs of the scoreboard, compiled for the device at hand. */
import * as T from '../../../src/index.ts'
import { timedPrograms } from '../programs.ts'
import { type Host, type HostTree, mapHosts } from './arguments.ts'
import type { Kind } from './device.ts'
import type { Library, Session } from './library.ts'

interface Handle {
  readonly read: () => Promise<ArrayLike<number>>
}

type Run = (...args: readonly unknown[]) => Promise<unknown>

/** Arguments as residents of the device, through a program that gives back what it is given. */
const upload = async (device: T.Device, args: readonly HostTree[]): Promise<readonly unknown[]> => {
  const specs = args.map((a) => mapHosts(a, ({ shape, dtype }) => T.spec(shape, dtype as T.DType)))
  const keep = args.map((_, i) => `[${i}]`)
  const copy = await T.compileOn(device, ((...xs: readonly unknown[]) => xs) as never, specs as never, { keep })
  return (await (copy.run as unknown as Run)(...args.map((a) => mapHosts(a, (h) => h.data)))) as readonly unknown[]
}

const start = async (device: T.Device, row: string, args: readonly HostTree[]): Promise<Session | undefined> => {
  const program = timedPrograms.find((p) => p.name === row)
  if (!program) return undefined
  const trains = row.endsWith('_train')
  const options = { ...program.options, ...(trains ? {} : { keep: [''] }) }
  const loaded = await T.compileOn(device, program.f as never, program.specs as never, options)
  const run = loaded.run as unknown as Run
  let given: readonly unknown[] = args.map((a) => mapHosts(a, (h: Host) => h.data))
  let last: unknown
  return {
    call: async () => {
      last = await run(...given)
      if (!trains) {
        await device.backend.settled()
        return undefined
      }
      const { state, loss } = last as { readonly state: unknown; readonly loss: Handle }
      given = [state, ...given.slice(1)]
      return (await loss.read())[0]
    },
    read: () => (last as Handle).read(),
    settle: async () => {
      // A training step's state is on the device since the first call.
      const first = trains ? 1 : 0
      given = [...given.slice(0, first), ...(await upload(device, args.slice(first)))]
    },
  }
}

/** Opens the device that `T.openDevice` gives, of the processor some threads alone. */
export const openOurs = async (kind: Kind, threads?: number): Promise<Library> => {
  const device = await T.openDevice({ prefer: kind, quiet: true, ...(threads ? { threads } : {}) })
  return { start: (row, args) => start(device, row, args) }
}
