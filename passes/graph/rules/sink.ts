/**
 * Broadcasts move towards the outputs: work on repeated elements is done once and its result broadcast. Exact, never
 * more work.
 */
import { typeOf } from '../../../src/lang/build.ts'
import type { Build, Node, NodeOf, ParamsOf } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import { otherAxes, ShapeEq } from '../../../src/lang/shape.ts'
import { rebuild } from '../../../src/lang/trace.ts'
import { type Rule, rule } from '../../rewrite.ts'
import { pointwiseOps, splat } from './match.ts'

type Broadcast = NodeOf<'broadcast'>

/** A broadcast with the axes `dropped` removed from its result; its operand when no new axis is left. */
const without = (b: Build, { args, params: { shape, axes } }: Broadcast, dropped: readonly number[]): Node => {
  const left = otherAxes(shape.length, dropped)
  const fresh = axes.filter((a) => !dropped.includes(a)).map((a) => left.indexOf(a))
  return fresh.length === 0 ? args[0]! : b.broadcast([args[0]!], { shape: left.map((a) => shape[a]!), axes: fresh })
}

/** f(broadcast x, broadcast y, …) = broadcast f(x, y, …) along the axes that are new in all operands. */
export const sinkPointwise: Rule = rule('sinkPointwise', pointwiseOps, (n, b) => {
  const operands = n.args.filter((x): x is Node & Broadcast => x.op === 'broadcast')
  if (operands.length < n.args.length) return undefined
  const { shape, axes } = operands[0]!.params
  const common = axes.filter((a) => operands.every((x) => x.params.axes.includes(a)))
  if (common.length === 0) return undefined
  const inner = rebuild(
    n,
    operands.map((x) => without(b, x, common)),
  )
  return b.broadcast([inner], { shape, axes: common })
})

/**
 * f(reshape x, reshape y, c) = reshape f(x, y, c) where x and y have the same shape and c is uniform: reshapes around
 * elementwise operations meet and cancel.
 */
export const sinkReshape: Rule = rule('sinkReshape', pointwiseOps, (n, b) => {
  const moved = n.args.find((x) => x.op === 'reshape')
  if (moved === undefined) return undefined
  const { shape } = typeOf(moved.args[0]!)
  const inner = n.args.map((x) => {
    if (x.op === 'reshape' && ShapeEq.equals(typeOf(x.args[0]!).shape, shape)) return x.args[0]
    const value = splat(x)
    return value === undefined ? undefined : fill(b, { shape, dtype: typeOf(x).dtype }, value)
  })
  if (inner.some((x) => x === undefined)) return undefined
  return b.reshape([rebuild(n, inner as readonly Node[])], { shape: typeOf(n).shape })
})

/** A reduction over axes that are not broadcast moves before the broadcast. Single-output reductions only. */
export const sinkReduce: Rule = rule('sinkReduce', ['reduce'], (n, b) => {
  const x = n.args[0]!
  if (x.op !== 'broadcast' || n.type._tag === 'Left' || n.type.right.length > 1) return undefined
  const { shape } = x.params
  const out = x.params.axes.filter((a) => !n.params.axes.includes(a))
  if (out.length === 0) return undefined
  const left = otherAxes(shape.length, out)
  const axes = n.params.axes.map((a) => left.indexOf(a))
  const inner = b.reduce([without(b, x, out)], { monoid: n.params.monoid, axes })
  const kept = otherAxes(shape.length, n.params.axes)
  return b.broadcast([inner], { shape: typeOf(n).shape, axes: out.map((a) => kept.indexOf(a)) })
})

/**
 * A dot drops a broadcast axis of an operand that is not contracted: a batch axis remains in the other operand; for a
 * free axis the result is broadcast instead.
 */
export const sinkDot: Rule = rule('sinkDot', ['dot'], (n, b) => {
  const { out } = n.params
  for (const side of [0, 1] as const) {
    const x = n.args[side]!
    const labels = side === 0 ? n.params.lhs : n.params.rhs
    const others = side === 0 ? n.params.rhs : n.params.lhs
    if (x.op !== 'broadcast') continue
    const axes = x.params.axes.filter((a) => out.includes(labels[a]!))
    if (axes.length === 0) continue
    const gone = axes.map((a) => labels[a]!)
    const smaller = without(b, x, axes)
    const rest = labels.filter((l) => !gone.includes(l))
    const free = gone.filter((l) => !others.includes(l))
    const result: ParamsOf['dot'] = {
      lhs: side === 0 ? rest : others,
      rhs: side === 0 ? others : rest,
      out: out.filter((l) => !free.includes(l)),
    }
    const product = b.dot(side === 0 ? [smaller, n.args[1]!] : [n.args[0]!, smaller], result)
    if (free.length === 0) return product
    return b.broadcast([product], {
      shape: typeOf(n).shape,
      axes: out.flatMap((l, i) => (free.includes(l) ? [i] : [])),
    })
  }
  return undefined
})

/** All rules of this file, in the order in which they are tried. */
export const sinkRules: readonly Rule[] = [sinkPointwise, sinkReshape, sinkReduce, sinkDot]
