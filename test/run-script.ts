/** Runs TypeScript source in a process of its own, on our sources. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** What the process may differ in. */
export interface ScriptOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Milliseconds after which it is ended, which is a failure. */
  readonly timeout?: number
}

/** What `source` prints. Rejects with its stderr where it fails. */
export const runScript = async (
  source: string,
  { env = {}, cwd = process.cwd(), timeout = 0 }: ScriptOptions = {},
): Promise<string> => {
  const tsx = pathToFileURL(join(process.cwd(), 'node_modules/tsx/dist/esm/index.mjs')).href
  const args = ['--conditions=tensorloom-source', '--import', tsx, '--input-type=module', '-e', source]
  const options = { cwd, timeout, env: { ...process.env, ...env } }
  return (await promisify(execFile)(process.execPath, args, options)).stdout.trim()
}

/** The URL of a file of ours, as a literal of source. */
export const sourceUrl = (file: string): string => JSON.stringify(pathToFileURL(join(process.cwd(), file)).href)
