/** Stretches of linear memory: none lies over another, what is given back is used again, and what cannot be is typed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TensorloomError } from '../../../src/lang/errors.ts'
import { makeLinearMemory, type Stretch } from '../../../src/runtime/cpu/linear-memory.ts'

const pageBytes = 65536

const failure = (f: () => unknown): unknown => {
  try {
    f()
  } catch (e) {
    return (e as TensorloomError).error
  }
  return undefined
}

describe('linear memory', () => {
  it('lends stretches that are whole lines, apart, within memory and zero where it says so', () => {
    const step = fc.oneof(fc.record({ lend: fc.integer({ min: 0, max: 300_000 }) }), fc.record({ giveBack: fc.nat() }))
    const follows = (steps: readonly ({ readonly lend: number } | { readonly giveBack: number })[]): void => {
      const linear = makeLinearMemory()
      const lent: Stretch[] = []
      for (const s of steps) {
        if ('giveBack' in s) {
          const [stretch] = lent.splice(s.giveBack % Math.max(1, lent.length), 1)
          if (!stretch) continue
          linear.giveBack(stretch)
          // A second time does nothing, whoever has it by now.
          linear.giveBack(stretch)
          continue
        }
        const stretch = linear.lend(s.lend)
        const { address, size } = stretch
        expect([address >= pageBytes, address % 64, size]).toEqual([true, 0, s.lend])
        expect(address + size).toBeLessThanOrEqual(linear.memory().buffer.byteLength)
        for (const other of lent)
          expect(
            address + Math.max(size, 1) <= other.address || other.address + Math.max(other.size, 1) <= address,
          ).toBe(true)
        const bytes = linear.bytes(address, size)
        if (!stretch.isUsed) expect(bytes.every((x) => x === 0)).toBe(true)
        bytes.fill(255)
        lent.push(stretch)
      }
      expect(linear.liveBytes()).toBe(lent.reduce((sum, { size }) => sum + size, 0))
    }
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), follows), { seed: 11, numRuns: 40 })
  })

  it('does not grow where as much is given back as is lent', () => {
    const linear = makeLinearMemory()
    const sizes = [1000, 70_000, 5, 200_000, 64]
    const turn = (order: readonly number[]): void => {
      const lent = sizes.map((n) => linear.lend(n))
      for (const i of order) linear.giveBack(lent[i]!)
    }
    turn([0, 1, 2, 3, 4])
    const bytes = linear.memory().buffer.byteLength
    for (const order of [
      [4, 3, 2, 1, 0],
      [0, 2, 4, 1, 3],
      [3, 1, 0, 4, 2],
    ])
      for (let i = 0; i < 100; i++) turn(order)
    expect([linear.memory().buffer.byteLength, linear.liveBytes()]).toEqual([bytes, 0])
    // All of it is one piece again.
    expect(linear.lend(sizes.reduce((a, b) => a + b)).address).toBe(pageBytes)
  })

  it('says OutOfMemory where it cannot grow, and goes on as before', () => {
    const linear = makeLinearMemory(8 * pageBytes)
    const first = linear.lend(4 * pageBytes)
    expect(failure(() => linear.lend(4 * pageBytes))).toMatchObject({ tag: 'OutOfMemory', bytes: 4 * pageBytes })
    expect(linear.liveBytes()).toBe(4 * pageBytes)
    // The first page is never lent; the last three are there for less.
    linear.lend(3 * pageBytes)
    linear.giveBack(first)
    expect(linear.lend(4 * pageBytes).address).toBe(first.address)
  })

  it('says LimitError for more than addresses reach', () => {
    const linear = makeLinearMemory()
    linear.lend(1000)
    expect(failure(() => linear.lend(2 ** 32))).toMatchObject({ tag: 'LimitError', limit: 2 ** 32 })
    expect(() => linear.lend(2 ** 32)).toThrow(TensorloomError)
  })

  it('is empty once it is let go', () => {
    const linear = makeLinearMemory()
    linear.lend(1000)
    linear.letGo()
    expect(linear.memory().buffer.byteLength).toBe(0)
  })
})
