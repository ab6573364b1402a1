/** The WebAssembly beside an emitted module: where it comes from, and whether it is that of the module. */
import { idSection, type WasmFile } from '../../../codegen/export/aot/wasm-id.ts'
import { raise } from '../../lang/errors.ts'
import { compiled } from '../../runtime/cpu/plan-module.ts'
import { type LoadOptions, refuseFile } from './load-program.ts'

const refuse = (reason: string): never => refuseFile('wasm', reason)

/** The bytes at `url`. Node does not fetch files. */
const readFile = async (url: URL): Promise<Uint8Array<ArrayBuffer>> => {
  try {
    if (url.protocol === 'file:' && typeof process === 'object')
      return new Uint8Array(process.getBuiltinModule('node:fs').readFileSync(url))
    const response = await fetch(url)
    if (!response.ok) throw new Error(`status ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (e) {
    return refuse(`${url} cannot be read (${String(e)})`)
  }
}

const isBytes = (x: unknown): x is ArrayBuffer | Uint8Array<ArrayBuffer> =>
  x instanceof ArrayBuffer || x instanceof Uint8Array

/** What is given, or the file at `url`, compiled for memory that is shared between threads or not. Raises ArgumentError for the file of another module, or what is none. */
export const wasmModule = async (
  given: LoadOptions['wasm'],
  url: () => URL,
  { id, shared }: WasmFile,
  isShared: boolean,
): Promise<WebAssembly.Module> => {
  const found = (typeof given === 'function' ? await given() : given) ?? (await readFile(url()))
  if (isShared && found instanceof WebAssembly.Module)
    raise({
      tag: 'ArgumentError',
      path: 'wasm',
      reason: 'it is compiled for one thread',
      hint: 'give its bytes, or load all programs with { threads: 1 }',
    })
  const forMemory = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    const [offset, byte] = shared
    if (isShared && offset < bytes.length) bytes[offset] = byte
    return bytes
  }
  const module =
    found instanceof WebAssembly.Module
      ? found
      : isBytes(found)
        ? await compiled(forMemory(new Uint8Array(found).slice()), refuse)
        : refuse(`got ${typeof found}`)
  const [section] = WebAssembly.Module.customSections(module, idSection)
  if (!section || !new TextDecoder().decode(section).endsWith(id)) refuse('it is that of another build')
  return module
}
