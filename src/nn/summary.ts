/** What a model is made of: its parameters by their paths, and what one call of it computes. */
import { typesOf } from '../lang/build.ts'
import { sizeOf } from '../lang/dim.ts'
import { byteSize, type DType } from '../lang/dtype.ts'
import { columnsText } from '../lang/print/columns.ts'
import { printing } from '../lang/print/printing.ts'
import { demandFunction } from '../lang/tensor/arguments.ts'
import { hasType, traceTree } from '../lang/trace.ts'
import { flattenTree } from '../lang/tree.ts'
import { flopsOf, flopsTaking } from './summary-flops.ts'

/** One parameter. */
export interface SummaryRow {
  readonly path: string
  readonly shape: readonly number[]
  readonly dtype: DType
  /** How many numbers it has. */
  readonly count: number
  readonly bytes: number
  /** Floating-point operations of what takes it, moved or cast: those of its product or convolution, and of its bias. */
  readonly flops: number
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

const grouped = (n: number): string => n.toLocaleString('en-US')

const shown = (shape: readonly number[]): string => `[${shape.join(', ')}]`

const textOf = ({ rows, count, bytes, flops, outputs }: Omit<Summary, 'text'>): string => {
  const head = ['parameter', 'shape', 'dtype', 'numbers', 'bytes', 'flops']
  const body = rows.map((r) => {
    const numbers = [r.count, r.bytes, r.flops].map(grouped)
    return [r.path || '(itself)', shown(r.shape), r.dtype, ...numbers]
  })
  return [
    columnsText([head, ...body, ['in all', '', '', grouped(count), grouped(bytes), '']], [3, 4, 5]),
    ...outputs.map(({ path, shape, dtype }) => `result${path === '' ? '' : ` ${path}`}: ${dtype}${shown(shape)}`),
    `flops of one call: ${grouped(flops)}`,
  ].join('\n')
}

const printedSummary = printing<Summary>(({ text }) => text)

/**
 * What a model is made of: the parameters of `f(params, …inputs)` by their paths, with shapes, numbers and bytes, what it
 * gives, and the floating-point operations of one call, of each parameter's own and of all (activations are no parameter's),
 * counted on its graph before anything is simplified. Nothing is computed: parameters and inputs may be specs (`T.spec`). UsageError where `f` is no function, or gives no tensors.
 * @example
 * const model = nn.sequential(nn.dense(3, 2), nn.relu)
 * const { rows, count, bytes, flops, outputs, text } = nn.summary(model.apply, model.init(random.key(0)), T.spec([5, 3]))
 * [count, bytes, flops, outputs[0]!.shape] // => [8, 32, 70, [5, 2]]
 * rows.map(({ path, shape, flops }) => [path, shape, flops]) // => [['[0].bias', [2], 10], ['[0].weight', [2, 3], 60]]
 * text.split('\n')[0] // => 'parameter   shape   dtype  numbers  bytes  flops'
 */
export const summary = (f: (...args: never[]) => unknown, params: unknown, ...inputs: readonly unknown[]): Summary => {
  demandFunction('nn.summary', 'the first argument', f, 'parameters and inputs, which is called once')
  const { leaves, paths } = flattenTree(params, hasType, 'the parameters')
  const traced = traceTree(f, [params, ...inputs])
  const taking = flopsTaking(traced.graph)
  const rows = leaves.map(({ shape, dtype }, i): SummaryRow => {
    const count = sizeOf(shape)
    return { path: paths[i]!, shape, dtype, count, bytes: count * byteSize(dtype), flops: taking[i]! }
  })
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
