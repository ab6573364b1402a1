/** Transposition of a linear program: cotangents of its inputs from those of its outputs, walking it backwards. */
import { build } from '../../src/lang/build.ts'
import { invariant } from '../../src/lang/errors.ts'
import type { Node } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/table.ts'
import type { Linear, Primitive } from '../../src/lang/primitive.ts'
import { dependents } from '../../src/lang/trace.ts'

/**
 * Cotangents of `inputs`, where `outputs` are linear in them (zero outputs are `undefined`) and `cotangents` has one per
 * output. What does not depend on `inputs` is a coefficient. Zeros never become nodes; contributions are added in the
 * order of the walk, which only the structure of the program decides.
 */
export const transpose = (
  outputs: readonly Linear[],
  inputs: readonly Node[],
  cotangents: readonly Linear[],
): readonly Linear[] => {
  const known = new Map<Node, Node>()
  const accumulate = (n: Node, ct: Linear): void => {
    if (ct === undefined) return
    const before = known.get(n)
    known.set(n, before === undefined ? ct : build.add([before, ct], {}))
  }
  const roots = outputs.filter((n) => n !== undefined)
  const order = dependents(roots, inputs)
  const linear = new Set(order)
  outputs.forEach((n, i) => {
    if (n !== undefined && linear.has(n)) accumulate(n, cotangents[i])
  })
  const isInput = new Set(inputs)
  for (let i = order.length - 1; i >= 0; i--) {
    const n = order[i]!
    const ct = known.get(n)
    if (ct === undefined || isInput.has(n)) continue
    known.delete(n)
    const rule = (primitives[n.op] as Primitive<unknown>).transpose
    invariant(rule !== 'nonlinear', `${n.op} depends on a tangent, but has no transpose`)
    const found = rule({ b: build, ct, args: n.args, linear: n.args.map((a) => linear.has(a)), params: n.params })
    n.args.forEach((a, k) => {
      if (linear.has(a)) accumulate(a, found[k])
    })
  }
  return inputs.map((n) => known.get(n))
}
