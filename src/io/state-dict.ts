/** Tensors by name, as PyTorch saves them, to trees of ours and back, by a table of names with places for what varies. */
import type { HostTensor } from '../compile/host.ts'
import type { TensorsOf } from '../compile/tree-types.ts'
import { constant } from '../lang/build.ts'
import { raise } from '../lang/errors.ts'
import { showArgument } from '../lang/tensor/arguments.ts'
import { permuteDims } from '../lang/tensor/shape/axes.ts'
import { flattenTensors, isRecord, isTensor, type TensorTree } from '../lang/tree.ts'
import { type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { quoted } from '../lang/visible-text.ts'
import { fitTensors, namesOf, type SpecTree } from './tree-file.ts'

/** Where a tensor belongs: its path in our tree; with the order of its axes where that is another; `null` where it is left out. */
export type StateDictTarget = string | null | { readonly to: string; readonly permute: readonly number[] }

/**
 * Names there to paths here. `{i}` stands for a step of a name (what is between two dots, or a part of it), `{...rest}` for one or
 * several: `{ 'h.{i}.mlp.weight': 'blocks[{i}].mlp.weight' }`. The first row that fits counts.
 */
export type StateDictMap = Readonly<Record<string, StateDictTarget>>

/** A row of the table. */
interface Row {
  readonly from: string
  readonly to: string | undefined
  readonly permute: readonly number[] | undefined
}

/** `blocks[{i}].weight` as `blocks.{i}.weight`: how the leaves of a tree are called in files. */
const dotted = (path: string): string => path.replace(/\[([^\]]*)\]/g, '.$1').replace(/^\./, '')

const isTarget = (x: unknown): x is StateDictTarget =>
  x === null || typeof x === 'string' || (isRecord(x) && typeof x['to'] === 'string' && isOrder(x['permute']))

/** Whether these are all axes of so many, each once. */
const isOrder = (x: unknown): boolean => Array.isArray(x) && [...x].sort((a, b) => a - b).every((axis, i) => axis === i)

const rowsOf = (caller: string, map: StateDictMap): readonly Row[] =>
  Object.entries(map).map(([from, target]) => {
    if (!isTarget(target))
      raise({
        tag: 'UsageError',
        message: `${caller}: the row ${quoted(from)} goes to ${showArgument(target)}, which is no place`,
        hint: "give a path, null, or { to: 'a path', permute: [1, 0] } with each axis once",
      })
    if (target === null) return { from, to: undefined, permute: undefined }
    if (typeof target === 'string') return { from, to: dotted(target), permute: undefined }
    return { from, to: dotted(target.to), permute: target.permute }
  })

const places = /\{(\.\.\.)?([A-Za-z_]\w*)\}/g

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A name with places as an expression that finds what stands there; a place that is named twice stands for one thing. */
const matcher = (pattern: string): RegExp => {
  const seen = new Set<string>()
  let source = ''
  let end = 0
  for (const { 0: place, 1: many, 2: name, index } of pattern.matchAll(places)) {
    source += literal(pattern.slice(end, index))
    source += seen.has(name!) ? `\\k<${name}>` : `(?<${name}>${many ? '.+' : '[^.]+'})`
    seen.add(name!)
    end = index + place.length
  }
  return new RegExp(`^${source}${literal(pattern.slice(end))}$`)
}

/** A name by its pattern. UsageError for a place that the pattern on the other side does not have. */
const filled = (caller: string, pattern: string, other: string, found: Readonly<Record<string, string>>): string =>
  pattern.replaceAll(
    places,
    (place, _, name: string) =>
      found[name] ??
      raise({
        tag: 'UsageError',
        message: `${caller}: nothing says what ${place} of ${quoted(pattern)} is: ${quoted(other)} has no such place`,
      }),
  )

/** The row that fits a name, and the name on its other side; undefined where none does. */
const renamed = (
  caller: string,
  rows: readonly Row[],
  side: 'from' | 'to',
  name: string,
): { readonly row: Row; readonly name: string } | undefined => {
  for (const row of rows) {
    const pattern = row[side]
    const found = pattern === undefined ? undefined : matcher(pattern).exec(name)
    if (found)
      return { row, name: filled(caller, row[side === 'from' ? 'to' : 'from'] ?? '', pattern!, found.groups ?? {}) }
  }
  return undefined
}

const inverse = (axes: readonly number[]): readonly number[] => axes.map((_, i) => axes.indexOf(i))

