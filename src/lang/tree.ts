/**
 * Trees of tensors: nested plain records, arrays and tuples whose leaves are flattened in a fixed order and put back.
 * `undefined` and `null` are empty trees, as None is in JAX: parameters that a layer goes without.
 */
import { raise } from './errors.ts'
import { isNoArgument, isResult, strangerName, wayToTensor } from './strangers.ts'
import type { Handle, Output } from './types/output.ts'
import type { Tensor } from './types/tensor.ts'
import { quoted } from './visible-text.ts'

/**
 * Any tree of tensors: what a function takes or gives when its keys are not known to the type checker. What is in a record
 * that an interface describes is seen when the tree is walked, not by the types.
 */
export type TensorTree =
  | Tensor
  | null
  | undefined
  | readonly TensorTree[]
  | { readonly [key: string]: TensorTree }
  | AnyRecord

/**
 * Interfaces have no index signature, so all that can be asked of them is not to be what trees never hold: functions, typed
 * arrays, promises. Every object has `toString`; a type without anything would take strings, too.
 */
interface AnyRecord {
  readonly toString: () => string
  readonly call?: never
  readonly buffer?: never
  readonly then?: never
  readonly charAt?: never
  readonly toFixed?: never
}

/** The structure of nested arrays and records, leaves numbered in order; records have their keys as they were written. */
export type TreeShape =
  | number
  | { readonly empty: 'null' | 'undefined' }
  | { readonly list: readonly TreeShape[] }
  | { readonly record: Readonly<Record<string, TreeShape>> }

/** A tree taken apart: leaves in order, the path of each (`[0].params.w1`), and the structure. */
export interface Flattened<L> {
  readonly leaves: readonly L[]
  readonly paths: readonly string[]
  readonly shape: TreeShape
}

/** A tree of `L` whose keys are not known: what becomes of an optimiser's state, whose type has no end to walk to. */
export type TreeOfUnknownKeys<L> =
  | L
  | null
  | undefined
  | readonly TreeOfUnknownKeys<L>[]
  | { readonly [key: string]: TreeOfUnknownKeys<L> }

/** Whether `A` is `TensorTree` itself. */
export type IsTensorTree<A> = unknown extends A ? false : [TensorTree] extends [A] ? true : false

/** Whether there is nothing to walk to: `A` is `TensorTree` itself, unknown, or any. */
export type IsOpen<A> = unknown extends A ? true : IsTensorTree<A>

/** `T` with every tensor replaced by `L`. */
export type TreeOf<T, L> =
  IsTensorTree<T> extends true
    ? TreeOfUnknownKeys<L>
    : T extends Tensor | Output
      ? L
      : T extends object
        ? { [K in keyof T]: TreeOf<T[K], L> }
        : T

/**
 * What the leaves of `T` are besides tensors: handles where all of them are. `Deeper` ends the walk in types that hold themselves.
 */
export type LeafOf<T, Deeper extends readonly unknown[] = readonly [0, 0, 0, 0, 0, 0]> =
  IsOpen<T> extends true
    ? unknown
    : T extends Output
      ? Output
      : T extends Tensor
        ? unknown
        : Deeper extends readonly [unknown, ...infer Rest]
          ? T extends readonly unknown[]
            ? LeafOf<T[number], Rest>
            : T extends object
              ? LeafOf<T[keyof T], Rest>
              : never
          : unknown

/**
 * True for a tensor of ours (a graph node), never for a plain record that merely has a shape and a dtype.
 * @example
 * [T.ones([1]), T.spec([1]), 3].map(T.isTensor) // => [true, false, false]
 */
export const isTensor = (x: unknown): x is Tensor =>
  typeof x === 'object' &&
  x !== null &&
  Object.getPrototypeOf(x) !== Object.prototype &&
  'op' in x &&
  'args' in x &&
  'type' in x &&
  'params' in x

/**
 * True for a result of a run, on the device or on its way to the host; false for the tensors that a program was made of.
 * @example
 * const start = T.ones([2])
 * [start, await T.put(start)].map(T.isHandle) // => [false, true]
 */
export const isHandle = (x: unknown): x is Handle => isRecord(x) && isResult(x)

const isTensorOrHandle = (x: unknown): x is Tensor => isTensor(x) || isHandle(x)

/** True for `{ … }`: an object without a class, the only kind of record a tree may hold. */
export const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => {
  if (typeof x !== 'object' || x === null) return false
  const proto: unknown = Object.getPrototypeOf(x)
  return proto === Object.prototype || proto === null
}

