/** Safetensors files that are read by range: the header when they are opened, a tensor when it is asked for. */
import type { HostTensor } from '../compile/host.ts'
import type { DType } from '../lang/dtype.ts'
import { raise, TensorloomError } from '../lang/errors.ts'
import { printed } from '../lang/print/tensor-values.ts'
import { quoted } from '../lang/visible-text.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import { openBytes } from '../runtime/text-files.ts'
import {
  type Claim,
  checkCover,
  dataStart,
  decode,
  type Header,
  hasOwnDType,
  isCounts,
  malformed,
  metadataIn,
  namesIn,
  type Place,
  parseHeader,
  placeOf,
} from './safetensors.ts'
import { fileOf } from './tree-file.ts'

/** A safetensors file whose header was read. */
export interface SafetensorsFile {
  readonly file: string
  /** The types of its tensors by name, in the order of the header; those of dtypes that we do not have are left out. */
  readonly tensors: Readonly<Record<string, { readonly dtype: DType; readonly shape: readonly number[] }>>
  /** The free text of the file. */
  readonly metadata: Readonly<Record<string, string>>
  /** Reads these tensors, all unless given, and nothing else. Rejects with DataError where one is missing or the file has changed. */
  readonly read: <N extends string>(names?: readonly N[]) => Promise<Readonly<Record<N, HostTensor>>>
}

type Opened = ReturnType<typeof openBytes>

/** What `work` makes of an open file, which is closed then. Raises DataError that names it. */
const withFile = <A>(file: string, work: (opened: Opened) => A): A => {
  let opened: Opened | undefined
  try {
    opened = openBytes(file)
    return work(opened)
  } catch (e) {
    if (e instanceof TensorloomError) return raise(e.error.tag === 'DataError' ? { ...e.error, source: file } : e.error)
    return raise({ tag: 'DataError', source: file, reason: `cannot be read (${(e as Error).message})` })
  } finally {
    opened?.close()
  }
}

/** What a tensor claims, of whatever dtype. Raises DataError where that is nothing, or more than there is. */
const claimOf = (header: Header, name: string, start: number, size: number): Claim => {
  const { data_offsets: range } = (header[name] ?? {}) as Readonly<Record<string, unknown>>
  if (!isCounts(range) || range.length !== 2) return malformed(`${name} has no shape and data_offsets`, 8)
  const [begin, end] = range.map((at) => start + at) as [number, number]
  if (end > size) malformed(`${name} ends at byte ${end}, the file at ${size}`, size)
  return { name, begin, end }
}

/**
 * Opens a safetensors file of any size: its header is read and checked, the tensors stay where they are until `read` is asked for
 * some of them. No file is held open in between. DataError with the offset of the byte where it is cut short or malformed, and where
 * it cannot be read; UsageError where there are no files.
 * @example
 * await T.save('/tmp/big.safetensors', { layers: [{ w: T.ones([2]) }, { w: T.full([2], 3) }] })
 * const file = io.openSafetensors('/tmp/big.safetensors')
 * file.tensors['layers.1.w'] // => { dtype: 'f32', shape: [2] }
 * (await file.read(['layers.1.w']))['layers.1.w'].data // => [3, 3]
 * io.openSafetensors('missing.safetensors') // => throws DataError
 */
export const openSafetensors = (path: string | FileUrl): SafetensorsFile => {
  const file = fileOf('openSafetensors', path, 'T.load takes the bytes of a file')
  const { header, places, placed, size } = withFile(file, ({ size, read }) => {
    const start = dataStart(read(0, 8), size)
    const header = parseHeader(read(8, start - 8))
    const placed = (name: string): Place =>
      namesIn(header).includes(name)
        ? placeOf(header, name, start, size)
        : raise({ tag: 'DataError', source: file, reason: `there is no tensor ${quoted(name)}` })
    const claims = namesIn(header).map((name) => claimOf(header, name, start, size))
    checkCover(claims, start, size)
    return {
      header,
      places: namesIn(header)
        .filter((name) => hasOwnDType(header, name))
        .map(placed),
      placed,
      size,
    }
  })
  return {
    file,
    tensors: Object.fromEntries(places.map(({ name, dtype, shape }) => [name, { dtype, shape }])),
    metadata: metadataIn(header),
    read: async <N extends string>(names: readonly N[] = places.map(({ name }) => name as N)) =>
      withFile(file, (opened) => {
        const reason = `it had ${size} bytes when it was opened, now ${opened.size}`
        if (opened.size !== size) raise({ tag: 'DataError', source: file, reason })
        const read = names.map((name) => {
          const place = placed(name)
          return [name, printed(decode(place, opened.read(place.begin, place.end - place.begin)))]
        })
        return Object.fromEntries(read) as Record<N, HostTensor>
      }),
  }
}
