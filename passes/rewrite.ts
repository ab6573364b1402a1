/**
 * Rewriting: one memoised bottom-up walk over a graph that applies named rules until none matches. Iterative, and
 * linear in the size of the graph: every node is normalised once. Dead nodes are not reached and thus eliminated.
 */
import * as E from '#fp/Either'
import { build } from '../src/lang/build.ts'
import { invariant } from '../src/lang/errors.ts'
import type { Build, Graph, Node, Op } from '../src/lang/ir.ts'
import { inheritSite } from '../src/lang/provenance.ts'
import { ShapeEq } from '../src/lang/shape.ts'
import { rebuild } from '../src/lang/trace.ts'

/**
 * The first node of this walk recorded under a key, so that a rule can prefer a node that the graph already contains.
 */
export type FirstSeen = (key: string, n: Node) => Node

/** A rewrite rule: `apply` returns the replacement of a node of one of `ops`, of equal type, or undefined. */
export interface Rule {
  readonly name: string
  readonly ops: readonly Op[]
  readonly apply: (n: Node, b: Build, first: FirstSeen) => Node | undefined
}

/** A rule for the given ops, its `apply` narrowed to them. */
export const rule = <K extends Op>(
  name: string,
  ops: readonly K[],
  apply: (n: Extract<Node, { readonly op: K }>, b: Build, first: FirstSeen) => Node | undefined,
): Rule => ({ name, ops, apply: apply as unknown as Rule['apply'] })

/** What a walk did: nodes normalised, rules fired (by name), and how often a bound stopped a chain of rewrites. */
export interface RewriteStats {
  readonly visits: number
  readonly fired: ReadonlyMap<string, number>
  readonly bounded: number
}

/**
 * The most rewrites in a row of one node. Chains of more than a few do not occur in practice; the bound breaks cycles.
 */
const fuelPerNode = 100

interface Frame {
  /** The requested node, then the same node on normalised arguments. */
  node: Node
  readonly asked: Node
  next: number
  fuel: number
  /** A rule's result, whose normal form becomes the node's. */
  replacement: Node | undefined
}

const sameTypes = (a: Node, b: Node): boolean => {
  if (E.isLeft(a.type) || E.isLeft(b.type)) return false
  const [xs, ys] = [a.type.right, b.type.right]
  return (
    xs.length === ys.length && xs.every((x, i) => x.dtype === ys[i]!.dtype && ShapeEq.equals(x.shape, ys[i]!.shape))
  )
}

/** `rewrite`, with statistics. */
export const rewriteWithStats = (
  rules: readonly Rule[],
): ((graph: Graph) => { readonly graph: Graph; readonly stats: RewriteStats }) => {
  const byOp = new Map<Op, Rule[]>()
  for (const r of rules) {
    for (const op of r.ops) byOp.set(op, [...(byOp.get(op) ?? []), r])
  }
  return (graph) => {
    const normal = new Map<Node, Node>()
    const active = new Set<Node>()
    const firsts = new Map<string, Node>()
    const fired = new Map<string, number>()
    let visits = 0
    let bounded = 0
    const first: FirstSeen = (key, n) => {
      const known = firsts.get(key)
      if (known === undefined) firsts.set(key, n)
      return known ?? n
    }
    const fire = (n: Node): Node | undefined => {
      for (const r of byOp.get(n.op) ?? []) {
        const found = r.apply(n, build, first)
        if (found === undefined || found === n) continue
        invariant(sameTypes(n, found), `rule ${r.name} changes the type of ${n.op}`)
        fired.set(r.name, (fired.get(r.name) ?? 0) + 1)
        return found
      }
      return undefined
    }
    const stack: Frame[] = []
    const enter = (n: Node, fuel: number): boolean => {
      if (normal.has(n)) return false
      if (active.has(n)) {
        bounded++
        return false
      }
      active.add(n)
      stack.push({ node: n, asked: n, next: 0, fuel, replacement: undefined })
      return true
    }
    const finish = (frame: Frame, result: Node): void => {
      inheritSite(result, frame.asked)
      normal.set(frame.asked, result)
      normal.set(frame.node, result)
      if (!normal.has(result)) normal.set(result, result)
      active.delete(frame.asked)
      stack.pop()
      visits++
    }
    /** The normal form of the frame's node, or undefined when something above it on the stack must be done first. */
    const step = (frame: Frame): Node | undefined => {
      if (frame.replacement !== undefined) return normal.get(frame.replacement) ?? frame.replacement
      while (frame.next < frame.asked.args.length) {
        if (enter(frame.asked.args[frame.next++]!, frame.fuel)) return undefined
      }
      const args = frame.asked.args.map((a) => normal.get(a) ?? a)
      frame.node = rebuild(frame.asked, args)
      const known = normal.get(frame.node)
      if (known !== undefined || E.isLeft(frame.node.type)) return known ?? frame.node
      if (frame.fuel === 0) bounded++
      const found = frame.fuel === 0 ? undefined : fire(frame.node)
      if (found === undefined) return frame.node
      frame.replacement = found
      enter(found, frame.fuel - 1)
      return undefined
    }
    for (const root of graph.outputs) {
      enter(root, fuelPerNode)
      while (stack.length > 0) {
        const frame = stack[stack.length - 1]!
        const result = step(frame)
        if (result !== undefined) finish(frame, result)
      }
    }
    const outputs = graph.outputs.map((n) => normal.get(n) ?? n)
    return { graph: { inputs: graph.inputs, outputs }, stats: { visits, fired, bounded } }
  }
}

/** Applies `rules` bottom-up to a fixed point. Inputs and the types of outputs are preserved. */
export const rewrite = (rules: readonly Rule[]): ((graph: Graph) => Graph) => {
  const run = rewriteWithStats(rules)
  return (graph) => run(graph).graph
}
