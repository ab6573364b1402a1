/**
 * Trees of tensors in safetensors files. The name of a leaf is its path as PyTorch spells it, `layers.0.weight`; a tree of the
 * same structure says what is expected of a file, so that nothing is loaded that does not fit.
 */

import { put, read } from '../compile/transfer.ts'
import type { Spec, TensorsOf } from '../compile/tree-types.ts'
import { constant } from '../lang/build.ts'
import type { DType, HostArrayOf } from '../lang/dtype.ts'
import { raise, showOperand, TensorloomError } from '../lang/errors.ts'
import type { TensorType } from '../lang/ir.ts'
import { sameShape } from '../lang/shape.ts'
import { showArgument } from '../lang/tensor/arguments.ts'
import { hasType } from '../lang/trace.ts'
import { flattenTensors, flattenTree, isHandle, pathSteps, type TensorTree, unflattenTree } from '../lang/tree.ts'
import { type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { quoted } from '../lang/visible-text.ts'
import type { FileUrl } from '../runtime/global-types.ts'
import { hasFiles, readBytes, writeWhole } from '../runtime/text-files.ts'
import { readSafetensors, type StoredTensor, writeSafetensors } from './safetensors.ts'

/** `layers[0].weight` as `layers.0.weight`; a tree that is one tensor is called `tensor`. */
const nameOf = (path: string): string =>
  pathSteps(path)
    .map((step) => (step.startsWith('[') ? String(JSON.parse(step.slice(1, -1))) : step))
    .join('.') || 'tensor'

/** The names of the leaves of a tree. UsageError where two of them have one name. */
export const namesOf = (caller: string, paths: readonly string[]): readonly string[] => {
  const places = new Map<string, string>()
  return paths.map((path) => {
    const name = nameOf(path)
    const other = places.get(name)
    places.set(name, path)
    if (other === undefined) return name
    return raise({
      tag: 'UsageError',
      message: `${caller}: ${other} and ${path} would both be called ${name} in the file`,
      hint: 'keys with dots in them are best avoided',
    })
  })
}

/**
 * The bytes of a safetensors file of a tree of tensors that are constants, or of results of runs; `metadata` is free text that the
 * file carries. Rejects as `read` does.
 * @example
 * const bytes = await T.toSafetensors({ w: T.ones([2]), b: null })
 * (await T.load(bytes, { w: T.spec([2]), b: null })).w.shape // => [2]
 */
export const toSafetensors = async (
  tree: TensorTree,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> => {
  const { leaves, paths } = flattenTensors(tree)
  const names = namesOf('toSafetensors', paths)
  const arrays = (await read(leaves)) as readonly HostArrayOf<DType>[]
  const stored = leaves.map(
    ({ shape, dtype }, i) => [names[i]!, { shape, dtype, data: arrays[i]! } satisfies StoredTensor] as const,
  )
  return writeSafetensors(Object.fromEntries(stored), metadata)
}

/** The path of a file; UsageError where there are none. */
export const fileOf = (
  caller: string,
  file: string | FileUrl,
  hint = 'T.toSafetensors gives the bytes of a file, and T.load takes them',
): string => {
  if (!hasFiles()) raise({ tag: 'UsageError', message: `${caller}: there are no files here`, hint })
  return typeof file === 'string' ? file : decodeURIComponent(file.pathname)
}

const bytesOf = (file: string | FileUrl): Uint8Array => {
  try {
    return readBytes(fileOf('load', file))
  } catch (e) {
    if (e instanceof TensorloomError) throw e
    return raise({ tag: 'DataError', source: String(file), reason: `cannot be read (${(e as Error).message})` })
  }
}

/**
 * Writes `toSafetensors(tree, metadata)` to a file (Node, Deno, Bun): whole or not at all. `T.load` reads it, and so do PyTorch's
 * and JAX's readers of the format. Rejects with DataError where it cannot be written, and as `read` does.
 * @example
 * await T.save('/tmp/w.safetensors', { w: T.ones([2]) })
 * T.reference(await T.load('/tmp/w.safetensors', { w: T.zeros([2]) })).w.data // => [1, 1]
 */
export const save = async (
  file: string | FileUrl,
  tree: TensorTree,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const path = fileOf('save', file)
  const bytes = await toSafetensors(tree, metadata)
  try {
    writeWhole(path, bytes)
  } catch (e) {
    raise({ tag: 'DataError', source: path, reason: `cannot be written (${(e as Error).message})` })
  }
}

const isObject = (x: unknown): x is object => typeof x === 'object' && x !== null

/** What the bytes of a file hold; DataError that names the file where they are damaged. */
export const partsOf = (bytes: ArrayBuffer | Uint8Array, source: string): ReturnType<typeof readSafetensors> => {
  try {
    return readSafetensors(bytes)
  } catch (e) {
    if (!(e instanceof TensorloomError) || e.error.tag !== 'DataError') throw e
    return raise({ ...e.error, source })
  }
}

/** What a file holds for a leaf, or what is wrong. */
const differenceOf = (name: string, wanted: TensorType, found: TensorType | undefined): string | undefined => {
  if (!found) return `${quoted(name)} is not in the file, the tree has ${showOperand(wanted)}`
  if (found.dtype === wanted.dtype && sameShape(found.shape, wanted.shape)) return undefined
  return `${quoted(name)} is ${showOperand(found)} in the file, ${showOperand(wanted)} in the tree`
}

/** Specs, which stand for tensors in a tree that says what is expected. */
export type SpecTree = Spec | null | undefined | readonly SpecTree[] | { readonly [key: string]: SpecTree }

/**
 * The tensors of a safetensors file (a path, or its bytes) as a tree like `like`, which is made of specs, of tensors such as fresh
 * parameters, none of which is computed, or of results of runs, in whose place come handles. Rejects with DataError where
 * names, shapes or dtypes differ: all that do.
 * @example
 * const bytes = await T.toSafetensors({ w: T.tensor([1.5, 2]) })
 * T.reference(await T.load(bytes, { w: T.zeros([2]) })).w.data // => [1.5, 2]
 * await T.load(bytes, { w: T.spec([3]), b: T.spec([]) }) // => throws DataError
 */
export function load<const A extends SpecTree>(
  source: string | FileUrl | ArrayBuffer | Uint8Array,
  like: A,
): Promise<TensorsOf<A>>
export function load<P extends TensorTree>(source: string | FileUrl | ArrayBuffer | Uint8Array, like: P): Promise<P>
export async function load(source: string | FileUrl | ArrayBuffer | Uint8Array, like: unknown): Promise<unknown> {
  const isFile = typeof source === 'string' || (isObject(source) && 'pathname' in source)
  if (!isFile && !(source instanceof ArrayBuffer) && !ArrayBuffer.isView(source))
    return raise({
      tag: 'UsageError',
      message: `load: the source is ${showArgument(source)}, not the path of a file or its bytes`,
      hint: "await T.load('w.safetensors', params)",
    })
  const name = isFile ? String(source) : 'safetensors'
  return fitTree(partsOf(isFile ? bytesOf(source) : source, name).tensors, like, name)
}

/** What a file holds as a tree like `like`. Rejects with DataError of `source` where it does not fit, and as `put` does. */
export const fitTree = (
  tensors: Readonly<Record<string, StoredTensor>>,
  like: unknown,
  source: string,
): Promise<unknown> => {
  const made = Object.entries(tensors).map(([name, { shape, dtype, data }]) => [
    name,
    tensorOf(constant({ shape, dtype }, data)),
  ])
  return fitTensors(Object.fromEntries(made), like, source)
}

/** The same of tensors by name. */
export const fitTensors = async (
  tensors: Readonly<Record<string, Tensor>>,
  like: unknown,
  source: string,
): Promise<unknown> => {
  const { leaves, paths, shape } = flattenTree(like, hasType)
  const names = namesOf('load', paths)
  const held = (name: string): Tensor | undefined => (Object.hasOwn(tensors, name) ? tensors[name] : undefined)
  const known = new Set(names)
  const mistakes = [
    ...leaves.map((leaf, i) => differenceOf(names[i]!, leaf, held(names[i]!))),
    ...Object.keys(tensors).map((n) =>
      known.has(n) ? undefined : `${quoted(n)} is in the file alone: ${showOperand(tensors[n]!)}`,
    ),
  ].filter((m) => m !== undefined)
  if (mistakes.length > 0)
    return raise({
      tag: 'DataError',
      source,
      reason: `it does not fit the tree:\n    ${mistakes.join('\n    ')}`,
      hint: 'give a tree like the one that was saved',
    })
  const made = names.map((name) => held(name)!)
  const there = leaves.flatMap((leaf, i) => (isHandle(leaf) ? [i] : []))
  const handles = there.length === 0 ? [] : await put(there.map((i) => made[i]!))
  const all: unknown[] = [...made]
  for (const [k, i] of there.entries()) all[i] = handles[k]
  return unflattenTree(shape, all)
}
