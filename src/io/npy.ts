/**
 * NumPy's NPY format: a magic text, a version, a header that is a Python dictionary, the elements
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import type { Column, Elements } from '../data/column.ts'
import { readBytes, settle } from '../data/file.ts'
import { type DataError, raise } from '../lang/errors.ts'
import { fromHalf } from '../lang/half.ts'
import { positionOf, stridesOf } from '../lang/shape.ts'
import type { FileUrl } from '../runtime/global-types.ts'

interface Kind {
  readonly bytes: number
  readonly make: (length: number) => Elements
  /** NaN for what our arrays do not hold: a whole number of more than 32 bits. */
  readonly read: (view: DataView, at: number, little: boolean) => number
}

const within = (n: bigint, low: number, high: number): number => (n < low || n > high ? Number.NaN : Number(n))

const kinds: Readonly<Record<string, Kind>> = {
  b1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  u1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  i1: { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  i2: { bytes: 2, make: (n) => new Int16Array(n), read: (v, at, little) => v.getInt16(at, little) },
  u2: { bytes: 2, make: (n) => new Int32Array(n), read: (v, at, little) => v.getUint16(at, little) },
  i4: { bytes: 4, make: (n) => new Int32Array(n), read: (v, at, little) => v.getInt32(at, little) },
  u4: { bytes: 4, make: (n) => new Uint32Array(n), read: (v, at, little) => v.getUint32(at, little) },
  i8: {
    bytes: 8,
    make: (n) => new Int32Array(n),
    read: (v, at, little) => within(v.getBigInt64(at, little), -(2 ** 31), 2 ** 31 - 1),
  },
  u8: {
    bytes: 8,
    make: (n) => new Uint32Array(n),
    read: (v, at, little) => within(v.getBigUint64(at, little), 0, 2 ** 32 - 1),
  },
  f2: { bytes: 2, make: (n) => new Float32Array(n), read: (v, at, little) => fromHalf(v.getUint16(at, little)) },
  f4: { bytes: 4, make: (n) => new Float32Array(n), read: (v, at, little) => v.getFloat32(at, little) },
  f8: { bytes: 8, make: (n) => new Float64Array(n), read: (v, at, little) => v.getFloat64(at, little) },
}

const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)

/** What a header says. */
interface Header {
  readonly order: string
  readonly kind: Kind
  readonly code: string
  readonly isFortran: boolean
  readonly shape: readonly number[]
}

type Found<A> = E.Either<DataError, A>

const headerOf = (
  text: string,
  wrong: (reason: string, hint?: string) => E.Either<DataError, never>,
): Found<Header> => {
  const descr = /'descr'\s*:\s*'([<>|=])(\w+)'/.exec(text)
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)
  const sizes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)
  if (!/'descr'/.test(text) || !order || !sizes) return wrong(`the header is ${JSON.stringify(text.trim())}`)
  const code = descr?.[2] ?? ''
  const kind = Object.hasOwn(kinds, code) ? kinds[code]! : undefined
  if (!kind)
    return wrong(
      `elements are of type ${/'descr'\s*:\s*(\[.*?\]|'[^']*')/.exec(text)?.[1] ?? 'unknown'}`,
      `read are ${Object.keys(kinds).join(', ')}: convert it with .astype('float32')`,
    )
  const shape = (sizes[1]!.match(/\d+/g) ?? []).map(Number)
  return E.right({ order: descr![1]!, kind, code, isFortran: order[1] === 'True', shape })
}

/** Where an element of row-major order stands in a file of the other order. */
const fortranOrder = (shape: readonly number[]): ((i: number) => number) => {
  const strides = [...stridesOf([...shape].reverse())].reverse()
  return (i) => positionOf(i, shape).reduce((at, p, axis) => at + p * strides[axis]!, 0)
}

/**
 * The array of an NPY file (NumPy's). Numbers and booleans of either byte order, row-major or not; 64-bit whole numbers become 32-bit
 * ones where all of them fit, as NumPy makes them without being asked, halves f32. Left DataError with the offset of the byte: no NPY,
 * an element type that is no number, a whole number that does not fit, fewer or more bytes than the header promises.
 * @example
 * const bytes = io.toNpy({ shape: [2], data: Float32Array.of(1, 2) })
 * io.parseNpy(bytes) // => { _tag: 'Right', right: { shape: [2], data: [1, 2] } }
 * io.parseNpy(bytes.subarray(0, 130))._tag // => 'Left'
 */
