/** How fast the work of a dispatch goes, measured while it runs. */

/** What is known, in milliseconds. */
export interface Pace {
  /** Pieces of the next chunk that the caller does alone. */
  chunk: number
  /** Of a piece; unknown before a chunk was measured that was not the first: engines compile at the first call. */
  cost: number | undefined
  isWarm: boolean
}

/** Of a chunk: engines replace a function by its faster form between calls. */
const chunkTime = 1

const leastTime = 1e-3

/** The pace of what never ran. */
export const unknownPace = (pieces: number): Pace => ({
  chunk: Math.max(1, pieces >> 4),
  cost: undefined,
  isWarm: false,
})

/** Notes that `pieces` took `ms`: what was fast counts, what was slow may have been interrupted. */
export const learn = (pace: Pace, ms: number, pieces: number): void => {
  const cost = Math.max(ms, leastTime) / pieces
  pace.cost = pace.cost === undefined || cost < pace.cost ? cost : pace.cost + (cost - pace.cost) / 8
}

/** Sets the chunk that comes after one of `pieces` that took `ms`. */
export const nextChunk = (pace: Pace, ms: number, pieces: number): void => {
  pace.chunk = Math.max(1, Math.min(2 * pace.chunk, Math.round((pieces * chunkTime) / Math.max(ms, leastTime))))
  pace.isWarm = true
}
