/** Threads of emitted modules: workers of the file that is written beside the runtime. Imported where there can be several. */
import type { Crew } from '../../runtime/cpu/device.ts'
import { makeTeam } from '../../runtime/cpu/team/make-team.ts'
import {
  nodeThreads,
  ofPageWorker,
  ofThread,
  type StartWorker,
  threadOptions,
} from '../../runtime/cpu/team/start-worker.ts'

// Spelled in this way, bundlers take the file along.
const start: StartWorker = (onEnd) => {
  const threads = nodeThreads()
  return threads
    ? ofThread(new threads.Worker(new URL('./runtime.worker.js', import.meta.url), threadOptions), onEnd)
    : ofPageWorker(new Worker(new URL('./runtime.worker.js', import.meta.url), { name: threadOptions.name }), onEnd)
}

/** `count` threads, the caller's with them. */
export const crewOf = (count: number): Crew => ({ threads: { count, start }, makeTeam })
