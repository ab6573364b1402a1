/** Floating-point operations of a model's graph, as it was traced: of all of it, and of what takes each of its parameters. */
import { typeOf } from '../lang/build.ts'
import { sizeOf } from '../lang/dim.ts'
import { isFloat } from '../lang/dtype.ts'
import { binaryOps, type Graph, type Node, type NodeOf, type Op, unaryOps } from '../lang/ir.ts'
import { topological } from '../lang/topological.ts'

/** What chooses, compares and tests costs nothing, as in the predictions of plans. */
const free: ReadonlySet<string> = new Set(['not', 'isNan', 'isInf', 'eq', 'lt', 'le', 'and', 'or', 'xor'])

const pointwise: ReadonlySet<string> = new Set([...unaryOps, ...binaryOps].filter((op) => !free.has(op)))

/** What takes each element of its last operand once. */
const summing: ReadonlySet<string> = new Set(['reduce', 'cumulate', 'fold', 'scatterAdd'])

/** Operations of the graphs that a node holds: of a branch that has the most of them, of one turn of a loop without a number. */
const flopsWithin = (n: Node): number => {
  switch (n.op) {
    case 'scan':
      return n.params.length * flopsOf(n.params.body)
    case 'while':
      return flopsOf(n.params.condition) + flopsOf(n.params.body)
    case 'cond':
      return Math.max(...n.params.branches.map(flopsOf))
    case 'customCall':
      return flopsOf(n.params.call)
    case 'customLinear':
      return flopsOf(n.params.backward)
    default:
      return 0
  }
}

/** Size of the loop that a contraction is: one axis for each label. */
const contracted = (n: NodeOf<'dot'>): number => {
  const labelled = [n.params.lhs, n.params.rhs].flatMap((labels, i) =>
    labels.map((label, axis) => [label, typeOf(n.args[i]!).shape[axis]!] as const),
  )
  return sizeOf([...new Map(labelled).values()])
}

/** Floating-point operations of one node. */
const flopsAt = (n: Node): number => {
  const types = [n, ...n.args].map(typeOf)
  if (!types.some(({ dtype }) => isFloat(dtype))) return 0
  if (n.op === 'dot') return 2 * contracted(n)
  if (pointwise.has(n.op)) return sizeOf(types[0]!.shape)
  if (summing.has(n.op)) return sizeOf(types.at(-1)!.shape)
  return flopsWithin(n)
}

/** Floating-point operations of one run of a graph. */
export const flopsOf = ({ outputs }: Graph): number => topological(outputs).reduce((sum, n) => sum + flopsAt(n), 0)

/** What gives the elements of its operands, in other places or as another dtype. */
const moving: ReadonlySet<Op> = new Set<Op>([
  'barrier',
  'broadcast',
  'cast',
  'concat',
  'flip',
  'get',
  'observe',
  'pad',
  'permute',
  'reshape',
  'slice',
  'stopGradient',
  'window',
])

/** Operations that take each operand of a node. */
const takingEach = (n: Node): readonly number[] => {
  switch (n.op) {
    case 'scan':
      return flopsTaking(n.params.body).map((flops) => flops * n.params.length)
    case 'while': {
      const condition = flopsTaking(n.params.condition)
      return flopsTaking(n.params.body).map((flops, i) => flops + condition[i]!)
    }
    case 'cond': {
      const most = n.params.branches.reduce((a, b) => (flopsOf(b) > flopsOf(a) ? b : a))
      return [0, ...flopsTaking(most)]
    }
    case 'customCall':
      return flopsTaking(n.params.call)
    case 'customLinear':
      // The rule goes backwards: what it is given besides residuals are no tangents.
      return flopsTaking(n.params.backward).slice(0, n.params.residuals)
    default: {
      const flops = flopsAt(n)
      return n.args.map(() => flops)
    }
  }
}

/** For each input of a graph, the operations of the nodes that take it, as it is or moved. */
export const flopsTaking = ({ inputs, outputs }: Graph): readonly number[] => {
  const found = inputs.map(() => 0)
  const moved = new Map<Node, ReadonlySet<number>>(inputs.map((n, i) => [n, new Set([i])]))
  for (const n of topological(outputs)) {
    const taken = n.args.map((a) => moved.get(a))
    if (moving.has(n.op)) {
      moved.set(n, new Set(taken.flatMap((inputs) => [...(inputs ?? [])])))
      continue
    }
    if (!taken.some((inputs) => inputs)) continue
    const flops = takingEach(n)
    // A node counts once for an input that is several of its operands.
    const most = new Map<number, number>()
    for (const [k, inputs] of taken.entries())
      for (const i of inputs ?? []) most.set(i, Math.max(flops[k] ?? 0, most.get(i) ?? 0))
    for (const [i, count] of most) found[i]! += count
  }
  return found
}
