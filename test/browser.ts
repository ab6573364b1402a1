/** Runs folders of files, and lists of plans, in a headless Chromium on SwiftShader. No adapter there is a failure. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { unpackChromium } from './chromium.ts'
import { type Case, type CaseReport, decodeReport, type EncodedReport, writeCases } from './emitted-cases.ts'

const holder = globalThis as { tensorloomBrowser?: Promise<Browser> | undefined }

/** The one browser of a worker; `closeBrowser` ends it. */
const sharedBrowser = (): Promise<Browser> => {
  if (holder.tensorloomBrowser) return holder.tensorloomBrowser
  const { executablePath, env } = unpackChromium()
  const args = [
    '--no-sandbox',
    '--enable-unsafe-webgpu',
    '--use-webgpu-adapter=swiftshader',
    '--enable-features=Vulkan',
    '--disable-dev-shm-usage',
  ]
  holder.tensorloomBrowser = chromium.launch({ executablePath, args, headless: true, env: { ...process.env, ...env } })
  return holder.tensorloomBrowser
}

/** A page of this worker's browser, in a context of its own: of some width, in the dark, with fingers. Close it at the end. */
export const openPage = async (options?: BrowserContextOptions): Promise<Page> =>
  (await sharedBrowser()).newPage(options)

/** Ends the browser of this worker, if there is one: for `afterAll`. */
export const closeBrowser = async (): Promise<void> => {
  const browser = holder.tensorloomBrowser
  holder.tensorloomBrowser = undefined
  await (await browser)?.close()
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.html': 'text/html',
}

/** `script-src 'self'` and nothing else: emitted modules must run under a strict policy, without eval. */
const strictPolicy = "default-src 'self'; script-src 'self'"

/** What a server says of its pages. */
export type Headers = Readonly<Record<string, string>>

const strict: Headers = { 'content-security-policy': strictPolicy }

/** The same for modules that have WebAssembly. */
export const withWasm: Headers = { 'content-security-policy': `${strictPolicy} 'wasm-unsafe-eval'` }

/** The same for those that share memory between threads. */
export const withThreads: Headers = {
  ...withWasm,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

const serve = (folder: string, headers: Headers): Promise<Server> =>
  new Promise((done) => {
    const server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
      if (path === '/') {
        response
          .writeHead(200, { ...headers, 'content-type': 'text/html' })
          .end('<!doctype html><title>tensorloom</title>')
        return
      }
      try {
        const body = readFileSync(join(folder, path))
        response
          .writeHead(200, { ...headers, 'content-type': types[extname(path)] ?? 'application/octet-stream' })
          .end(body)
      } catch {
        response.writeHead(404, headers).end()
      }
    })
    server.listen(0, '127.0.0.1', () => done(server))
  })

/**
 * Serves `folder` and calls the exported function `name` of its module `file` in a page, with `argument` (plain data),
 * in a page with `headers`. Gives what the function resolves to (plain data); rejects with what it throws.
 */
export const runInBrowser = async (
  folder: string,
  file: string,
  name: string,
  argument?: unknown,
  headers: Headers = strict,
): Promise<unknown> => {
  const server = await serve(folder, headers)
  const page = await (await sharedBrowser()).newPage()
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    // Text, as test runners rewrite an import() inside a function.
    const call = `import(${JSON.stringify(`/${file}`)}).then((m) => m[${JSON.stringify(name)}](${JSON.stringify(argument)}))`
    return await page.evaluate(call)
  } finally {
    await page.close()
    await new Promise((done) => server.close(done))
  }
}

const start = `
import { runAll } from './run-cases.js'
export const run = () => runAll(navigator.gpu, async (name) => (await fetch('/' + name)).arrayBuffer())
`

/** Runs every case in Chromium; results in order. */
export const runCasesInBrowser = async (cases: readonly Case[]): Promise<CaseReport> => {
  const folder = mkdtempSync(join(tmpdir(), 'tensorloom-browser-'))
  try {
    await writeCases(folder, cases, start)
    return decodeReport((await runInBrowser(folder, 'start.js', 'run')) as EncodedReport)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
