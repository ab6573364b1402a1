/** CSV text to columns, and columns to a design matrix. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import * as E from '#fp/Either'
import {
  type Column,
  type CsvOptions,
  classes,
  designMatrix,
  parseCsv,
  readCsv,
  standardiser,
  type Table,
} from '../../src/data/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'csv-'))
afterAll(() => rmSync(folder, { recursive: true }))

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}
const columns = (text: string, options?: CsvOptions): Record<string, unknown[]> => {
  const table = right(parseCsv(text, options))
  return Object.fromEntries(table.names.map((name) => [name, [...table.columns[name]!.values]]))
}

describe('parseCsv', () => {
  test.each<[string, string, CsvOptions, Record<string, unknown[]>]>([
    ['numbers and texts', 'a,b\n1,x\n-2.5e1,y\n', {}, { a: [1, -25], b: ['x', 'y'] }],
    ['no last line break', 'a,b\n1,2', {}, { a: [1], b: [2] }],
    ['carriage returns', 'a,b\r\n1,2\r\n', {}, { a: [1], b: [2] }],
    ['a byte order mark', '\ufeffa\n1', {}, { a: [1] }],
    ['empty lines', 'a,b\n\n1,2\n\n\n3,4\n\n', {}, { a: [1, 3], b: [2, 4] }],
    ['quotes', 'a\n"x, y"\n"say ""hi"""\n"two\nlines"\n""\n', {}, { a: ['x, y', 'say "hi"', 'two\nlines', ''] }],
    ['a quote inside', 'a\n5" pipe\n', {}, { a: ['5" pipe'] }],
    ['missing numbers', 'a,b\n,1\nNA,2\n3,NA\n', { missing: ['NA'] }, { a: [NaN, NaN, 3], b: [1, 2, NaN] }],
    ['missing not declared', 'a\nNA\n1\n', {}, { a: ['NA', '1'] }],
    ['another separator, no header', '1;2\n3;4\n', { separator: ';', header: false }, { 0: [1, 3], 1: [2, 4] }],
    ['a header alone', 'a,b\n', {}, { a: [], b: [] }],
  ])('%s', (_, text, options, expected) => expect(columns(text, options)).toEqual(expected))

  test.each<[string, string, number, number, RegExp]>([
    ['nothing', '', 1, 0, /empty/],
    ['a short row', 'a,b\n1,2\n"x\ny"\n', 3, 8, /1 cells, the first row has 2/],
    ['a long row', 'a\n1\n\n2,3\n', 4, 5, /2 cells, the first row has 1/],
    ['an open quote', 'a\n1\n"x\n\n', 3, 4, /never closed/],
    ['text after a quote', 'a\n"x"y\n', 2, 5, /"y" follows a closing quote/],
    ['one name twice', 'a,a\n1,2\n', 1, 0, /two columns are called "a"/],
    ['letters of several bytes', '\ufeffé,b\nö,2\n3\n', 3, 13, /1 cells, the first row has 2/],
  ])('%s', (_, text, line, offset, reason) => {
    const parsed = parseCsv(text, { source: 'houses.csv' })
    expect(E.isLeft(parsed) && parsed.left).toMatchObject({ tag: 'DataError', source: 'houses.csv', line, offset })
    expect(E.isLeft(parsed) && parsed.left.reason).toMatch(reason)
  })

  test('any cells survive quoting', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', '7', 'é') })
    const rows = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 })
    const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
    fc.assert(
      fc.property(rows, (cells) => {
        const text = cells.map((row) => row.map(quote).join(',')).join('\n')
        // A text column is told from one of numbers by its first row.
        const table = right(parseCsv(`"x","x"\n${text}`, { header: false }))
        expect([...table.columns['0']!.values]).toEqual(['x', ...cells.map(([a]) => a)])
        expect([...table.columns['1']!.values]).toEqual(['x', ...cells.map(([, b]) => b)])
      }),
      { seed: 42, numRuns: 200 },
    )
  })

  test('from a file; its name stands in errors', async () => {
    const path = join(folder, 'x.csv')
    writeFileSync(path, 'a,b\n1,2\n3\n')
    await expect(readCsv(path)).rejects.toThrow(`${path}, line 3: 1 cells, the first row has 2`)
    writeFileSync(path, 'a,b\n1,2\n')
    expect((await readCsv(path)).rows).toBe(1)
    writeFileSync(path, Uint8Array.of(0x61, 0x0a, 0xe9, 0x0a))
    await expect(readCsv(path)).rejects.toMatchObject({ error: { tag: 'DataError', source: path, offset: 2 } })
    await expect(readCsv(join(folder, 'absent.csv'))).rejects.toMatchObject({ error: { tag: 'DataError' } })
  })
})

describe('tables', () => {
  const table: Table = right(parseCsv('rooms,kind,age\n4,flat,10\n6,house,30\n8,flat,50\n'))

  test('a design matrix has a row an observation', () => {
    expect(designMatrix(table, ['age', 'rooms'])).toEqual(
      E.right({ shape: [3, 2], data: Float32Array.of(10, 4, 30, 6, 50, 8) }),
    )
    expect(designMatrix(table, [])).toEqual(E.right({ shape: [3, 0], data: new Float32Array(0) }))
  })

  test('texts and unknown names are refused', () => {
    expect(designMatrix(table, ['rooms', 'kind'])).toMatchObject(
      E.left({ reason: 'column "kind" holds text, such as "flat"' }),
    )
    expect(designMatrix(table, ['size'])).toMatchObject(E.left({ hint: 'its columns: rooms, kind, age' }))
    expect(E.isLeft(designMatrix(table, ['constructor']))).toBe(true)
  })

  test('classes are numbered in order', () => {
    expect(classes(table, 'kind')).toEqual(
      E.right({ names: ['flat', 'house'], labels: { shape: [3], data: Int32Array.of(0, 1, 0) } }),
    )
    expect(right(classes(table, 'rooms')).names).toEqual(['4', '6', '8'])
  })

  test('standardised features: mean 0, deviation 1, by what was learned', () => {
    const x: Column = { shape: [4, 2], data: Float32Array.of(1, 5, 3, 5, 5, 5, 7, 5) }
    const s = standardiser(x)
    expect([...s.mean]).toEqual([4, 5])
    expect([...s.std]).toEqual([Math.sqrt(5), 0])
    const [a, b] = [-3, -1].map((d) => Math.fround(d / Math.sqrt(5)))
    expect([...s.apply(x).data]).toEqual([a, 0, b, 0, -b!, 0, -a!, 0])
    expect([...s.apply({ shape: [1, 2], data: Float64Array.of(4, 9) }).data]).toEqual([0, 0])
  })
})

describe('options', () => {
  test('unknown ones, and separators of several characters, are refused', async () => {
    expect(() => parseCsv('a;b', { delimiter: ';' } as never)).toThrow(
      "parseCsv: there is no option 'delimiter'\n  hint: it is called separator here",
    )
    expect(() => parseCsv('a, b', { separator: ', ' })).toThrow("parseCsv: the separator is ', ', not one character")
    expect(() => parseCsv('a', { missing: 'NA' as never })).toThrow(
      "parseCsv takes an array of texts in 'missing', not 'NA'",
    )
    await expect(readCsv('missing.csv', { head: false } as never)).rejects.toThrow(
      "readCsv: there is no option 'head'\n  hint: it knows separator, header, missing and source",
    )
  })
})
