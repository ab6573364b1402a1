/** Files as typed results. Node's file system is loaded when it is used: parsing works in browsers. */

import * as E from '#fp/Either'
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

/** The Right of a task; rejects with the typed error otherwise. */
export const settle = async <A>(task: TE.TaskEither<DataError, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new TensorloomError(result.left)
  return result.right
}
