/** NPY, NPZ, PNG, JSON lines and safetensors by range: there and back, known bytes, and every way to be broken. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { PNG } from 'pngjs'
import { afterAll, describe, expect, expectTypeOf, it, vi } from 'vitest'
import * as E from '#fp/Either'
import * as T from '../../src/index.ts'
import * as io from '../../src/io/index.ts'

const root = mkdtempSync(join(tmpdir(), 'formats-'))
afterAll(() => rmSync(root, { recursive: true }))

const left = (found: E.Either<io.DataError, unknown>): io.DataError => {
  if (E.isLeft(found)) return found.left
  throw new Error('it was read')
}

/** An NPY file as NumPy writes it. */
const npy = (descr: string, shape: string, body: readonly number[], fortran = 'False', version = 1): Uint8Array => {
  const text = `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': (${shape}), }`
  const length = 64 * Math.ceil((text.length + 13) / 64) - (version === 1 ? 10 : 12)
  const size = version === 1 ? [length % 256, length >> 8] : [length % 256, length >> 8, 0, 0]
  const header = [...Buffer.from(`${text.padEnd(length - 1)}\n`)]
  return Uint8Array.of(0x93, ...Buffer.from('NUMPY'), version, 0, ...size, ...header, ...body)
}

describe('NPY', () => {
  it.each<[string, Uint8Array, io.Column]>([
    [
      'floats',
      npy("'<f4'", '2,', [0, 0, 0xc0, 0x3f, 0, 0, 0xc0, 0x7f]),
      { shape: [2], data: Float32Array.of(1.5, NaN) },
    ],
    [
      'floats of the other byte order',
      npy("'>f4'", '1,', [0x3f, 0xc0, 0, 0]),
      { shape: [1], data: Float32Array.of(1.5) },
    ],
    ['doubles', npy("'<f8'", '', [0, 0, 0, 0, 0, 0, 0xf8, 0xbf]), { shape: [], data: Float64Array.of(-1.5) }],
    ['halves', npy("'<f2'", '1,', [0, 0xc0]), { shape: [1], data: Float32Array.of(-2) }],
    [
      'whole numbers of 64 bits',
      npy("'<i8'", '2,', [7, ...Array(7).fill(0), ...Array(8).fill(255)]),
      { shape: [2], data: Int32Array.of(7, -1) },
    ],
    [
      'unsigned ones',
      npy("'<u8'", '1,', [255, 255, 255, 255, 0, 0, 0, 0]),
      { shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
    ],
    ['shorts', npy("'>i2'", '1,', [255, 254]), { shape: [1], data: Int16Array.of(-2) }],
    ['unsigned shorts', npy("'<u2'", '1,', [255, 255]), { shape: [1], data: Int32Array.of(65535) }],
    ['booleans', npy("'|b1'", '3,', [1, 0, 1]), { shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ['nothing', npy("'|u1'", '0, 3', []), { shape: [0, 3], data: new Uint8Array(0) }],
    [
      'columns first',
      npy("'|i1'", '2, 3', [1, 4, 2, 5, 3, 6], 'True'),
      { shape: [2, 3], data: Int8Array.of(1, 2, 3, 4, 5, 6) },
    ],
    [
      'columns first, rank 3',
      npy("'|u1'", '2, 1, 2', [1, 3, 2, 4], 'True'),
      { shape: [2, 1, 2], data: Uint8Array.of(1, 2, 3, 4) },
    ],
    ['version 2', npy("'|u1'", '1,', [9], 'False', 2), { shape: [1], data: Uint8Array.of(9) }],
    ['version 3', npy("'|u1'", '1,', [9], 'False', 3), { shape: [1], data: Uint8Array.of(9) }],
  ])('reads %s', (_, file, expected) => expect(io.parseNpy(file)).toEqual(E.right(expected)))

  const good = npy("'<f4'", '2,', [0, 0, 0xc0, 0x3f, 0, 0, 0, 0])
  it.each<[string, Uint8Array, number, RegExp]>([
    ['another format', Uint8Array.from(good, (b, i) => (i === 1 ? 0 : b)), 0, /does not begin with/],
    ['a version there is not', Uint8Array.from(good, (b, i) => (i === 6 ? 9 : b)), 6, /version 9/],
    ['a cut header', good.subarray(0, 50), 50, /cut short: the header takes 128/],
    ['cut data', good.subarray(0, 135), 135, /cut short: \[2\] of f4 ends at byte 136/],
    ['data after the data', Uint8Array.of(...good, 1), 136, /ends at byte 136, the file at 137/],
    ['texts', npy("'<U5'", '1,', []), 10, /elements are of type '<U5'/],
    ['records', npy("[('a', '<f4')]", '1,', []), 10, /elements are of type \[/],
    ['a shape that is none', npy("'<f4'", 'x', []), 10, /the header is/],
    [
      'more than 32 bits',
      npy("'<i8'", '2,', [...Array(8).fill(0), 0, 0, 0, 128, 0, 0, 0, 0]),
      136,
      /does not fit into 32/,
    ],
    ['a size no memory has', npy("'<f4'", '99999999999999', [0]), 129, /cut short/],
  ])('refuses %s', (_, file, offset, reason) => {
    const error = left(io.parseNpy(file, 'a.npy'))
    expect(error).toMatchObject({ tag: 'DataError', source: 'a.npy', offset })
    expect(error.reason).toMatch(reason)
  })

  it('refuses every truncation of a good file where it ends', () => {
    for (let n = 0; n < good.length; n++) expect(left(io.parseNpy(good.subarray(0, n))).offset).toBe(n)
  })

  it('writes what it reads, as NumPy does: data at multiples of 64', () => {
    const kinds = [Float32Array, Float64Array, Int8Array, Uint8Array, Int16Array, Int32Array, Uint32Array]
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.array(fc.nat(3), { maxLength: 4 }), (kind, shape) => {
        const low = kind.name.startsWith('U') ? 0 : 3
        const data = new kind(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i - low))
        const bytes = io.toNpy({ shape, data })
        expect(io.parseNpy(bytes)).toEqual(E.right({ shape, data }))
        expect((bytes.length - data.byteLength) % 64).toBe(0)
      }),
      { seed: 7, numRuns: 60 },
    )
    expect(Buffer.from(io.toNpy({ shape: [2], data: Float32Array.of(1.5, 0) }))).toEqual(Buffer.from(good))
    // A stretch of a larger array.
    const part = { shape: [2], data: Float32Array.of(1, 2, 3).subarray(1) }
    expect(io.parseNpy(io.toNpy(part))).toEqual(E.right({ shape: [2], data: Float32Array.of(2, 3) }))
    expect(() => io.toNpy({ shape: [3], data: Float32Array.of(1) })).toThrow('toNpy: 1 elements, the shape [3] has 3')
  })

  it('a file on disk', async () => {
    const path = join(root, 'a.npy')
    writeFileSync(path, good)
    expect((await io.readNpy(path)).data).toEqual(Float32Array.of(1.5, 0))
    truncateSync(path, 130)
    await expect(io.readNpy(path)).rejects.toThrow(`${path}, byte 130: cut short: [2] of f4 ends at byte 136`)
  })
})

/** An archive as `numpy.savez` writes it, nothing compressed. */
const stored = async (a: io.Column, noise: Float32Array): Promise<Uint8Array> => {
  const { zipSync } = await import('fflate')
  const files = { 'a.npy': io.toNpy(a), 'b.npy': io.toNpy({ shape: [noise.length], data: noise }) }
  return zipSync(files, { level: 0 })
}

describe('NPZ', () => {
  const arrays = { w: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }, n: { shape: [], data: Int32Array.of(7) } }

  it('is read back, and the same for the same arrays', async () => {
    const bytes = await io.toNpz(arrays)
    expect(await io.parseNpzTask(bytes)()).toEqual(E.right(arrays))
    expect(await io.toNpz(arrays)).toEqual(bytes)
    const path = join(root, 'a.npz')
    writeFileSync(path, bytes)
    expect(await io.readNpz(path)).toEqual(arrays)
    expect(await io.parseNpzTask(await io.toNpz({}))()).toEqual(E.right({}))
  })

  it('refuses what is none, every truncation, and what is in it that is none', async () => {
    const bytes = await io.toNpz(arrays)
    for (let n = 0; n < bytes.length; n += 9)
      expect(left(await io.parseNpzTask(bytes.subarray(0, n), 'a.npz')())).toMatchObject({
        source: 'a.npz',
        offset: n < 2 ? 0 : n,
      })
    const { zipSync } = await import('fflate')
    const other = zipSync({ 'a.txt': Uint8Array.of(1) })
    expect(left(await io.parseNpzTask(other)())).toMatchObject({ source: 'NPZ data, a.txt', reason: /^it is no array/ })
    const cut = zipSync({ 'a.npy': io.toNpy(arrays.w).subarray(0, 140) })
    expect(left(await io.parseNpzTask(cut)())).toMatchObject({ source: 'NPZ data, a.npy', offset: 140 })
  })

  it('refuses an array that was changed, by the byte where it begins', async () => {
    const noise = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i))
    for (const packed of [io.toNpz({ a: arrays.w, b: { shape: [500], data: noise } }), stored(arrays.w, noise)]) {
      const bytes = await packed
      // Local headers begin with PK\x03\x04.
      const second = Buffer.from(bytes).indexOf(Uint8Array.of(0x50, 0x4b, 3, 4), 1)
      const changed = Uint8Array.from(bytes, (byte, i) => (i === second + 400 ? byte ^ 1 : byte))
      expect(left(await io.parseNpzTask(changed)())).toMatchObject({
        offset: second,
        reason: expect.stringMatching(/checksum of b.npy|cannot be unpacked/),
      })
    }
  })
})

