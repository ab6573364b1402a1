/** The back end upon the processor: stretches of one linear memory, work done by the caller, a slice at once, and its team. */

import { alignUp } from '../../lang/dim.ts'
import { type RuntimeError, raise, TensorloomError } from '../../lang/errors.ts'
import type { Backend, Commands, Memory, Piece } from '../backend.ts'
import { memoryHint } from '../device.ts'
import type { LinearMemory, Stretch } from './linear-memory.ts'
import { type KernelSource, planFunctions } from './plan-module.ts'
import { addressOf, type Ready, readyKernel, type Workplace } from './ready-kernels.ts'
import { type Crew, passTask } from './run-pass.ts'
import type { Scratch } from './team/make-team.ts'
import type { Task, WorkQueue } from './work-queue.ts'

/** What a kernel throws, as a typed error. */
export const explainTrap = (e: unknown): RuntimeError =>
  e instanceof TensorloomError
    ? (e.error as RuntimeError)
    : {
        tag: 'ValidationError',
        message: e instanceof Error ? (e.stack ?? e.message) : String(e),
        hint: 'this is a bug of tensorloom unless it is thrown by a function of your own',
      }

/** What is over as soon as it is begun. */
const atOnce =
  (f: () => void): Task =>
  () => {
    f()
    return true
  }

/** Bytes that scratch memory of two threads is apart at a multiple of: processors fetch lines in pairs. */
const scratchAlignment = 128

/** Primitives upon `linear`; `queue` does the work of the kernels that `source` gives, with `team` where there is one. */
export const cpuBackend = (
  linear: LinearMemory,
  queue: WorkQueue,
  source: KernelSource,
  { team, isEager }: Pick<Crew, 'team' | 'isEager'>,
): Backend => {
  /** What kernels use while they are called, for each thread: as much as the most demanding of them. */
  let memory: Stretch = linear.lend(0)
  let stride = 0
  const scratch = (): Scratch => ({ address: memory.address, stride })
  const crew: Crew = { team, isEager, scratch }
  const workplace: Workplace = { linear, scratch: () => memory.address, source }
  /** What was submitted since `guarded` began. */
  let guardedWork: Promise<RuntimeError | undefined>[] | undefined
  const submit = (tasks: readonly Task[]): void => {
    const done = queue.submit(tasks)
    guardedWork?.push(done)
  }
  /** Work that was submitted before may still use what there was. */
  const demandScratch = (bytes: number): void => {
    const needed = alignUp(bytes, scratchAlignment)
    if (needed <= stride) return
    const before = memory
    memory = linear.lend(needed * (team?.size() ?? 1))
    stride = needed
    submit([atOnce(() => linear.giveBack(before))])
  }
  const bytesAt = (p: Piece, length: number): Uint8Array => linear.bytes(addressOf(p), length)
  const writing = (to: Piece, bytes: Uint8Array): Task => atOnce(() => bytesAt(to, bytes.length).set(bytes))

  const begin = (): Commands => {
    const tasks: Task[] = []
    return {
      write: (to, bytes) => tasks.push(writing(to, bytes.slice())),
      copy: (from, fromOffset, to, toOffset, bytes) => {
        const [source, target] = [(from as Stretch).address + fromOffset, (to as Stretch).address + toOffset]
        tasks.push(
          atOnce(() => linear.bytes(0, linear.memory().buffer.byteLength).copyWithin(target, source, source + bytes)),
        )
      },
      run: (dispatches) => {
        tasks.push(passTask(crew, dispatches as readonly Ready[]))
      },
      submit: () => submit(tasks),
    }
  }

  return {
    target: 'wasm',
    liveBytes: linear.liveBytes,
    create: (bytes): Memory => {
      const stretch = linear.lend(bytes)
      if (stretch.isUsed) submit([atOnce(() => linear.bytes(stretch.address, bytes).fill(0))])
      return stretch
    },
    destroy: (memory) => linear.giveBack(memory as Stretch),
    write: (to, bytes) => {
      if (queue.isIdle()) bytesAt(to, bytes.length).set(bytes)
      else submit([writing(to, bytes.slice())])
    },
    begin,
    copiesWithin: true,
    map: queue.settled,
    mapped: (memory) => linear.bytes((memory as Stretch).address, memory.size),
    unmap: () => {},
    check: ({ arenas }) => {
      const bytes = arenas.reduce((sum, b) => sum + b, 0)
      const limit = 2 ** 32
      if (bytes > limit)
        raise({ tag: 'LimitError', what: 'bytes of linear memory', needed: bytes, limit, hint: memoryHint })
    },
    prepare: async (plan, dispatches) => {
      const functions = await planFunctions(linear, plan, source)
      demandScratch(functions.scratchBytes)
      return dispatches.map((bound) => readyKernel(workplace, plan.kernels[bound.kernel]!.kernel, functions, bound))
    },
    rebound: (dispatch, elsewhere) => (dispatch as Ready).rebound?.(elsewhere) ?? dispatch,
    guarded: (_, action) => {
      const work: Promise<RuntimeError | undefined>[] = []
      guardedWork = work
      try {
        const value = action()
        return { value, trouble: Promise.all(work).then((errors) => errors.find((e) => e !== undefined)) }
      } finally {
        guardedWork = undefined
      }
    },
    settled: queue.settled,
  }
}
