/**
 * The bench's processes run the package as users have it: `dist/` in plain Node. Their own sources are bundled into `out/`,
 * where an import of a file of the package becomes one of what was built from it.
 */
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

const bench = dirname(fileURLToPath(import.meta.url))
const root = resolve(bench, '../..')

const builtPackage: Plugin = {
  name: 'built package',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const file = relative(root, resolve(resolveDir, path))
      if (file.startsWith('test')) return undefined
      const built = join(root, 'dist', file.replace(/\.ts$/, '.js'))
      if (!existsSync(built)) throw new Error(`${relative(root, built)} is missing: npm run build`)
      return { path: pathToFileURL(built).href, external: true }
    })
  },
}

/** Bundles an entry of the bench (a path from `test/bench`, without extension) and gives the file to run with Node. */
export const buildWorker = async (entry: string): Promise<string> => {
  const outfile = join(root, 'out/bench', `${entry.replaceAll('/', '-')}.js`)
  await build({
    entryPoints: [join(bench, `${entry}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: [builtPackage],
    logLevel: 'error',
  })
  return outfile
}
