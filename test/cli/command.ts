/** Runs the command line in a process of its own, from sources. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program and never rejects: a failure is a result to look at. */
export const run = (
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> =>
  new Promise((done) => {
    const env = { ...process.env, ...options.env }
    execFile(file, [...args], { cwd: options.cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      done({ code, stdout, stderr })
    })
  })

export const root: string = join(import.meta.dirname, '../..')

/** A file of `test/cli/fixtures`. */
export const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name)

const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href

/** `tensorloom ARGS`, run as `npm i` would have it run but from `src/`. */
export const tensorloom = (
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> =>
  run(
    process.execPath,
    ['--conditions=tensorloom-source', '--import', tsx, join(root, 'src/cli/main.ts'), ...args],
    options,
  )
