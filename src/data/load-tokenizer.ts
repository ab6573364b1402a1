/** Tokenisers of `tokenizer.json` files, by npm's `@huggingface/tokenizers`, an optional library. */
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import type { DataError } from '../lang/errors.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isRecord } from '../lang/tree.ts'
import { settle } from './file.ts'
import { type Library, library } from './library.ts'
import type { Tokenizer } from './vocabulary.ts'

/** How a tokeniser is loaded. */
export interface LoadTokenizerOptions {
  /** What the file `tokenizer_config.json` beside it holds. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** Whether texts get the special tokens that the model was trained with, such as one for the beginning; true unless given. */
  readonly specialTokens?: boolean | undefined
}

const loadOptions: OptionNames<LoadTokenizerOptions> = { config: 'own', specialTokens: 'boolean' }

const source = 'tokenizer.json'

const tokenizerOf = (
  { Tokenizer: Loaded }: Library<'@huggingface/tokenizers'>,
  json: unknown,
  { config = {}, specialTokens = true }: LoadTokenizerOptions,
): E.Either<DataError, Tokenizer> => {
  const { model } = (isRecord(json) ? json : {}) as { readonly model?: unknown }
  if (!isRecord(model)) return E.left({ tag: 'DataError', source, reason: 'it holds no model' })
  return E.tryCatch(
    () => {
      const loaded = new Loaded(json as object, config)
      return {
        size: loaded.get_vocab().size,
        encode: (text: string) => Int32Array.from(loaded.encode(text, { add_special_tokens: specialTokens }).ids),
        decode: (ids: ArrayLike<number>) => loaded.decode(Array.from(ids), { skip_special_tokens: false }),
      }
    },
    (e): DataError => ({ tag: 'DataError', source, reason: `it cannot be loaded (${(e as Error).message})` }),
  )
}

/**
 * `loadTokenizer` as a TaskEither.
 * @example
 * (await data.loadTokenizerTask({})())._tag // => 'Left'
 */
export const loadTokenizerTask = (
  json: unknown,
  options: LoadTokenizerOptions = {},
): TE.TaskEither<DataError, Tokenizer> => {
  demandRecord('loadTokenizerTask', loadOptions, options)
  return pipe(
    library('@huggingface/tokenizers', source),
    TE.flatMapEither((loaded) => tokenizerOf(loaded, json, options)),
  )
}

/**
 * The tokeniser that the JSON of a `tokenizer.json` describes (byte pairs, WordPiece, Unigram, …), by `@huggingface/tokenizers`: the ids are
 * those of that package. Rejects with a TensorloomError that carries the DataError: no such file, or the package is not installed.
 * @example
 * const json = data.trainBytePairs('to be or not to be', { size: 258 }).toJson()
 * const tokenizer = await data.loadTokenizer(json)
 * tokenizer.decode(tokenizer.encode('not to be')) // => 'not to be'
 */
export const loadTokenizer = async (json: unknown, options: LoadTokenizerOptions = {}): Promise<Tokenizer> => {
  demandRecord('loadTokenizer', loadOptions, options)
  return settle(loadTokenizerTask(json, options))
}
