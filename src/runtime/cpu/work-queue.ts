/**
 * Work in call order on the thread of the caller, a slice of time at once: what fits into the slice is done when a
 * submission returns, the rest between other turns of the event loop, which is never held up for longer.
 */
import type { RuntimeError } from '../../lang/errors.ts'

/** Something to do: does it until `until` (of `performance.now()`) at most, and says whether it is done. */
export type Task = (until: number) => boolean

/** The queue. */
export interface WorkQueue {
  /** Does `tasks` in order after all that came before. Resolves when it is done: with what went wrong, if anything. */
  readonly submit: (tasks: readonly Task[]) => Promise<RuntimeError | undefined>
  readonly isIdle: () => boolean
  /** Resolves when what was submitted so far is done. */
  readonly settled: () => Promise<unknown>
  /** Does nothing of what waits, nor of what is submitted from now on; all of it ends in `error`. */
  readonly stop: (error: RuntimeError) => void
}

interface Submission {
  readonly tasks: readonly Task[]
  /** The task that is next. */
  at: number
  readonly finish: (error: RuntimeError | undefined) => void
  readonly done: Promise<RuntimeError | undefined>
}

/** Milliseconds that the event loop may be held up: a page shows a frame every 16, elsewhere nobody looks. */
const sliceLength = (): number => (typeof document === 'undefined' ? 20 : 8)

/** Makes what calls a function in the next turn of the event loop. */
const makeNextTurn = (): ((f: () => void) => void) => {
  if (typeof setImmediate === 'function') return (f) => setImmediate(f)
  if (typeof document === 'undefined') return (f) => setTimeout(f, 0)
  // Timers of pages are held back, messages are not.
  const { port1, port2 } = new MessageChannel()
  const waiting: (() => void)[] = []
  port1.onmessage = () => waiting.shift()?.()
  return (f) => {
    waiting.push(f)
    port2.postMessage(0)
  }
}

const nothing: Promise<undefined> = Promise.resolve(undefined)

/** An empty queue; `explain` turns what a task throws into an error. */
export const makeWorkQueue = (explain: (e: unknown) => RuntimeError): WorkQueue => {
  let waiting: Submission[] = []
  let stopped: RuntimeError | undefined
  /** When the slice of this turn ends; undefined before the first work of a turn. */
  let until: number | undefined
  const slice = sliceLength()
  const nextTurn = makeNextTurn()

  const beginSlice = (): number => {
    if (until === undefined) {
      until = performance.now() + slice
      nextTurn(() => {
        until = undefined
        work()
      })
    }
    return until
  }

  /** True when the submission is done. */
  const advance = (s: Submission, until: number): boolean => {
    try {
      for (; s.at < s.tasks.length; s.at++) if (performance.now() >= until || !s.tasks[s.at]!(until)) return false
      s.finish(undefined)
    } catch (e) {
      s.finish(explain(e))
    }
    return true
  }

  const work = (): void => {
    while (waiting.length > 0) {
      if (!advance(waiting[0]!, beginSlice())) return
      waiting.shift()
    }
  }

  return {
    submit: (tasks) => {
      if (stopped) return Promise.resolve(stopped)
      if (tasks.length === 0 && waiting.length === 0) return nothing
      let finish: Submission['finish'] = () => {}
      const done = new Promise<RuntimeError | undefined>((resolve) => {
        finish = resolve
      })
      waiting.push({ tasks, at: 0, finish, done })
      if (waiting.length === 1) work()
      return done
    },
    isIdle: () => waiting.length === 0,
    settled: () => waiting[waiting.length - 1]?.done ?? nothing,
    stop: (error) => {
      stopped = error
      for (const s of waiting) s.finish(error)
      waiting = []
    },
  }
}
