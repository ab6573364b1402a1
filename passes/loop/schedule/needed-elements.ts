/**
 * Which elements of a bound graph nobody needs: those past the true size of an axis, where they hold anything. What chooses
 * by a size (a mask) is needed whole: sums read the identity in it.
 */
import { typesOf } from '../../../src/lang/build.ts'
import type { Graph, LoopNode, Node, NodeOf, Op } from '../../../src/lang/ir.ts'
import { stridesOf } from '../../../src/lang/shape.ts'
import type { AffineSize, Size } from '../../../src/lang/size.ts'
import { topological } from '../../../src/lang/topological.ts'
import { pointwiseOps } from '../../graph/rules/match.ts'
import { turnOf } from '../from-graph/loop-turn.ts'

/** For each axis, how many of its positions are needed; undefined where all are. */
type Needs = readonly (AffineSize | undefined)[]

/** The inputs that are sizes. */
type Names = ReadonlyMap<Node, AffineSize>

type Rule<K extends Op> = (n: NodeOf<K>, args: readonly Needs[], shape: readonly number[], names: Names) => Needs

const all = (shape: readonly number[]): Needs => shape.map(() => undefined)

const everything: Rule<Op> = (_n, _args, shape) => all(shape)

const shapeOf = (n: Node): readonly number[] => typesOf(n)[0]!.shape

const isEqual = (a: AffineSize | undefined, b: AffineSize | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.name === b.name && a.times === b.times && a.plus === b.plus)

/** An element depends on those of the operands at its position: on none that counts where one of them does not. */
const pointwise: Rule<Op> = (_n, args, shape) =>
  shape.map((_, axis) => {
    const found = args.flatMap((needs) => needs[axis] ?? [])
    return found.length > 0 && found.every((s) => isEqual(s, found[0])) ? found[0] : undefined
  })

/** Axes that are not moved along keep what is needed of them; the others are needed whole. */
const keeping =
  <K extends Op>(isMoved: (n: NodeOf<K>, axis: number) => boolean): Rule<K> =>
  (n, [needs = []], shape) =>
    shape.map((_, axis) => (isMoved(n, axis) ? undefined : needs[axis]))

const broadcast: Rule<'broadcast'> = ({ params: { axes } }, [needs], shape) => {
  let at = 0
  return shape.map((_, axis) => (axes.includes(axis) ? undefined : needs![at++]))
}

/** How many elements in a row are needed of a tensor of `shape`. */
const inRow = (needs: Needs, shape: readonly number[]): AffineSize | undefined => {
  const first = shape.findIndex((s) => s !== 1)
  const size = needs[first]
  if (size === undefined) return undefined
  const stride = stridesOf(shape)[first]!
  return { ...size, times: size.times * stride, plus: size.plus * stride }
}

const reshape: Rule<'reshape'> = (n, [needs], shape) => {
  const row = inRow(needs!, shapeOf(n.args[0]!))
  const first = shape.findIndex((s) => s !== 1)
  const stride = stridesOf(shape)[first] ?? 1
  const fits = row !== undefined && row.times % stride === 0 && row.plus % stride === 0
  return shape.map((_, axis) =>
    fits && axis === first ? { ...row, times: row.times / stride, plus: row.plus / stride } : undefined,
  )
}

const dot: Rule<'dot'> = ({ params: { lhs, rhs, out } }, [x, y]) =>
  out.map((label) => {
    const found = [x![lhs.indexOf(label)], y![rhs.indexOf(label)]].filter((s) => s !== undefined)
    return found.every((s) => isEqual(s, found[0])) ? found[0] : undefined
  })

const concat: Rule<'concat'> = (n, args, shape) =>
  shape.map((_, axis) => {
    const [first, ...rest] = args.map((needs) => needs[axis])
    return axis !== n.params.axis && rest.every((s) => isEqual(s, first)) ? first : undefined
  })

/** Rows of an index that is masked for safety: what it picks there is needed no more than the index was. */
const gather: Rule<'gather'> = ({ args, params: { batch } }, [x], shape, names) => {
  const index = shapeOf(args[1]!).map((_, axis) => maskAlong(args[1]!, axis, names))
  return shape.map((_, axis) => (axis < index.length ? index[axis] : x![axis - index.length + batch + 1]))
}

/** The size that a mask of `n` lets through along `axis`, below other masks too. */
const maskAlong = (n: Node, axis: number, names: Names): AffineSize | undefined => {
  for (let at = n; at.op === 'select'; at = at.args[1]!) {
    const [test] = at.args
    if (test!.op !== 'lt') continue
    const [position, end] = test!.args as readonly [Node, Node]
    const size = position.op === 'iota' && position.params.axis === axis ? lengthIn(end, names) : undefined
    if (typeof size === 'object') return size
  }
  return undefined
}

/** The size that a node holds everywhere, or the number. */
const lengthIn = (n: Node, names: Names): Size | undefined => {
  const named = names.get(n)
  if (named) return named
  if (n.op === 'cast' || n.op === 'broadcast' || n.op === 'reshape') return lengthIn(n.args[0]!, names)
  if (n.op === 'const' && n.params.values.length === 1) return n.params.values[0]!
  if (n.op !== 'mul' && n.op !== 'add') return undefined
  const [a, b] = n.args.map((x) => lengthIn(x, names))
  const [size, factor] = typeof a === 'number' ? [b, a] : [a, b]
  if (typeof size !== 'object' || typeof factor !== 'number') return undefined
  return n.op === 'add'
    ? { ...size, plus: size.plus + factor }
    : { ...size, times: size.times * factor, plus: size.plus * factor }
}

