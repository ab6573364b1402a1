/** Figures as people read them. */
import { expect, it } from 'vitest'
import { bytesText, countText, plural } from '../../../src/lang/print/figures.ts'

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [1.5e15, '1.50e+3 TB'],
])('%d bytes', (n, text) => {
  expect(bytesText(n)).toBe(text)
})

it('groups digits and counts things', () => {
  expect([999, 1000, 1234567].map(countText)).toEqual(['999', '1 000', '1 234 567'])
  expect([plural(1, 'dispatch', 'dispatches'), plural(2, 'kernel')]).toEqual(['1 dispatch', '2 kernels'])
})
