/** NumPy's NPZ format: NPY files by name in a zip archive, which fflate, an optional library, packs and unpacks. */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import type { Column, Dataset } from '../data/column.ts'
import { readBytes, settle } from '../data/file.ts'
import { type Library, library } from '../data/library.ts'
import type { DataError } from '../lang/errors.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import { crc32Of } from './crc32.ts'
import { parseNpy, toNpy } from './npy.ts'
import { zipEntries } from './zip-list.ts'

type Found = E.Either<DataError, Readonly<Record<string, Column>>>

const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b

/** The files of an archive. */
const unzipped = (
  { unzipSync }: Library<'fflate'>,
  bytes: Uint8Array,
  source: string,
): E.Either<DataError, Readonly<Record<string, Uint8Array>>> => {
  const wrong = (offset: number, reason: string): E.Either<DataError, never> =>
    E.left({ tag: 'DataError', source, offset, reason, hint: 'is the file complete, and of this format?' })
  if (!isZip(bytes)) return wrong(0, 'not a zip archive: it does not begin with PK')
  try {
    const files = unzipSync(bytes)
    // The library unpacks what was changed, too.
    const changed = zipEntries(bytes).find(({ name, crc32 }) => {
      const found = Object.hasOwn(files, name) ? crc32Of(files[name]!) : undefined
      return found !== undefined && found !== crc32
    })
    return changed
      ? wrong(changed.offset, `the checksum of ${changed.name}, which begins there, is wrong`)
      : E.right(files)
  } catch (e) {
    // The list of files stands at the end.
    return wrong(bytes.length, `the archive cannot be unpacked (${(e as Error).message})`)
  }
}

const arraysOf = (files: Readonly<Record<string, Uint8Array>>, source: string): Found => {
  const arrays: [string, Column][] = []
  for (const [name, bytes] of Object.entries(files)) {
    const file = `${source}, ${name}`
    if (!name.endsWith('.npy'))
      return E.left({ tag: 'DataError', source: file, reason: 'it is no array: its name does not end with .npy' })
    const found = parseNpy(bytes, file)
    if (E.isLeft(found)) return found
    arrays.push([name.slice(0, -'.npy'.length), found.right])
  }
  return E.right(Object.fromEntries(arrays))
}

/**
 * The arrays of an NPZ file by name (`numpy.savez` and `savez_compressed`); each as `parseNpy` reads it, which says more of kinds and
 * errors. Left DataError with the offset of the byte (within the array, where one is named): no archive, cut short, a wrong checksum; and
 * where fflate is not installed.
 * @example
 * const bytes = await io.toNpz({ w: { shape: [2], data: Float32Array.of(1, 2) } })
 * await io.parseNpzTask(bytes)() // => { _tag: 'Right', right: { w: { shape: [2], data: [1, 2] } } }
 * (await io.parseNpzTask(bytes.subarray(0, 40))())._tag // => 'Left'
 */
export const parseNpzTask = (
  bytes: Uint8Array,
  source = 'NPZ data',
): TE.TaskEither<DataError, Readonly<Record<string, Column>>> =>
  pipe(
    library('fflate', source),
    TE.flatMapEither((fflate) => unzipped(fflate, bytes, source)),
    TE.flatMapEither((files) => arraysOf(files, source)),
  )

/**
 * `readNpz` as a TaskEither: nothing is read before it is called.
 * @example
 * (await io.readNpzTask('missing.npz')())._tag // => 'Left'
 */
export const readNpzTask = (path: string | FileUrl): TE.TaskEither<DataError, Readonly<Record<string, Column>>> =>
  pipe(
    readBytes(path),
    TE.flatMap((bytes) => parseNpzTask(bytes, String(path))),
  )

/**
 * The arrays of an NPZ file on disk by name. Rejects with a TensorloomError that carries the DataError of `parseNpzTask`.
 * @example
 * await io.readNpz('missing.npz') // => throws DataError
 */
export const readNpz = (path: string | FileUrl): Promise<Readonly<Record<string, Column>>> => settle(readNpzTask(path))

/** The first day that a zip archive knows: the same arrays give the same bytes. */
const noTime = new Date(1980, 0, 1)

/**
 * The bytes of an NPZ file of arrays by name, compressed, as `numpy.savez_compressed` writes it. UsageError where data and shape differ
 * in size; rejects with DataError where fflate is not installed.
 * @example
 * const bytes = await io.toNpz({ w: { shape: [1], data: Int32Array.of(7) } })
 * T.orThrow(await io.parseNpzTask(bytes)())['w']!.data // => [7]
 */
export const toNpz = async (arrays: Dataset): Promise<Uint8Array<ArrayBuffer>> => {
  const files = Object.entries(arrays).map(([name, column]) => [`${name}.npy`, toNpy(column)] as const)
  const { zipSync } = await settle(library('fflate', 'NPZ data'))
  return new Uint8Array(zipSync(Object.fromEntries(files), { mtime: noTime }))
}
