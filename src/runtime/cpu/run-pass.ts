/**
 * The dispatches of a pass, in order: what is small or new the caller does alone, in chunks by the clock; stretches that are
 * worth it are shared with the other threads. What work costs is measured while it runs, and remembered with the dispatch.
 */
import { ceilDiv } from '../../lang/dim.ts'
import { learn, nextChunk } from './pace.ts'
import type { Ready } from './ready-kernels.ts'
import { mostAddresses, mostChunks, mostSteps } from './team/limits.ts'
import type { Scratch, Share, Team, Together } from './team/make-team.ts'
import type { Task } from './work-queue.ts'

/** Chunks that are shared are short: the last ones leave somebody idle. */
const sharedChunkTime = 0.5
const leastChunkTime = 0.015
const chunksPerThread = 4

/** From here on a dispatch is worth sharing, and a list of them worth waking who sleeps. */
const sharedTime = 0.03
const wakingTime = 0.1

/** What all work is taken for where everything is shared. */
const eagerTime = 0.15

/** Work of a pass from which on other threads are started. */
const startingTime = 2

/** Threads and where they have their scratch memory. */
export interface Crew {
  readonly team: Team | undefined
  readonly scratch: () => Scratch
  /** Whether all is shared that can be, be it worth it or not: for tests. */
  readonly isEager: boolean
}

/** Chunks of work of `ms` milliseconds: one, where it is small. */
const chunksOf = (ms: number, threads: number): number => {
  if (ms < sharedTime) return 1
  const fair = Math.min(chunksPerThread * threads, Math.floor(ms / leastChunkTime))
  return Math.min(mostChunks, Math.max(fair, Math.ceil(ms / sharedChunkTime)))
}

/** What is left of a dispatch from piece `from` on, as a step. */
const shareOf = ({ call, pieces, run }: Ready, from: number, ms: number, threads: number): Share => ({
  ...call!,
  run,
  from,
  to: pieces,
  size: ceilDiv(pieces - from, chunksOf(ms, threads)),
})

/** Does `dispatches`. */
export const passTask = ({ team, scratch, isEager }: Crew, dispatches: readonly Ready[]): Task => {
  /** The dispatch that is next, and its first piece that is not done. */
  let [at, from] = [0, 0]
  let together: Together | undefined
  let count = 0
  let spent = 0

  /** Milliseconds of what is left from piece `from` on, where that is known and can be shared. */
  const shareableTime = ({ call, pace, pieces }: Ready, from: number): number => {
    if (!call) return 0
    return isEager ? eagerTime : (pace.cost ?? 0) * (pieces - from)
  }

  /**
   * Shares what begins here, up to the last dispatch that is worth it; false where that is not, or all of it together not
   * worth waking who sleeps.
   */
  const share = (): boolean => {
    if (!team || team.ready() === 1) return false
    const shares: Share[] = []
    let [addresses, worth] = [0, 0]
    count = 0
    for (let i = at; i < dispatches.length && shares.length < mostSteps - 2; i++) {
      const [ready, first] = [dispatches[i]!, i === at ? from : 0]
      const ms = shareableTime(ready, first)
      const isWorth = ms >= sharedTime && ready.pieces - first > 1
      addresses += ready.call?.addresses.length ?? 0
      if (ms === 0 || addresses > mostAddresses || (i === at && !isWorth)) break
      shares.push(shareOf(ready, first, ms, team.ready()))
      if (!isWorth) continue
      count = shares.length
      worth += ms
    }
    const wakes = worth >= wakingTime
    if (count === 0 || (!wakes && team.isAsleep())) return false
    together = team.share(shares.slice(0, count), wakes, scratch())
    return true
  }

  const learnShared = (times: readonly number[]): void => {
    times.forEach((ms, i) => {
      const { pace, pieces } = dispatches[at + i]!
      learn(pace, ms, pieces - (i === 0 ? from : 0))
    })
  }

  const alone = (now: number): number => {
    const { run, pieces, pace } = dispatches[at]!
    const to = Math.min(pieces, from + pace.chunk)
    run(from, to)
    const end = performance.now()
    if (pace.isWarm) {
      learn(pace, end - now, to - from)
      spent += end - now
    }
    nextChunk(pace, end - now, to - from)
    from = to
    if (spent + shareableTime(dispatches[at]!, from) >= startingTime) team?.start()
    if (from >= pieces) [at, from] = [at + 1, 0]
    return end
  }

  return (until) => {
    for (let now = performance.now(); at < dispatches.length; ) {
      if (together) {
        if (!together.join(until)) return false
        learnShared(together.times())
        ;[at, from, together] = [at + count, 0, undefined]
        now = performance.now()
      } else if (now >= until) return false
      else if (!share()) now = alone(now)
    }
    return true
  }
}
