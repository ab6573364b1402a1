/** Host arguments for the rows of the bench, the same for every library: weights of a fresh model, an optimiser at its start. */
import type { Tree } from '../program.ts'

/** A host value with its type. */
export interface Host {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: Float32Array | Int32Array
}

/** Host values in the structure of the arguments. */
export type HostTree = Host | readonly HostTree[] | { readonly [key: string]: HostTree }

/** Numbers in [0, 1) without a pattern, the same every time. */
const noise = (): (() => number) => {
  let state = 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const classes = 10

/** Weights lie within 1/√inputs of zero, so that activations stay near one; data within 1. */
const scaleOf = (path: readonly string[], shape: readonly number[]): number => {
  if (path.includes('optimiser')) return 0
  if (!path.includes('params')) return 1
  return shape.length > 1 ? 1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1)) : 0.1
}

const isLeaf = (tree: Tree | HostTree): tree is Tree & { shape: readonly number[]; dtype: string } =>
  'dtype' in tree && 'shape' in tree

const isList = (tree: Tree): tree is readonly Tree[] => Array.isArray(tree)

/** Host values for the arguments of a program. */
export const hostArguments = (specs: readonly Tree[]): readonly HostTree[] => {
  const next = noise()
  const walk = (tree: Tree, path: readonly string[]): HostTree => {
    if (isLeaf(tree)) {
      const { shape, dtype } = tree
      const size = shape.reduce((a, b) => a * b, 1)
      const scale = scaleOf(path, shape)
      const data =
        dtype === 'i32'
          ? Int32Array.from({ length: size }, () => (path.includes('optimiser') ? 0 : Math.floor(next() * classes)))
          : Float32Array.from({ length: size }, () => scale * (2 * next() - 1))
      return { shape, dtype, data }
    }
    if (isList(tree)) return tree.map((t, i) => walk(t, [...path, String(i)]))
    return Object.fromEntries(Object.entries(tree).map(([k, t]) => [k, walk(t, [...path, k])]))
  }
  return specs.map((s) => walk(s, []))
}

/** Trained parameters of a program's first argument, by name. */
export const parametersOf = (args: readonly HostTree[]): Readonly<Record<string, Host>> =>
  (args[0] as { readonly params: Readonly<Record<string, Host>> }).params

/** The leaves of a tree that is a record of leaves, or a leaf itself. */
export const mapHosts = <A>(tree: HostTree, f: (leaf: Host) => A): unknown => {
  if (isLeaf(tree)) return f(tree as Host)
  if (Array.isArray(tree)) return tree.map((t: HostTree) => mapHosts(t, f))
  return Object.fromEntries(Object.entries(tree).map(([k, t]) => [k, mapHosts(t as HostTree, f)]))
}
