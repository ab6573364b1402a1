/** safetensors: round trips, bytes as the format's own description has them, and every way a file can be broken. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/io/safetensors.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { TensorloomError } from '../../src/lang/errors.ts'

/** A file by hand: header text and data bytes, independent of the writer. */
const fileOf = (header: string, data: readonly number[] = []): Uint8Array => {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Uint8Array.from(Buffer.concat([length, text, Buffer.from(data)]))
}

const entry = (name: string, dtype: string, shape: readonly number[], range: readonly number[]): string =>
  `"${name}":${JSON.stringify({ dtype, shape, data_offsets: range })}`

describe('readSafetensors', () => {
  it.each([
    ['F32', [0, 0, 0x80, 0x3f, 0, 0, 0, 0x80], 'f32', Float32Array.of(1, -0)],
    ['I32', [0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0], 'i32', Int32Array.of(-1, 2)],
    ['U32', [0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0], 'u32', Uint32Array.of(4294967295, 2)],
    ['BOOL', [1, 0], 'bool', Uint8Array.of(1, 0)],
    ['F16', [0x00, 0x3c, 0x00, 0xfc], 'f16', Float32Array.of(1, Number.NEGATIVE_INFINITY)],
    ['BF16', [0x80, 0x3f, 0x80, 0xff], 'bf16', Float32Array.of(1, Number.NEGATIVE_INFINITY)],
    ['I8', [0xff, 2], 'i8', Int8Array.of(-1, 2)],
    ['U8', [0xff, 2], 'u8', Uint8Array.of(255, 2)],
  ])('reads %s', (code, bytes, dtype, data) => {
    const { tensors } = readSafetensors(fileOf(`{${entry('x', code, [2], [0, bytes.length])}}`, bytes))
    expect(tensors).toEqual({ x: { dtype, shape: [2], data } })
  })

  it('reads scalars, empty tensors, metadata, and data that is not aligned', () => {
    const header = `{"__metadata__":{"a":"b"},${entry('e', 'F32', [0, 3], [1, 1])},${entry('b', 'BOOL', [1], [0, 1])},${entry('s', 'F32', [], [1, 5])}}`
    const file = fileOf(header, [1, 0, 0, 0, 0x40])
    const shifted = new Uint8Array(file.length + 3)
    shifted.set(file, 3)
    const { tensors, metadata } = readSafetensors(shifted.subarray(3))
    expect(metadata).toEqual({ a: 'b' })
    expect(tensors['s']).toEqual({ dtype: 'f32', shape: [], data: Float32Array.of(2) })
    expect(tensors['e']).toEqual({ dtype: 'f32', shape: [0, 3], data: new Float32Array(0) })
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /header ends at byte 8, the file at 0/],
    ['half a length', new Uint8Array(7), /header ends at byte 8, the file at 7/],
    ['a length past the end', fileOf('{}').subarray(0, 9), /header ends at byte 10, the file at 9/],
    ['an absurd length', new Uint8Array(16).fill(0xff), /header ends at byte 18446744073709552000/],
    ['no JSON', fileOf('{"x"'), /header is no JSON/],
    ['no UTF-8', Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0x28]), /header is no JSON/],
    ['a list', fileOf('[]'), /header is no JSON object/],
    ['an entry that is no record', fileOf('{"x":3}'), /x has dtype undefined/],
    ['a null entry', fileOf('{"x":null}'), /x has dtype undefined/],
    ['a dtype we do not have', fileOf(`{${entry('x', 'F64', [1], [0, 8])}}`, Array(8).fill(0)), /x has dtype F64/],
    ['a negative size', fileOf(`{${entry('x', 'F32', [-1], [0, 4])}}`, [0, 0, 0, 0]), /has no shape/],
    ['a broken range', fileOf(`{${entry('x', 'F32', [1], [0])}}`, [0, 0, 0, 0]), /has no shape/],
    [
      'a range of the wrong size',
      fileOf(`{${entry('x', 'F32', [2], [0, 4])}}`, [0, 0, 0, 0]),
      /has 4 bytes and needs 8/,
    ],
    ['data cut short', fileOf(`{${entry('x', 'F32', [1], [0, 4])}}`, [0, 0, 0]), /ends at byte/],
    ['a hole', fileOf(`{${entry('x', 'BOOL', [1], [1, 2])}}`, [0, 0]), /begins at data byte 1/],
    ['bytes nobody owns', fileOf(`{${entry('x', 'BOOL', [1], [0, 1])}}`, [0, 0]), /end at data byte 1, the file at 2/],
    [
      'an overlap',
      fileOf(`{${entry('x', 'BOOL', [2], [0, 2])},${entry('y', 'BOOL', [2], [1, 3])}}`, [0, 0, 0]),
      /y begins at data byte 1, the tensor before it ends at 2/,
    ],
    ['metadata that is no text', fileOf('{"__metadata__":{"a":1}}'), /__metadata__ is no record of text/],
  ])('refuses %s', (_, file, message) => {
    expect(() => readSafetensors(file)).toThrow(message)
    expect(() => readSafetensors(file)).toThrow(TensorloomError)
  })

  it('refuses every truncation of a good file', () => {
    const file = writeSafetensors({ a: { dtype: 'f32', shape: [3], data: Float32Array.of(1, 2, 3) } })
    for (let n = 0; n < file.length; n++) expect(() => readSafetensors(file.subarray(0, n))).toThrow(TensorloomError)
  })
})

