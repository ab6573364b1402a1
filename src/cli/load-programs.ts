/** Loads a user's file and finds the compiled programs it exports. */
import { statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Program } from '../compile/compile.ts'
import { showError, type TensorloomErrorData } from '../lang/errors.ts'
import { visible } from '../lang/visible-text.ts'
import { Failure } from './failure.ts'
import { tool } from './tools.ts'

/** An exported program under the name it is exported as. */
export interface Exported {
  readonly name: string
  readonly program: Program
}

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null

/** By shape, not by class: the file may have loaded another copy of the library. */
const isProgram = (x: unknown): x is Program =>
  isObject(x) && isObject(x['plan']) && 'planned' in x && typeof x['load'] === 'function'

const isEither = (
  x: unknown,
): x is { readonly _tag: 'Left' | 'Right'; readonly left?: unknown; readonly right?: unknown } =>
  isObject(x) && (x['_tag'] === 'Left' || x['_tag'] === 'Right')

/** TypeScript goes through tsx; plain JavaScript is Node's own business. */
const importFile = async (file: string): Promise<Readonly<Record<string, unknown>>> => {
  const url = pathToFileURL(file).href
  if (['.js', '.mjs', '.cjs'].includes(extname(file))) return import(url) as Promise<Record<string, unknown>>
  const { tsImport } = await tool(import('tsx/esm/api'))
  return tsImport(url, import.meta.url) as Promise<Record<string, unknown>>
}

/** Node hands exports of a CommonJS module (also TypeScript's, outside of a "type": "module" package) inside `default`. */
const exportsOf = (module: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const inner = module['default']
  const wrapped = isObject(inner) && !isProgram(inner) && !isEither(inner)
  return { ...(wrapped ? inner : {}), ...module }
}

/**
 * The programs that `file` exports, sorted by name; an Either of one counts, and its Left is a failure that shows the typed
 * error. `only` picks one export. Rejects with Failure.
 */
export const loadPrograms = async (file: string, only?: string): Promise<readonly Exported[]> => {
  if (!statSync(resolve(file), { throwIfNoEntry: false })?.isFile()) throw new Failure(`${file}: there is no such file`)
  const module = await importFile(resolve(file)).catch((e: unknown) => {
    if (e instanceof Failure) throw e
    throw new Failure(`${file} cannot be loaded: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`)
  })
  const found: Exported[] = []
  const all = exportsOf(module)
  for (const name of Object.keys(all).sort()) {
    if (only !== undefined && name !== only) continue
    const value = all[name]
    if (isEither(value) && value._tag === 'Left' && isObject(value.left) && typeof value.left['tag'] === 'string')
      throw new Failure(
        `${file}: ${visible(name)} does not compile\n${showError(value.left as unknown as TensorloomErrorData)}`,
      )
    const program = isEither(value) ? value.right : value
    if (isProgram(program)) found.push({ name, program })
  }
  if (found.length > 0) return found
  throw new Failure(
    only === undefined
      ? `${file} exports no program: export the result of compile(f, specs)`
      : `${file} exports no program named ${only}; it exports ${Object.keys(all).map(visible).join(', ') || 'nothing'}`,
  )
}
