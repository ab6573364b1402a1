/** A digest of a whole safetensors file that stands in the file's own metadata: it is taken of the file with zeros in its place. */

/** The key of the metadata, and what is written there before the digest is known. */
export const checksumKey = 'sha256'
export const noChecksum: string = '0'.repeat(64)

/** The key as the header spells it. Quotes inside names and values are escaped there, so nothing else looks like it. */
const mark = new TextEncoder().encode(`"${checksumKey}":"`)

/** Where the digest begins in a file; undefined where it has none. */
const placeOf = (file: Uint8Array): number | undefined => {
  if (file.length < 8) return undefined
  const header = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
  const end = Math.min(file.length, 8 + header) - mark.length - noChecksum.length
  for (let at = 8; at <= end; at++) if (mark.every((byte, i) => file[at + i] === byte)) return at + mark.length
  return undefined
}

const digestOf = async (file: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file))
  return new TextEncoder().encode(Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join(''))
}

/** Puts the digest into a file that was written with `noChecksum`: in place. */
export const seal = async (file: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
  file.set(await digestOf(file), placeOf(file)!)
  return file
}

/** Whether a file is as it was sealed; undefined where it was not sealed. */
export const isSound = async (file: Uint8Array): Promise<boolean | undefined> => {
  const at = placeOf(file)
  if (at === undefined) return undefined
  const found = file.slice(at, at + noChecksum.length)
  const blank = Uint8Array.from(file)
  blank.set(new TextEncoder().encode(noChecksum), at)
  const wanted = await digestOf(blank)
  return found.every((byte, i) => byte === wanted[i])
}
