/** Workers of the platform: threads of Node and Deno, workers of a page that is isolated. Where there are none, one thread does all. */

/** A worker that runs a text. */
export interface TeamWorker {
  readonly post: (message: unknown) => void
  readonly end: () => void
}

/** What is told of a worker that ends before its time, or throws. */
export type Ended = (reason: string) => void

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

const startThread = ({ Worker }: typeof import('node:worker_threads'), source: string, onEnd: Ended): TeamWorker => {
  // Nothing of how this process was started matters to it.
  const worker = new Worker(source, { eval: true, execArgv: [], env: {}, name: 'tensorloom' })
  // Who waits for work of it keeps the process alive.
  worker.unref()
  worker.on('error', (e) => onEnd(String(e)))
  worker.on('exit', (code) => onEnd(`it exited with code ${code}`))
  return { post: (message) => worker.postMessage(message), end: () => void worker.terminate() }
}

const startPageWorker = (source: string, onEnd: Ended): TeamWorker => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'tensorloom' })
  worker.onerror = (e) => onEnd(e.message ?? 'it did not start')
  return {
    post: (message) => worker.postMessage(message),
    end: () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
  }
}

/** Starts a worker. Throws where the platform refuses. */
export const startWorker = (source: string, onEnd: Ended): TeamWorker => {
  const threads = node?.getBuiltinModule?.('node:worker_threads')
  return threads ? startThread(threads, source, onEnd) : startPageWorker(source, onEnd)
}
