/** Functions of one call as closed graphs over common captures: what nodes that hold several graphs are made from. */
import type { Graph, Node, TensorType } from './ir.ts'
import { closeGraph, trace } from './trace.ts'
import { type Flattened, flattenResult, type TreeShape, unflattenTree } from './tree.ts'
import { nodeOf, type Tensor } from './types/tensor.ts'

/** A function run on fresh inputs: its open graph and the tree it returned. */
export interface Part {
  readonly graph: Graph
  readonly result: Flattened<Tensor>
}

/** Runs `f` on trees of fresh inputs, one an element of `shapes`; `types` are those of all leaves in order. */
export const tracePart = (
  f: (...trees: readonly unknown[]) => unknown,
  shapes: readonly { readonly shape: TreeShape; readonly count: number }[],
  types: readonly TensorType[],
): Part => {
  const found: { result?: Flattened<Tensor> } = {}
  const graph = trace((inputs) => {
    let next = 0
    const trees = shapes.map(({ shape, count }) => unflattenTree(shape, inputs.slice(next, (next += count))))
    found.result = flattenResult(f(...trees))
    return found.result.leaves.map(nodeOf)
  }, types)
  return { graph, result: found.result! }
}

/** Nodes of one closed graph that holds all parts: inputs and outputs of each, and the inputs that stand for captures. */
export interface ClosedParts {
  readonly parts: readonly Graph[]
  readonly captures: Graph['inputs']
  /** The outer nodes captured, in the same order. */
  readonly captured: readonly Node[]
}

/** Closes several graphs over one list of captured nodes. */
export const closeParts = (open: readonly Graph[]): ClosedParts => {
  const { graph, captured } = closeGraph({
    inputs: open.flatMap((g) => g.inputs),
    outputs: open.flatMap((g) => g.outputs),
  })
  let [input, output] = [0, 0]
  const parts = open.map((g) => ({
    inputs: graph.inputs.slice(input, (input += g.inputs.length)),
    outputs: graph.outputs.slice(output, (output += g.outputs.length)),
  }))
  return { parts, captures: graph.inputs.slice(input), captured }
}
