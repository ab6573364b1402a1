/** Work in call order, in slices of time: at once where there is time, later where there is none, never out of order. */
import { describe, expect, it } from 'vitest'
import { type RuntimeError, TensorloomError } from '../../../src/lang/errors.ts'
import { makeWorkQueue, type Task } from '../../../src/runtime/cpu/work-queue.ts'

const explain = (e: unknown): RuntimeError => ({ tag: 'ValidationError', message: String(e), hint: '' })

const spin = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

describe('the work queue', () => {
  it('does at once what it has time for', () => {
    const queue = makeWorkQueue(explain)
    const done: number[] = []
    const task =
      (i: number): Task =>
      () => {
        done.push(i)
        return true
      }
    queue.submit([task(1), task(2)])
    queue.submit([task(3)])
    expect([done, queue.isIdle()]).toEqual([[1, 2, 3], true])
  })

  it('gives the event loop its turn between slices, and keeps the order', async () => {
    const queue = makeWorkQueue(explain)
    const done: string[] = []
    /** 1 ms at a time, `times` times. */
    const long = (name: string, times: number): Task => {
      let left = times
      return (until) => {
        while (left > 0 && performance.now() < until) {
          spin(1)
          left--
        }
        if (left === 0) done.push(name)
        return left === 0
      }
    }
    let longest = 0
    let last = performance.now()
    const look = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    const all = [
      queue.submit([long('a', 60)]),
      queue.submit([long('b', 1)]),
      queue.submit([long('c', 60), long('d', 1)]),
    ]
    expect([done, queue.isIdle()]).toEqual([[], false])
    await queue.settled()
    expect([done, queue.isIdle()]).toEqual([['a', 'b', 'c', 'd'], true])
    expect(await Promise.all(all)).toEqual([undefined, undefined, undefined])
    clearInterval(look)
    // Of two slow shared cores; without slices it is the 122 ms of all work.
    expect(longest).toBeLessThan(90)
  })

  it('begins nothing when the slice is over, however short the tasks are', async () => {
    const queue = makeWorkQueue(explain)
    const at: number[] = []
    const short: Task = () => {
      spin(2)
      at.push(performance.now())
      return true
    }
    const start = performance.now()
    const done = queue.submit(Array.from({ length: 50 }, () => short))
    const blocked = performance.now() - start
    expect(queue.isIdle()).toBe(false)
    await done
    expect(at).toHaveLength(50)
    expect(blocked).toBeLessThan(80)
  })

  it('tells what a task throws to whoever submitted it, and goes on with the next', async () => {
    const queue = makeWorkQueue(explain)
    const done: string[] = []
    const note =
      (name: string): Task =>
      () => {
        done.push(name)
        return true
      }
    const failing: Task = () => {
      throw new Error('no')
    }
    const errors = await Promise.all([queue.submit([note('a'), failing, note('b')]), queue.submit([note('c')])])
    expect(errors).toEqual([{ tag: 'ValidationError', message: 'Error: no', hint: '' }, undefined])
    expect(done).toEqual(['a', 'c'])
  })

  it('ends in the error that it is stopped with', async () => {
    const queue = makeWorkQueue(explain)
    const never: Task = () => false
    const waiting = queue.submit([never])
    const lost: RuntimeError = { tag: 'DeviceLost', reason: 'gone', hint: '' }
    queue.stop(lost)
    expect([await waiting, await queue.submit([() => true])]).toEqual([lost, lost])
    expect(new TensorloomError(lost).name).toBe('DeviceLost')
  })
})
