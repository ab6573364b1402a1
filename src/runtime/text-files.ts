/** Files (Node, Deno and Bun), read and written at once: `compile` does not wait for anything. */

/** The host's file system; undefined in a browser. */
const host = () => {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return undefined
  const [fs, path] = [process.getBuiltinModule('node:fs'), process.getBuiltinModule('node:path')]
  return fs && path ? { fs, path } : undefined
}

/** Whether there are files here. */
export const hasFiles = (): boolean => host() !== undefined

/** Whether there is a file of that name. */
export const hasText = (folder: string, name: string): boolean => {
  const { fs, path } = host()!
  return fs.existsSync(path.join(folder, name))
}

/** The text of a file; undefined where there is none. Throws what the host throws for one that cannot be read. */
export const readText = (folder: string, name: string): string | undefined => {
  const { fs, path } = host()!
  const file = path.join(folder, name)
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (e) {
    if ((e as { readonly code?: string }).code === 'ENOENT') return undefined
    throw e
  }
}

let written = 0

/** Writes a file whole or not at all, whoever else writes it at the same time; its folder is made where there is none. */
export const writeText = (folder: string, name: string, text: string): void => {
  const { fs, path } = host()!
  fs.mkdirSync(folder, { recursive: true })
  writeWhole(path.join(folder, name), text)
}

/** The bytes of a file. Throws what the host throws for one that cannot be read. */
export const readBytes = (file: string): Uint8Array => new Uint8Array(host()!.fs.readFileSync(file))

/** Writes a file whole or not at all. Throws what the host throws. */
export const writeWhole = (file: string, contents: string | Uint8Array): void => {
  const { fs } = host()!
  const unfinished = `${file}.${process.pid}-${written++}.tmp`
  try {
    fs.writeFileSync(unfinished, contents)
    fs.renameSync(unfinished, file)
  } catch (e) {
    fs.rmSync(unfinished, { force: true })
    throw e
  }
}
