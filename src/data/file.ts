/** Files as typed results. Node's file system is loaded when it is used: parsing works in browsers. */

import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import { type DataError, TensorloomError } from '../lang/errors.ts'
import type { FileUrl } from '../runtime/global-types.ts'

/** The bytes of a file. Left DataError when it cannot be read. */
export const readBytes = (path: string | FileUrl): TE.TaskEither<DataError, Uint8Array> =>
  TE.tryCatch(
    async () => {
      const { readFile } = await import('node:fs/promises')
      return new Uint8Array(await readFile(path as string))
    },
    (e): DataError => ({
      tag: 'DataError',
      source: String(path),
      reason: `cannot be read (${e instanceof Error ? e.message : String(e)})`,
    }),
  )

/** Where bytes stop to be UTF-8: what is decoded is written again, and differs there. */
const strayByte = (bytes: Uint8Array): number => {
  const again = new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  return again.findIndex((byte, i) => byte !== bytes[i])
}

/**
 * The text of a file (UTF-8), a byte order mark included, so that places in it can be told as bytes. Left DataError when it
 * cannot be read, and with the offset of the first byte that is not of such a text.
 */
export const readText = (path: string | FileUrl): TE.TaskEither<DataError, string> =>
  pipe(
    readBytes(path),
    TE.flatMapEither((bytes) =>
      E.tryCatch(
        () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
        (): DataError => ({
          tag: 'DataError',
          source: String(path),
          reason: 'a byte there is not of a text in UTF-8',
          offset: strayByte(bytes),
          hint: 'write the text as UTF-8, or is this a file of another kind?',
        }),
      ),
    ),
  )

/** How many bytes a text takes in UTF-8. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** The Right of a task; rejects with the typed error otherwise. */
export const settle = async <A>(task: TE.TaskEither<DataError, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new TensorloomError(result.left)
  return result.right
}