const describe = (x: unknown): string => {
  const stranger = strangerName(x)
  if (stranger !== undefined) return stranger
  if (x === null || x === undefined) return String(x)
  if (typeof x === 'object') return `an object of class ${x.constructor?.name ?? 'unknown'}`
  return typeof x === 'symbol' ? 'a symbol' : `the ${typeof x} ${String(x).slice(0, 40)}`
}

/** `f` of what stands at each key, the keys in sorted order; the record that is made has them as they were written. */
export const mapRecord = <A, B>(
  record: Readonly<Record<string, A>>,
  f: (value: A, key: string) => B,
): Readonly<Record<string, B>> => {
  const keys = Object.keys(record)
  const made = new Map([...keys].sort().map((k) => [k, f(record[k]!, k)]))
  return Object.fromEntries(keys.map((k) => [k, made.get(k)!]))
}

/** The path of `key` in the record at `path`: `params.w1`, `params["a b"]`. */
export const pathTo = (path: string, key: string): string => {
  if (/^[A-Za-z_$][\w$]*$/.test(key)) return path === '' ? key : `${path}.${key}`
  return `${path}[${quoted(key)}]`
}

/** The steps of a path, as they are spelled: `[0]`, `params`, `["a b"]`. */
export const pathSteps = (path: string): readonly string[] =>
  path.match(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]|[^.[\]]+/g) ?? []

/** Whether a tree has anything at `path`, be it empty. */
export const standsAt = (tree: TreeShape, path: string): boolean => {
  let at: TreeShape | undefined = tree
  for (const step of pathSteps(path)) {
    if (at === undefined || typeof at === 'number' || 'empty' in at) return false
    const key = step.startsWith('[') ? String(JSON.parse(step.slice(1, -1))) : step
    if ('list' in at) at = at.list[Number(key)]
    else at = Object.hasOwn(at.record, key) ? at.record[key] : undefined
  }
  return at !== undefined
}

/** No tree of a program is as deep; one that holds itself is deeper than any. */
const deepest = 500

/**
 * Leaves, their paths and the structure of a tree, which errors call `name`. Leaves are taken in the sorted order of record
 * keys, so that two records written in different orders have the same leaves; `undefined` and `null` are without leaves.
 * Anything else that is neither leaf, array nor plain record is a UsageError that names its path.
 * @example
 * const flat = T.flattenTree({ w: [T.ones([2])], b: T.zeros([1]) }, T.isTensor)
 * flat.paths // => ['b', 'w[0]']
 * flat.shape // => { record: { b: 0, w: { list: [1] } } }
 */
export const flattenTree = <L>(
  tree: unknown,
  isLeaf: (x: unknown) => x is L,
  name = 'the tree itself',
): Flattened<L> => {
  const leaves: L[] = []
  const paths: string[] = []
  const walk = (t: unknown, path: string, depth: number): TreeShape => {
    if (isLeaf(t)) {
      paths.push(path)
      return leaves.push(t) - 1
    }
    if (depth > deepest)
      return raise({
        tag: 'UsageError',
        message: `the tree is more than ${deepest} levels deep at ${path.slice(0, 40)}…`,
        hint: 'does something in it hold itself?',
      })
    if (t === null || t === undefined) return { empty: t === null ? 'null' : 'undefined' }
    if (Array.isArray(t)) return { list: t.map((x, i) => walk(x, `${path}[${i}]`, depth + 1)) }
    if (isHandle(t))
      return raise({
        tag: 'UsageError',
        message: `${path === '' ? name : path} is a result of a run, which is on the device`,
        hint: 'give it to a program as an argument, or read it: await T.read(tree)',
      })
    if (isRecord(t) && !isNoArgument(t)) return { record: mapRecord(t, (x, k) => walk(x, pathTo(path, k), depth + 1)) }
    return raise({
      tag: 'UsageError',
      message: `${path === '' ? name : path} is ${describe(t)}, where a tensor, an array or a plain record belongs`,
      hint:
        strangerName(t) === undefined
          ? 'wrap numbers as tensors with T.tensor(3), or leave them outside of the tree'
          : wayToTensor(t),
    })
  }
  const shape = walk(tree, '', 0)
  return { leaves, paths, shape }
}

/** The tensors of a tree, or the handles. UsageError for anything else in it. */
export const flattenTensors = (tree: unknown): Flattened<Tensor> => flattenTree(tree, isTensorOrHandle)

