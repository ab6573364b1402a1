/** The Chromium of `@sparticuz/chromium`, unpacked once a version into our cache folder, with SwiftShader and a font beside it. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { readTar, unpackSoftware } from '../src/runtime/gpu/software.ts'

/** An executable and the environment it needs. */
export interface Chromium {
  readonly executablePath: string
  readonly env: Readonly<Record<string, string>>
}

/** The font in a folder and no other, so that text looks alike on all machines: one without fonts would show none at all. */
const fontsConf = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}</dir><cachedir>${join(folder, 'cache')}</cachedir></fontconfig>
`

/**
 * The package's own `executablePath()` unpacks into the temporary folder and takes a half-written file of another process
 * for a whole one; here a rename makes it appear at once. NSS comes along, as bare systems lack it.
 */
export const unpackChromium = (): Chromium => {
  const software = unpackSoftware()
  const bin = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../../bin')
  const folder = software.folder.replace(/swiftshader-([^/]*)$/, 'chromium-with-font-$1')
  if (!existsSync(folder)) {
    mkdirSync(dirname(folder), { recursive: true })
    const fresh = mkdtempSync(`${folder}.`)
    const unpack = (name: string): Uint8Array => brotliDecompressSync(readFileSync(join(bin, name)))
    writeFileSync(join(fresh, 'chromium'), unpack('chromium.br'), { mode: 0o755 })
    for (const archive of ['al2023.tar.br', 'fonts.tar.br'])
      for (const [name, data] of readTar(unpack(archive)))
        writeFileSync(join(fresh, basename(name)), data, { mode: 0o755 })
    writeFileSync(join(fresh, 'fonts.conf'), fontsConf(folder))
    cpSync(software.folder, fresh, { recursive: true })
    try {
      renameSync(fresh, folder)
    } catch (e) {
      rmSync(fresh, { recursive: true, force: true })
      if (!existsSync(folder)) throw e
    }
  }
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
      LD_LIBRARY_PATH: folder,
      VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
      XDG_RUNTIME_DIR: folder,
    },
  }
}
