/** What a model is made of: its parameters by their paths, and what one call of it computes. */
import { typeOf, typesOf } from '../lang/build.ts'
import { sizeOf } from '../lang/dim.ts'
import { byteSize, type DType, isFloat } from '../lang/dtype.ts'
import { binaryOps, type Graph, type Node, type NodeOf, unaryOps } from '../lang/ir.ts'
import { columnsText } from '../lang/print/columns.ts'
import { printing } from '../lang/print/printing.ts'
import { demandFunction } from '../lang/tensor/arguments.ts'
import { topological } from '../lang/topological.ts'
import { hasType, traceTree } from '../lang/trace.ts'
import { flattenTree } from '../lang/tree.ts'

/** One parameter. */
export interface SummaryRow {
  readonly path: string
  readonly shape: readonly number[]
  readonly dtype: DType
  /** How many numbers it has. */
  readonly count: number
  readonly bytes: number
}

/** What a model is made of, as data and as a table. */
export interface Summary {
  readonly rows: readonly SummaryRow[]
  /** Numbers in all parameters, and their bytes. */
  readonly count: number
  readonly bytes: number
  /** Floating-point operations of one call: a product and its addition count as two, a function such as exp as one, a comparison or a choice as none. */
  readonly flops: number
  /** The results by their paths. */
  readonly outputs: readonly { readonly path: string; readonly shape: readonly number[]; readonly dtype: DType }[]
  /** All of it as a table. */
  readonly text: string
}

/** What chooses, compares and tests costs nothing, as in the predictions of plans. */
const free: ReadonlySet<string> = new Set(['not', 'isNan', 'isInf', 'eq', 'lt', 'le', 'and', 'or', 'xor'])

const pointwise: ReadonlySet<string> = new Set([...unaryOps, ...binaryOps].filter((op) => !free.has(op)))

/** What takes each element of its last operand once. */
const summing: ReadonlySet<string> = new Set(['reduce', 'cumulate', 'fold', 'scatterAdd'])

/** Operations of the graphs that a node holds: of a branch that has the most of them, of one turn of a loop without a number. */
const flopsWithin = (n: Node): number => {
  switch (n.op) {
    case 'scan':
      return n.params.length * flopsOf(n.params.body)
    case 'while':
      return flopsOf(n.params.condition) + flopsOf(n.params.body)
    case 'cond':
      return Math.max(...n.params.branches.map(flopsOf))
    case 'customCall':
      return flopsOf(n.params.call)
    case 'customLinear':
      return flopsOf(n.params.backward)
    default:
      return 0
  }
}

/** Size of the loop that a contraction is: one axis for each label. */
const contracted = (n: NodeOf<'dot'>): number => {
  const labelled = [n.params.lhs, n.params.rhs].flatMap((labels, i) =>
    labels.map((label, axis) => [label, typeOf(n.args[i]!).shape[axis]!] as const),
  )
  return sizeOf([...new Map(labelled).values()])
}

/** Floating-point operations of one node. */
const flopsAt = (n: Node): number => {
  const types = [n, ...n.args].map(typeOf)
  if (!types.some(({ dtype }) => isFloat(dtype))) return 0
  if (n.op === 'dot') return 2 * contracted(n)
  if (pointwise.has(n.op)) return sizeOf(types[0]!.shape)
  if (summing.has(n.op)) return sizeOf(types.at(-1)!.shape)
  return flopsWithin(n)
}

const flopsOf = ({ outputs }: Graph): number => topological(outputs).reduce((sum, n) => sum + flopsAt(n), 0)

const grouped = (n: number): string => n.toLocaleString('en-US')

const shown = (shape: readonly number[]): string => `[${shape.join(', ')}]`

const textOf = ({ rows, count, bytes, flops, outputs }: Omit<Summary, 'text'>): string => {
  const head = ['parameter', 'shape', 'dtype', 'numbers', 'bytes']
  const body = rows.map((r) => [r.path || '(itself)', shown(r.shape), r.dtype, grouped(r.count), grouped(r.bytes)])
  return [
    columnsText([head, ...body, ['in all', '', '', grouped(count), grouped(bytes)]], [3, 4]),
    ...outputs.map(({ path, shape, dtype }) => `result${path === '' ? '' : ` ${path}`}: ${dtype}${shown(shape)}`),
    `flops of one call: ${grouped(flops)}`,
  ].join('\n')
}

const printedSummary = printing<Summary>(({ text }) => text)

/**
 * What a model is made of: the parameters of `f(params, …inputs)` by their paths, with shapes, numbers and bytes, what it
 * gives, and the floating-point operations of one call, counted on its graph before anything is simplified. Nothing is
 * computed: parameters and inputs may be specs (`T.spec`). UsageError where `f` is no function, or gives no tensors.
 * @example
 * const model = nn.sequential(nn.dense(3, 2), nn.relu)
 * const { rows, count, bytes, flops, outputs, text } = nn.summary(model.apply, model.init(random.key(0)), T.spec([5, 3]))
 * [count, bytes, flops, outputs[0]!.shape] // => [8, 32, 70, [5, 2]]
 * rows.map(({ path, shape }) => [path, shape]) // => [['[0].bias', [2]], ['[0].weight', [2, 3]]]
 * text.split('\n')[0] // => 'parameter   shape   dtype  numbers  bytes'
 */
export const summary = (f: (...args: never[]) => unknown, params: unknown, ...inputs: readonly unknown[]): Summary => {
  demandFunction('nn.summary', 'the first argument', f, 'parameters and inputs, which is called once')
  const { leaves, paths } = flattenTree(params, hasType, 'the parameters')
  const rows = leaves.map(({ shape, dtype }, i): SummaryRow => {
    const count = sizeOf(shape)
    return { path: paths[i]!, shape, dtype, count, bytes: count * byteSize(dtype) }
  })
  const traced = traceTree(f, [params, ...inputs])
  const results = traced.graph.outputs.flatMap((n) => typesOf(n).slice(0, 1))
  const made = {
    rows,
    count: rows.reduce((sum, row) => sum + row.count, 0),
    bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
    flops: flopsOf(traced.graph),
    outputs: results.map(({ shape, dtype }, i) => ({ path: traced.outputPaths[i]!, shape, dtype })),
  }
  return printedSummary({ ...made, text: textOf(made) })
}
