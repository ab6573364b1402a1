/** `vmap`: a function of one example as a function of many at once, without a loop and without touching the function. */
import * as E from '#fp/Either'
import { build, illTyped, typeOf } from '../../src/lang/build.ts'
import type { Dim } from '../../src/lang/dim.ts'
import { raise, showOperand } from '../../src/lang/errors.ts'
import type { Node } from '../../src/lang/ir.ts'
import { normaliseAxis } from '../../src/lang/shape.ts'
import { demandFunction, demandRecord, type OptionNames } from '../../src/lang/tensor/arguments.ts'
import { trace } from '../../src/lang/trace.ts'
import { flattenResult, unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'
import { type AxesTree, type AxisLeaf, argumentName, axesOfTree, resultName } from './axes-tree.ts'
import { batchOnto } from './batch.ts'

export type { AxesTree } from './axes-tree.ts'

/** A shape with the batch axis put in at axis 0; a shape of unknown rank stays unknown. */
type WithBatch<S extends readonly number[]> = number extends S['length'] ? S : readonly [number, ...S]

/** The tree `T` with a batch axis in every tensor that the axes `X` give one. */
export type BatchedTree<T, X> = [X] extends [null]
  ? T
  : T extends Tensor<infer S, infer D>
    ? Tensor<[X] extends [0] ? WithBatch<S> : readonly number[], D>
    : T extends object
      ? BatchedParts<T, X>
      : T

/** The same for every part of a list or record. */
export type BatchedParts<T, X> = {
  readonly [K in keyof T]: BatchedTree<T[K], X extends object ? X[K & keyof X] : X>
}

/** Options of `vmap`: where the batch axis is in the arguments, and where it goes in the result. Axis 0 unless said. */
export interface VmapOptions<I extends AxesTree = AxesTree, O extends AxesTree = AxesTree> {
  readonly inAxes?: I | undefined
  readonly outAxes?: O | undefined
}

const vmapOptions: OptionNames<VmapOptions> = { inAxes: 'own', outAxes: 'own' }

const isIll = (n: Node): boolean => E.isLeft(n.type)

/** The axis of a leaf, counted from the front; UsageError when the leaf has no such axis. */
const resolved = (option: string, { axis, where }: AxisLeaf, rank: number, shown: string): number => {
  const at = normaliseAxis(axis!, rank)
  if (E.isRight(at)) return at.right
  return raise({
    tag: 'UsageError',
    message: `vmap: ${option} gives axis ${axis} for ${where}, which is ${shown}`,
    hint: rank === 0 ? 'a scalar has no axis to map over: give null for it' : `axes go from ${-rank} to ${rank - 1}`,
  })
}

/** `n` with axis `from` at `to`, the others in order. */
const moveAxis = (n: Node, from: number, to: number): Node => {
  if (from === to) return n
  const axes = typeOf(n).shape.map((_, i) => i)
  axes.splice(from, 1)
  axes.splice(to, 0, from)
  return build.permute([n], { axes })
}

interface BatchedLeaf extends AxisLeaf {
  readonly at: number
  readonly size: Dim
}

const batchedLeaf = (leaf: AxisLeaf): BatchedLeaf => {
  const type = typeOf(leaf.node)
  const at = resolved('inAxes', leaf, type.shape.length, showOperand(type))
  return { ...leaf, at, size: type.shape[at]! }
}

/** The one size of all batch axes; undefined when only ill-typed leaves have one. */
const batchSize = (leaves: readonly BatchedLeaf[], anyIll: boolean): Dim | undefined => {
  const first = leaves[0]
  if (first === undefined) {
    if (anyIll) return undefined
    return raise({
      tag: 'UsageError',
      message: 'vmap: no argument is batched',
      hint: 'inAxes must give an axis for at least one tensor; without a batch call the function itself',
    })
  }
  const other = leaves.find((l) => l.size !== first.size)
  if (other === undefined) return first.size
  return raise({
    tag: 'UsageError',
    message: `vmap: batch sizes differ: ${first.where} has ${first.size} along axis ${first.at}, ${other.where} has ${other.size} along axis ${other.at}`,
    hint: 'inAxes says which axis is the batch; give null for what every example shares',
  })
}

/** A result on the way out: the batch axis where `outAxes` wants it. */
const placed = (leaf: AxisLeaf, batched: boolean, size: Dim): Node => {
  const { node, axis, where } = leaf
  if (isIll(node)) return node
  if (axis === null) {
    if (!batched) return node
    return raise({
      tag: 'UsageError',
      message: `vmap: outAxes gives null for ${where}, which depends on a batched argument`,
      hint: 'give the axis that its examples go along, or reduce over the batch after vmap',
    })
  }
  const type = typeOf(node)
  const rank = batched ? type.shape.length : type.shape.length + 1
  const shown = batched ? showOperand(type) : `${showOperand(type)} before the batch axis is put in`
  const at = resolved('outAxes', leaf, rank, shown)
  if (batched) return moveAxis(node, 0, at)
  return build.broadcast([node], { shape: type.shape.toSpliced(at, 0, size), axes: [at] })
}

/**
 * The function that maps `f` over a batch: every tensor of the arguments loses its batch axis before `f` sees it, every
 * tensor of the result gets one (jax.vmap). `inAxes` and `outAxes` (0) are an axis for all, null where there is no batch
 * (such an argument may be anything, a number say), or trees of these that follow the arguments and the result. One
 * program comes out, not a loop; works over `grad`, `jvp`, randomness (a batch of keys) and `vmap`. UsageError when
 * nothing is batched, the sizes differ, or an axis is out of range.
 * @example
 * const dots = T.vmap((x: T.Tensor, y: T.Tensor) => T.sum(T.mul(x, y)), { inAxes: [0, null] })
 * T.reference(dots(T.tensor([[1, 2], [3, 4]]), T.tensor([10, 1]))).data // => [12, 34]
 */
export const vmap = <A extends readonly unknown[], R, const I extends AxesTree = 0, const O extends AxesTree = 0>(
  f: (...args: A) => R,
  options: VmapOptions<I, O> = {},
): ((...args: [I] extends [null] ? A : BatchedParts<A, I>) => BatchedTree<R, O>) => {
  demandFunction('vmap', 'the first argument', f)
  demandRecord('vmap', vmapOptions, options)
  const { inAxes = 0, outAxes = 0 } = options
  return (...args) => {
    const given = axesOfTree('inAxes', inAxes, args, { name: argumentName, skipNull: true })
    // An ill-typed leaf goes to f as it is: what depends on it is poisoned, the rest is batched.
    const well = given.leaves.filter((l) => !isIll(l.node)).map(batchedLeaf)
    const ill = given.leaves.find((l) => isIll(l.node))
    const size = batchSize(well, ill !== undefined)
    const found: { result?: unknown } = {}
    const graph = trace(
      (inputs) => {
        let next = 0
        const leaves = given.leaves.map(({ node }) => (isIll(node) ? node : inputs[next++]!))
        found.result = f(...(given.withLeaves(leaves) as unknown as A))
        return flattenResult(found.result).leaves.map(nodeOf)
      },
      well.map(({ node, at }) => ({ shape: typeOf(node).shape.toSpliced(at, 1), dtype: typeOf(node).dtype })),
      well.map(({ node }) => node),
    )
    const operands = well.map(({ node, at }) => moveAxis(node, at, 0))
    const flat = flattenResult(found.result)
    if (size === undefined) {
      const poison = flat.leaves.map((t) =>
        isIll(nodeOf(t)) ? nodeOf(t) : illTyped('vmap', [ill!.node], { reason: '' }),
      )
      return unflattenTree(flat.shape, poison) as BatchedTree<R, O>
    }
    const mapped = batchOnto(
      graph,
      operands,
      operands.map(() => true),
      size,
    )
    const back = axesOfTree('outAxes', outAxes, unflattenTree(flat.shape, mapped.outputs), {
      name: resultName,
      skipNull: false,
    })
    const outputs = back.leaves.map((leaf, i) => placed(leaf, mapped.batched[i]!, size))
    return back.withLeaves(outputs) as BatchedTree<R, O>
  }
}
