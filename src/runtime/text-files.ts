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

/** The names in a folder; none where there is no such folder. Throws what the host throws. */
export const namesIn = (folder: string): readonly string[] => {
  const { fs } = host()!
  return fs.existsSync(folder) ? fs.readdirSync(folder) : []
}

/** Deletes files of a folder that are there. */
export const removeFiles = (folder: string, names: readonly string[]): void => {
  const { fs, path } = host()!
  for (const name of names) fs.rmSync(path.join(folder, name), { force: true })
}

/** The path of a name in a folder. */
export const pathIn = (folder: string, name: string): string => host()!.path.join(folder, name)

/** Makes what was written under `path` last through a loss of power. Folders can not be opened on every system. */
const settleFolder = (folder: string): void => {
  const { fs } = host()!
  try {
    const opened = fs.openSync(folder, 'r')
    fs.fsyncSync(opened)
    fs.closeSync(opened)
  } catch (e) {
    if (!['EPERM', 'EISDIR', 'EACCES', 'EINVAL'].includes((e as { readonly code: string }).code)) throw e
  }
}

/**
 * Writes a file whole or not at all, so that a kill or a loss of power at any moment leaves the file of before or the new one: the
 * bytes go to a file beside it, to the disk, and take its name then. Makes the folder. Throws what the host throws.
 */
export const writeDurably = (folder: string, name: string, bytes: Uint8Array): void => {
  const { fs, path } = host()!
  fs.mkdirSync(folder, { recursive: true })
  const unfinished = path.join(folder, `${name}.tmp`)
  const opened = fs.openSync(unfinished, 'w')
  try {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(opened, bytes, at)
    fs.fsyncSync(opened)
  } catch (e) {
    fs.closeSync(opened)
    fs.rmSync(unfinished, { force: true })
    throw e
  }
  fs.closeSync(opened)
  fs.renameSync(unfinished, path.join(folder, name))
  settleFolder(folder)
}

/** `length` bytes of a file from `position` on, fewer where it ends before, and the size of the file. Throws what the host throws. */
export const openBytes = (
  file: string,
): {
  readonly size: number
  readonly read: (position: number, length: number) => Uint8Array<ArrayBuffer>
  readonly close: () => void
} => {
  const { fs } = host()!
  const opened = fs.openSync(file, 'r')
  return {
    size: fs.fstatSync(opened).size,
    read: (position, length) => {
      const bytes = new Uint8Array(length)
      let at = 0
      for (let got = -1; at < length && got !== 0; at += got)
        got = fs.readSync(opened, bytes, at, length - at, position + at)
      return bytes.subarray(0, at)
    },
    close: () => fs.closeSync(opened),
  }
}
