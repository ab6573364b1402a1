/**
 * The end of packed dtypes: a graph of bf16, i8 and u8 becomes one of f32, i32 and u32 whose arguments and results are
 * words, so that fusion and kernels know nothing of them while memory holds one or two bytes an element.
 */
import { build as b, constant, typeOf, typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { allocate, type DType, isFloat, isPacked, kernelDType, type PackedDType } from '../../src/lang/dtype.ts'
import type { Graph, Node, NodeOf, Op } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/order.ts'
import { packWords, wordCount } from '../../src/lang/pack.ts'
import { roundTo } from '../../src/lang/special.ts'
import { rebuild } from '../../src/lang/trace.ts'
import { packed, saturated, settled, unpacked } from './packing.ts'

/** Operations whose results are settled where their operands are: they move elements, choose one, or cannot leave the range. */
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
  'select',
  'stopGradient',
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
  (n.op === 'reduce' && choosing.has(n.params.monoid))

/** A converted number of the wide dtype, from one of the dtype `from` held in its wide dtype. */
const converted = (n: Node, from: DType, to: PackedDType): Node => {
  const wide = b.cast([n], { dtype: kernelDType(to) })
  if (from === 'bool' || from === to) return wide
  if (to === 'bf16') return from === 'i8' || from === 'u8' ? wide : settled(wide, to)
  return isFloat(from) ? saturated(wide, to) : settled(wide, to)
}

/** Counts beyond what the packed dtype holds exactly wrap or are rounded. */
const countable: Readonly<Record<PackedDType, number>> = { bf16: 2 ** 8, i8: 127, u8: 255 }

const stored = (dtype: PackedDType, values: ArrayLike<number>): readonly number[] => {
  const out = allocate(dtype, values.length)
  out.set(values)
  return Array.from(out, roundTo(dtype))
}

/** The leaf that holds the words of an argument or a large constant. */
const wordLeaf = (n: NodeOf<'input'> | NodeOf<'data'>, dtype: PackedDType): Node => {
  const type = { shape: [wordCount(dtype, sizeOf(n.params.shape))], dtype: 'u32' } as const
  return n.op === 'input'
    ? b.input([], { ...n.params, ...type })
    : constant(type, packWords(dtype, n.params.payload.array))
}

/** What stands for one output of a node whose operands are `args`, before it is settled. */
const widened = (n: Node, args: readonly Node[]): Node => {
  switch (n.op) {
    case 'bitcast':
      return b.bitcast(args, { dtype: kernelDType(n.params.dtype) })
    case 'iota':
      return b.iota([], { ...n.params, dtype: kernelDType(n.params.dtype) })
    case 'pad':
      return b.pad(args, { ...n.params, value: roundTo(typeOf(n).dtype)(n.params.value) })
    default:
      return rebuild(n, args)
  }
}

/**
 * The same program without packed dtypes: equal inputs and outputs where those have none, `u32[⌈n / elements a word⌉]` in
 * the place of n packed elements. Results are settled after every operation that can leave what the dtype holds: integers
 * wrap, bf16 is rounded, once for a whole sum or contraction, which adds up in f32. The graph itself where nothing is packed.
 */
export const widen = (graph: Graph): Graph => {
  const order = topological(graph.outputs)
  const isTouched = (n: Node): boolean => typesOf(n).some((t) => isPacked(t.dtype))
  if (![...graph.inputs, ...order].some(isTouched)) return graph
  const words = new Map<Node, Node>()
  const inputs = graph.inputs.map((n): NodeOf<'input'> => {
    const { dtype } = n.params
    if (!isPacked(dtype)) return n
    const leaf = wordLeaf(n, dtype) as NodeOf<'input'>
    words.set(n, leaf as Node)
    return leaf
  })
  /** Nodes as they are made, of several outputs too; and their first output, settled. */
  const raw = new Map<Node, Node>()
  const first = new Map<Node, Node>()
  const finish = (n: Node, made: Node, type: DType): Node =>
    isPacked(type) && !isSettled(n, type) ? settled(made, type) : made
  const step = (n: Node): Node => {
    const { shape, dtype } = typeOf(n)
    const args = n.args.map((a) => first.get(a)!)
    if (n.op === 'get') return finish(n.args[0]!, b.get([raw.get(n.args[0]!)!], n.params), dtype)
    if (n.op === 'cast')
      return isPacked(dtype) ? converted(args[0]!, typeOf(n.args[0]!).dtype, dtype) : b.cast(args, { dtype })
    if (!isPacked(dtype) || n.op === 'bitcast') {
      const made = widened(n, args)
      raw.set(n, made)
      return finish(n, made, dtype)
    }
    if (n.op === 'input' || n.op === 'data') {
      const leaf = words.get(n) ?? wordLeaf(n, dtype)
      words.set(n, leaf)
      return unpacked(leaf, shape, dtype)
    }
    if (n.op === 'const')
      return b.const([], { shape, dtype: kernelDType(dtype), values: stored(dtype, n.params.values) })
    const made = widened(n, args)
    raw.set(n, made)
    if (n.op === 'iota') return shape[n.params.axis]! - 1 > countable[dtype] ? settled(made, dtype) : made
    return finish(n, typesOf(n).length > 1 ? b.get([made], { index: 0 }) : made, dtype)
  }
  for (const n of order) first.set(n, step(n))
  /** The words of a result: those of a leaf that only changes its shape are there already. */
  const wordsOf = (n: Node, dtype: PackedDType): Node => {
    let source = n
    while (source.op === 'reshape' || source.op === 'stopGradient') source = source.args[0]!
    return words.get(source) ?? packed(first.get(n)!, dtype)
  }
  const outputs = graph.outputs.map((n) => {
    const { dtype } = typeOf(n)
    return isPacked(dtype) ? wordsOf(n, dtype) : first.get(n)!
  })
  return { inputs, outputs }
}
