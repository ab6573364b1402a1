/** CRC-32, by which PNG and zip files tell whether their parts are what was written. */

/** The checksum of bytes; undefined where the host has none at hand. */
export const crc32Of = (bytes: Uint8Array): number | undefined =>
  typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:zlib').crc32(bytes)
