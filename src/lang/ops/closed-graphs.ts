/** What the rows that hold closed graphs share: checking operands against a graph, its outputs as nodes, its tangents inside. */
import { showOperand } from '../errors.ts'
import type { Build, Graph, Node, TensorType } from '../ir.ts'
import type { GraphKit, JvpWalk, Linear } from '../primitive.ts'
import { operandType, refuse } from './operand-checks.ts'
import { stack, zeros } from './rule-parts.ts'

export const isSome = (n: Linear): n is Node => n !== undefined

/** All outputs of a node of `count` outputs. */
export const outputsOf = (b: Build, n: Node, count: number): readonly Node[] =>
  count === 1 ? [n] : Array.from({ length: count }, (_, index) => b.get([n], { index }))

/** Why operands of these types are not what a graph takes, or undefined. */
export const wrongOperands = (xs: readonly TensorType[], { inputs }: Graph): ReturnType<typeof refuse> | undefined => {
  if (xs.length !== inputs.length) return refuse(`takes ${inputs.length} operands, got ${xs.length}`)
  const at = inputs.findIndex(({ params }, i) => showOperand(params) !== showOperand(xs[i]!))
  return at < 0 ? undefined : refuse(`operand ${at} is ${showOperand(xs[at]!)}, not ${showOperand(inputs[at]!.params)}`)
}

/** Outputs that all have the batch axis. */
export const withAxis = (
  b: Build,
  outputs: readonly Node[],
  batched: readonly boolean[],
  size: number,
): readonly Node[] => outputs.map((n, i) => (batched[i] ? n : stack(b, n, size)))

/** A graph opened on fresh inputs, with the tangents of its outputs along `moved`, fresh too. */
export interface Opened {
  readonly inputs: readonly Node[]
  readonly moved: readonly Node[]
  readonly outputs: readonly Node[]
  readonly tangents: readonly Linear[]
}

/** Opens `graph`; its inputs have a tangent where `active` says so. */
export const openTangents = (kit: GraphKit, walk: JvpWalk, graph: Graph, active: readonly boolean[]): Opened => {
  const types = graph.inputs.map((n) => n.params)
  const [inputs, moved] = [kit.fresh(types), kit.fresh(types)]
  const outputs = kit.instantiate(graph, inputs)
  const given = moved.map((t, i) => (active[i] ? t : undefined))
  return { inputs, moved, outputs, tangents: walk({ inputs, outputs }, given) }
}

/**
 * The same for the body of a loop whose first `carries` inputs and outputs are carried: a carry has a tangent also where
 * the body gives it one. Says which inputs have.
 */
export const openLoop = (
  kit: GraphKit,
  walk: JvpWalk,
  body: Graph,
  carries: number,
  given: readonly boolean[],
): { readonly opened: Opened; readonly active: readonly boolean[] } => {
  let active = given
  for (;;) {
    const opened = openTangents(kit, walk, body, active)
    const next = active.map((a, i) => a || (i < carries && opened.tangents[i] !== undefined))
    if (next.every((a, i) => a === active[i])) return { opened, active }
    active = next
  }
}

/** A tangent, or zeros of the type of `like`. */
export const orZeros = (b: Build, t: Linear, like: Node): Node => t ?? zeros(b, operandType(like))

/** Those of `xs` for which the flag is set. */
export const chosen = <T>(xs: readonly T[], flags: readonly boolean[]): readonly T[] => xs.filter((_, i) => flags[i])
