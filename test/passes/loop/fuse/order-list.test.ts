/** A list whose items know which comes first, against a plain array moved about in the same way. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createOrderList } from '../../../../passes/loop/fuse/order-list.ts'

test('agrees with an array, whatever is moved where', () => {
  const move = fc.record({ before: fc.boolean(), at: fc.nat(), from: fc.nat(), count: fc.integer({ min: 0, max: 4 }) })
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.array(move, { maxLength: 60 }), (n, moves) => {
      const list = createOrderList<number>()
      let plain = Array.from({ length: n }, (_, i) => i)
      for (const i of plain) list.append(i)
      for (const { before, at, from, count } of moves) {
        const anchor = plain[at % plain.length]!
        const start = from % plain.length
        const moved = plain.slice(start, start + count).filter((x) => x !== anchor)
        if (before) list.moveBefore(moved, anchor)
        else list.moveAfter(moved, anchor)
        const rest = plain.filter((x) => !moved.includes(x))
        const place = rest.indexOf(anchor) + (before ? 0 : 1)
        plain = [...rest.slice(0, place), ...moved, ...rest.slice(place)]
        expect(plain.toSorted((a, b) => list.label(a) - list.label(b))).toEqual(plain)
      }
    }),
    { seed: 7, numRuns: 300 },
  )
})

test('makes room where many are put at one place, at a cost in proportion to them', () => {
  const spent = (n: number): number => {
    const list = createOrderList<number>()
    for (let i = 0; i < n; i++) list.append(i)
    for (let i = 2; i < n; i++) list.moveBefore([i], 1)
    for (let i = 2; i < n; i++) expect(list.isBefore(0, i) && list.isBefore(i, 1)).toBe(true)
    return list.work()
  }
  expect(spent(4000) / 4000).toBeLessThan(2 * (spent(400) / 400))
})

test('what replaces an item stands where that was', () => {
  const list = createOrderList<string>()
  for (const x of ['a', 'b', 'c']) list.append(x)
  list.replace('b', 'd')
  list.remove('a')
  expect(list.isBefore('d', 'c')).toBe(true)
  list.append('e')
  expect(list.isBefore('c', 'e')).toBe(true)
})
