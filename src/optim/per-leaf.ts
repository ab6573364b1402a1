/** Values that differ from parameter to parameter: masks, names of groups, factors. By tree, by path or by function. */
import { raise } from '../lang/errors.ts'
import { printedCall } from '../lang/print/call-text.ts'
import { showArgument } from '../lang/tensor/arguments.ts'
import {
  type Flattened,
  flattenTensors,
  isRecord,
  pathTo,
  type TreeOfUnknownKeys,
  type TreeShape,
} from '../lang/tree.ts'
import type { Tensor } from '../lang/types/tensor.ts'

/** What may differ from parameter to parameter. */
export type LeafValue = boolean | number | string

/** A choice that `byPath` made: a function of the path that knows which prefixes it was given. */
export interface ByPath<V extends LeafValue> {
  (path: string): V
  readonly prefixes: readonly string[]
}

/**
 * One value for every tensor of a tree: one for all of them; a tree of values, in which one stands for a tensor or for a whole
 * part; or a function of the path (`blocks[2].weight`, as errors spell it) and the tensor.
 */
export type PerLeaf<V extends LeafValue> = TreeOfUnknownKeys<V> | ((path: string, leaf: Tensor) => V)

/** Which tensors of a tree are meant. */
export type Mask = PerLeaf<boolean>

/** What a value must be, for errors: what it is called, what one is, which ones are. */
export interface Wanted<V extends LeafValue> {
  readonly what: string
  readonly kind: string
  readonly example: string
  readonly holds: (x: unknown) => x is V
}

export const mask: Wanted<boolean> = {
  what: 'mask',
  kind: 'true or false',
  example: 'true',
  holds: (x) => typeof x === 'boolean',
}

const startsWith = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (prefix === '' || path.length === prefix.length || '.['.includes(path[prefix.length]!))

/**
 * What a table has for the longest path in it that a parameter's path begins with, step by step: `blocks` is there for
 * `blocks[2].weight`, not for `blocksize`; `otherwise` where it has none. For masks, groups and rates; whoever is given it
 * refuses a path that no parameter has.
 * @example
 * const rate = optim.byPath({ head: 1, 'head.bias': 2 }, 0.1)
 * const paths = ['head.weight', 'head.bias', 'body[0].weight']
 * paths.map((path) => rate(path)) // => [1, 2, 0.1]
 */
export const byPath = <V extends LeafValue>(table: Readonly<Record<string, V>>, otherwise: V): ByPath<V> => {
  if (!isRecord(table))
    raise({
      tag: 'UsageError',
      message: `optim.byPath: the table is ${showArgument(table)}, not a record of paths`,
      hint: "write optim.byPath({ head: true, 'body[0].weight': true }, false)",
    })
  const prefixes = Object.keys(table).sort((a, b) => b.length - a.length)
  const choose = (path: string): V => {
    const found = prefixes.find((p) => startsWith(path, p))
    return found === undefined ? otherwise : table[found]!
  }
  return printedCall(Object.assign(choose, { prefixes }), 'optim.byPath', table, otherwise)
}

/** Values by the numbers of leaves, and the paths where they are missing, too many, or another thing. */
interface Found<V extends LeafValue> {
  readonly values: readonly V[]
  readonly missing: readonly string[]
  readonly extra: readonly string[]
  readonly other: readonly string[]
}

const few = (paths: readonly string[]): string =>
  paths.length > 4 ? `${paths.slice(0, 4).join(', ')} and ${paths.length - 4} more` : paths.join(', ')

const strange = (path: string, given: unknown): string => `${path || 'the whole'} (${showArgument(given)})`

const byFunction = <V extends LeafValue>(
  { leaves, paths }: Flattened<Tensor>,
  choose: (path: string, leaf: Tensor) => V,
  { holds }: Wanted<V>,
): Found<V> => {
  const values = leaves.map((x, i) => choose(paths[i]!, x))
  const other = paths.flatMap((path, i) => (holds(values[i]) ? [] : [strange(path, values[i])]))
  return { values, missing: [], extra: [], other }
}

const byTree = <V extends LeafValue>(
  { paths, shape }: Flattened<Tensor>,
  tree: unknown,
  { holds }: Wanted<V>,
): Found<V> => {
  const values: V[] = []
  const [missing, extra, other]: [string[], string[], string[]] = [[], [], []]
  const fill = (at: TreeShape, value: V | undefined): void => {
    if (typeof at === 'number') {
      if (value === undefined) missing.push(paths[at]!)
      else values[at] = value
    } else if ('list' in at) for (const part of at.list) fill(part, value)
    else if ('record' in at) for (const part of Object.values(at.record)) fill(part, value)
  }
  const walk = (at: TreeShape, given: unknown, path: string): void => {
    if (holds(given)) fill(at, given)
    else if (given === undefined || given === null) fill(at, undefined)
    else if (typeof at === 'object' && 'list' in at && Array.isArray(given)) {
      for (const [i, part] of at.list.entries()) walk(part, given[i], `${path}[${i}]`)
      for (let i = at.list.length; i < given.length; i++) extra.push(`${path}[${i}]`)
    } else if (typeof at === 'object' && 'record' in at && isRecord(given)) {
      for (const [key, part] of Object.entries(at.record)) walk(part, given[key], pathTo(path, key))
      for (const key of Object.keys(given)) if (!Object.hasOwn(at.record, key)) extra.push(pathTo(path, key))
    } else other.push(strange(path, given))
  }
  walk(shape, tree, '')
  return { values, missing, extra, other }
}

/** UsageError for a prefix that no parameter's path has. */
const demandPrefixes = (name: string, what: string, choose: object, paths: readonly string[]): void => {
  const prefixes = 'prefixes' in choose ? (choose as ByPath<LeafValue>).prefixes : []
  const unknown = prefixes.filter((prefix) => !paths.some((p) => startsWith(p, prefix)))
  if (unknown.length === 0) return
  raise({
    tag: 'UsageError',
    message: `${name}: no parameter is at ${few(unknown)}, which the ${what} names`,
    hint: `the parameters are ${few(paths)}`,
  })
}

/**
 * The value for each tensor of `tree`, in the order of its leaves. UsageError that names the paths where the choice has no
 * value, one too many, or another thing.
 */
export const valuesFor = <V extends LeafValue>(
  name: string,
  wanted: Wanted<V>,
  choice: PerLeaf<V>,
  tree: unknown,
): readonly V[] => {
  const flat = flattenTensors(tree)
  const { what, kind, example } = wanted
  if (typeof choice === 'function') demandPrefixes(name, what, choice, flat.paths)
  const { values, missing, extra, other } =
    typeof choice === 'function' ? byFunction(flat, choice, wanted) : byTree(flat, choice, wanted)
  const wrong = [
    ...(missing.length > 0 ? [`nothing for ${few(missing)}`] : []),
    ...(extra.length > 0 ? [`${few(extra)}, where there is no parameter`] : []),
    ...(other.length > 0 ? [`not ${kind} at ${few(other)}`] : []),
  ]
  if (wrong.length === 0) return values
  return raise({
    tag: 'UsageError',
    message: `${name}: the ${what} has ${wrong.join('; ')}`,
    hint: `give ${kind} for every parameter or whole part of the tree, or a function: (path, parameter) => ${example}`,
  })
}
