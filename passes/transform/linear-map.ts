/**
 * A function of trees linearised at its arguments: what `grad`, `vjp`, `linearize` and the Jacobians have in common. The
 * function is run once, on fresh inputs; its linear part can then be pushed forward and pulled back any number of times.
 */
import * as E from '#fp/Either'
import { build, illTyped, typeOf } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { raise, showOperand } from '../../src/lang/errors.ts'
import type { Graph, Node, TensorType } from '../../src/lang/ir.ts'
import { fill } from '../../src/lang/ops/rule-parts.ts'
import type { JvpMode, Linear } from '../../src/lang/primitive.ts'
import { ShapeEq } from '../../src/lang/shape.ts'
import { substitute, trace } from '../../src/lang/trace.ts'
import { type Flattened, flattenResult, flattenTree, isTensor, sameTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'
import type { Selection } from './argnums.ts'
import { linearise } from './linearise.ts'
import { transpose } from './transpose.ts'

/** Any function of trees of tensors. */
export type Fn = (...args: never[]) => unknown
export type Leaves = Flattened<Tensor>

export const zeros = (type: TensorType): Node => fill(build, type, 0)
export const isIll = (n: Node): boolean => E.isLeft(n.type)

/** A node that passes on the mistake that `n` is, in silence. */
export const poisoned = (n: Node): Node => illTyped('grad', [n], { reason: 'an operand is ill-typed' })

/** The result of `f` on arguments as they are, some of them ill-typed. */
export const resultOnIll = (f: Fn, { argumentsWith, leaves }: Selection): Leaves =>
  flattenResult(f(...(argumentsWith(leaves) as never[])))

/** A function's result at its arguments, and its linear part there. */
export interface LinearMap {
  readonly result: Leaves
  readonly outputs: readonly Node[]
  /** Tangents of the outputs from those of the selected leaves, those of integers not looked at. */
  readonly push: (tangents: readonly Node[]) => readonly Node[]
  /** Cotangents of the selected leaves; symbolic zeros become zeros. */
  readonly pull: (cotangents: readonly Linear[]) => readonly Node[]
}

/** Runs `f` with the selected arguments replaced by fresh inputs; what else it uses is constant to the derivative. */
export const traceSelected = (
  f: Fn,
  selection: Selection,
): { readonly result: Leaves; readonly inputs: readonly Node[]; readonly graph: Graph } => {
  const found: { result?: Leaves } = {}
  const graph = trace(
    (inputs) => {
      found.result = flattenResult(f(...(selection.argumentsWith(inputs) as never[])))
      return found.result.leaves.map(nodeOf)
    },
    selection.leaves.map(typeOf),
    selection.leaves,
  )
  return { result: found.result!, inputs: graph.inputs, graph }
}

/** Linearises `f` in the selected arguments at the values they have; `mode` says what for. */
export const linearMap = (f: Fn, selection: Selection, mode: JvpMode = 'reverse'): LinearMap => {
  const ill = selection.leaves.find(isIll)
  if (ill !== undefined) {
    const result = resultOnIll(f, selection)
    return {
      result,
      outputs: result.leaves.map(nodeOf),
      push: () => result.leaves.map(() => poisoned(ill)),
      pull: () => selection.leaves.map(() => poisoned(ill)),
    }
  }
  const { result, inputs, graph } = traceSelected(f, selection)
  const linear = linearise(graph, mode)
  const tangents = linear.tangents.map((t, i) => t ?? linear.outputs[i]!)
  const placed = substitute([...linear.outputs, ...tangents], inputs, selection.leaves)
  const outputs = placed.slice(0, graph.outputs.length)
  const linearOutputs = linear.tangents.map((t, i) => t && placed[graph.outputs.length + i])
  const wrt = linear.inputs.filter((n) => n !== undefined)
  return {
    result,
    outputs,
    push: (tangents) => {
      const wrong = tangents.find(isIll)
      if (wrong !== undefined) return outputs.map(() => poisoned(wrong))
      const given = tangents.filter((_, i) => linear.inputs[i] !== undefined)
      const found = substitute(
        linearOutputs.map((t, i) => t ?? outputs[i]!),
        wrt,
        given,
      )
      return found.map((t, i) => {
        const n = outputs[i]!
        if (isIll(n)) return poisoned(n)
        return linearOutputs[i] === undefined ? zeros(typeOf(n)) : t
      })
    },
    pull: (cotangents) => {
      const wrong =
        outputs.find((n, i) => isIll(n) && cotangents[i] !== undefined) ?? cotangents.find((n) => n && isIll(n))
      if (wrong !== undefined) return selection.leaves.map(() => poisoned(wrong))
      const found = transpose(linearOutputs, wrt, cotangents)
      const byInput = new Map(wrt.map((n, i) => [n, found[i]]))
      return selection.leaves.map((leaf, i) => {
        const input = linear.inputs[i]
        return (input && byInput.get(input)) ?? zeros(typeOf(leaf))
      })
    },
  }
}

/** UsageError when a loss is no float scalar. */
export const requireScalar = (caller: string, n: Node): void => {
  if (isIll(n)) return
  const type = typeOf(n)
  if (!isFloat(type.dtype))
    raise({
      tag: 'UsageError',
      message: `${caller}: the function gives ${showOperand(type)}, and ${type.dtype} values have no derivative`,
      hint: "return a float loss: T.cast(x, 'f32') before the arithmetic that depends on the parameters",
    })
  if (type.shape.length !== 0)
    raise({
      tag: 'UsageError',
      message: `${caller}: the function gives ${showOperand(type)}, where a scalar is needed`,
      hint: 'reduce it with T.sum or T.mean, or use vjp with a cotangent of its shape',
    })
}

/** Leaves of `tree`, which must have the structure and types of `like`; UsageError that names the first difference. */
export const matching = (
  caller: string,
  what: string,
  tree: unknown,
  like: Leaves,
  types: readonly Node[],
): readonly Node[] => {
  const flat = flattenTree<Tensor>(tree, isTensor)
  if (!sameTree(flat.shape, like.shape))
    raise({
      tag: 'UsageError',
      message: `${caller}: the ${what} does not have the structure it belongs to (${flat.leaves.length} tensors for ${like.leaves.length})`,
      hint: `give one ${what} of the same shape and dtype for every tensor, in the same records and lists`,
    })
  return flat.leaves.map((leaf, i) => {
    const n = nodeOf(leaf)
    const m = types[i]!
    if (isIll(n) || isIll(m)) return n
    const [a, b] = [typeOf(n), typeOf(m)]
    if (a.dtype !== b.dtype || !ShapeEq.equals(a.shape, b.shape))
      raise({
        tag: 'UsageError',
        message: `${caller}: the ${`${what} ${like.paths[i]}`.trim()} is ${showOperand(a)}, its tensor is ${showOperand(b)}`,
        hint: `a ${what} has the shape and dtype of what it belongs to`,
      })
    return n
  })
}
