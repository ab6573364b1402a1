/** Devices whose threads stand ready and share all that can be shared, so that small programs show what threads do. */
import { setTimeout as wait } from 'node:timers/promises'
import type { CpuDevice } from '../../../src/runtime/cpu/device.ts'
import { openCpu } from '../../../src/runtime/cpu/open-cpu.ts'

/** A device of `threads` threads, all of them ready. */
export const openTeam = async (threads: number): Promise<CpuDevice> => {
  const device = openCpu({ threads, isEager: true })
  const { team } = device
  team?.start()
  while (team && team.ready() < threads) await wait(1)
  return device
}
