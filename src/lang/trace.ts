/**
 * Tracing: running a user's function once on fresh input nodes to get its graph, closing such a graph over what it
 * captures, and putting a graph back on real arguments. Fresh inputs, because nodes are interned: on the argument nodes
 * themselves `grad(w => w*x)(x)` would be the derivative of `x*x`.
 */
import * as E from '#fp/Either'
import { inheritPath, notePath } from './argument-paths.ts'
import { build, freshInputs, make, typeOf } from './build.ts'
import { invariant, raise } from './errors.ts'
import type { Graph, Node, NodeOf, TensorType } from './ir.ts'
import type { GraphKit } from './primitive.ts'
import { inheritSite } from './provenance.ts'
import { showShape } from './shape.ts'
import { isPromise } from './strangers.ts'
import { topological } from './topological.ts'
import { flattenResult, flattenTree, isTensor, type TreeShape, unflattenTree } from './tree.ts'
import { nodeOf } from './types/tensor.ts'
import { useNodes } from './unused-conditions.ts'

/** A graph without free inputs, and the outer nodes that its last inputs stand for. */
export interface Closed {
  readonly graph: Graph
  readonly captured: readonly Node[]
}

/** A traced function of trees: its open graph, and how arguments and result are taken apart. */
export interface TracedTree {
  readonly graph: Graph
  readonly inputs: TreeShape
  readonly inputPaths: readonly string[]
  readonly outputs: TreeShape
  readonly outputPaths: readonly string[]
}

/**
 * The nodes under `roots` that depend on `inputs`, each after its arguments, the inputs that are reached included.
 * Ids grow with construction, so nothing older than the oldest input is looked at: the cost is that of the part built
 * since, not of the whole program around it.
 */
export const dependents = (roots: readonly Node[], inputs: readonly Node[]): readonly Node[] => {
  const order: Node[] = []
  if (inputs.length === 0) return order
  const floor = inputs.reduce((least, n) => Math.min(least, n.id), Number.POSITIVE_INFINITY)
  const depends = new Map<Node, boolean>(inputs.map((n) => [n, true]))
  const reached = new Set<Node>()
  const started = new Set<Node>()
  const stack: Node[] = []
  const next: number[] = []
  const enter = (n: Node): void => {
    if (n.id < floor || started.has(n)) return
    started.add(n)
    stack.push(n)
    next.push(0)
  }
  for (const root of roots) {
    enter(root)
    while (stack.length > 0) {
      const top = stack.length - 1
      const node = stack[top]!
      const known = depends.get(node) === true
      if (!known && next[top]! < node.args.length) {
        enter(node.args[next[top]!++]!)
        continue
      }
      stack.pop()
      next.pop()
      if (known || node.args.some((a) => depends.get(a) === true)) {
        depends.set(node, true)
        if (!reached.has(node)) order.push(node)
        reached.add(node)
      }
    }
  }
  return order
}

/** `n` on other arguments; `n` itself when they are the same, or when it is ill-typed (each mistake keeps its own site). */
export const rebuild = (n: Node, args: readonly Node[]): Node =>
  E.isLeft(n.type) || args.every((a, i) => a === n.args[i]) ? n : inheritSite(make(n.op, args, n.params as never), n)

/** `outputs` with the nodes `from` replaced by `to`, all at once. Ill-typed nodes stay as they are. */
export const substitute = (outputs: readonly Node[], from: readonly Node[], to: readonly Node[]): readonly Node[] => {
  const memo = new Map<Node, Node>(from.map((n, i) => [n, to[i]!]))
  for (const n of dependents(outputs, from)) {
    if (!memo.has(n))
      memo.set(
        n,
        rebuild(
          n,
          n.args.map((a) => memo.get(a) ?? a),
        ),
      )
  }
  return outputs.map((n) => memo.get(n) ?? n)
}

/** The outputs of `graph` on `args`, one node an input and of its type. */
export const instantiate = (graph: Graph, args: readonly Node[]): readonly Node[] => {
  invariant(args.length === graph.inputs.length, `${args.length} arguments for ${graph.inputs.length} inputs`)
  for (const [i, { params }] of graph.inputs.entries()) {
    const { shape, dtype } = typeOf(args[i]!)
    const same = dtype === params.dtype && showShape(shape) === showShape(params.shape)
    invariant(same, `argument ${i} is ${dtype}${showShape(shape)}, the input ${params.dtype}${showShape(params.shape)}`)
  }
  return substitute(graph.outputs, graph.inputs, args)
}

