/** The runtime of emitted modules as files: `standalone/` and what it reaches, from our sources or the built package. */
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AotTarget, pickerFile, runtimeFile } from '../../codegen/export/aot/module.ts'
import { workerSource } from '../runtime/cpu/team/worker-source.ts'
import { tool } from './tools.ts'

/** What threads of the processor run; `standalone/worker-file.ts` starts it. */
const workerFile = 'runtime.worker.js'

/** A text and the name of its file. */
export interface RuntimeText {
  readonly file: string
  readonly text: string
}

const source = (name: string): string =>
  fileURLToPath(new URL(`./standalone/${name}${extname(import.meta.url)}`, import.meta.url))

const stem = (file: string): string => basename(file, '.js')

/**
 * What modules for `targets` import, as minified ES modules: one a target, what picks one where there are several, what these
 * share, and for the processor what threads run; with what finds named sizes where some have them. The same sources give the same texts.
 */
export const bundleRuntime = async (
  targets: readonly AotTarget[],
  hasNamedSizes: boolean,
): Promise<readonly RuntimeText[]> => {
  const { build } = await tool(import('esbuild'))
  const isOne = targets.length === 1
  const entries = targets.map((t) => ({ in: source(`runtime-${t}`), out: stem(runtimeFile(t)) }))
  const { outputFiles } = await build({
    entryPoints: isOne ? entries : [...entries, { in: source('runtime-picker'), out: stem(pickerFile) }],
    bundle: true,
    splitting: true,
    chunkNames: 'runtime.[hash]',
    minify: true,
    define: { HAS_NAMED_SIZES: String(hasNamedSizes) },
    write: false,
    outdir: '.',
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
  })
  const worker = targets.includes('cpu') ? [{ file: workerFile, text: workerSource }] : []
  return [...outputFiles.map(({ path, text }) => ({ file: basename(path), text })), ...worker]
}
