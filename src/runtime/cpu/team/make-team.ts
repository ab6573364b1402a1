/**
 * Threads that do the steps of a list together with the caller, who takes part whenever it has time: each takes a chunk of
 * workgroups at once. A workgroup writes elements of its own, so results have the same bits however many there are.
 */
import { ceilDiv } from '../../../lang/dim.ts'
import { at, spinLoads, spinTime, step, stepAt, stepMask, ticksPerMs } from './control.ts'
import { chunkBits, mostChunks, mostSteps } from './limits.ts'
import type { Ended, StartWorker, TeamWorker } from './start-worker.ts'
import { canSleep } from './thread-count.ts'

/** Workgroups `from` to `to` (exclusive) of a kernel, `size` in a chunk. */
export interface Share {
  readonly module: WebAssembly.Module
  /** Number of the kernel in the module, and the function of it that the caller calls. */
  readonly kernel: number
  readonly run: (from: number, to: number) => void
  readonly words: number
  readonly addresses: readonly number[]
  readonly from: number
  readonly to: number
  readonly size: number
}

/** Where each thread has its scratch memory: `stride` bytes from the next. */
export interface Scratch {
  readonly address: number
  readonly stride: number
}

/** A list of steps under way. */
export interface Together {
  /** Takes part until all is done or it is `until` (of `performance.now()`): true where it is. Throws what any thread threw. */
  readonly join: (until: number) => boolean
  /** Milliseconds that each step took, all threads together; once all is done. */
  readonly times: () => readonly number[]
}

/** The threads of a device. */
export interface Team {
  /** Threads that there are or will be, the caller's with them. */
  readonly size: () => number
  /** Threads that are there now. */
  readonly ready: () => number
  /** Whether one of the workers sleeps. */
  readonly isAsleep: () => boolean
  /** Starts the workers, at the first call. */
  readonly start: () => void
  /** Hands out a list of steps, for which it `wakes` who sleeps; the list before must be done. */
  readonly share: (shares: readonly Share[], wakes: boolean, scratch: Scratch) => Together
  readonly end: () => void
}

/** Where threads come from, and how many there are with that of the caller: two at least. */
export interface Threads {
  readonly count: number
  readonly start: StartWorker
}

