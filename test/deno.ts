/** Runs modules, and lists of plans, in Deno: wgpu and naga instead of Dawn and Tint, on the same SwiftShader. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { unpackSoftware } from '../src/runtime/gpu/software.ts'
import { type Case, type CaseReport, decodeReport, type EncodedReport, writeCases } from './emitted-cases.ts'

/** The binary that npm's `deno` brings for this platform, found as the package's own launcher finds it. */
const denoBinary = (): string => {
  const require = createRequire(createRequire(import.meta.url).resolve('deno/package.json'))
  const { platform, arch } = process
  const names = platform === 'linux' ? [`linux-${arch}-glibc`] : [`${platform}-${arch}`]
  for (const name of names) {
    try {
      return join(dirname(require.resolve(`@deno/${name}/package.json`)), platform === 'win32' ? 'deno.exe' : 'deno')
    } catch {
      // Not this one.
    }
  }
  throw new Error(`npm package deno has no binary for ${platform} ${arch}`)
}

/** Variables that choose the Vulkan driver. */
export type DriverEnv = Readonly<Record<string, string>>

/** Runs `file` of `folder` and gives what it prints; on SwiftShader unless told. Rejects with its stderr when it fails. */
export const runInDeno = async (
  folder: string,
  file: string,
  args: readonly string[] = [],
  driver: DriverEnv = unpackSoftware().env,
): Promise<string> => {
  const env = { ...process.env, ...driver, DENO_DIR: join(folder, '.deno'), NO_COLOR: '1' }
  const flags = ['run', '--allow-all', '--unstable-webgpu', '--no-remote', '--no-npm', '--no-config', '--no-lock']
  const { stdout } = await promisify(execFile)(denoBinary(), [...flags, file, ...args], {
    cwd: folder,
    env,
    maxBuffer: 2 ** 30,
  })
  return stdout
}

const start = `
import { runAll } from './run-cases.js'
const report = await runAll(navigator.gpu, (name) => Deno.readFile(name))
await Deno.writeTextFile('report.json', JSON.stringify(report))
Deno.exit(0)
`

/** Runs every case in Deno; results in order. */
export const runCasesInDeno = async (cases: readonly Case[], driver?: DriverEnv): Promise<CaseReport> => {
  const folder = mkdtempSync(join(tmpdir(), 'tensorloom-deno-'))
  try {
    await writeCases(folder, cases, start)
    await runInDeno(folder, 'start.js', [], driver)
    return decodeReport(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as EncodedReport)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