/** UsageError for two names that go to one on the other side. */
const demandApart = (caller: string, pairs: readonly (readonly [from: string, to: string])[]): void => {
  const taken = new Map<string, string>()
  for (const [from, to] of pairs) {
    const other = taken.get(to)
    if (other !== undefined)
      raise({ tag: 'UsageError', message: `${caller}: ${quoted(other)} and ${quoted(from)} both go to ${to}` })
    taken.set(to, from)
  }
}

const permuted = (x: Tensor, axes: readonly number[] | undefined): Tensor => (axes ? permuteDims(x, axes) : x)

const unmapped = (caller: string, names: readonly string[], hint: string): never =>
  raise({
    tag: 'UsageError',
    message: `${caller}: no row of the map fits ${names.map((n) => quoted(n)).join(', ')}`,
    hint,
  })

/**
 * Tensors by name, such as what `openSafetensors(file).read()` gives of a file of PyTorch's, as a tree like `like`, which is made of
 * specs or of fresh parameters: `map` says where each belongs. UsageError for a name that no row fits and for two that go to one place;
 * rejects with DataError where names, shapes or dtypes differ from those of `like`: all that do.
 * @example
 * const torch = T.reference({ 'fc.0.weight': T.ones([2, 3]), 'fc.0.bias': T.zeros([2]), steps: T.tensor(7) })
 * const map = { 'fc.{i}.{part}': 'layers[{i}].{part}', steps: null }
 * const { layers } = await io.fromStateDict(torch, map, { layers: [{ weight: T.spec([2, 3]), bias: T.spec([2]) }] })
 * layers[0]!.weight.shape // => [2, 3]
 */
export function fromStateDict<const A extends SpecTree>(
  tensors: Readonly<Record<string, HostTensor | Tensor>>,
  map: StateDictMap,
  like: A,
): Promise<TensorsOf<A>>
export function fromStateDict<P extends TensorTree>(
  tensors: Readonly<Record<string, HostTensor | Tensor>>,
  map: StateDictMap,
  like: P,
): Promise<P>
export async function fromStateDict(
  tensors: Readonly<Record<string, HostTensor | Tensor>>,
  map: StateDictMap,
  like: unknown,
): Promise<unknown> {
  const rows = rowsOf('fromStateDict', map)
  const found = Object.keys(tensors).map((name) => ({ name, at: renamed('fromStateDict', rows, 'from', name) }))
  const strange = found.flatMap(({ name, at }) => (at ? [] : [name]))
  if (strange.length > 0) unmapped('fromStateDict', strange, "map a name to null to leave it out: { 'step': null }")
  const kept = found.filter(({ at }) => at!.row.to !== undefined)
  demandApart(
    'fromStateDict',
    kept.map(({ name, at }) => [name, at!.name]),
  )
  const placed = kept.map(
    ({ name, at }) => [at!.name, permuted(tensorFrom(name, tensors[name]), at!.row.permute)] as const,
  )
  return fitTensors(Object.fromEntries(placed), like, 'state dict')
}

const tensorFrom = (name: string, x: HostTensor | Tensor | undefined): Tensor => {
  if (isTensor(x)) return x
  if (x && Array.isArray(x.shape) && 'data' in x) return tensorOf(constant({ shape: x.shape, dtype: x.dtype }, x.data))
  return raise({ tag: 'UsageError', message: `fromStateDict: ${quoted(name)} is ${showArgument(x)}, not a tensor` })
}

/**
 * A tree of tensors by name, as PyTorch calls them: the inverse of `fromStateDict` by the same map. `T.save` writes what it gives for
 * PyTorch to load. UsageError for a leaf that no row fits, for two that go to one name, and for results of runs where axes
 * change places: read them first.
 * @example
 * const params = { layers: [{ weight: T.ones([2, 3]), bias: T.zeros([2]) }] }
 * const named = io.toStateDict(params, { 'fc.{i}.{part}': 'layers[{i}].{part}' })
 * Object.keys(named).sort() // => ['fc.0.bias', 'fc.0.weight']
 */
export const toStateDict = (tree: TensorTree, map: StateDictMap): Readonly<Record<string, Tensor>> => {
  const rows = rowsOf('toStateDict', map)
  const { leaves, paths } = flattenTensors(tree)
  const found = namesOf('toStateDict', paths).map((name) => ({ name, at: renamed('toStateDict', rows, 'to', name) }))
  const strange = found.flatMap(({ name, at }) => (at ? [] : [name]))
  if (strange.length > 0) unmapped('toStateDict', strange, 'give it a row, or leave it out of the tree')
  demandApart(
    'toStateDict',
    found.map(({ name, at }) => [name, at!.name]),
  )
  return Object.fromEntries(
    found.map(({ at }, i) => [at!.name, permuted(leaves[i]!, at!.row.permute && inverse(at!.row.permute))]),
  )
}
