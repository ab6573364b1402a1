/**
 * Lowering of packed dtypes: a graph of bf16, i8 and u8 becomes one of f32, i32 and u32 whose arguments and results are
 * packed words, so that fusion and kernels see 32-bit types only while memory holds one or two bytes per element. f16
 * is a kernel type and stays, but accumulations over it are widened to f32: 11 bits are too few for a running sum.
 */
import * as E from '#fp/Either'
import { build as b, constant, make, typeOf, typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { allocate, type DType, isFloat, isPacked, kernelDType, type PackedDType } from '../../src/lang/dtype.ts'
import { type Graph, isGraph, type Node, type NodeOf, type Op } from '../../src/lang/ir.ts'
import { packWords, wordCount } from '../../src/lang/pack.ts'
import { roundTo } from '../../src/lang/scalar-functions.ts'
import { topological } from '../../src/lang/topological.ts'
import { rebuild } from '../../src/lang/trace.ts'
import type { Pass } from '../pass.ts'
import { packed, saturated, settled, unpacked } from './packing.ts'

/**
 * Operations whose result is representable in the packed dtype whenever their operands are: they move or select
 * elements.
 */
const settling: ReadonlySet<Op> = new Set<Op>([
  'reshape',
  'permute',
  'broadcast',
  'slice',
  'pad',
  'flip',
  'concat',
  'window',
  'gather',
  'sort',
  'select',
  'stopGradient',
  'observe',
  'barrier',
  'max',
  'min',
  'sign',
])
const settlingIntegers: ReadonlySet<Op> = new Set<Op>(['and', 'or', 'xor', 'rem', 'shiftRight'])
const settlingFloats: ReadonlySet<Op> = new Set<Op>(['neg', 'abs', 'floor', 'ceil', 'trunc', 'round'])
const choosing: ReadonlySet<string> = new Set(['max', 'min', 'argmax', 'argmin'])

const isSettled = (n: Node, dtype: PackedDType): boolean =>
  settling.has(n.op) ||
  (dtype === 'bf16' ? settlingFloats : settlingIntegers).has(n.op) ||
  ((n.op === 'reduce' || n.op === 'cumulate') && choosing.has(n.params.monoid))

/** A cast from `from` to the packed dtype `to`, both held in their wide dtypes. */
const converted = (n: Node, from: DType, to: PackedDType): Node => {
  const wide = b.cast([n], { dtype: kernelDType(to) })
  if (from === 'bool' || from === to) return wide
  if (to === 'bf16') return from === 'i8' || from === 'u8' ? wide : settled(wide, to)
  return isFloat(from) ? saturated(wide, to) : settled(wide, to)
}

/** The largest integer up to which each packed dtype represents all integers exactly. */
const countable: Readonly<Record<PackedDType, number>> = { bf16: 2 ** 8, i8: 127, u8: 255 }

const stored = (dtype: PackedDType, values: ArrayLike<number>): readonly number[] => {
  const out = allocate(dtype, values.length)
  out.set(values)
  return Array.from(out, roundTo(dtype))
}

/** The leaf of packed words that replaces an argument or a large constant. */
const wordLeaf = (n: NodeOf<'input'> | NodeOf<'data'>, dtype: PackedDType): Node => {
  const type = { shape: [wordCount(dtype, sizeOf(n.params.shape))], dtype: 'u32' } as const
  return n.op === 'input'
    ? b.input([], { ...n.params, ...type })
    : constant(type, packWords(dtype, n.params.payload.array))
}

/** Parameters with their nested graphs widened. Nested graphs take elements, not words. */
const widenedParams = (params: Node['params']): Node['params'] =>
  Object.fromEntries(Object.entries(params).map(([k, v]) => [k, widenedParam(v)])) as Node['params']

const widenedParam = (v: unknown): unknown => {
  if (Array.isArray(v)) return v.some((x) => typeof x === 'object') ? v.map(widenedParam) : v
  return typeof v === 'object' && v !== null && isGraph(v) ? widenInside(v) : v
}

const holdsGraph = (n: Node): boolean =>
  Object.values(n.params).some((v) => [v].flat().some((x) => typeof x === 'object' && x !== null && isGraph(x)))

/** The node on widened operands, with the dtype among its parameters widened where it has one. */
const widenedNode = (n: Node, args: readonly Node[], dtype: DType): Node => {
  switch (n.op) {
    case 'bitcast':
      return b.bitcast(args, { dtype: kernelDType(n.params.dtype) })
    case 'iota':
      return b.iota([], { ...n.params, dtype: kernelDType(n.params.dtype) })
    case 'pad':
      return b.pad(args, { ...n.params, value: roundTo(dtype)(n.params.value) })
    default:
      return holdsGraph(n) ? make(n.op, args, widenedParams(n.params) as never) : rebuild(n, args)
  }
}

const accumulating: ReadonlySet<Op> = new Set<Op>(['dot', 'fold', 'scatterAdd'])

/** Whether a node accumulates an unbounded number of f16 terms. */
const accumulatesHalves = (n: Node): boolean =>
  typeOf(n).dtype === 'f16' && (accumulating.has(n.op) || (n.op === 'reduce' && !choosing.has(n.params.monoid)))

const inFloat = (n: Node): Node => (typeOf(n).dtype === 'f16' ? b.cast([n], { dtype: 'f32' }) : n)

const isTouched = (n: Node): boolean =>
  typesOf(n).some((t) => isPacked(t.dtype)) || holdsGraph(n) || accumulatesHalves(n)

/**
 * The replacement of each node reachable from the outputs: its first output in the wide dtype, representable in the
 * packed one. `leaf` gives the replacement of an argument or a large constant.
 */
const widenNodes = (
  graph: Graph,
  leaf: (n: NodeOf<'input'> | NodeOf<'data'>, dtype: PackedDType) => Node,
): ((n: Node) => Node) => {
  /** The replacements before they are brought back into range, with all outputs. */
  const raw = new Map<Node, Node>()
  const first = new Map<Node, Node>()
  const finish = (n: Node, made: Node, dtype: DType): Node => {
    if (accumulatesHalves(n)) return b.cast([made], { dtype: 'f16' })
    return isPacked(dtype) && !isSettled(n, dtype) ? settled(made, dtype) : made
  }
  const step = (n: Node): Node => {
    const { shape, dtype } = typeOf(n)
    const args = n.args.map((a) => (accumulatesHalves(n) ? inFloat(first.get(a)!) : first.get(a)!))
    if (n.op === 'get') return finish(n.args[0]!, b.get([raw.get(n.args[0]!)!], n.params), dtype)
    if (n.op === 'cast' && isPacked(dtype)) return converted(args[0]!, typeOf(n.args[0]!).dtype, dtype)
    if (isPacked(dtype)) {
      if (n.op === 'input' || n.op === 'data') return leaf(n, dtype)
      if (n.op === 'const')
        return b.const([], { shape, dtype: kernelDType(dtype), values: stored(dtype, n.params.values) })
    }
    const made = widenedNode(n, args, dtype)
    raw.set(n, made)
    if (n.op === 'iota')
      return isPacked(dtype) && shape[n.params.axis]! - 1 > countable[dtype] ? settled(made, dtype) : made
    // Without a `get`, a node with several outputs denotes its first.
    const several = typesOf(n).length > 1 && (isPacked(dtype) || dtype === 'f16')
    return finish(n, several ? b.get([made], { index: 0 }) : made, dtype)
  }
  for (const n of topological(graph.outputs)) first.set(n, step(n))
  return (n) => first.get(n)!
}

/**
 * Widens a nested graph. Its arguments and results do not leave the program, so they are wide elements and not words.
 */
const widenInside = (graph: Graph): Graph => {
  const inputs = graph.inputs.map(({ params }) => b.input([], { ...params, dtype: kernelDType(params.dtype) }))
  const leaf = (n: NodeOf<'input'> | NodeOf<'data'>, dtype: PackedDType): Node =>
    n.op === 'input' ? inputs[graph.inputs.indexOf(n)]! : unpacked(wordLeaf(n, dtype), n.params.shape, dtype)
  const wideOf = widenNodes(graph, leaf)
  return { inputs, outputs: graph.outputs.map(wideOf) }
}

/**
 * The same program without packed dtypes. Inputs and outputs of other dtypes stay; n packed elements become `u32[⌈n /
 * elements per word⌉]`. After every operation that can leave the range of the dtype, integers wrap and bf16 is rounded:
 * once for a whole sum or contraction, which accumulates in f32, as f16 does. Returns the graph itself where nothing is
 * to be widened.
 */
export const widen = (graph: Graph): Graph => {
  const order = topological(graph.outputs)
  if (![...graph.inputs, ...order].some(isTouched)) return graph
  const words = new Map<Node, Node>()
  const inputs = graph.inputs.map((n): NodeOf<'input'> => {
    const { dtype } = n.params
    if (!isPacked(dtype)) return n
    const leaf = wordLeaf(n, dtype)
    words.set(n, leaf)
    return leaf as NodeOf<'input'>
  })
  const wideOf = widenNodes(graph, (n, dtype) => {
    const leaf = words.get(n as Node) ?? wordLeaf(n, dtype)
    words.set(n as Node, leaf)
    return unpacked(leaf, n.params.shape, dtype)
  })
  /** The words of a result; a leaf that is only reshaped is packed already. */
  const wordsOf = (n: Node, dtype: PackedDType): Node => {
    let source = n
    while (source.op === 'reshape' || source.op === 'stopGradient') source = source.args[0]!
    return words.get(source) ?? packed(wideOf(n), dtype)
  }
  const outputs = graph.outputs.map((n) => {
    const { dtype } = typeOf(n)
    return isPacked(dtype) ? wordsOf(n, dtype) : wideOf(n)
  })
  return { inputs, outputs }
}

/** `widen` as a pass. It changes the program's signature; all passes before it see the caller's dtypes. */
export const widenPacked: Pass<Graph, Graph> = { name: 'widen', run: (graph) => E.right(widen(graph)) }
