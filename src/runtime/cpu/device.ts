/** The processor as a device of the runtime. */
import type { RuntimeError } from '../../lang/errors.ts'
import { type Device, lostHint, nextGeneration } from '../device.ts'
import { cpuBackend, explainTrap } from './backend.ts'
import { makeLinearMemory } from './linear-memory.ts'
import type { KernelSource } from './plan-module.ts'
import type { makeTeam, Team, Threads } from './team/make-team.ts'
import { makeWorkQueue } from './work-queue.ts'

/** A device that works on the processor. */
export interface CpuDevice extends Device {
  readonly kind: 'cpu'
  /** The threads beside that of the caller, where there are any: for the runtime alone. */
  readonly team: Team | undefined
}

/** Threads, and what makes a team of them: whoever has none has no need of its code. */
export interface Crew {
  readonly threads: Threads
  readonly makeTeam: typeof makeTeam
}

/** What a device has. */
export interface CpuParts {
  readonly source: KernelSource
  /** None where one thread does all. */
  readonly crew?: Crew | undefined
  /** What memory takes at most. */
  readonly mostBytes?: number | undefined
  /** Shares all work between the threads, be it worth it or not: for tests. */
  readonly isEager?: boolean | undefined
}

/** A team belongs to a device: its workers end with it, be it destroyed or collected. */
const collected = new FinalizationRegistry<() => void>((end) => end())

/** A device on this processor. */
export const cpuDevice = ({ source, crew, mostBytes, isEager = false }: CpuParts): CpuDevice => {
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
  const queue = makeWorkQueue(explainTrap)
  const linear = makeLinearMemory(mostBytes, crew !== undefined)
  const team = crew?.makeTeam(crew.threads, linear.memory, (reason) =>
    lose(`a thread of the processor is gone: ${reason}`),
  )
  const backend = cpuBackend(linear, queue, source, { team, isEager })
  const device: CpuDevice = {
    kind: 'cpu',
    team,
    description: crew ? `cpu, ${crew.threads.count} threads` : 'cpu, 1 thread',
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
