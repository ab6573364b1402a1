/**
 * Examples of doc comments as programs: `expression // => value` lines become checks, other lines stay as they are. The
 * value is JavaScript, or `throws Tag` for an error of that tag.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../cli/command.ts'
import type { Entry, PublicExport } from './exports.ts'

/** What an example hands its findings to. */
export interface Examiner {
  readonly is: (line: string, actual: unknown, expected: unknown) => void
  readonly throws: (line: string, run: () => unknown, tag: string) => Promise<void>
}

/** The examples of one entry by the name of the export. */
export type Examples = Readonly<Record<string, (see: Examiner) => Promise<void>>>

/** What a doc comment says before its tags, and the code of its `@example` blocks. */
export const parts = (
  doc: string | undefined,
): { readonly description: string; readonly examples: readonly string[] } => {
  const [description = '', ...tags] = (doc ?? '').split(/^(?=@\w)/m)
  const examples = tags.filter((t) => t.startsWith('@example')).map((t) => t.replace(/^@example.*\n?/, '').trimEnd())
  return { description: description.trim(), examples }
}

const arrow = / *\/\/ => (.*)$/

/** How far brackets are open at the end of `line`, text in quotes left out. */
const depthAfter = (depth: number, line: string): number => {
  const bare = line.replace(/\/\/ .*$/, '').replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`/g, '')
  return [...bare].reduce((d, c) => ('([{'.includes(c) ? d + 1 : ')]}'.includes(c) ? d - 1 : d), depth)
}

/** The statements of a block: lines up to where no bracket is open. */
const statements = (block: string): readonly string[] => {
  const out: string[] = []
  let depth = 0
  let open = ''
  for (const line of block.split('\n')) {
    if (line.trim() === '' && depth === 0) continue
    open += `${line}\n`
    depth = depthAfter(depth, line)
    if (depth > 0) continue
    out.push(open.trimEnd())
    open = ''
  }
  return open === '' ? out : [...out, open]
}

/** A statement as it runs: those with a value promised are handed to the examiner. */
const compiled = (statement: string): string => {
  const promised = arrow.exec(statement)?.[1]
  if (promised === undefined) return statement
  const expression = statement.replace(arrow, '')
  const line = JSON.stringify(statement)
  const thrown = /^throws (\w+)$/.exec(promised)?.[1]
  return thrown === undefined
    ? `see.is(${line}, ${expression}, ${promised})`
    : `await see.throws(${line}, async () => ${expression}, '${thrown}')`
}

/** How many values a doc comment promises. */
export const promisesOf = (doc: string | undefined): number =>
  parts(doc).examples.reduce((n, block) => n + statements(block).filter((s) => arrow.test(s)).length, 0)

/** The folder of the programs; git knows it not. */
export const folder: string = join(root, 'out/docs')

const alias = (specifier: string): string => specifier.split('/')[1] ?? 'T'

/** Writes the examples of `found` as a module of `Examples` and gives its path. `all` are the entries in scope. */
export const writeExamples = (entry: Entry, found: readonly PublicExport[], all: readonly Entry[]): string => {
  const bodies = found.map(({ name, file, doc }) => {
    const blocks = parts(doc).examples.map((b) => `{\n${statements(b).map(compiled).join('\n')}\n}`)
    return `/** ${file} */\n${name}: async (see) => {\n${blocks.join('\n')}\n},`
  })
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${alias(entry.specifier)}.ts`)
  const imports = all.map((e) => `import * as ${alias(e.specifier)} from '${e.specifier}'`)
  imports.push(`import * as fc from 'fast-check'`)
  const type = `import type { Examples } from '../../test/docs/examples.ts'`
  writeFileSync(path, `${imports.join('\n')}\n${type}\nexport const examples: Examples = {\n${bodies.join('\n')}\n}\n`)
  return path
}

/** Writes the configuration with which the compiler checks what `writeExamples` wrote. */
export const writeProject = (): string => {
  const path = join(folder, 'tsconfig.json')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, '{ "extends": "../../tsconfig.json", "include": ["*.ts"] }\n')
  return path
}

/** Within 1e-6 (of the larger numbers themselves), and of the very small ones within a ten-thousandth. */
const isNear = (a: number, b: number): boolean => {
  const size = Math.abs(b)
  const allowed = size === 0 || size >= 1e-3 ? 1e-6 * Math.max(1, size) : 1e-4 * size
  return Object.is(a, b) || a === b || Math.abs(a - b) <= allowed
}

/** Equality in depth: numbers nearly, arrays of any kind by their elements, records by their keys. */
export const agrees = (actual: unknown, expected: unknown): boolean => {
  if (typeof actual === 'number' && typeof expected === 'number') return isNear(actual, expected)
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null)
    return Object.is(actual, expected)
  const [a, b] = [actual, expected].map((x) => (ArrayBuffer.isView(x) ? Array.from(x as Float32Array) : x))
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a!)
  return (
    keys.length === Object.keys(b!).length &&
    keys.every((k) => k in b! && agrees((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k]))
  )
}
