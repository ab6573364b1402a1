/** A bounded memory forgets what was asked for least recently. */
import { expect, test } from 'vitest'
import { createRecent } from '../../src/lang/recent.ts'

test('forgets the least recently used, by weight', () => {
  const kept = createRecent<string, number>(3)
  kept.set('a', 1)
  kept.set('b', 2)
  kept.set('c', 3)
  expect(kept.get('a')).toBe(1)
  kept.set('d', 4)
  expect(['a', 'b', 'c', 'd'].map((k) => kept.get(k))).toEqual([1, undefined, 3, 4])
  kept.set('e', 5, 2)
  expect(['a', 'c', 'd', 'e'].map((k) => kept.get(k))).toEqual([undefined, undefined, 4, 5])
  expect([kept.size(), kept.weight()]).toEqual([2, 3])
})

test('a value set again counts once; the last one stays, whatever it weighs', () => {
  const kept = createRecent<string, number>(3)
  kept.set('a', 1, 2)
  kept.set('a', 2, 1)
  expect([kept.get('a'), kept.weight()]).toEqual([2, 1])
  kept.set('b', 3, 100)
  expect([kept.get('a'), kept.get('b')]).toEqual([undefined, 3])
  kept.clear()
  expect([kept.size(), kept.weight(), kept.get('b')]).toEqual([0, 0, undefined])
})
