/** Counting calls by wrapping the methods of whatever is called. */

/** Calls since the last reset, and the bytes they moved. */
export interface CallCounts {
  readonly dispatches: number
  readonly workgroups: number
  readonly passes: number
  readonly submits: number
  readonly copies: number
  readonly copiedBytes: number
  readonly uploads: number
  readonly uploadedBytes: number
  readonly buffers: number
  readonly bufferBytes: number
  readonly modules: number
  readonly pipelines: number
  readonly bindGroups: number
}

/** A count in progress, as `countCalls` gives it. */
export interface Counter {
  /** The counts so far. */
  readonly read: () => CallCounts
  readonly reset: () => void
  /** Takes the wrapping off the device; encoders that are open go on counting. */
  readonly stop: () => void
}

/** Counts in progress. */
export type Counts = { -readonly [K in keyof CallCounts]: number }

/** Counts at zero. */
export const makeCounts = (): Counts => ({
  dispatches: 0,
  workgroups: 0,
  passes: 0,
  submits: 0,
  copies: 0,
  copiedBytes: 0,
  uploads: 0,
  uploadedBytes: 0,
  buffers: 0,
  bufferBytes: 0,
  modules: 0,
  pipelines: 0,
  bindGroups: 0,
})

/**
 * Puts an own method `name` on `target` that calls `before` with the arguments, then the method it hides, then `after` with
 * the result. Returns the way back.
 */
export const wrap = <T extends object, K extends keyof T>(
  target: T,
  name: K,
  before: (args: readonly unknown[]) => void,
  after: (result: unknown) => void = () => {},
): (() => void) => {
  const hidden = target[name] as unknown as (...args: unknown[]) => unknown
  const value = (...args: unknown[]): unknown => {
    before(args)
    const result = hidden.apply(target, args)
    after(result)
    return result
  }
  const own = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { value, configurable: true, writable: true })
  return () => {
    if (own) Object.defineProperty(target, name, own)
    else delete (target as Record<PropertyKey, unknown>)[name as PropertyKey]
  }
}

/** The counter of what is counted in `counts`; `undo` are the ways back. */
export const counterOf = (counts: Counts, undo: readonly (() => void)[]): Counter => ({
  read: () => ({ ...counts }),
  reset: () => {
    Object.assign(counts, makeCounts())
  },
  stop: () => {
    for (const u of undo) u()
  },
})
