/** Columns of text: as wide as their widest cell, numbers to the right. */
import { expect, it } from 'vitest'
import { columnsText } from '../../../src/lang/print/columns.ts'

it('lines up columns', () => {
  expect(
    columnsText([
      ['a', 'bcd', 'e'],
      ['fghi', 'j'],
    ]),
  ).toBe('a     bcd  e\nfghi  j')
})

it('puts numbers to the right, and counts letters, not halves of them', () => {
  const rows = [
    ['what', 'n', ''],
    ['𝛼', '7', 'x'],
    ['longer', '1234', ''],
  ]
  expect(columnsText(rows, [1])).toBe('what       n\n𝛼          7  x\nlonger  1234')
  expect(columnsText([])).toBe('')
})