/** A team of threads over `memory`; `onLoss` is told why one of them is gone that had work. */
export const makeTeam = (
  { count: threads, start: startWorker }: Threads,
  memory: () => WebAssembly.Memory,
  onLoss: Ended,
): Team => {
  const words = new SharedArrayBuffer(at.end * 4)
  const c = new Int32Array(words)
  let workers: readonly TeamWorker[] | undefined
  let [isOver, wasUsed] = [false, false]
  /** The step behind the last, which has no chunks: at first one whose number is about to start over, so that this is no rare event. */
  let last = stepMask - mostSteps
  Atomics.store(c, at.ticket, last << chunkBits)

  const post = (messages: (worker: number) => unknown): void => {
    Atomics.add(c, at.mail, 1)
    for (const [i, w] of (workers ?? []).entries()) w.post(messages(i))
  }

  /** Modules by their number in messages; workers drop those that nobody holds any more. */
  const numbers = new WeakMap<WebAssembly.Module, number>()
  let nextNumber = 1
  const dropped = new FinalizationRegistry<number>((id) => post(() => ({ id })))
  const numberOf = (module: WebAssembly.Module): number => {
    const known = numbers.get(module)
    if (known !== undefined) return known
    const id = nextNumber++
    numbers.set(module, id)
    dropped.register(module, id)
    post(() => ({ id, module }))
    return id
  }

  const end = (): void => {
    isOver = true
    for (const w of workers ?? []) w.end()
    workers = []
  }

  const onEnd = (reason: string): void => {
    if (isOver) return
    end()
    // One that never did anything is not missed: a policy of the page may forbid workers.
    if (wasUsed) onLoss(reason)
  }

  const start = (): void => {
    if (workers || isOver) return
    try {
      workers = Array.from({ length: threads - 1 }, () => startWorker(onEnd))
      post((i) => ({ words, memory: memory(), thread: i + 1 }))
    } catch (e) {
      onEnd(String(e))
    }
  }

  const write = (number: number, share: Share, wakes: boolean, scratch: Scratch, addresses: number): void => {
    const s = stepAt(number)
    c[s + step.size] = share.size
    c[s + step.from] = share.from
    c[s + step.to] = share.to
    c[s + step.module] = numberOf(share.module)
    c[s + step.kernel] = share.kernel
    c[s + step.scratch] = scratch.address
    c[s + step.stride] = scratch.stride
    c[s + step.words] = share.words
    c[s + step.bindings] = share.addresses.length
    c[s + step.addresses] = addresses
    c.set(share.addresses, at.addresses + addresses)
    const chunks = ceilDiv(share.to - share.from, share.size)
    c[s + step.wakes] = Number(wakes && chunks > 1)
    c[s + step.done] = 0
    c[s + step.ticks] = 0
    Atomics.store(c, s + step.chunks, chunks)
  }

  const turn = (number: number): void => {
    Atomics.store(c, at.ticket, number << chunkBits)
    if (c[stepAt(number) + step.wakes] && Atomics.load(c, at.sleepers) > 0) Atomics.notify(c, at.ticket)
  }

  const fail = (e: unknown): void => {
    if (Atomics.compareExchange(c, at.failed, 0, 2) === 0) thrown = e
  }
  let thrown: unknown

  const runChunk = (i: number, { run, from, to, size }: Share): void => {
    const first = from + i * size
    run(first, Math.min(to, first + size))
  }

  /** Waits a little until the ticket turns; false where it did not. */
  const rest = (ticket: number, now: number, until: number): boolean => {
    const end = now + spinTime
    for (let i = 1; Atomics.load(c, at.ticket) === ticket; i++) {
      if (i % spinLoads !== 0 || performance.now() < end) continue
      if (!canSleep()) return false
      Atomics.store(c, at.callerSleeps, 1)
      if (Atomics.load(c, at.ticket) === ticket) Atomics.wait(c, at.callerSleeps, 1, Math.max(0, until - end))
      Atomics.store(c, at.callerSleeps, 0)
      return true
    }
    return true
  }

  /** Throws what went wrong in any thread. */
  const demandDone = (): void => {
    if (Atomics.exchange(c, at.failed, 0) === 0) return
    const e = thrown ?? new Error(String.fromCharCode(...c.subarray(at.text, at.text + c[at.textLength]!)))
    thrown = undefined
    throw e
  }

  const share = (shares: readonly Share[], wakes: boolean, scratch: Scratch): Together => {
    const first = last + 1
    let addresses = 0
    wasUsed = true
    shares.forEach((s, i) => {
      write((first + i) & stepMask, s, wakes, scratch, addresses)
      addresses += s.addresses.length
    })
    last = (last + shares.length + 1) & stepMask
    const behind = last
    c[stepAt(behind) + step.wakes] = 0
    Atomics.store(c, stepAt(behind) + step.chunks, 0)
    turn(first & stepMask)

    const join = (until: number): boolean => {
      let now = performance.now()
      for (;;) {
        const ticket = Atomics.load(c, at.ticket)
        const number = ticket >>> chunkBits
        if (number === behind) break
        if (now >= until) return false
        const s = stepAt(number)
        const i = ticket & mostChunks
        const chunks = Atomics.load(c, s + step.chunks)
        if (i >= chunks) {
          if (!rest(ticket, now, until)) return false
          now = performance.now()
        } else if (Atomics.compareExchange(c, at.ticket, ticket, ticket + 1) === ticket) {
          try {
            if (Atomics.load(c, at.failed) === 0) runChunk(i, shares[(number - first) & stepMask]!)
          } catch (e) {
            fail(e)
          }
          const start = now
          now = performance.now()
          Atomics.add(c, s + step.ticks, Math.round((now - start) * ticksPerMs))
          if (Atomics.add(c, s + step.done, 1) + 1 === chunks) turn((number + 1) & stepMask)
        }
      }
      demandDone()
      return true
    }
    return {
      join,
      times: () => shares.map((_, i) => c[stepAt((first + i) & stepMask) + step.ticks]! / ticksPerMs),
    }
  }

  return {
    size: () => (isOver ? 1 : threads),
    ready: () => (isOver ? 1 : 1 + Atomics.load(c, at.ready)),
    isAsleep: () => Atomics.load(c, at.sleepers) > 0,
    start,
    share,
    end,
  }
}