/**
 * The graph of `f` on fresh inputs of the given types. It is open: outer nodes that `f` captures stay in it as they are,
 * which is what differentiation wants (they are constants to it). `closeGraph` closes it. Errors call an input by the
 * argument that it stands for.
 */
export const trace = (
  f: (inputs: readonly Node[]) => readonly Node[],
  types: readonly TensorType[],
  standsFor: readonly Node[] = [],
): Graph => {
  const inputs = freshInputs(types)
  for (const [i, from] of standsFor.entries()) inheritPath(inputs[i]!, from)
  const outputs = f(inputs)
  useNodes(outputs)
  return { inputs, outputs }
}

const canonicalInput = ({ shape, dtype }: TensorType, index: number): NodeOf<'input'> =>
  build.input([], { trace: 0, index, shape, dtype })

/**
 * Closes a graph: the largest nodes that depend on outer inputs and not on its own become further inputs, `captured` in
 * order, so that a loop's body does not compute them again. All inputs are renumbered by position under trace 0, so
 * equal functions give equal graphs; only `instantiate` may bring such inputs into another graph.
 */
export const closeGraph = (open: Graph): Closed => {
  const own = new Set<Node>(dependents(open.outputs, open.inputs))
  const free = new Set<Node>()
  const captured = new Set<Node>()
  const capture = (n: Node): void => {
    if (free.has(n) && !own.has(n) && E.isRight(n.type)) captured.add(n)
  }
  for (const n of topological(open.outputs)) {
    const isFree = !own.has(n) && (n.op === 'input' || n.args.some((a) => free.has(a)))
    if (isFree) free.add(n)
    if (own.has(n)) n.args.forEach(capture)
  }
  open.outputs.forEach(capture)
  const outer = [...captured]
  const types = [...open.inputs.map((n) => n.params), ...outer.map(typeOf)]
  const inputs = types.map(canonicalInput)
  const outputs = substitute(open.outputs, [...open.inputs, ...outer], inputs)
  return { graph: { inputs, outputs }, captured: outer }
}

/** The closed form of a graph that uses nothing but its inputs. */
const close = (graph: Graph): Graph => {
  const closed = closeGraph(graph)
  invariant(closed.captured.length === 0, 'a graph inside a primitive uses a node from outside')
  return closed.graph
}

/** What the rules of control flow do with the graphs they hold. */
export const graphKit: GraphKit = { fresh: freshInputs, instantiate, close, substitute, dependents }

/** True for tensors, and for specs and handles, which say the type of one. */
export const hasType = (x: unknown): x is TensorType =>
  isTensor(x) ||
  (typeof x === 'object' &&
    x !== null &&
    'shape' in x &&
    Array.isArray(x.shape) &&
    'dtype' in x &&
    typeof x.dtype === 'string')

/**
 * Traces `f` on fresh inputs for every leaf of its arguments (tensors, or specs with a shape and a dtype) and flattens
 * what it returns. UsageError when the result is not a tree of tensors.
 */
export const traceTree = (f: (...args: never[]) => unknown, args: readonly unknown[]): TracedTree => {
  const given = flattenTree(args, hasType)
  const fresh = freshInputs(given.leaves.map(({ shape, dtype }) => ({ shape, dtype })))
  for (const [i, n] of fresh.entries()) notePath(n, given.paths[i]!)
  const returned = f(...(unflattenTree(given.shape, fresh) as never[]))
  if (isPromise(returned))
    raise({
      tag: 'UsageError',
      message:
        'the function is async, or returns a promise: it is called once, to see what it computes, and nothing waits for it',
      hint: 'await data before, and give them to the program as arguments',
    })
  const result = flattenResult(returned)
  const outputs = result.leaves.map(nodeOf)
  useNodes(outputs)
  return {
    graph: { inputs: fresh, outputs },
    inputs: given.shape,
    inputPaths: given.paths,
    outputs: result.shape,
    outputPaths: result.paths,
  }
}
