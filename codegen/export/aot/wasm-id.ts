/** What a module and the WebAssembly file beside it know of each other. */

/** What a module knows of the file. */
export interface WasmFile {
  /** Stands in the file's section `idSection`: a file of another build would compute other numbers, without an error. */
  readonly id: string
  readonly scratchBytes: number
  /** The byte that says whether memory is shared between threads, and what it is then. */
  readonly shared: readonly [offset: number, byte: number]
}

/** The custom section that holds the file's id. */
export const idSection = 'tensorloom'
