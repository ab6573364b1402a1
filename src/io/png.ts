/** PNG images as columns of bytes, `[height, width, channels]`; pngjs, an optional library, does the work. */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import type { Column } from '../data/column.ts'
import { readBytes, settle } from '../data/file.ts'
import { type Library, library } from '../data/library.ts'
import { type DataError, raise } from '../lang/errors.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import { crc32Of } from './crc32.ts'

type Found = E.Either<DataError, Column<Uint8Array>>

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** Where red, green, blue and alpha stand in a pixel of so many channels; grey has one place for three. */
const places: Readonly<Record<number, readonly number[]>> = { 1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3] }

/** PNG's colour type of so many channels. */
const colourTypes = { 1: 0, 2: 4, 3: 2, 4: 6 } as const

/** The first part of a file (length, name, contents, checksum) that is damaged or missing: where it begins, and how. */
const damageOf = (bytes: Uint8Array): { readonly at: number; readonly how: string } | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const names: string[] = []
  for (let at = signature.length; at < bytes.length; ) {
    const end = at + 8 <= bytes.length ? at + 12 + view.getUint32(at) : Number.POSITIVE_INFINITY
    if (end > bytes.length) return { at, how: 'a part that begins there is cut short' }
    const found = crc32Of(bytes.subarray(at + 4, end - 4))
    if (found !== undefined && found !== view.getUint32(end - 4))
      return { at, how: 'the checksum of the part that begins there is wrong' }
    names.push(String.fromCharCode(...bytes.subarray(at + 4, at + 8)))
    at = end
  }
  // Without pixels it would be read as an image of zeros.
  const missing = ['IDAT', 'IEND'].find((name) => !names.includes(name))
  return missing ? { at: bytes.length, how: `cut short: there is no part ${missing}` } : undefined
}

/** No byte of a compressed image becomes more than about 1,032: what promises more would fill the memory with nothing. */
const mostExpansion = 1040

const decoded = ({ PNG }: Library<'pngjs'>, bytes: Uint8Array, source: string): Found => {
  const wrong = (offset: number, reason: string): Found => E.left({ tag: 'DataError', source, offset, reason })
  if (!signature.every((b, i) => bytes[i] === b)) return wrong(0, 'not a PNG file: it does not begin as one')
  if (bytes.length < 33) return wrong(bytes.length, 'cut short in its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [columns, lines] = [view.getUint32(16), view.getUint32(20)]
  if (columns === 0 || lines === 0) return wrong(16, `an image of ${columns} by ${lines} pixels`)
  if ((columns * lines) / 8 > mostExpansion * bytes.length)
    return wrong(16, `${columns} by ${lines} pixels cannot be in ${bytes.length} bytes`)
  const damage = damageOf(bytes)
  if (damage) return wrong(damage.at, damage.how)
  let image: InstanceType<typeof PNG> & { readonly alpha?: boolean; readonly color?: boolean }
  try {
    image = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (e) {
    return wrong(bytes.length, `it cannot be read (${(e as Error).message})`)
  }
  const { width, height, data, color, alpha } = image
  const channels = (color ? 3 : 1) + (alpha ? 1 : 0)
  const from = places[channels]!
  const pixels = new Uint8Array(width * height * channels)
  for (let p = 0; p < width * height; p++)
    for (let c = 0; c < channels; c++) pixels[p * channels + c] = data[4 * p + from[c]!]!
  return E.right({ shape: [height, width, channels], data: pixels })
}

/**
 * The pixels of a PNG file: bytes `[height, width, channels]`, of which there are 1 (grey), 2 (grey and alpha), 3 (red, green, blue) or
 * 4. Palettes become colours, samples of 16 bits are scaled to 8. Left DataError with the offset of the byte: no PNG, cut short, a wrong
 * checksum, more pixels than the file can hold; and where pngjs is not installed.
 * @example
 * const bytes = await io.toPng({ shape: [1, 2, 3], data: Uint8Array.of(255, 0, 0, 0, 0, 255) })
 * await io.parsePngTask(bytes)() // => { _tag: 'Right', right: { shape: [1, 2, 3], data: [255, 0, 0, 0, 0, 255] } }
 */
export const parsePngTask = (bytes: Uint8Array, source = 'PNG data'): TE.TaskEither<DataError, Column<Uint8Array>> =>
  pipe(
    library('pngjs', source),
    TE.flatMapEither((pngjs) => decoded(pngjs, bytes, source)),
  )

/**
 * `readPng` as a TaskEither: nothing is read before it is called.
 * @example
 * (await io.readPngTask('missing.png')())._tag // => 'Left'
 */
export const readPngTask = (path: string | FileUrl): TE.TaskEither<DataError, Column<Uint8Array>> =>
  pipe(
    readBytes(path),
    TE.flatMap((bytes) => parsePngTask(bytes, String(path))),
  )

/**
 * The pixels of a PNG file on disk. Rejects with a TensorloomError that carries the DataError of `parsePngTask`.
 * @example
 * await io.readPng('missing.png') // => throws DataError
 */
export const readPng = (path: string | FileUrl): Promise<Column<Uint8Array>> => settle(readPngTask(path))

/**
 * The bytes of a PNG file of an image: bytes `[height, width]` (grey) or `[height, width, channels]` of 1 to 4 channels, as
 * `parsePngTask` gives them. UsageError for other shapes and elements; rejects with DataError where pngjs is not installed.
 * @example
 * const bytes = await io.toPng({ shape: [2, 2], data: Uint8Array.of(0, 85, 170, 255) })
 * T.orThrow(await io.parsePngTask(bytes)()).shape // => [2, 2, 1]
 */
export const toPng = async ({ shape, data }: Column<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> => {
  const [height = 0, width = 0, channels = 1] = shape
  const isImage = (shape.length === 2 || shape.length === 3) && channels in places && height > 0 && width > 0
  if (!isImage || !(data instanceof Uint8Array) || data.length !== height * width * channels)
    raise({
      tag: 'UsageError',
      message: `toPng: ${data.constructor.name}[${shape.join(', ')}] of ${data.length} elements is no image`,
      hint: 'give bytes of shape [height, width] or [height, width, channels] with 1 to 4 channels',
    })
  const { PNG } = await settle(library('pngjs', 'PNG data'))
  const from = places[channels]!
  const hasAlpha = channels % 2 === 0
  const image = new PNG({ width, height })
  for (let p = 0; p < width * height; p++) {
    const pixel = data.subarray(p * channels, (p + 1) * channels)
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = pixel[channels < 3 ? 0 : c]!
    image.data[4 * p + 3] = hasAlpha ? pixel[from.indexOf(3)]! : 255
  }
  return new Uint8Array(PNG.sync.write(image, { colorType: colourTypes[channels as 1 | 2 | 3 | 4] }))
}
