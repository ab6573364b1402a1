/** The list at the end of a zip archive: what it says of its files, by which one that was changed is found. */

/** A file of an archive. */
export interface ZipEntry {
  readonly name: string
  /** The checksum of its bytes, as they were before they were packed. */
  readonly crc32: number
  /** Where it begins in the archive. */
  readonly offset: number
}

const listMark = 0x02014b50
const endMark = 0x06054b50

/** Where the list begins, which the end of the archive says; in one of more than 4 GB, a second end before that. */
const listStart = (view: DataView): number => {
  let end = view.byteLength - 22
  while (end >= 0 && view.getUint32(end, true) !== endMark) end--
  if (end < 0) return view.byteLength
  const start = view.getUint32(end + 16, true)
  if (start !== 0xffffffff || end < 20) return start
  const wideEnd = Number(view.getBigUint64(end - 12, true))
  return wideEnd + 56 <= view.byteLength ? Number(view.getBigUint64(wideEnd + 48, true)) : view.byteLength
}

/** The files of an archive that can be unpacked. */
export const zipEntries = (bytes: Uint8Array): readonly ZipEntry[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: ZipEntry[] = []
  for (let at = listStart(view); at + 46 <= bytes.length && view.getUint32(at, true) === listMark; ) {
    const half = (i: number): number => view.getUint16(at + i, true)
    const isUtf8 = (half(8) & 0x800) !== 0
    const name = new TextDecoder(isUtf8 ? 'utf-8' : 'latin1').decode(bytes.subarray(at + 46, at + 46 + half(28)))
    entries.push({ name, crc32: view.getUint32(at + 16, true), offset: view.getUint32(at + 42, true) })
    at += 46 + half(28) + half(30) + half(32)
  }
  return entries
}
