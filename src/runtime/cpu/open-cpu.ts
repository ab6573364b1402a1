/** Opening the processor for programs that are compiled here. */
import { type CpuDevice, cpuDevice } from './device.ts'
import { printedKernels } from './printed-kernels.ts'
import { makeTeam } from './team/make-team.ts'
import { startText } from './team/start-text.ts'
import { canShareMemory, hardwareThreads } from './team/thread-count.ts'

/** Options of `openCpu`. */
export interface CpuOptions {
  /** Default: what the machine has. One where memory cannot be shared. */
  readonly threads?: number | undefined
  /** What memory takes at most. */
  readonly mostBytes?: number | undefined
  /** Shares all work between the threads, be it worth it or not: for tests. */
  readonly isEager?: boolean | undefined
}

/** A device on this processor. */
export const openCpu = ({ threads = hardwareThreads(), mostBytes, isEager }: CpuOptions = {}): CpuDevice =>
  cpuDevice({
    source: printedKernels,
    crew: threads > 1 && canShareMemory() ? { threads: { count: threads, start: startText }, makeTeam } : undefined,
    mostBytes,
    isEager,
  })
