/** How many threads there can be here. */

/** Whether memory can be shared between threads here: not in a page that is not cross-origin isolated. */
export const canShareMemory = (): boolean =>
  typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false

/** Whether this thread may sleep: all but that of a page. */
export const canSleep = (): boolean => typeof document === 'undefined'

/** More of them do not help, and the words that they share are laid out for fewer chunks. */
export const mostThreads = 64

const node = typeof process === 'undefined' ? undefined : process

/** Threads of this machine that we may use. */
export const hardwareThreads = (): number => {
  const threads =
    node?.getBuiltinModule?.('node:os').availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1
  return Math.min(threads, mostThreads)
}
