/** The next batch is prepared while the device works: the order of events tells. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import * as data from '../../src/data/index.ts'

/** Numbers up to `count`, which say when they are made. */
const source = (count: number, events: string[]): Iterable<number> => ({
  *[Symbol.iterator]() {
    try {
      for (let i = 0; i < count; i++) {
        events.push(`prepare ${i}`)
        yield i
      }
    } finally {
      events.push('closed')
    }
  },
})

/** What a device does with a batch: it is handed over at once, and done later. */
const work = async (i: number, events: string[]): Promise<void> => {
  events.push(`start ${i}`)
  await pause(5)
  events.push(`end ${i}`)
}

describe('prefetch', () => {
  test('a batch is prepared between the start and the end of the work on the one before', async () => {
    const events: string[] = []
    for await (const i of data.prefetch(source(3, events))) await work(i, events)
    expect(events).toEqual([
      ...['prepare 0', 'start 0', 'prepare 1', 'end 0'],
      ...['start 1', 'prepare 2', 'end 1', 'start 2', 'closed', 'end 2'],
    ])
  })

  test('several ahead', async () => {
    const events: string[] = []
    for await (const i of data.prefetch(source(4, events), { ahead: 2 })) await work(i, events)
    expect(events.slice(0, 6)).toEqual(['prepare 0', 'start 0', 'prepare 1', 'prepare 2', 'end 0', 'start 1'])
  })

  test('without it, the device waits for the batch', async () => {
    const events: string[] = []
    for (const i of source(2, events)) await work(i, events)
    expect(events.slice(0, 4)).toEqual(['prepare 0', 'start 0', 'end 0', 'prepare 1'])
  })

  test('is gone over again with the same batches, and closes its source where the loop is left', async () => {
    const events: string[] = []
    const batches = data.prefetch(source(3, events))
    const all = async (): Promise<readonly number[]> => {
      const seen = []
      for await (const i of batches) seen.push(i)
      return seen
    }
    expect([await all(), await all()]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
    events.length = 0
    for await (const i of batches) if (i === 1) break
    expect(events).toEqual(['prepare 0', 'prepare 1', 'prepare 2', 'closed'])
  })

  test('nothing is prepared before it is asked for; failures come where the batch would', async () => {
    const events: string[] = []
    data.prefetch(source(3, events))
    expect(events).toEqual([])
    const seen: number[] = []
    const failing = async function* (): AsyncGenerator<number> {
      yield 0
      yield 1
      throw new Error('no more paper')
    }
    const loop = async (): Promise<void> => {
      for await (const i of data.prefetch(failing(), { ahead: 3 })) seen.push(i)
    }
    await expect(loop()).rejects.toThrow('no more paper')
    expect(seen).toEqual([0, 1])
    expect(() => data.prefetch([], { size: 2 } as never)).toThrow("prefetch: there is no option 'size'")
  })
})
