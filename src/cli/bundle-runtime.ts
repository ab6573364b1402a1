/** The runtime of emitted modules as one text: `aot-runtime` and what it reaches, from our sources or the built package. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Minified ES module text, free of imports; the same sources give the same text. */
export const bundleRuntime = async (): Promise<string> => {
  const { build } = await import('esbuild')
  const entry = fileURLToPath(new URL(`./aot-runtime${extname(import.meta.url)}`, import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
