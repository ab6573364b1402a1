/** The processor as a device of the runtime. */
import type { RuntimeError } from '../../lang/errors.ts'
import { type Device, lostHint, nextGeneration } from '../device.ts'
import { cpuBackend, explainTrap } from './backend.ts'
import { makeLinearMemory } from './linear-memory.ts'
import { makeTeam, type Team } from './team/make-team.ts'
import { canShareMemory, hardwareThreads } from './team/start-worker.ts'
import { makeWorkQueue } from './work-queue.ts'

/** A device that works on the processor. */
export interface CpuDevice extends Device {
  readonly kind: 'cpu'
  /** The threads beside that of the caller, where there are any: for the runtime alone. */
  readonly team: Team | undefined
}

/** Options of `openCpu`. */
export interface CpuOptions {
  /** Default: what the machine has. One where memory cannot be shared. */
  readonly threads?: number
  /** What memory takes at most. */
  readonly mostBytes?: number
  /** Shares all work between the threads, be it worth it or not: for tests. */
  readonly isEager?: boolean
}

/** A team belongs to a device: its workers end with it, be it destroyed or collected. */
const collected = new FinalizationRegistry<() => void>((end) => end())

const threadsOf = ({ threads = hardwareThreads() }: CpuOptions): number => (canShareMemory() ? threads : 1)

/** A device on this processor. */
export const openCpu = (options: CpuOptions = {}): CpuDevice => {
  let loss: RuntimeError | undefined
  let tell: (loss: RuntimeError) => void = () => {}
  const whenLost = new Promise<RuntimeError>((resolve) => {
    tell = resolve
  })
  const lose = (reason: string): void => {
    if (loss) return
    loss = { tag: 'DeviceLost', reason, hint: lostHint }
    queue.stop(loss)
    team?.end()
    linear.letGo()
    tell(loss)
  }
  const threads = threadsOf(options)
  const queue = makeWorkQueue(explainTrap)
  const linear = makeLinearMemory(options.mostBytes, threads > 1)
  const team =
    threads > 1
      ? makeTeam(threads, linear.memory, (reason) => lose(`a thread of the processor is gone: ${reason}`))
      : undefined
  const backend = cpuBackend(linear, queue, { team, isEager: options.isEager ?? false })
  const device: CpuDevice = {
    kind: 'cpu',
    team,
    description: `cpu, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    generation: nextGeneration(),
    lost: () => loss,
    whenLost,
    refusal: () => undefined,
    liveBytes: backend.liveBytes,
    destroy: () => lose('destroyed: by a call of destroy'),
    backend,
  }
  if (team) collected.register(device, team.end)
  return device
}
