/** The runtime of emitted modules as files: `standalone/` and what it reaches, from our sources or the built package. */
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AotTarget, pickerFile, runtimeFile } from '../../codegen/export/aot/module.ts'

/** A text and the name of its file. */
export interface RuntimeText {
  readonly file: string
  readonly text: string
}

const source = (name: string): string =>
  fileURLToPath(new URL(`./standalone/${name}${extname(import.meta.url)}`, import.meta.url))

const stem = (file: string): string => basename(file, '.js')

/**
 * What modules for `targets` import, as minified ES modules: for one, a single file; for several, one a target, one that picks
 * a target, and what these share. The same sources give the same texts.
 */
export const bundleRuntime = async (targets: readonly AotTarget[]): Promise<readonly RuntimeText[]> => {
  const { build } = await import('esbuild')
  const isOne = targets.length === 1
  const entries = targets.map((t) => ({ in: source(`runtime-${t}`), out: stem(runtimeFile(t)) }))
  const { outputFiles } = await build({
    entryPoints: isOne ? entries : [...entries, { in: source('runtime-picker'), out: stem(pickerFile) }],
    bundle: true,
    splitting: !isOne,
    chunkNames: 'runtime.[hash]',
    minify: true,
    write: false,
    outdir: '.',
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
  })
  return outputFiles.map(({ path, text }) => ({ file: basename(path), text }))
}
