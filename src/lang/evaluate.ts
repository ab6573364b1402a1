/** The Graph IR's interpreter on the CPU, in Float64: the meaning of a program, which every later stage must agree with. */
import { typesOf } from './build.ts'
import { sizeOf } from './dim.ts'
import { type HostArray, isFloat, isHalf } from './dtype.ts'
import { type IndexError, invariant, raise, showOperand, TensorloomError } from './errors.ts'
import { indexHint } from './index-hint.ts'
import type { Graph, Node, NodeOf, Op, ParamsOf, TensorType } from './ir.ts'
import { primitives } from './ops/primitive-table.ts'
import type { Evaluate, Primitive, Value } from './primitive.ts'
import { callerOf, siteOf } from './provenance.ts'
import { roundTo } from './scalar-functions.ts'
import { ShapeEq } from './shape.ts'
import { topological } from './topological.ts'

/** How to evaluate. */
export interface EvaluateOptions {
  /**
   * `'f32'` rounds every float result to its dtype, as a device does; default `'f64'` rounds only where a cast says so,
   * and 16-bit floats always: their rounding is part of what a program means.
   */
  readonly precision?: 'f64' | 'f32' | undefined
  /** Is told what `observe` nodes see. */
  readonly observed?: ((node: NodeOf<'observe'>, value: Value) => void) | undefined
  /** Sees (and may replace) the outputs of every node, inputs included: for perturbation and for hunting NaN. */
  readonly after?: ((node: Node, values: readonly HostArray[]) => readonly HostArray[]) | undefined
}

const rounded = (type: TensorType, array: HostArray): HostArray => {
  if (!isFloat(type.dtype)) return array
  const round = roundTo(type.dtype)
  const out = new Float64Array(array.length)
  for (let i = 0; i < out.length; i++) out[i] = round(array[i]!)
  return out
}

const fits = (type: TensorType, v: Value): boolean =>
  v.dtype === type.dtype && ShapeEq.equals(v.shape, type.shape) && v.data.length === sizeOf(v.shape)

/** The inputs' values by input node; raises ArgumentError where they do not fit the graph. */
const bind = (graph: Graph, inputs: readonly Value[]): ReadonlyMap<Node, Value> => {
  if (inputs.length !== graph.inputs.length)
    raise({ tag: 'ArgumentError', path: '', reason: `${graph.inputs.length} inputs expected, got ${inputs.length}` })
  return new Map(
    graph.inputs.map((node, i) => {
      const value = inputs[i]!
      const type = typesOf(node)[0]!
      if (!fits(type, value))
        raise({
          tag: 'ArgumentError',
          path: `[${i}]`,
          reason: `expected ${showOperand(type)}, got ${showOperand(value)} with ${value.data.length} elements`,
        })
      return [node, value]
    }),
  )
}

/** How often each node is used, an output counting once more. */
const countUses = (order: readonly Node[], outputs: readonly Node[]): Map<Node, number> => {
  const uses = new Map<Node, number>()
  for (const n of outputs) uses.set(n, (uses.get(n) ?? 0) + 1)
  for (const n of order) for (const a of n.args) uses.set(a, (uses.get(a) ?? 0) + 1)
  return uses
}

const withTypes = (types: readonly TensorType[], arrays: readonly HostArray[]): readonly Value[] =>
  arrays.map((data, i) => ({ ...types[i]!, data }))

/**
 * The outputs of one operation by its own row, on one value an operand (for `get`: all outputs of its operand).
 * Results of 16-bit floats are rounded.
 */
export const evaluateRow = <K extends Op>(
  op: K,
  xs: readonly Value[],
  params: ParamsOf[K],
  types: readonly TensorType[],
  run: Evaluate = evaluate,
): readonly HostArray[] => {
  const found = (primitives[op] as Primitive<ParamsOf[K]>).eval(xs, params, types, run)
  return found.map((array, i) => (types[i] && isHalf(types[i].dtype) ? rounded(types[i], array) : array))
}

