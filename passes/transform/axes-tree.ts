/** Trees of axes that say for each tensor of a tree which of its axes is the batch, by a prefix: one entry for a whole part. */
import { raise } from '../../src/lang/errors.ts'
import type { Node } from '../../src/lang/ir.ts'
import { flattenTree, isRecord, isTensor, mapRecord, unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'

/**
 * Which axis is the batch: a number for every tensor of a tree (negative ones count from the end), null for a tree that
 * is not batched, or lists and records of these that follow the tree's own as far as they go.
 */
export type AxesTree = number | null | readonly AxesTree[] | { readonly [key: string]: AxesTree }

/** One tensor of a tree with the axis that stands for it, and where it is: `argument 1 .w`. */
export interface AxisLeaf {
  readonly node: Node
  readonly axis: number | null
  readonly where: string
}

/** A part of a tree under one entry of its axes. */
interface Part {
  readonly axis: number | null
  readonly tree: unknown
  readonly path: string
}

const show = (axes: unknown): string => (axes === undefined ? 'nothing' : JSON.stringify(axes))

const mismatch = (option: string, where: string, reason: string): never =>
  raise({
    tag: 'UsageError',
    message: `vmap: ${option} does not fit ${where}: ${reason}`,
    hint: 'give a number or null for a whole argument, or lists and records with the keys of the tree',
  })

/** `tree` with every part under one entry of `axes` replaced, in the order in which `flattenTree` takes leaves. */
const mapParts = (
  option: string,
  axes: AxesTree,
  tree: unknown,
  name: (path: string) => string,
  f: (part: Part) => unknown,
): unknown => {
  const walk = (a: unknown, t: unknown, path: string): unknown => {
    if (a === null || typeof a === 'number') return f({ axis: a, tree: t, path })
    if (Array.isArray(a)) {
      if (!Array.isArray(t)) return mismatch(option, name(path), 'it has a list where the tree has none')
      if (a.length !== t.length) mismatch(option, name(path), `${a.length} entries for ${t.length}`)
      return t.map((x, i) => walk(a[i], x, `${path}[${i}]`))
    }
    if (!isRecord(a)) return mismatch(option, name(path), `${show(a)} is no axis`)
    if (!isRecord(t)) return mismatch(option, name(path), 'it has a record where the tree has none')
    const odd = [...Object.keys(a), ...Object.keys(t)].find((k) => !Object.hasOwn(a, k) || !Object.hasOwn(t, k))
    if (odd !== undefined) mismatch(option, name(path), `only one of them has '${odd}'`)
    return mapRecord(t, (x, k) => walk(a[k], x, path === '' ? k : `${path}.${k}`))
  }
  return walk(axes, tree, '')
}

const isLeaf = (x: unknown): x is Tensor => isTensor(x)

/** How a leaf of the arguments is called. */
export const argumentName = (path: string): string =>
  path === '' ? 'the arguments' : path.replace(/^\[(\d+)\]/, 'argument $1 ').trim()

/** How a leaf of the result is called. */
export const resultName = (path: string): string => (path === '' ? 'the result' : `the result ${path}`)

/** A tree whose tensors can be replaced. */
export interface AxesOfTree {
  readonly leaves: readonly AxisLeaf[]
  /** The tree with each leaf replaced, in order. */
  readonly withLeaves: (leaves: readonly Node[]) => unknown
}

/**
 * The tensors of `tree`, each with its axis. Parts under null are not looked into when `skipNull`: they may be anything.
 * UsageError where `axes` does not follow the tree.
 */
export const axesOfTree = (
  option: 'inAxes' | 'outAxes',
  axes: AxesTree,
  tree: unknown,
  { name, skipNull }: { readonly name: (path: string) => string; readonly skipNull: boolean },
): AxesOfTree => {
  const leaves: AxisLeaf[] = []
  mapParts(option, axes, tree, name, (part) => {
    if (part.axis === null && skipNull) return
    const flat = flattenTree<Tensor>(part.tree, isLeaf)
    for (const [i, t] of flat.leaves.entries()) {
      const below = flat.paths[i]!
      const path =
        below === '' || part.path === '' || below.startsWith('[') ? `${part.path}${below}` : `${part.path}.${below}`
      leaves.push({ node: nodeOf(t), axis: part.axis, where: name(path) })
    }
  })
  return {
    leaves,
    withLeaves: (nodes) => {
      let at = 0
      return mapParts(option, axes, tree, name, (part) => {
        if (part.axis === null && skipNull) return part.tree
        const flat = flattenTree<Tensor>(part.tree, isLeaf)
        at += flat.leaves.length
        return unflattenTree(flat.shape, nodes.slice(at - flat.leaves.length, at))
      })
    },
  }
}
