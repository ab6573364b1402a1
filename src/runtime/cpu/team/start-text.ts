/** A worker that runs its text: no file has to be found for it. */
import { nodeThreads, ofPageWorker, ofThread, type StartWorker, threadOptions } from './start-worker.ts'
import { workerSource } from './worker-source.ts'

const startInPage: StartWorker = (onEnd) => {
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  const { post, end } = ofPageWorker(new Worker(url, { name: threadOptions.name }), onEnd)
  return {
    post,
    end: () => {
      end()
      URL.revokeObjectURL(url)
    },
  }
}

/** Starts a worker. */
export const startText: StartWorker = (onEnd) => {
  const threads = nodeThreads()
  return threads
    ? ofThread(new threads.Worker(workerSource, { ...threadOptions, eval: true }), onEnd)
    : startInPage(onEnd)
}
