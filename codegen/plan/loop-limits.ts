/**
 * How far the loops of a cluster go where sizes are named: loops over what is stored end with the rows that are needed, and
 * reductions with the elements that a mask lets through.
 */
import type { Fused, Fusion } from '../../passes/loop/fuse/fusion.ts'
import type { Atom, Cluster, Index, LoopValue, Range } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../passes/loop/ir/values.ts'
import type { Limits, LoopLimit } from '../../passes/loop/schedule/limit.ts'
import { neededIn } from '../../passes/loop/schedule/needed-elements.ts'
import type { ReduceValue } from '../../passes/loop/schedule/nest.ts'
import { stepIn, tileIn } from '../../passes/loop/schedule/roles.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { stateMonoids } from '../../src/lang/monoids.ts'
import type { AffineSize, Size } from '../../src/lang/size.ts'
import type { NamedSizes } from './make-plan.ts'

/** What is known of the tensors that buffers of a cluster stand for. */
interface NamedTensors {
  /** How many elements in a row are needed of what is stored in a node; undefined where all are. */
  readonly neededOf: (n: Node) => AffineSize | undefined
  /** The size that a node holds everywhere, in terms of named ones. */
  readonly sizeOf: (n: Node) => AffineSize | undefined
}

type NodeOf = (buffer: { readonly id: number }) => Node | undefined

const isFixed = (atom: Atom): boolean => atom.kind === 'value' && atom.value.ranges.size === 0

/** Elements that one point of `range` lies apart in `index`; undefined where the index is not linear. */
const strideAlong = (index: Index, range: Range): number | undefined => {
  // A row of a larger tensor is at the number of a loop's turn, which is the same for all of it.
  const isLinear = index.terms.every(({ atom }) => atom.kind === 'range' || isFixed(atom))
  const at = index.terms.find(({ atom }) => atom.kind === 'range' && atom.range === range)
  return isLinear && at && at.coefficient > 0 ? at.coefficient : undefined
}

const sameRatio = (a: LoopLimit, b: LoopLimit): boolean =>
  a.size.name === b.size.name &&
  a.size.times * b.by === b.size.times * a.by &&
  a.size.plus * b.by === b.size.plus * a.by

/** The range along which the first rows are needed alone, by all stores. */
const storeLimit = ({ stores }: Cluster, f: Fused, tensors: NamedTensors): readonly [Range, LoopLimit] | undefined => {
  const ranges = stores[0]?.ranges ?? []
  const [range] = ranges.toSorted(
    (a, b) => (strideAlong(stores[0]!.index, b) ?? 0) - (strideAlong(stores[0]!.index, a) ?? 0),
  )
  if (!range) return undefined
  const tile = tileIn(f.schedule, range)
  const found = stores.map(({ buffer, index }): LoopLimit | undefined => {
    const node = f.stored[f.solved!.stores.findIndex((b) => b.id === buffer.id)]
    const size = node && tensors.neededOf(node)
    const stride = strideAlong(index, range)
    return size && stride !== undefined ? { size, by: stride * tile, most: ceilDiv(range.size, tile) } : undefined
  })
  const [first] = found
  return first && found.every((x) => x && sameRatio(x, first)) ? [range, first] : undefined
}

/** The named size that a value loads. */
type Loaded = (v: LoopValue) => AffineSize | undefined

/** The size that a value holds everywhere, or the number. */
const lengthIn = (v: LoopValue, loaded: Loaded): Size | undefined => {
  const known = loaded(v)
  if (known) return known
  if (v.kind === 'const') return v.value
  if (v.kind !== 'alu') return undefined
  const [a, b] = v.args.map((x) => lengthIn(x, loaded))
  if (v.op === 'cast') return a
  if (v.op !== 'mul' && v.op !== 'add') return undefined
  const [size, by] = typeof a === 'number' ? [b, a] : [a, b]
  if (typeof size !== 'object' || typeof by !== 'number') return undefined
  return v.op === 'add' ? { ...size, plus: size.plus + by } : { ...size, times: size.times * by, plus: size.plus * by }
}

const isRange = (v: LoopValue, range: Range): boolean =>
  v.kind === 'index' && v.index.constant === 0 && v.index.terms.length === 1 && strideAlong(v.index, range) === 1

/** What counts for nothing among the values of a reduction, one number for each; undefined where elements always count. */
const identitiesOf = ({ monoid, values }: ReduceValue): readonly number[] | undefined => {
  const identities = stateMonoids[monoid].identity(values[0]!.dtype)
  if (values.length === identities.length) return identities
  return monoid === 'moments' ? undefined : identities.slice(0, 1)
}

