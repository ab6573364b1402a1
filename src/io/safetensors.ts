/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header of names with dtype, shape and byte range,
 * then the data. Reads and writes our dtypes; a file that is cut short or lies about itself is a typed error.
 */
import { fromBfloat16, toBfloat16 } from '../lang/bfloat16.ts'
import { sizeOf } from '../lang/dim.ts'
import { allocate, type DType, type HostArray, isFloat } from '../lang/dtype.ts'
import { raise } from '../lang/errors.ts'
import { fromHalf, toHalf } from '../lang/half.ts'
import { isRecord } from '../lang/tree.ts'

/** A tensor of a file: f16 and bf16 values are held as f32, bool as bytes of 0 and 1. */
export interface StoredTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: HostArray
}

/** Tensors by name, and the file's free text (`__metadata__`). */
export interface SafeTensors {
  readonly tensors: Readonly<Record<string, StoredTensor>>
  readonly metadata: Readonly<Record<string, string>>
}

// biome-ignore format: a table reads better
const codes: Readonly<Record<DType, string>> = {
  f32: 'F32', i32: 'I32', u32: 'U32', bool: 'BOOL', f16: 'F16', bf16: 'BF16', i8: 'I8', u8: 'U8',
}
// biome-ignore format: a table reads better
const widths: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u32: 4, bool: 1, f16: 2, bf16: 2, i8: 1, u8: 1 }

/** What cannot be written. */
const refuse = (message: string): never => raise({ tag: 'UsageError', message: `safetensors: ${message}` })

/** What cannot be read, and the byte of the file where that shows. */
export const malformed = (reason: string, offset: number): never =>
  raise({ tag: 'DataError', source: 'safetensors', reason, offset, hint: 'is the file complete?' })

/** Little-endian bytes, whatever the machine: the format's order. */
const toBytes = ({ dtype, data }: StoredTensor): Uint8Array => {
  const bytes = new Uint8Array(data.length * widths[dtype])
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!
    if (dtype === 'f32') view.setFloat32(4 * i, v, true)
    else if (dtype === 'i32') view.setInt32(4 * i, v, true)
    else if (dtype === 'u32') view.setUint32(4 * i, v, true)
    else if (dtype === 'f16') view.setUint16(2 * i, toHalf(v), true)
    else if (dtype === 'bf16') view.setUint16(2 * i, toBfloat16(v), true)
    else if (dtype === 'bool') bytes[i] = v ? 1 : 0
    else bytes[i] = v
  }
  return bytes
}

const fromBytes = (dtype: DType, view: DataView, n: number): HostArray => {
  const each = (i: number): number => {
    if (dtype === 'f32') return view.getFloat32(4 * i, true)
    if (dtype === 'i32') return view.getInt32(4 * i, true)
    if (dtype === 'u32') return view.getUint32(4 * i, true)
    if (dtype === 'f16') return fromHalf(view.getUint16(2 * i, true))
    return dtype === 'bf16' ? fromBfloat16(view.getUint16(2 * i, true)) : view.getUint8(i)
  }
  const array = isFloat(dtype) ? new Float32Array(n) : allocate(dtype, n)
  for (let i = 0; i < n; i++) array[i] = each(i)
  return array
}

/**
 * The bytes of a file: the same tensors give the same bytes. Wider elements come first, as other readers want data
 * aligned to its element. UsageError when data and shape differ in size.
 */
export const writeSafetensors = (
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> => {
  const names = Object.keys(tensors).sort((a, b) => {
    const wider = widths[tensors[b]!.dtype] - widths[tensors[a]!.dtype]
    return wider !== 0 ? wider : a < b ? -1 : 1
  })
  // Entries, not a record written to: `__proto__` is a name like any other.
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []
  let end = 0
  for (const name of names) {
    const { dtype, shape, data } = tensors[name]!
    if (name === '__metadata__') refuse('a tensor cannot be named __metadata__')
    if (sizeOf(shape) !== data.length)
      refuse(`${name} has ${data.length} elements, its shape [${shape.join(', ')}] ${sizeOf(shape)}`)
    const begin = end
    end += data.length * widths[dtype]
    header.push([name, { dtype: codes[dtype], shape, data_offsets: [begin, end] }])
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const start = 8 + Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(start + end).fill(0x20, 8, start)
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true)
  file.set(text, 8)
  let at = start
  for (const name of names) {
    const bytes = toBytes(tensors[name]!)
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

export const isCounts = (x: unknown): x is readonly number[] =>
  Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0)

/** Where the data of a file begins, from its first 8 bytes; `size` is that of the file. Raises DataError. */
export const dataStart = (first: Uint8Array, size: number): number => {
  const length = size < 8 ? 0n : new DataView(first.buffer, first.byteOffset).getBigUint64(0, true)
  const start = 8 + Number(length)
  return start > size ? malformed(`the header ends at byte ${start}, the file at ${size}`, size) : start
}

/** What the JSON of a header says: an entry a tensor by its name, and `__metadata__`. */
export type Header = Readonly<Record<string, unknown>>

/** The header that stands in these bytes, those of the file from 8 on. Raises DataError. */
export const parseHeader = (bytes: Uint8Array): Header => {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isRecord(header)) return header
  } catch {}
  return malformed('the header is no JSON object', 8)
}

