/** A random program: a closed graph with arguments for it, and how it prints when a property fails. */
import { freshInputs } from '../lang/build.ts'
import type { Graph, Node, NodeOf } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { showGraph } from '../lang/print/graph-text.ts'
import { topological } from '../lang/topological.ts'
import { substitute } from '../lang/trace.ts'

/** A well-typed graph and one value for each of its inputs. */
export interface Sample {
  readonly graph: Graph
  readonly inputs: readonly Value[]
}

const showNumber = (x: number): string => (Object.is(x, -0) ? '-0' : `${x}`)

const showData = (data: ArrayLike<number>): string => {
  const shown = Array.from(data).slice(0, 80).map(showNumber).join(', ')
  return `[${shown}${data.length > 80 ? `, … (${data.length})` : ''}]`
}

/**
 * The graph in its text form (which `parseGraph` reads back), and the arguments.
 * @example
 * const { stages } = T.orThrow(T.compile((x) => T.exp(x), [T.spec([1])]))
 * const inputs = [{ shape: [1], dtype: 'f32', data: Float64Array.of(0) }] as const
 * testing.showSample({ graph: stages[0]!.graph, inputs }).split('\n').at(-1) // => '%0 = [0]'
 */
export const showSample = ({ graph, inputs }: Sample): string =>
  [showGraph(graph), ...inputs.map((v, i) => `%${i} = ${showData(v.data)}`)].join('\n')

/** A sample of these outputs, inputs that nothing uses left out. `values` holds the value of every input reached. */
export const sampleOf = (outputs: readonly Node[], values: ReadonlyMap<Node, Value>): Sample => {
  const inputs = topological(outputs).filter((n): n is NodeOf<'input'> => n.op === 'input')
  return { graph: { inputs, outputs }, inputs: inputs.map((n) => values.get(n)!) }
}

/** One fresh input of the type of `value`. */
export const inputFor = (value: Value): NodeOf<'input'> => freshInputs([{ shape: value.shape, dtype: value.dtype }])[0]!

/** Several samples as one program whose outputs are all of theirs, in order. */
export const united = (samples: readonly Sample[]): Sample => {
  // Samples may share interned nodes, but never inputs: each keeps its own values.
  const parts = samples.map(({ graph, inputs }) => {
    const fresh = inputs.map(inputFor)
    return { inputs: fresh, outputs: substitute(graph.outputs, graph.inputs, fresh) }
  })
  return {
    graph: { inputs: parts.flatMap((p) => p.inputs), outputs: parts.flatMap((p) => p.outputs) },
    inputs: samples.flatMap((s) => s.inputs),
  }
}