/** One node's outputs from its operands'. `get` sees all outputs of its argument, every other op the first of each. */
const step = (node: Node, operands: readonly (readonly Value[])[], run: Evaluate = evaluate): readonly HostArray[] => {
  try {
    const given = node.op === 'get' ? operands[0]! : operands.map((o) => o[0]!)
    return evaluateRow(node.op, given, node.params, typesOf(node), run)
  } catch (e) {
    return raise(indexedBy(node, e))
  }
}

/** What a row says of an index, in the name of the function that was called, with its line; other errors are thrown as they are. */
const indexedBy = (node: Node, e: unknown): IndexError => {
  if (!(e instanceof TensorloomError) || e.error.tag !== 'IndexError' || e.error.site) throw e
  const site = siteOf(node)
  const op = callerOf(node)
  return { ...e.error, op, hint: indexHint(op, e.error.size), ...(site ? { site } : {}) }
}

/** What an array of the host can be asked to hold. */
const mostElements = 2 ** 31

const tooLarge = (op: string, needed: number): never =>
  raise({
    tag: 'LimitError',
    what: `elements of a ${op} on the interpreter`,
    needed,
    limit: mostElements,
    hint: 'run it on a device, or on smaller shapes',
  })

/**
 * The outputs of `graph` on `inputs` (one value per input, of its very shape and dtype). Floats are computed in Float64;
 * a value is dropped after its last use. Throws the ShapeError of an ill-typed node, ArgumentError for inputs that do not
 * fit, IndexError for an index out of range. The results share no memory with inputs or constants.
 */
export const evaluate = (graph: Graph, inputs: readonly Value[], options: EvaluateOptions = {}): readonly Value[] => {
  const bound = bind(graph, inputs)
  const order = topological(graph.outputs)
  const uses = countUses(order, graph.outputs)
  const values = new Map<Node, readonly Value[]>()
  for (const node of order) {
    const types = typesOf(node)
    for (const { shape } of types) if (sizeOf(shape) > mostElements) tooLarge(node.op, sizeOf(shape))
    const given = bound.get(node)
    invariant(given || node.op !== 'input', 'the graph is not closed: it uses an input that is not its own')
    const exact = given
      ? [given.data]
      : step(
          node,
          node.args.map((a) => values.get(a)!),
          (inner, xs) => evaluate(inner, xs, options),
        )
    const stored = options.precision === 'f32' ? exact.map((a, i) => rounded(types[i]!, a)) : exact
    values.set(node, withTypes(types, options.after ? options.after(node, stored) : stored))
    if (node.op === 'observe') options.observed?.(node, values.get(node)![0]!)
    for (const a of node.args) {
      const left = uses.get(a)! - 1
      uses.set(a, left)
      if (left === 0) values.delete(a)
    }
  }
  return graph.outputs.map((n) => {
    const value = values.get(n)![0]!
    return { ...value, data: value.data.slice() }
  })
}

/** Above this many elements a broadcast or iota is not worth spelling out for a rewrite. */
const foldLimit = 4096

/**
 * The value of a node that is constant at a glance: const, data, iota, and a broadcast of a const; the latter two up to
 * `limit` elements. Looks no deeper; undefined for everything else.
 */
export const constantValue = (node: Node, limit: number = foldLimit): Value | undefined => {
  if (node.type._tag === 'Left') return undefined
  const type = node.type.right[0]!
  if (node.op === 'const' || node.op === 'data') return { ...type, data: step(node, [])[0]! }
  if (sizeOf(type.shape) > limit) return undefined
  if (node.op === 'iota') return { ...type, data: step(node, [])[0]! }
  const below = node.op === 'broadcast' ? node.args[0]! : undefined
  if (below?.op !== 'const') return undefined
  return { ...type, data: step(node, [withTypes(typesOf(below), step(below, []))])[0]! }
}
