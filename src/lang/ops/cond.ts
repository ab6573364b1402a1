/** The row of cond: one of several branches, chosen on the device. Derivatives are those of the branch that is taken. */
import * as E from '#fp/Either'
import { isInteger } from '../dtype.ts'
import { showOperand } from '../errors.ts'
import type { Build, Graph, Node, ParamsOf } from '../ir.ts'
import type { GraphKit, Primitive } from '../primitive.ts'
import { chosen, isSome, openTangents, orZeros, outputsOf, withAxis, wrongOperands } from './closed-graphs.ts'
import { operandType, refuse } from './operand-checks.ts'
import { fill } from './rule-parts.ts'

type Cond = ParamsOf['cond']

const clamp = (index: number, count: number): number => Math.min(Math.max(index, 0), count - 1)

/** `hit`, over the leading axes of `like`, for every element of it. */
const spreadOver = (b: Build, hit: Node, like: Node): Node => {
  const { shape } = operandType(like)
  const rank = operandType(hit).shape.length
  const axes = shape.flatMap((_, i) => (i < rank ? [] : [i]))
  return axes.length === 0 ? hit : b.broadcast([hit], { shape, axes })
}

/**
 * The outputs of the chosen branch from those of all of them: the last, unless the index names another. An index of rank 1
 * chooses for each example of a batch. A branch that is not chosen leaves no trace, whatever its values are.
 */
export const chooseBranch = (b: Build, index: Node, results: readonly (readonly Node[])[]): readonly Node[] => {
  const last = results[results.length - 1]!
  return last.map((n, o) => {
    let chosenSoFar = n
    for (let k = results.length - 2; k >= 0; k--) {
      const own = results[k]![o]!
      if (own === chosenSoFar) continue
      // The first branch takes every index below it too.
      const number = fill(b, operandType(index), k)
      const hit = k === 0 ? b.le([index, number], {}) : b.eq([index, number], {})
      chosenSoFar = b.select([spreadOver(b, hit, own), own, chosenSoFar], {})
    }
    return chosenSoFar
  })
}

/** Branches made from others: `outputs` of each, on inputs of its own. */
const branch = (kit: GraphKit, inputs: readonly Node[], outputs: readonly Node[]): Graph =>
  kit.close({ inputs: inputs as Graph['inputs'], outputs })

/** Index (integer scalar), operands → the outputs of the branch of that number, the nearest where there is none. */
export const cond: Primitive<Cond> = {
  infer: (xs, { branches }) => {
    const [index, ...rest] = xs
    const [first] = branches
    if (!index || !first) return refuse('takes an index and at least one branch')
    if (!isInteger(index.dtype) || index.shape.length > 0)
      return refuse(`the index is ${showOperand(index)}, not i32[]`)
    const types = first.outputs.map(operandType)
    for (const [k, g] of branches.entries()) {
      const bad = wrongOperands(rest, g)
      if (bad) return bad
      const other = g.outputs.map(operandType)
      const at = types.findIndex((t, i) => showOperand(t) !== showOperand(other[i]!))
      if (other.length !== types.length)
        return refuse(`branch ${k} gives ${other.length} results, branch 0 ${types.length}`)
      if (at >= 0)
        return refuse(
          `result ${at} is ${showOperand(types[at]!)} in branch 0 and ${showOperand(other[at]!)} in branch ${k}`,
        )
    }
    return E.right(types)
  },
  jvp: ({ b, args: [index, ...operands], tangents: [, ...given], params: { branches }, kit, walk }) => {
    const active = given.map(isSome)
    const opened = branches.map((g) => openTangents(kit, walk, g, active))
    const has = opened[0]!.outputs.map((_, o) => opened.some((x) => x.tangents[o] !== undefined))
    const made = opened.map(({ inputs, moved, outputs, tangents }) =>
      branch(
        kit,
        [...inputs, ...chosen(moved, active)],
        chosen(
          outputs.map((n, o) => orZeros(b, tangents[o], n)),
          has,
        ),
      ),
    )
    const count = has.filter(Boolean).length
    if (count === 0) return has.map(() => undefined)
    const found = outputsOf(b, b.cond([index!, ...operands, ...given.filter(isSome)], { branches: made }), count)
    let next = 0
    return has.map((h) => (h ? found[next++] : undefined))
  },
  transpose: ({ b, args: [index, ...operands], linear: [, ...linear], cts, params: { branches }, kit, walk }) => {
    const coefficients = linear.map((l) => !l)
    const known = cts.map(isSome)
    const made = branches.map((g) => {
      const inputs = kit.fresh(g.inputs.map((n) => n.params))
      const outputs = kit.instantiate(g, inputs)
      const back = kit.fresh(outputs.map(operandType))
      const found = walk(
        outputs,
        chosen(inputs, linear),
        back.map((n, i) => (known[i] ? n : undefined)),
      )
      return branch(
        kit,
        [...chosen(inputs, coefficients), ...chosen(back, known)],
        chosen(inputs, linear).map((n, i) => orZeros(b, found[i], n)),
      )
    })
    const count = linear.filter(Boolean).length
    const node = b.cond([index!, ...chosen(operands, coefficients), ...cts.filter(isSome)], { branches: made })
    const found = outputsOf(b, node, count)
    let next = 0
    return [undefined, ...linear.map((l) => (l ? found[next++] : undefined))]
  },
  batch: ({ b, args: [index, ...operands], batched: [many, ...batched], size, params: { branches }, kit, walk }) => {
    const found = branches.map((g) => walk(g, batched, size))
    if (!many) {
      const made = found.map((x) => branch(kit, x.graph.inputs, withAxis(b, x.graph.outputs, x.batched, size)))
      return outputsOf(b, b.cond([index!, ...operands], { branches: made }), made[0]!.outputs.length)
    }
    const results = found.map((x) => withAxis(b, kit.instantiate(x.graph, operands), x.batched, size))
    return chooseBranch(b, index!, results)
  },
  eval: ([index, ...operands], { branches }, _types, run) =>
    run(branches[clamp(index!.data[0]!, branches.length)]!, operands).map((v) => v.data),
}