/** The names of the tensors of a header. */
export const namesIn = (header: Header): readonly string[] => Object.keys(header).filter((n) => n !== '__metadata__')

/** The free text of a header. Raises DataError where it is none. */
export const metadataIn = (header: Header): Readonly<Record<string, string>> => {
  const metadata = header['__metadata__'] ?? {}
  if (!isRecord(metadata) || Object.values(metadata).some((v) => typeof v !== 'string'))
    malformed('__metadata__ is no record of text', 8)
  return metadata as Record<string, string>
}

/** Whether the tensor of that name has a dtype of ours: files of PyTorch's hold counters of 64 bits. */
export const hasOwnDType = (header: Header, name: string): boolean =>
  Object.values(codes).includes((header[name] as { readonly dtype?: string } | null)?.dtype ?? '')

/** The bytes of a file that a tensor claims. */
export interface Claim {
  readonly name: string
  readonly begin: number
  readonly end: number
}

/** Where a tensor lies. */
export interface Place extends Claim {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** Where a tensor lies, from its entry. Raises DataError where it is cut short, malformed, or of a dtype we do not have. */
export const placeOf = (header: Header, name: string, start: number, size: number): Place => {
  const { dtype: code, shape, data_offsets: range } = (header[name] ?? {}) as Readonly<Record<string, unknown>>
  const dtype = (Object.keys(codes) as DType[]).find((d) => codes[d] === code)
  if (!dtype) return malformed(`${name} has dtype ${code}, not one of ${Object.values(codes)}`, 8)
  if (!isCounts(shape) || !isCounts(range) || range.length !== 2)
    return malformed(`${name} has no shape and data_offsets`, 8)
  const [begin, end] = range as readonly [number, number]
  const bytes = sizeOf(shape) * widths[dtype]
  if (end - begin !== bytes) malformed(`${name} has ${end - begin} bytes and needs ${bytes}`, start + begin)
  if (start + end > size) malformed(`${name} ends at byte ${start + end}, the file at ${size}`, size)
  return { name, dtype, shape, begin: start + begin, end: start + end }
}

/** The tensor that lies in `bytes`. */
export const decode = ({ dtype, shape }: Place, bytes: Uint8Array): StoredTensor => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { dtype, shape, data: fromBytes(dtype, view, sizeOf(shape)) }
}

/** A file, its header, and where the data begins. */
export interface OpenSafetensors {
  readonly file: Uint8Array
  readonly start: number
  readonly header: Header
}

/** Opens a file. Raises DataError (as TensorloomError) when the header is cut short or none. */
export const openSafetensors = (source: ArrayBuffer | Uint8Array): OpenSafetensors => {
  const file = source instanceof Uint8Array ? source : new Uint8Array(source)
  const start = dataStart(file, file.length)
  return { file, start, header: parseHeader(file.subarray(8, start)) }
}

/** A tensor of a file. Raises DataError where it is cut short, malformed, or of a dtype we do not have. */
export const tensorAt = ({ file, start, header }: OpenSafetensors, name: string): StoredTensor => {
  const place = placeOf(header, name, start, file.length)
  return decode(place, file.subarray(place.begin, place.end))
}

/** Reads a file. Raises DataError (as TensorloomError) when it is truncated, malformed, or holds a dtype we do not have. */
export const readSafetensors = (source: ArrayBuffer | Uint8Array): SafeTensors => {
  const { file, start, header } = openSafetensors(source)
  const places = namesIn(header).map((name) => placeOf(header, name, start, file.length))
  checkCover(places, start, file.length)
  // Entries, not a record written to: `__proto__` is a name like any other.
  const tensors = places.map((place) => [place.name, decode(place, file.subarray(place.begin, place.end))] as const)
  return { tensors: Object.fromEntries(tensors), metadata: metadataIn(header) }
}

/** The format allows neither holes nor overlaps: every byte of the data belongs to one tensor. Raises DataError. */
export const checkCover = (places: readonly Claim[], start: number, size: number): void => {
  let at = start
  for (const { name, begin, end } of [...places].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      malformed(`${name} begins at data byte ${begin - start}, the tensor before it ends at ${at - start}`, begin)
    at = end
  }
  if (at !== size) malformed(`the tensors end at data byte ${at - start}, the file at ${size - start}`, at)
}