describe('PNG', () => {
  const image = (channels: number): io.Column<Uint8Array> => ({
    shape: [3, 2, channels],
    data: Uint8Array.from({ length: 6 * channels }, (_, i) => (i * 53) % 256),
  })

  it('of 1 to 4 channels is read back', async () => {
    for (const channels of [1, 2, 3, 4])
      expect(await io.parsePngTask(await io.toPng(image(channels)))()).toEqual(E.right(image(channels)))
    const grey = { shape: [3, 2], data: image(1).data }
    expect(await io.parsePngTask(await io.toPng(grey))()).toEqual(E.right(image(1)))
    const path = join(root, 'a.png')
    writeFileSync(path, await io.toPng(image(3)))
    expect(await io.readPng(path)).toEqual(image(3))
    const program = await T.compileOn(
      await T.openDevice({ prefer: 'cpu', quiet: true }),
      (x) => T.sum(T.cast(x, 'f32')),
      [T.spec([3, 2, 3], 'u8')],
    )
    expect(await (await program.run(await io.readPng(path))).item()).toBe(image(3).data.reduce((a, b) => a + b))
  })

  it('refuses what is none, cut or changed, by the byte', async () => {
    const bytes = await io.toPng(image(3))
    const wrong = async (file: Uint8Array): Promise<io.DataError> => left(await io.parsePngTask(file, 'a.png')())
    expect(await wrong(Uint8Array.of(1, 2, 3))).toMatchObject({ source: 'a.png', offset: 0 })
    for (let n = 8; n < bytes.length; n++) expect((await wrong(bytes.subarray(0, n))).offset).toBeLessThanOrEqual(n)
    // Signature 8, header 25, then the pixels.
    expect(await wrong(bytes.subarray(0, 50))).toMatchObject({ offset: 33 })
    expect(await wrong(Uint8Array.from(bytes, (b, i) => (i === 45 ? b ^ 1 : b)))).toMatchObject({
      offset: 33,
      reason: 'the checksum of the part that begins there is wrong',
    })
    const huge = Uint8Array.from(bytes)
    new DataView(huge.buffer).setUint32(16, 2 ** 30)
    expect(await wrong(huge)).toMatchObject({ offset: 16, reason: expect.stringContaining('1073741824 by 3 pixels') })
    const none = Uint8Array.from(bytes)
    new DataView(none.buffer).setUint32(16, 0)
    expect(await wrong(none)).toMatchObject({ offset: 16, reason: 'an image of 0 by 3 pixels' })
    // Whole parts, but none of pixels, or no end.
    const end = bytes.length - 12
    const noPixels = Uint8Array.of(...bytes.subarray(0, 33), ...bytes.subarray(end))
    expect(await wrong(noPixels)).toMatchObject({ offset: 45, reason: 'cut short: there is no part IDAT' })
    expect(await wrong(bytes.subarray(0, end))).toMatchObject({
      offset: end,
      reason: 'cut short: there is no part IEND',
    })
  })

  it('of 16 bits becomes one of 8', async () => {
    const png = new PNG({ width: 1, height: 1, bitDepth: 16 } as never)
    png.data = Buffer.from(new Uint16Array([65535, 32768, 0, 65535]).buffer)
    const bytes = PNG.sync.write(png, { bitDepth: 16 } as never)
    expect(await io.parsePngTask(bytes)()).toEqual(E.right({ shape: [1, 1, 4], data: Uint8Array.of(255, 128, 0, 255) }))
  })

  it('takes images alone', async () => {
    await expect(io.toPng({ shape: [2, 2, 5], data: new Uint8Array(20) })).rejects.toThrow(
      'toPng: Uint8Array[2, 2, 5] of 20 elements is no image',
    )
    await expect(io.toPng({ shape: [1, 1], data: Float32Array.of(1) } as never)).rejects.toThrow('Float32Array[1, 1]')
  })
})

