/** Workers of the platform: threads of Node and Deno, workers of a page that is isolated. Where there are none, one thread does all. */

/** A worker that runs a text. */
export interface TeamWorker {
  readonly post: (message: unknown) => void
  readonly end: () => void
}

/** Starts a worker, of which `onEnd` is told. Throws where the platform refuses. */
export type StartWorker = (onEnd: Ended) => TeamWorker

/** What is told of a worker that ends before its time, or throws. */
export type Ended = (reason: string) => void

/** Threads of Node and of what is like it. */
export const nodeThreads = (): typeof import('node:worker_threads') | undefined =>
  typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:worker_threads')

/** Nothing of how this process was started matters to a thread. */
export const threadOptions: import('node:worker_threads').WorkerOptions & { readonly name: string } = {
  execArgv: [],
  env: {},
  name: 'tensorloom',
}

/** A thread of Node. */
export const ofThread = (worker: import('node:worker_threads').Worker, onEnd: Ended): TeamWorker => {
  // Who waits for work of it keeps the process alive.
  worker.unref()
  worker.on('error', (e) => onEnd(String(e)))
  worker.on('exit', (code) => onEnd(`it exited with code ${code}`))
  return { post: (message) => worker.postMessage(message), end: () => void worker.terminate() }
}

/** A worker of a page. */
export const ofPageWorker = (worker: Worker, onEnd: Ended): TeamWorker => {
  worker.onerror = (e) => onEnd(e.message ?? 'it did not start')
  return { post: (message) => worker.postMessage(message), end: () => worker.terminate() }
}