/** The size below which `v` is something else than `identity`. */
const maskOf = (
  v: LoopValue,
  range: Range,
  identity: number,
  isTerm: boolean,
  loaded: Loaded,
  passed: Set<LoopValue>,
): AffineSize | undefined => {
  if (v.kind !== 'alu') return undefined
  if (v.op === 'select') {
    const [test, inside, outside] = v.args as readonly [LoopValue, LoopValue, LoopValue]
    const isNothing = outside.kind === 'const' && (isTerm ? outside.value === 0 : Object.is(outside.value, identity))
    if (!isNothing) return undefined
    const isTest = test.kind === 'alu' && test.op === 'lt' && isRange(test.args[0]!, range)
    const size = isTest ? lengthIn(test.args[1]!, loaded) : undefined
    if (typeof size !== 'object') return maskOf(inside, range, identity, isTerm, loaded, passed)
    passed.add(v)
    return size
  }
  if (v.op === 'cast') return maskOf(v.args[0]!, range, identity, isTerm, loaded, passed)
  if (v.op !== 'mul' || !isTerm) return undefined
  const [a, b] = v.args.map((x) => maskOf(x, range, identity, isTerm, loaded, passed))
  return a && b && a.name === b.name && a.times === b.times && a.plus === b.plus ? a : undefined
}

/** The limit of a reduction's loop over `range`, where all reductions over it have that. */
const reduceLimit = (
  reductions: readonly ReduceValue[],
  range: Range,
  f: Fused,
  loaded: Loaded,
  passed: Set<LoopValue>,
): LoopLimit | undefined => {
  const step = stepIn(f.schedule.roles, range)
  const found = reductions
    .filter((v) => v.over.includes(range))
    .flatMap((v) => {
      const identities = identitiesOf(v)
      return v.values.map((x, i) =>
        identities?.[i] === undefined
          ? undefined
          : maskOf(x, range, identities[i], v.monoid === 'terms', loaded, passed),
      )
    })
    .map((size): LoopLimit | undefined => size && { size, by: step, most: ceilDiv(range.size, step) })
  const [first] = found
  return first && found.every((x) => x && sameRatio(x, first)) ? first : undefined
}

/** Where the loops of `f` end. */
const loopLimits = (f: Fused, tensors: NamedTensors, nodeOf: NodeOf): Limits => {
  const loops = new Map<Range, LoopLimit>()
  const implied = new Set<LoopValue>()
  if (f.routine) return { loops, implied }
  const tensorOf: NodeOf = (buffer) => {
    const tensor = [...f.tensors].find(([b]) => b.id === buffer.id)?.[1]
    return tensor && nodeOf(tensor)
  }
  const loaded: Loaded = (v) => {
    const node = v.kind === 'load' ? tensorOf(v.buffer) : undefined
    return node && tensors.sizeOf(node)
  }
  const stored = storeLimit(f.cluster, f, tensors)
  if (stored) loops.set(...stored)
  const values = valuesBelow(f.cluster.stores.map((s) => s.value))
  const reductions = values.filter((v): v is ReduceValue => v.kind === 'reduce')
  for (const range of new Set(reductions.flatMap((v) => v.over))) {
    const masks = new Set<LoopValue>()
    const limit = reduceLimit(reductions, range, f, loaded, masks)
    if (!limit) continue
    loops.set(range, limit)
    // A workgroup deals out whole loops, and steps of several points go past the end.
    if (limit.by === 1 && !f.schedule.workgroup) for (const mask of masks) implied.add(mask)
  }
  return { loops, implied }
}

/** `fusion` with the loops that end with a named size. */
export const limited = (fusion: Fusion, graph: Graph, named: NamedSizes | undefined): Fusion => {
  if (!named) return fusion
  const { inRow, sizes } = neededIn(
    graph,
    named.inputs,
    named.names.map(({ name }) => name),
  )
  const tensors = { neededOf: (n: Node) => inRow.get(n), sizeOf: (n: Node) => sizes.get(n) }
  const limitedIn = (inner: Fusion): Fusion => {
    const nodes = new Map([...inner.buffers].map(([n, { id }]) => [id, n]))
    const limitedOne = (f: Fused): Fused => {
      const { routine } = f
      const loop = routine?.loop
      if (routine && loop) return { ...f, routine: { ...routine, loop: { ...loop, fusion: limitedIn(loop.fusion) } } }
      return { ...f, limits: loopLimits(f, tensors, ({ id }) => nodes.get(id)) }
    }
    return { ...inner, kernels: inner.kernels.map((group) => group.map(limitedOne)) }
  }
  return limitedIn(fusion)
}