describe('JSON lines', () => {
  it('are read and written', async () => {
    expect(io.parseJsonLines('\ufeff{"a": 1}\r\n\n[1, null]\n"x"')).toEqual(E.right([{ a: 1 }, [1, null], 'x']))
    expect(io.parseJsonLines('')).toEqual(E.right([]))
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const plain = JSON.parse(JSON.stringify(values)) as io.Json[]
        expect(io.parseJsonLines(io.toJsonLines(plain))).toEqual(E.right(plain))
      }),
      { seed: 3, numRuns: 50 },
    )
    const path = join(root, 'a.jsonl')
    writeFileSync(path, '{"é": 1}\n{"b": 2')
    await expect(io.readJsonLines(path)).rejects.toMatchObject({
      error: { tag: 'DataError', source: path, line: 2, offset: 10 },
    })
    writeFileSync(path, '\ufeff{"é": 1}\n{"b": 2')
    await expect(io.readJsonLines(path)).rejects.toMatchObject({ error: { line: 2, offset: 13 } })
  })

  it('are UTF-8: what is not is refused by the byte', async () => {
    const path = join(root, 'latin.jsonl')
    for (const [bytes, offset] of [
      [[0x22, 0xe9, 0x22], 1],
      [[...Buffer.from('"é"\n"'), 0xff, 0x22], 6],
      [[...Buffer.from('"é').subarray(0, 2)], 1],
    ] as const) {
      writeFileSync(path, Uint8Array.from(bytes))
      await expect(io.readJsonLines(path)).rejects.toMatchObject({ error: { tag: 'DataError', source: path, offset } })
    }
  })

  it('hold what JSON knows', () => {
    expect(() => io.toJsonLines([1, { a: [Number.NaN] }])).toThrow("toJsonLines: value 1 holds NaN at '0', which JSON")
    expect(() => io.toJsonLines([undefined as never])).toThrow('value 0 holds undefined')
  })
})