/** The tensors of what a function gave. UsageError where it gave nothing, which is seldom what was meant. */
export const flattenResult = (result: unknown, name = 'what the function returns'): Flattened<Tensor> => {
  if (result !== undefined && result !== null) return flattenTree<Tensor>(result, isTensor, name)
  return raise({
    tag: 'UsageError',
    message: `${name} is ${result}, where a tensor, an array or a plain record belongs`,
    hint: 'return a tree of tensors; inside of one, null and undefined are parts without tensors',
  })
}

/**
 * The inverse of `flattenTree`: the structure with leaf `i` replaced by `leaves[i]`.
 * @example
 * T.unflattenTree({ record: { b: 0, w: { list: [1] } } }, ['bias', 'weight']) // => { b: 'bias', w: ['weight'] }
 */
export const unflattenTree = (shape: TreeShape, leaves: readonly unknown[]): unknown => {
  if (typeof shape === 'number') return leaves[shape]
  if ('list' in shape) return shape.list.map((s) => unflattenTree(s, leaves))
  if ('empty' in shape) return shape.empty === 'null' ? null : undefined
  return Object.fromEntries(Object.entries(shape.record).map(([k, s]) => [k, unflattenTree(s, leaves)]))
}

/** Whether a structure is that of `null` or `undefined`; a key that is not there is as good as one that is empty. */
export const isEmpty = (shape: TreeShape | undefined): boolean =>
  shape === undefined || (typeof shape === 'object' && 'empty' in shape)

/** True when two structures are the same, key by key and leaf by leaf, in whatever order the keys stand. */
export const sameTree = (a: TreeShape, b: TreeShape): boolean => {
  if (typeof a === 'number' || typeof b === 'number') return a === b
  if ('empty' in a) return isEmpty(b)
  if ('empty' in b) return false
  if ('list' in a)
    return 'list' in b && a.list.length === b.list.length && a.list.every((s, i) => sameTree(s, b.list[i]!))
  if ('list' in b) return false
  const keys = (record: Readonly<Record<string, TreeShape>>): readonly string[] =>
    Object.keys(record).filter((k) => !isEmpty(record[k]))
  const own = keys(a.record)
  return (
    own.length === keys(b.record).length &&
    own.every((k) => Object.hasOwn(b.record, k) && sameTree(a.record[k]!, b.record[k]!))
  )
}

/**
 * Applies `f` to every tensor of a tree, or to every handle of results, and keeps the structure; `path` says where it stands.
 * UsageError for anything else in the tree.
 * @example
 * T.mapTree({ w: [T.ones([2])] }, (x, path) => [path, x.shape]) // => { w: [['w[0]', [2]]] }
 */
export const mapTree = <T, L>(tree: T, f: (leaf: Tensor & LeafOf<T>, path: string) => L): TreeOf<T, L> => {
  if (typeof tree === 'function')
    return raise({ tag: 'UsageError', message: 'T.mapTree: the tree is a function', hint: 'write T.mapTree(tree, f)' })
  const { leaves, paths, shape } = flattenTensors(tree)
  return unflattenTree(
    shape,
    leaves.map((x, i) => f(x as Tensor & LeafOf<T>, paths[i]!)),
  ) as TreeOf<T, L>
}

/**
 * Applies `f` to the tensors (or handles) that stand at the same place of trees of one structure; a UsageError when they differ.
 * @example
 * const sum = T.zipTrees(([x, y]) => T.add(x!, y!), { w: T.tensor([1]) }, { w: T.tensor([2]) })
 * T.reference(sum).w.data // => [3]
 */
export const zipTrees = <T, L>(
  f: (leaves: readonly (Tensor & LeafOf<T>)[], path: string) => L,
  tree: T,
  ...others: readonly unknown[]
): TreeOf<T, L> => {
  const first = flattenTensors(tree)
  const rest = others.map((t, i) => {
    const flat = flattenTensors(t)
    if (sameTree(first.shape, flat.shape)) return flat
    const missing = first.paths.find((p) => !flat.paths.includes(p)) ?? flat.paths.find((p) => !first.paths.includes(p))
    return raise({
      tag: 'UsageError',
      message: `trees of different structure: tree 0 and tree ${i + 1} do not both have ${missing ?? 'the same empty parts'}`,
      hint: 'give trees with the same keys and lengths, such as parameters and their gradients',
    })
  })
  return unflattenTree(
    first.shape,
    first.leaves.map((x, i) => f([x, ...rest.map((t) => t.leaves[i]!)] as (Tensor & LeafOf<T>)[], first.paths[i]!)),
  ) as TreeOf<T, L>
}
