/**
 * The IDX format of MNIST and its kin: two zero bytes, a type code, the rank, each size as a big-endian word, the elements
 * (http://yann.lecun.com/exdb/mnist). A file that is cut short or of another kind is a typed error, never zeros.
 */

import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import type { DataError } from '../lang/errors.ts'
import { demandRecord, demandString, type OptionNames } from '../lang/tensor/arguments.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import { type Column, type Elements, mapColumns, rowCount, sliceRows } from './column.ts'
import { readBytes, settle } from './file.ts'

interface ElementKind {
  readonly bytes: number
  readonly make: (length: number) => Elements
  readonly read: (view: DataView, at: number) => number
}

const kinds: Readonly<Record<number, ElementKind>> = {
  8: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  9: { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  11: { bytes: 2, make: (n) => new Int16Array(n), read: (v, at) => v.getInt16(at) },
  12: { bytes: 4, make: (n) => new Int32Array(n), read: (v, at) => v.getInt32(at) },
  13: { bytes: 4, make: (n) => new Float32Array(n), read: (v, at) => v.getFloat32(at) },
  14: { bytes: 8, make: (n) => new Float64Array(n), read: (v, at) => v.getFloat64(at) },
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/**
 * The array of an IDX file (MNIST's format). Bytes (code 8) share the memory of `bytes`; other kinds are copied into
 * the machine's byte order. Left DataError with the offset of the byte: no IDX, an unknown type, fewer or more bytes than the
 * header promises. `source` names the file.
 * @example
 * const found = data.parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9))
 * found // => { _tag: 'Right', right: { shape: [2], data: [7, 9] } }
 * data.parseIdx(Uint8Array.of(1, 2))._tag // => 'Left'
 */
export const parseIdx = (bytes: Uint8Array, source = 'IDX data'): E.Either<DataError, Column> => {
  const wrong = (offset: number, reason: string, hint?: string): E.Either<DataError, Column> =>
    E.left({ tag: 'DataError', source, reason, offset, ...(hint === undefined ? {} : { hint }) })
  if (isGzip(bytes)) return wrong(0, 'the file is compressed', 'gunzip it first')
  if (bytes.length < 4) return wrong(bytes.length, `${bytes.length} bytes are no IDX header`, 'is the file complete?')
  const [zero, zero2, code, rank] = bytes as unknown as readonly [number, number, number, number]
  if (zero !== 0 || zero2 !== 0) return wrong(0, 'not an IDX file: it does not begin with two zero bytes')
  const kind = kinds[code]
  if (!kind) return wrong(2, `element type ${code} is none of IDX (8, 9, 11, 12, 13, 14)`)
  const header = 4 + 4 * rank
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < header)
    return wrong(bytes.length, `cut short: the header of rank ${rank} takes ${header} bytes, ${bytes.length} are there`)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  const count = shape.reduce((a, b) => a * b, 1)
  const expected = header + count * kind.bytes
  if (bytes.length < expected)
    return wrong(
      bytes.length,
      `cut short: [${shape.join(', ')}] takes ${expected} bytes, ${bytes.length} are there`,
      'download it again',
    )
  if (bytes.length > expected)
    return wrong(expected, `${bytes.length - expected} bytes follow after [${shape.join(', ')}]`)
  if (code === 8) return E.right({ shape, data: bytes.subarray(header) })
  const data = kind.make(count)
  for (let i = 0; i < count; i++) data[i] = kind.read(view, header + i * kind.bytes)
  return E.right({ shape, data })
}

/**
 * `readIdx` as a TaskEither: nothing is read before it is called.
 * @example
 * (await data.readIdxTask('missing.idx')())._tag // => 'Left'
 */
export const readIdxTask = (path: string | FileUrl): TE.TaskEither<DataError, Column> =>
  pipe(
    readBytes(path),
    TE.flatMapEither((bytes) => parseIdx(bytes, String(path))),
  )

/**
 * The array of an IDX file on disk, by `parseIdx`. Rejects with a TensorloomError that carries the DataError.
 * @example
 * await data.readIdx('missing.idx') // => throws DataError
 */
export const readIdx = (path: string | FileUrl): Promise<Column> => settle(readIdxTask(path))

/** Which rows `readMnist` takes. */
export interface MnistOptions {
  /** The first of them; all unless given. */
  readonly rows?: number | undefined
}

const mnistOptions: OptionNames<MnistOptions> = { rows: 'count' }

/** Images and their labels, one row an example. */
export interface LabelledImages extends Readonly<Record<string, Column>> {
  readonly images: Column
  readonly labels: Column
}

const inFolder = (folder: string | FileUrl, name: string): string | FileUrl => {
  const path = typeof folder === 'string' ? folder : folder.href
  const file = `${path.replace(/\/$/, '')}/${name}`
  return typeof folder === 'string' ? file : new URL(file)
}

/**
 * `readMnist` as a TaskEither: nothing is read before it is called.
 * @example
 * (await data.readMnistTask('missing', 'train')())._tag // => 'Left'
 */
export const readMnistTask = (
  folder: string | FileUrl,
  part: string,
  options: MnistOptions = {},
): TE.TaskEither<DataError, LabelledImages> => {
  demandRecord('readMnist', mnistOptions, options)
  demandString('readMnist', 'the part', part, "readMnist(folder, 'train')")
  const read = (what: string): TE.TaskEither<DataError, Column> =>
    readIdxTask(inFolder(folder, `${part}-${what}-ubyte`))
  return pipe(
    read('images-idx3'),
    TE.flatMap((images) =>
      pipe(
        read('labels-idx1'),
        TE.flatMapEither((labels): E.Either<DataError, LabelledImages> => {
          if (rowCount(images) === rowCount(labels))
            return E.right(mapColumns({ images, labels }, (column) => sliceRows(column, 0, options.rows)))
          const reason = `'${part}' has ${rowCount(images)} images and ${rowCount(labels)} labels`
          return E.left({ tag: 'DataError', source: String(folder), reason, hint: 'are the files of one data set?' })
        }),
      ),
    ),
  )
}

/**
 * A part of MNIST, or of a data set that comes in files of its names (Fashion-MNIST, Kuzushiji-MNIST, parts of EMNIST): the IDX files
 * `<part>-images-idx3-ubyte` and `<part>-labels-idx1-ubyte` of a folder as columns; the first `rows` of them, if given. MNIST's parts
 * are `'train'` and `'t10k'`. Rejects with a DataError where a file is not there or not whole, or the two differ in length.
 * @example
 * await data.readMnist('missing', 't10k', { rows: 100 }) // => throws DataError
 */
export const readMnist = (
  folder: string | FileUrl,
  part: string,
  options: MnistOptions = {},
): Promise<LabelledImages> => settle(readMnistTask(folder, part, options))