const stored: fc.Arbitrary<StoredTensor> = fc
  .tuple(fc.constantFrom('f32', 'i32', 'u32', 'bool', 'f16', 'bf16', 'i8', 'u8'), fc.array(fc.nat(4), { maxLength: 3 }))
  .chain(([dtype, shape]): fc.Arbitrary<StoredTensor> => {
    const n = sizeOf(shape)
    const of = (x: fc.Arbitrary<number>): fc.Arbitrary<number[]> => fc.array(x, { minLength: n, maxLength: n })
    if (dtype === 'f32') return of(fc.float()).map((v) => ({ dtype, shape, data: Float32Array.from(v) }))
    if (dtype === 'i32') return of(fc.integer()).map((v) => ({ dtype, shape, data: Int32Array.from(v) }))
    if (dtype === 'u32') return of(fc.nat()).map((v) => ({ dtype, shape, data: Uint32Array.from(v) }))
    if (dtype === 'bool') return of(fc.nat(1)).map((v) => ({ dtype, shape, data: Uint8Array.from(v) }))
    if (dtype === 'i8')
      return of(fc.integer({ min: -128, max: 127 })).map((v) => ({ dtype, shape, data: Int8Array.from(v) }))
    if (dtype === 'u8') return of(fc.nat(255)).map((v) => ({ dtype, shape, data: Uint8Array.from(v) }))
    // f16 holds integers up to 2048 exactly, bf16 up to 256.
    const most = dtype === 'f16' ? 2048 : 256
    return of(fc.integer({ min: -most, max: most })).map((v) => ({
      dtype,
      shape,
      data: Float32Array.from(v),
    }))
  })

describe('writeSafetensors', () => {
  it('is read back as it was, and gives the same bytes for keys in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), stored), { maxLength: 5 }), (entries) => {
        const named = entries.filter(([name]) => name !== '__metadata__')
        const tensors = Object.fromEntries(named)
        const bytes = writeSafetensors(tensors, { k: 'v' })
        const back = readSafetensors(bytes)
        expect(back.metadata).toEqual({ k: 'v' })
        expect(Object.keys(back.tensors).sort()).toEqual(Object.keys(tensors).sort())
        for (const [name, t] of Object.entries(tensors)) expect(back.tensors[name]).toEqual(t)
        expect(writeSafetensors(Object.fromEntries(Object.entries(tensors).reverse()), { k: 'v' })).toEqual(bytes)
      }),
      { seed: 42, numRuns: 200 },
    )
  })

  it('aligns the data to 8 bytes and wide elements to their width', () => {
    const file = writeSafetensors({
      a: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
      b: { dtype: 'f32', shape: [1], data: Float32Array.of(1) },
    })
    const length = Number(new DataView(file.buffer).getBigUint64(0, true))
    expect((8 + length) % 8).toBe(0)
    expect([...file.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f, 1, 0, 1])
  })

  it('refuses data that does not fill its shape', () => {
    const data = Float32Array.of(1, 2)
    expect(() => writeSafetensors({ a: { dtype: 'f32', shape: [3], data } })).toThrow(
      /a has 2 elements, its shape \[3\] 3/,
    )
    expect(() => writeSafetensors({ __metadata__: { dtype: 'f32', shape: [2], data } })).toThrow(/cannot be named/)
  })
})
