/** The software GPU: its archive, its cache, and what it says when the package is missing. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { readTar, unpackSoftware } from '../../../src/runtime/gpu/software.ts'
import { openDevice } from '../../../src/runtime/open-device.ts'
import { runScript, sourceUrl } from '../../run-script.ts'

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A tar entry: header and padded data. */
const entry = (name: string, data: string, type = '0'): Uint8Array => {
  const block = new Uint8Array(512 + Math.ceil(data.length / 512) * 512)
  const put = (at: number, text: string): void => block.set(new TextEncoder().encode(text), at)
  put(0, name)
  put(124, data.length.toString(8).padStart(11, '0'))
  put(156, type)
  put(512, data)
  return block
}

describe('readTar', () => {
  it('finds regular files of any size and skips the rest', () => {
    const parts = [
      entry('a.txt', 'x'.repeat(513)),
      entry('folder/', '', '5'),
      entry('empty', ''),
      entry('b', 'hello'),
      new Uint8Array(1024),
    ]
    const files = readTar(Uint8Array.from(parts.flatMap((p) => Array.from(p))))
    expect([...files.keys()]).toEqual(['a.txt', 'empty', 'b'])
    expect(files.get('a.txt')?.length).toBe(513)
    expect(new TextDecoder().decode(files.get('b'))).toBe('hello')
  })
})

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('the software GPU', () => {
  it('says where its libraries lie, for other processes', () => {
    const gpu = unpackSoftware()
    for (const file of ['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'])
      expect(existsSync(join(gpu.folder, file))).toBe(true)
    expect(gpu.env).toMatchObject({
      LD_LIBRARY_PATH: gpu.folder,
      VK_ICD_FILENAMES: join(gpu.folder, 'vk_swiftshader_icd.json'),
    })
  })

  it('is unpacked once by processes that race for it', async () => {
    const source = `import { unpackSoftware } from ${sourceUrl('src/runtime/gpu/software.ts')}; console.log(unpackSoftware().folder)`
    const run = (): Promise<string> => runScript(source, { env: { XDG_CACHE_HOME: folder } })
    const [a, b, c] = await Promise.all([run(), run(), run()])
    expect([b, c]).toEqual([a, a])
    expect(a?.startsWith(folder)).toBe(true)
    expect(readdirSync(join(folder, 'tensorloom'))).toHaveLength(1)
  })

  it('computes in a worker process that was told nothing', async () => {
    const device = await openDevice({ prefer: 'software', quiet: true })
    expect(device.kind).toBe('software')
    device.destroy()
  })

  it('prints the choice once, to stderr, and nothing when quiet', async () => {
    const source = `import { openDevice } from ${sourceUrl('src/runtime/open-device.ts')}
      let text = ''
      process.stderr.write = (t) => { text += t; return true }
      await openDevice({ prefer: 'software', quiet: true })
      const quiet = text
      await openDevice({ prefer: 'software' }); await openDevice({ prefer: 'software' })
      console.log(JSON.stringify([quiet, text])); process.exit(0)`
    const [quiet, loud] = JSON.parse(await runScript(source)) as [string, string]
    expect(quiet).toBe('')
    expect(loud).toMatch(/^tensorloom: software adapter, SwiftShader[^\n]*\n$/)
  })

  it('is NoAdapter with the package to install, where that is missing', async () => {
    // A copy of the module outside of this project, as an emitted one would be.
    const source = `import { cpSync } from 'node:fs'
      for (const f of ['src/runtime', 'src/lang', 'codegen', 'passes']) cpSync(${JSON.stringify(process.cwd())} + '/' + f, f, { recursive: true })
      const { unpackSoftware } = await import(${JSON.stringify(pathToFileURL(join(folder, 'bare/src/runtime/gpu/software.ts')).href)})
      try { unpackSoftware(); console.log('found') } catch (e) { console.log(JSON.stringify(e.error)) }`
    mkdirSync(join(folder, 'bare'))
    writeFileSync(join(folder, 'bare/package.json'), '{"type":"module"}')
    const error = JSON.parse(await runScript(source, { cwd: join(folder, 'bare') })) as unknown
    expect(error).toMatchObject({ tag: 'NoAdapter', hint: expect.stringContaining('npm i -D @sparticuz/chromium') })
  })
})
