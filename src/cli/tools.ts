/** The libraries of the command line, which are optional: who only imports tensorloom does not install them. */
import { Failure } from './failure.ts'

const names = ['commander', 'esbuild', 'tsx'] as const

/** What to say where one of them is not there; undefined for any other error. */
export const missingTool = (e: unknown): string | undefined => {
  if (!(e instanceof Error) || (e as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') return undefined
  const name = names.find((n) => e.message.includes(`'${n}'`))
  return name && `the command line needs ${name}, which is not installed\n  hint: npm i -D ${names.join(' ')}`
}

/** A library of the command line. Rejects with Failure where it is not installed. */
export const tool = <T>(loading: Promise<T>): Promise<T> =>
  loading.catch((e: unknown) => {
    const missing = missingTool(e)
    throw missing === undefined ? e : new Failure(missing)
  })
