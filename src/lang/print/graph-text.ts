/** The text form of graphs: one node a line, in an order that only the structure decides. `parse.ts` reads it back. */
import * as E from '#fp/Either'
import { showError, showOperand } from '../errors.ts'
import { type Graph, isGraph, type Node, type TensorType } from '../ir.ts'
import { demandRecord, type OptionNames } from '../tensor/arguments.ts'
import { topological } from '../topological.ts'
import { quoted } from '../visible-text.ts'

/** How to print a graph. */
export interface ShowGraphOptions {
  /** Large constants as `<n values>` and users' WGSL as `<n characters>`: shorter, but not readable back. */
  readonly elide?: boolean | undefined
}

const showGraphOptions: OptionNames<ShowGraphOptions> = { elide: 'boolean' }

const showNumber = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

/** Serialisable data: `[…]`, `{key: …}`, "text", numbers with NaN, ±Infinity and -0. */
const showData = (v: unknown, elide: boolean): string => {
  if (typeof v === 'number') return showNumber(v)
  if (typeof v === 'string') return elide && v.length > 40 ? `<${v.length} characters>` : quoted(v)
  if (Array.isArray(v)) return `[${v.map((x) => showData(x, elide)).join(', ')}]`
  if (typeof v === 'object' && v !== null) {
    if ('serial' in v && 'array' in v) {
      const array = v.array as ArrayLike<number>
      return elide ? `<${array.length} values>` : showData(Array.from(array), elide)
    }
    // A graph inside a line is one line: its statements end with semicolons.
    if (isGraph(v)) {
      const [head, ...rest] = linesOf(v, elide)
      return `${head} ${rest
        .slice(0, -1)
        .map((l) => l.trim())
        .join('; ')} }`
    }
    const fields = Object.entries(v).map(([k, x]) => `${k}: ${showData(x, elide)}`)
    return `{${fields.join(', ')}}`
  }
  return String(v)
}

const showTypes = (types: readonly TensorType[]): string => {
  const texts = types.map(showOperand)
  return texts.length === 1 ? texts[0]! : `(${texts.join(', ')})`
}

const showNodeType = (n: Node): string =>
  E.isLeft(n.type) ? `error ${quoted(showError(n.type.left))}` : showTypes(n.type.right)

/** The names `showGraph` gives: inputs in order, then nodes as they come. */
export const nameNodes = (graph: Graph): ReadonlyMap<Node, string> => {
  const names = new Map<Node, string>(graph.inputs.map((n, i) => [n, `%${i}`]))
  for (const n of topological(graph.outputs)) if (!names.has(n)) names.set(n, `%${names.size}`)
  return names
}

/**
 * A graph as text:
 *
 *     graph(%0: f32[2, 3], %1: f32[3]) {
 *       %2 = broadcast(%1) {shape: [2, 3], axes: [0]}: f32[2, 3]
 *       %3 = add(%0, %2): f32[2, 3]
 *       return %3
 *     }
 *
 * @example
 * const { stages } = T.orThrow(T.compile((x) => T.exp(x), [T.spec([2])]))
 * const text = 'graph(%0: f32[2]) {\n  %1 = exp(%0): f32[2]\n  return %1\n}'
 * T.showGraph(stages[0]!.graph) === text // => true
 */
export const showGraph = (graph: Graph, options: ShowGraphOptions = {}): string => {
  demandRecord('showGraph', showGraphOptions, options)
  return linesOf(graph, options.elide ?? false).join('\n')
}

const linesOf = (graph: Graph, elide: boolean): readonly string[] => {
  const names = nameNodes(graph)
  const inputs = new Set<Node>(graph.inputs)
  const lines: string[] = []
  for (const n of topological(graph.outputs)) {
    if (inputs.has(n)) continue
    const args = n.args.map((a) => names.get(a)!).join(', ')
    const params = Object.keys(n.params).length === 0 ? '' : ` ${showData(n.params, elide)}`
    lines.push(`  ${names.get(n)} = ${n.op}(${args})${params}: ${showNodeType(n)}`)
  }
  const header = graph.inputs.map((n) => `${names.get(n)}: ${showOperand(n.params)}`).join(', ')
  const result = graph.outputs.map((n) => names.get(n)!).join(', ')
  return [`graph(${header}) {`, ...lines, result === '' ? '  return' : `  return ${result}`, '}']
}