export const parseNpy = (bytes: Uint8Array, source = 'NPY data'): E.Either<DataError, Column> => {
  const wrong = (offset: number, reason: string, hint?: string): E.Either<DataError, never> =>
    E.left({ tag: 'DataError', source, reason, offset, ...(hint === undefined ? {} : { hint }) })
  if (bytes.length < 10) return wrong(bytes.length, `${bytes.length} bytes are no NPY header`)
  if (!magic.every((b, i) => bytes[i] === b)) return wrong(0, 'not an NPY file: it does not begin with \\x93NUMPY')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]!
  if (version < 1 || version > 3) return wrong(6, `version ${version} of the format is not known`)
  const begin = version === 1 ? 10 : 12
  if (bytes.length < begin) return wrong(bytes.length, 'cut short in its header')
  const start = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (start > bytes.length) return wrong(bytes.length, `cut short: the header takes ${start} bytes`)
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(begin, start))
  const header = headerOf(text, (reason, hint) => wrong(begin, reason, hint))
  if (E.isLeft(header)) return header
  const { kind, code, order, isFortran, shape } = header.right
  const count = shape.reduce((a, b) => a * b, 1)
  const end = start + count * kind.bytes
  const said = `[${shape.join(', ')}] of ${code} ends at byte ${end}`
  if (bytes.length < end) return wrong(bytes.length, `cut short: ${said}`, 'is the file complete?')
  if (bytes.length > end) return wrong(end, `${said}, the file at ${bytes.length}`)
  const data = kind.make(count)
  const placed = isFortran ? fortranOrder(shape) : (i: number): number => i
  const isWhole = code === 'i8' || code === 'u8'
  for (let i = 0; i < count; i++) {
    const at = start + kind.bytes * placed(i)
    const x = kind.read(view, at, order !== '>')
    if (isWhole && Number.isNaN(x)) return wrong(at, 'a whole number there does not fit into 32 bits')
    data[i] = x
  }
  return E.right({ shape, data })
}

/** NumPy's names of what our arrays hold. */
const codes: Readonly<Record<Elements[typeof Symbol.toStringTag], string>> = {
  Uint8Array: '|u1',
  Int8Array: '|i1',
  Int16Array: '<i2',
  Int32Array: '<i4',
  Uint32Array: '<u4',
  Float32Array: '<f4',
  Float64Array: '<f8',
}

/**
 * The bytes of an NPY file of a column, or of anything with a shape and elements, such as what `T.reference` gives. UsageError where
 * data and shape differ in size.
 * @example
 * io.toNpy(T.reference(T.ones([2, 3]))).length // => 152
 */
export const toNpy = ({ shape, data }: Column): Uint8Array<ArrayBuffer> => {
  const count = shape.reduce((a, b) => a * b, 1)
  if (count !== data.length)
    raise({
      tag: 'UsageError',
      message: `toNpy: ${data.length} elements, the shape [${shape.join(', ')}] has ${count}`,
    })
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dictionary = `{'descr': '${codes[data[Symbol.toStringTag]]}', 'fortran_order': False, 'shape': (${sizes}), }`
  // Data begin at a multiple of 64 bytes; the header ends with a line break.
  const header = new TextEncoder().encode(`${dictionary.padEnd(64 * Math.ceil((11 + dictionary.length) / 64) - 11)}\n`)
  const file = new Uint8Array(10 + header.length + data.byteLength)
  const view = new DataView(file.buffer)
  file.set(magic)
  file[6] = 1
  view.setUint16(8, header.length, true)
  file.set(header, 10)
  file.set(littleEndian(data), 10 + header.length)
  return file
}

const littleEndian = (data: Elements): Uint8Array => {
  const bytes = new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer)
  const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  const size = data.BYTES_PER_ELEMENT
  if (!isLittle) for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse()
  return bytes
}

/**
 * `readNpy` as a TaskEither: nothing is read before it is called.
 * @example
 * (await io.readNpyTask('missing.npy')())._tag // => 'Left'
 */
export const readNpyTask = (path: string | FileUrl): TE.TaskEither<DataError, Column> =>
  pipe(
    readBytes(path),
    TE.flatMapEither((bytes) => parseNpy(bytes, String(path))),
  )

/**
 * The array of an NPY file on disk, by `parseNpy`. Rejects with a TensorloomError that carries the DataError.
 * @example
 * await io.readNpy('missing.npy') // => throws DataError
 */
export const readNpy = (path: string | FileUrl): Promise<Column> => settle(readNpyTask(path))