/** Operations of which an element depends on others than those of its own position, or that are rare. */
const rules: { readonly [K in Op]?: Rule<K> } = {
  broadcast,
  reshape,
  dot,
  concat,
  gather,
  permute: ({ params: { axes } }, [needs]) => axes.map((a) => needs![a]),
  slice: keeping((n, axis) => {
    const { start, stop, step } = n.params
    return start[axis] !== 0 || step[axis] !== 1 || stop[axis] !== shapeOf(n.args[0]!)[axis]
  }),
  pad: keeping(
    ({ params: { low, high, interior } }, axis) => low[axis] !== 0 || high[axis] !== 0 || interior[axis] !== 0,
  ),
  flip: keeping(({ params: { axes } }, axis) => axes.includes(axis)),
  window: keeping((n, axis) => axis === n.params.axis || axis === shapeOf(n.args[0]!).length),
  fold: keeping((n, axis) => axis === n.params.axis),
  reduce: ({ params: { axes } }, [needs]) => needs!.filter((_, axis) => !axes.includes(axis)),
  cumulate: keeping((n, axis) => n.params.reverse && axis === n.params.axis),
  sort: keeping((n, axis) => axis === n.params.axis),
}

const elementwise: ReadonlySet<Op> = new Set<Op>([
  ...pointwiseOps,
  'elementwise',
  'threefry',
  'stopGradient',
  'barrier',
])

/** Operations that pass on where their operand is a choice by a size. */
const moving: ReadonlySet<Op> = new Set<Op>([
  ...elementwise,
  ...(['broadcast', 'reshape', 'permute', 'slice', 'pad', 'flip', 'concat', 'window', 'get'] as const),
])

/** Nodes that depend on a size, and those among them that are, or hold, a choice by one. */
const dependents = (order: readonly Node[], names: Names) => {
  const sized = new Set<Node>()
  const chosen = new Set<Node>()
  for (const n of order) {
    if (names.has(n)) sized.add(n)
    if (!moving.has(n.op)) continue
    const isSized = n.args.some((a) => sized.has(a))
    if (isSized) sized.add(n)
    if (n.args.some((a) => chosen.has(a)) || (isSized && typesOf(n)[0]!.dtype === 'bool')) chosen.add(n)
  }
  return chosen
}

/** What is known of the nodes of a graph, those of its loops' turns among them. */
export interface Needed {
  /** How many elements in a row are needed of a node's first result, where not all are. */
  readonly inRow: ReadonlyMap<Node, AffineSize>
  /** The inputs that are sizes. */
  readonly sizes: ReadonlyMap<Node, AffineSize>
}

/** The needs of the nodes that `outputs` are made of, from those of the inputs, which are in `needs` already. */
const spreadNeeds = (outputs: readonly Node[], needs: Map<Node, Needs>, names: Map<Node, AffineSize>): void => {
  const order = topological(outputs)
  const chosen = dependents(order, names)
  for (const n of order) {
    if (needs.has(n)) continue
    const rule = (rules[n.op] as Rule<Op> | undefined) ?? (elementwise.has(n.op) ? pointwise : everything)
    const args = n.args.map((a) => needs.get(a)!)
    const isWhole = chosen.has(n) || (n.op === 'get' && typesOf(n.args[0]!).length > 1)
    needs.set(n, (isWhole ? everything : rule)(n as never, args, shapeOf(n), names))
    if (n.op === 'scan' || n.op === 'while') intoTurn(n, needs, names)
  }
}

/** A turn of a loop: what stays the same, and slices, are needed as they are outside, and what is carried whole. */
const intoTurn = (n: LoopNode, needs: Map<Node, Needs>, names: Map<Node, AffineSize>): void => {
  const { graph, carries } = turnOf(n)
  const carried = new Set(carries.map(({ read }) => read))
  for (const [i, input] of graph.inputs.entries()) {
    const arg = n.args[i]
    const isKnown = arg !== undefined && !carried.has(input)
    needs.set(input, isKnown ? needs.get(arg)! : all(input.params.shape))
    const size = isKnown ? lengthIn(arg, names) : undefined
    if (typeof size === 'object') names.set(input, size)
  }
  spreadNeeds(graph.outputs, needs, names)
}

/** What is needed of `graph`, whose last inputs are the sizes called `names`; `axes` are those of the inputs before. */
export const neededIn = (graph: Graph, axes: readonly (readonly Size[])[], names: readonly string[]): Needed => {
  const sizes = new Map(
    graph.inputs
      .slice(-names.length)
      .map((n, i): readonly [Node, AffineSize] => [n, { name: names[i]!, times: 1, plus: 0 }]),
  )
  const needs = new Map<Node, Needs>()
  for (const [i, n] of graph.inputs.entries()) {
    const { shape } = n.params
    // Packed elements are words by now, in which several rows may meet.
    const own =
      axes[i]?.length === shape.length && axes[i].every((s, axis) => typeof s !== 'number' || s === shape[axis])
    needs.set(n, own ? axes[i]!.map((s) => (typeof s === 'number' ? undefined : s)) : all(shape))
  }
  spreadNeeds(graph.outputs, needs, sizes)
  const found = [...needs].flatMap(([n, own]): readonly (readonly [Node, AffineSize])[] => {
    const row = inRow(own, shapeOf(n))
    return row ? [[n, row]] : []
  })
  return { inRow: new Map(found), sizes }
}
