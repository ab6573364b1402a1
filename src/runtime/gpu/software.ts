/**
 * The software GPU for Linux machines without a driver (Node only): SwiftShader and a Vulkan loader, unpacked from the
 * `@sparticuz/chromium` package. Nothing is imported statically, so browsers can load the modules that import this one.
 */
import { raise } from '../../lang/errors.ts'

/** Where the unpacked libraries lie, and the environment that makes another process (Deno, Chromium) use them. */
export interface SoftwareGpu {
  readonly folder: string
  readonly env: Readonly<Record<'LD_LIBRARY_PATH' | 'VK_ICD_FILENAMES' | 'XDG_RUNTIME_DIR', string>>
}

const packageName = '@sparticuz/chromium'

const noSoftware = (reason: string): never =>
  raise({ tag: 'NoAdapter', reason, hint: `on Linux x64 without a GPU driver: npm i -D ${packageName}` })

/** The root folder and version of the installed package, or `undefined` when it is not installed. */
const findPackage = (): { readonly root: string; readonly version: string } | undefined => {
  const fs = process.getBuiltinModule('node:fs')
  const path = process.getBuiltinModule('node:path')
  const { createRequire } = process.getBuiltinModule('node:module')
  // From this module first, then from the user's project: an emitted module may lie outside of node_modules.
  for (const from of [import.meta.url, path.join(process.cwd(), 'package.json')]) {
    let folder: string
    try {
      folder = path.dirname(createRequire(from).resolve(packageName))
    } catch {
      continue
    }
    for (; folder !== path.dirname(folder); folder = path.dirname(folder)) {
      const manifest = path.join(folder, 'package.json')
      if (!fs.existsSync(manifest)) continue
      const { name, version } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as { name?: string; version?: string }
      if (name === packageName && version !== undefined) return { root: folder, version }
    }
  }
  return undefined
}

/** The regular files of a ustar archive; the package's archives hold nothing else. */
export const readTar = (tar: Uint8Array): ReadonlyMap<string, Uint8Array> => {
  const text = (from: number, length: number): string => {
    const field = tar.subarray(from, from + length)
    const end = field.indexOf(0)
    return String.fromCharCode(...(end < 0 ? field : field.subarray(0, end)))
  }
  const files = new Map<string, Uint8Array>()
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim(), 8)
    const type = text(at + 156, 1)
    if (type === '0' || type === '') files.set(text(at, 100), tar.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

/** Unpacks the libraries into `folder` once; parallel processes race for one rename and all but one throw theirs away. */
const unpack = (archive: string, folder: string): void => {
  const fs = process.getBuiltinModule('node:fs')
  const path = process.getBuiltinModule('node:path')
  const zlib = process.getBuiltinModule('node:zlib')
  fs.mkdirSync(path.dirname(folder), { recursive: true })
  const fresh = fs.mkdtempSync(`${folder}.`)
  try {
    for (const [name, data] of readTar(zlib.brotliDecompressSync(fs.readFileSync(archive))))
      fs.writeFileSync(path.join(fresh, path.basename(name)), data, { mode: 0o755 })
    fs.renameSync(fresh, folder)
  } catch (e) {
    fs.rmSync(fresh, { recursive: true, force: true })
    if (!fs.existsSync(path.join(folder, 'vk_swiftshader_icd.json'))) throw e
  }
}

/**
 * Unpacks SwiftShader (once per package version) into `$XDG_CACHE_HOME/tensorloom`, `~/.cache/tensorloom` or the
 * temporary folder, whichever can be written first. Raises NoAdapter when the package is missing or the platform is
 * not Linux x64.
 */
export const unpackSoftware = (): SoftwareGpu => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return noSoftware(`no hardware adapter, and no software one for ${process.platform} ${process.arch}`)
  const os = process.getBuiltinModule('node:os')
  const path = process.getBuiltinModule('node:path')
  const fs = process.getBuiltinModule('node:fs')
  const found = findPackage()
  if (!found) return noSoftware(`no hardware adapter, and ${packageName} is not installed`)
  const archive = path.join(found.root, 'bin', 'swiftshader.tar.br')
  const caches = [process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), os.tmpdir()]
  let failure: unknown
  for (const cache of caches) {
    const folder = path.join(cache, 'tensorloom', `swiftshader-${found.version}`)
    const icd = path.join(folder, 'vk_swiftshader_icd.json')
    try {
      if (!fs.existsSync(icd)) unpack(archive, folder)
      return { folder, env: { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: icd, XDG_RUNTIME_DIR: folder } }
    } catch (e) {
      failure = e
    }
  }
  return noSoftware(`${packageName} could not be unpacked (${String(failure)})`)
}

/** Loads a shared library into this process and keeps it there; true when the system has it. */
const loadLibrary = (file: string): boolean => {
  const { RTLD_NOW } = process.getBuiltinModule('node:os').constants.dlopen
  const noDelete = 0x1000
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | noDelete)
    return true
  } catch (e) {
    // A library that is no Node addon is loaded all the same: Node only says that it "did not self-register".
    return String(e).includes('self-register')
  }
}

/** Whether the system has a Vulkan loader. Without one Dawn prints a warning and finds nothing, so it is not asked. */
export const hasVulkanLoader = (): boolean => process.platform !== 'linux' || loadLibrary('libvulkan.so.1')

/**
 * Makes SwiftShader the adapter that Dawn finds in this process from now on: no restart and no LD_LIBRARY_PATH needed.
 * In a worker thread this works only with `env: SHARE_ENV`, as a worker's `process.env` is a copy. Raises NoAdapter.
 */
export const useSoftware = (): SoftwareGpu => {
  const gpu = unpackSoftware()
  process.env['VK_ICD_FILENAMES'] = gpu.env.VK_ICD_FILENAMES
  process.env['XDG_RUNTIME_DIR'] ??= gpu.folder
  if (!loadLibrary(`${gpu.folder}/libvulkan.so.1`))
    return noSoftware('the Vulkan loader beside SwiftShader cannot be loaded')
  return gpu
}
