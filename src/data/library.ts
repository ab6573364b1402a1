/** The libraries that read formats. They are optional: who reads none of these does not install them, and nothing loads them before. */
import * as E from '#fp/Either'
import * as TE from '#fp/TaskEither'
import type { DataError } from '../lang/errors.ts'

interface Libraries {
  readonly papaparse: typeof import('papaparse')
  readonly fflate: typeof import('fflate')
  readonly pngjs: typeof import('pngjs')
  readonly '@huggingface/tokenizers': typeof import('@huggingface/tokenizers')
}

type Name = keyof Libraries

// Each is named where it is imported, so that bundlers see it. Two are CommonJS, which stands behind `default`.
const loaders: { readonly [N in Name]: () => Promise<Libraries[N]> } = {
  papaparse: async () => (await import('papaparse')).default,
  fflate: () => import('fflate'),
  pngjs: async () => (await import('pngjs')).default,
  '@huggingface/tokenizers': () => import('@huggingface/tokenizers'),
}

const missing = (name: Name, source: string): DataError => ({
  tag: 'DataError',
  source,
  reason: `it is read and written by ${name}, which is not installed`,
  hint: `npm install ${name}`,
})

const asData =
  (name: Name, source: string) =>
  (e: unknown): DataError => {
    const isMissing = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(
      (e as { readonly code?: string }).code ?? '',
    )
    return isMissing ? missing(name, source) : { tag: 'DataError', source, reason: String(e) }
  }

/** A library. */
export type Library<N extends Name> = Libraries[N]

/** A library, for what `source` names. Left DataError that says how to install it where it is not there. */
export const library = <N extends Name>(name: N, source: string): TE.TaskEither<DataError, Library<N>> =>
  TE.tryCatch(loaders[name], asData(name, source))

/** The same at once, where the host can do so (Node, Deno, Bun). */
export const libraryNow = <N extends 'papaparse'>(name: N, source: string): E.Either<DataError, Library<N>> => {
  const modules = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:module')
  const reason = `${name} cannot be loaded at once here`
  const hint = 'await data.parseCsvTask(text)()'
  if (!modules) return E.left({ tag: 'DataError', source, reason, hint })
  return E.tryCatch(() => modules.createRequire(import.meta.url)(name) as Library<N>, asData(name, source))
}