const entryOf = (dtype: string, [begin, end]: readonly number[]): object => ({
  dtype,
  shape: [(end! - begin!) / (dtype === 'F32' ? 4 : 8)],
  data_offsets: [begin, end],
})

describe('safetensors by range', () => {
  const path = join(root, 'big.safetensors')
  const tree = {
    a: T.tensor([1.5, -2], { dtype: 'bf16' }),
    b: { w: T.tensor([[1, 2, 3]], { dtype: 'i8' }) },
    c: T.ones([1000]),
  }

  it('reads what is asked for and nothing else', async () => {
    await T.save(path, tree, { epoch: '3' })
    const file = io.openSafetensors(path)
    expect(file.tensors).toEqual({
      c: { dtype: 'f32', shape: [1000] },
      a: { dtype: 'bf16', shape: [2] },
      'b.w': { dtype: 'i8', shape: [1, 3] },
    })
    expect(file.metadata).toEqual({ epoch: '3' })
    const fs = process.getBuiltinModule('node:fs')
    const read = vi.spyOn(fs, 'readSync')
    const found = await file.read(['b.w', 'a'])
    expectTypeOf(found).toEqualTypeOf<Readonly<Record<'a' | 'b.w', io.HostTensor>>>()
    expect(found).toEqual({
      a: { dtype: 'bf16', shape: [2], data: Float32Array.of(1.5, -2) },
      'b.w': { dtype: 'i8', shape: [1, 3], data: Int8Array.of(1, 2, 3) },
    })
    expect(read.mock.results.reduce((sum, r) => sum + (r.value as number), 0)).toBe(7)
    read.mockRestore()
    expect(Object.keys(await file.read())).toEqual(['c', 'a', 'b.w'])
  })

  it('says what is wrong, and where', async () => {
    await T.save(path, tree)
    const file = io.openSafetensors(path)
    await expect(file.read(['x'])).rejects.toThrow('there is no tensor "x"')
    truncateSync(path, 4100)
    await expect(file.read(['a'])).rejects.toThrow(/it had \d+ bytes when it was opened, now 4100/)
    expect(() => io.openSafetensors(path)).toThrow(`${path}, byte 4100: `)
    writeFileSync(path, Uint8Array.of(255, 255, 255, 255, 255, 255, 0, 0, 1))
    expect(() => io.openSafetensors(path)).toThrow(
      `${path}, byte 9: the header ends at byte 281474976710663, the file at 9`,
    )
    writeFileSync(path, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 1, 1))
    expect(() => io.openSafetensors(path)).toThrow(`${path}, byte 8: the header is no JSON`)
    // Every byte belongs to one tensor, of a dtype that is ours or not.
    const writeFile = (entries: object, bytes: number): void => {
      const text = Buffer.from(JSON.stringify(entries))
      writeFileSync(path, Uint8Array.of(text.length, 0, 0, 0, 0, 0, 0, 0, ...text, ...new Uint8Array(bytes)))
    }
    const [f32, i64] = [(...range: number[]) => entryOf('F32', range), (...range: number[]) => entryOf('I64', range)]
    for (const [entries, bytes, reason] of [
      [{ a: f32(0, 8) }, 11, 'the tensors end at data byte 8, the file at 11'],
      [{ a: f32(8, 16) }, 16, 'a begins at data byte 8, the tensor before it ends at 0'],
      [{ a: f32(0, 16), b: f32(4, 12) }, 16, 'b begins at data byte 4, the tensor before it ends at 16'],
      [{ a: i64(8, 16), b: f32(0, 8) }, 12, 'a ends at byte'],
    ] as const) {
      writeFile(entries, bytes)
      expect(() => io.openSafetensors(path)).toThrow(reason)
    }
    writeFile({ a: i64(8, 16), b: f32(0, 8) }, 16)
    expect(Object.keys(io.openSafetensors(path).tensors)).toEqual(['b'])
    expect(() => io.openSafetensors(join(root, 'none'))).toThrow('cannot be read (ENOENT')
  })
})
