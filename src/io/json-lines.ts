/** JSON lines: a text with a JSON value on each line (https://jsonlines.org). */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import { bytesOf, readText, settle } from '../data/file.ts'
import { type DataError, raise } from '../lang/errors.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import type { Json } from './faithful-json.ts'

/**
 * The values of a text of JSON lines; empty lines are passed over, a byte order mark too. Left DataError with line and offset of the
 * first that is no JSON, such as one that is cut short.
 * @example
 * io.parseJsonLines('{"a":1}\n[2]\n') // => { _tag: 'Right', right: [{ a: 1 }, [2]] }
 * io.parseJsonLines('{"a":1}\n{"a":')._tag // => 'Left'
 */
export const parseJsonLines = (text: string, source = 'JSON lines'): E.Either<DataError, readonly Json[]> => {
  const values: Json[] = []
  let from = 0
  for (const [i, line] of text.split('\n').entries()) {
    const json = (i === 0 ? line.replace(/^\ufeff/, '') : line).trim()
    if (json !== '')
      try {
        values.push(JSON.parse(json) as Json)
      } catch (e) {
        const offset = bytesOf(text.slice(0, from))
        return E.left({ tag: 'DataError', source, line: i + 1, offset, reason: (e as Error).message })
      }
    from += line.length + 1
  }
  return E.right(values)
}

/**
 * `readJsonLines` as a TaskEither: nothing is read before it is called.
 * @example
 * (await io.readJsonLinesTask('missing.jsonl')())._tag // => 'Left'
 */
export const readJsonLinesTask = (path: string | FileUrl): TE.TaskEither<DataError, readonly Json[]> =>
  pipe(
    readText(path),
    TE.flatMapEither((text) => parseJsonLines(text, String(path))),
  )

/**
 * The values of a file of JSON lines (UTF-8), by `parseJsonLines`. Rejects with a TensorloomError that carries the DataError.
 * @example
 * await io.readJsonLines('missing.jsonl') // => throws DataError
 */
export const readJsonLines = (path: string | FileUrl): Promise<readonly Json[]> => settle(readJsonLinesTask(path))

/**
 * Values as a text of JSON lines. UsageError for what JSON does not know: NaN, infinities, functions, `undefined`.
 * @example
 * io.toJsonLines([{ a: 1 }, [2]]) // => '{"a":1}\n[2]\n'
 */
export const toJsonLines = (values: Iterable<Json>): string => {
  let text = ''
  let i = 0
  for (const value of values) {
    const line = JSON.stringify(value, (key, x: unknown) => (isJson(x) ? x : refuse(i, key, x)))
    text += `${line}\n`
    i++
  }
  return text
}

const isJson = (x: unknown): boolean =>
  typeof x === 'number' ? Number.isFinite(x) : x !== undefined && typeof x !== 'function' && typeof x !== 'bigint'

const refuse = (i: number, key: string, x: unknown): never =>
  raise({
    tag: 'UsageError',
    message: `toJsonLines: value ${i} holds ${String(x)}${key === '' ? '' : ` at '${key}'`}, which JSON does not know`,
  })
