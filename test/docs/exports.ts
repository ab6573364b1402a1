/** The public exports of every entry of the package, each followed to its declaration and the doc comment above it. */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from '../cli/command.ts'

/** One public export. `kind` is what the declaration is, `doc` the text of its comment without stars. */
export interface PublicExport {
  readonly name: string
  readonly kind: 'value' | 'type'
  /** Path of the declaration from the root. */
  readonly file: string
  readonly doc: string | undefined
}

/** One entry of package.json's `exports`: how users import it, and the source that is behind it. */
export interface Entry {
  readonly specifier: string
  readonly source: string
}

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>> | string>>
}

/** The entries of package.json that have a source. */
export const entries = (): readonly Entry[] => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  return Object.entries(manifest.exports).flatMap(([key, target]) =>
    typeof target === 'string'
      ? []
      : [{ specifier: join(manifest.name, key), source: join(root, target['tensorloom-source']!) }],
  )
}

/** A name in a list between braces: `type A as B` is A here and B outside. */
interface Listed {
  readonly inner: string
  readonly outer: string
}

const listed = (text: string): readonly Listed[] =>
  text
    .split(',')
    .map((part) => part.trim().replace(/^type\s+/, ''))
    .filter((part) => part !== '')
    .map((part) => {
      const [inner, outer = inner] = part.split(/\s+as\s+/)
      return { inner: inner!, outer: outer! }
    })

const sources = new Map<string, string>()
const textOf = (file: string): string => {
  const known = sources.get(file)
  if (known !== undefined) return known
  const text = readFileSync(file, 'utf8')
  sources.set(file, text)
  return text
}

const isOurs = (specifier: string): boolean => specifier.startsWith('.')

/** The text inside the comment that ends right before `at`, stars and indentation off. */
const commentBefore = (text: string, at: number): string | undefined => {
  const before = text.slice(0, at)
  if (!before.endsWith('*/\n')) return undefined
  const start = before.lastIndexOf('/**')
  // The first comment of a file is about the file: an export right below it has none of its own.
  if (start <= 0) return undefined
  return before
    .slice(start + 3, -3)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
}

const declarationOf = (file: string, name: string): PublicExport | undefined => {
  const text = textOf(file)
  const found = new RegExp(
    `^export (?:async )?(const|function\\*?|class|interface|type) ${name.replaceAll('$', '\\$')}\\b`,
    'm',
  ).exec(text)
  if (!found) return undefined
  const kind = found[1] === 'interface' || found[1] === 'type' ? 'type' : 'value'
  return { name, kind, file: relative(root, file), doc: commentBefore(text, found.index) }
}

/** Where a local name of `file` comes from, by its imports. */
const importedFrom = (file: string, name: string): { readonly file: string; readonly inner: string } | undefined => {
  for (const [, list, specifier] of textOf(file).matchAll(/^import (?:type )?\{([^}]*)\} from '([^']+)'/gm)) {
    const found = listed(list!).find((l) => l.outer === name)
    if (found && isOurs(specifier!)) return { file: join(dirname(file), specifier!), inner: found.inner }
  }
  return undefined
}

const follow = (file: string, name: string): PublicExport => {
  const here = declarationOf(file, name)
  if (here) return here
  const listing = exportLists(file).find((l) => l.names.some((n) => n.outer === name))
  const inner = listing?.names.find((n) => n.outer === name)?.inner ?? name
  if (listing?.from) return { ...follow(listing.from, inner), name }
  const imported = importedFrom(file, inner)
  if (imported) return { ...follow(imported.file, imported.inner), name }
  for (const star of starsOf(file)) if (exportedNames(star).includes(name)) return follow(star, name)
  throw new Error(`${relative(root, file)} exports ${name}, which is declared nowhere this resolver looks`)
}

interface List {
  readonly names: readonly Listed[]
  /** The file the names come from; undefined for a list without `from`. */
  readonly from: string | undefined
}

/** `export { … } from` and `export { … }` of a file; what other packages export is left out. */
const exportLists = (file: string): readonly List[] =>
  [...textOf(file).matchAll(/^export (?:type )?\{([^}]*)\}(?: from '([^']+)')?/gm)].flatMap(([, list, specifier]) =>
    specifier !== undefined && !isOurs(specifier)
      ? []
      : [{ names: listed(list!), from: specifier && join(dirname(file), specifier) }],
  )

const starsOf = (file: string): readonly string[] =>
  [...textOf(file).matchAll(/^export \* from '([^']+)'/gm)].map(([, s]) => join(dirname(file), s!))

const exportedNames = (file: string): readonly string[] => {
  const own = [
    ...textOf(file).matchAll(/^export (?:async )?(?:const|function\*?|class|interface|type) ([A-Za-z_$][\w$]*)/gm),
  ].map(([, name]) => name!)
  const lists = exportLists(file).flatMap((l) => l.names.map((n) => n.outer))
  return [...new Set([...own, ...lists, ...starsOf(file).flatMap(exportedNames)])]
}

/** All exports of an entry in order of their names, each with its declaration. */
export const exportsOf = (entry: Entry): readonly PublicExport[] =>
  [...exportedNames(entry.source)].sort().map((name) => follow(entry.source, name))
