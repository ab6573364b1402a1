/**
 * Batching: a graph on many examples at once, one row of the primitive table a node. The new axis is axis 0 everywhere.
 */
import * as E from '#fp/Either'
import { build, freshInputs } from '../../src/lang/build.ts'
import type { Dim } from '../../src/lang/dim.ts'
import { invariant } from '../../src/lang/errors.ts'
import type { Graph, Node } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import type { BatchedGraph, BatchWalk, Primitive } from '../../src/lang/primitive.ts'
import { inPlaceOf } from '../../src/lang/provenance.ts'
import { dependents, graphKit, rebuild } from '../../src/lang/trace.ts'

/** Nodes, and which of them carry the batch axis; one that does not is the same for every example. */
export interface BatchedNodes {
  readonly outputs: readonly Node[]
  readonly batched: readonly boolean[]
}

/** The replacement of a node: all outputs with the batch axis, or an unbatched node, the same for every example. */
type Batched = { readonly outputs: readonly Node[] } | { readonly shared: Node }

/**
 * The outputs of `graph` on `args`, one an input: where `batched`, an argument has the input's type behind an axis 0 of
 * `size`. Whatever depends on no batched argument is computed once. Ill-typed nodes stay as they are.
 */
export const batchOnto = (
  graph: Graph,
  args: readonly Node[],
  batched: readonly boolean[],
  size: Dim,
): BatchedNodes => {
  const places = new Map<Node, Batched>(
    graph.inputs.map((n, i) => [n, batched[i] ? { outputs: [args[i]!] } : { shared: args[i]! }]),
  )
  const firstOf = (n: Node): Node => {
    const place = places.get(n)
    if (place === undefined) return n
    return 'shared' in place ? place.shared : place.outputs[0]!
  }
  const isBatched = (n: Node): boolean => 'outputs' in (places.get(n) ?? {})
  const batchNode = (n: Node): Batched => {
    if (E.isLeft(n.type)) return { shared: n }
    if (!n.args.some(isBatched)) return { shared: rebuild(n, n.args.map(firstOf)) }
    // What a barrier waits for may be batched where what it passes on is not: that stays one for all examples.
    if (n.op === 'barrier' && !isBatched(n.args[0]!)) return { shared: rebuild(n, n.args.map(firstOf)) }
    const row = primitives[n.op] as Primitive<unknown>
    const source = n.op === 'get' ? places.get(n.args[0]!) : undefined
    const operands = source && 'outputs' in source ? source.outputs : n.args.map(firstOf)
    const flags = source ? operands.map(() => true) : n.args.map(isBatched)
    const outputs = inPlaceOf(n, () =>
      row.batch({
        b: build,
        args: operands,
        batched: flags,
        size,
        params: n.params,
        kit: graphKit,
        walk: batchGraph,
      }),
    )
    invariant(outputs.length === n.type.right.length, `batching ${n.op} gives ${outputs.length} outputs`)
    return { outputs }
  }
  for (const n of dependents(graph.outputs, graph.inputs)) if (!places.has(n)) places.set(n, batchNode(n))
  return { outputs: graph.outputs.map(firstOf), batched: graph.outputs.map(isBatched) }
}

/**
 * `graph` for `size` examples at once: the inputs listed in `batched` get a new axis 0 of that size, the others stay.
 * Says which outputs depend on a batched input and so have the axis; the others are what they were.
 */
export const batchGraph: BatchWalk = (graph, batched, size): BatchedGraph => {
  const inputs = freshInputs(
    graph.inputs.map(({ params: { shape, dtype } }, i) => ({ shape: batched[i] ? [size, ...shape] : shape, dtype })),
  )
  const found = batchOnto(graph, inputs, batched, size)
  return { graph: { inputs, outputs: found.outputs }, batched: found.batched }
}
