/**
 * Whole Jacobians and Hessians: the linear part of a function batched over the standard basis, column by column in forward
 * mode, row by row in reverse mode.
 */
import { build, freshInputs, typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { raise, showOperand } from '../../src/lang/errors.ts'
import type { Node, NodeOf, TensorType } from '../../src/lang/ir.ts'
import type { Linear } from '../../src/lang/primitive.ts'
import { substitute } from '../../src/lang/trace.ts'
import { unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'
import { type Argnums, type Picked, requireFloat, type Selection, select } from './argnums.ts'
import { batchOnto } from './batch.ts'
import { demandDerivative, type GradOptions } from './gradient.ts'
import { headOf } from './has-aux.ts'
import { jvpGraph } from './jvp.ts'
import { type Fn, isIll, type Leaves, linearMap, poisoned, resultOnIll, traceSelected, zeros } from './linear-map.ts'

/** The derivatives of one tensor of shape `S` in the tree `P`: each leaf has the axes of the tensor, then its own. */
export type JacobianRow<S extends readonly number[], D extends Tensor['dtype'], P> =
  P extends Tensor<infer U>
    ? Tensor<readonly [...S, ...U], D>
    : P extends object
      ? { readonly [K in keyof P]: JacobianRow<S, D, P[K]> }
      : P

/** The derivatives of the tree `R` in the tree `P`: `R` with every tensor replaced by a tree like `P`. */
export type JacobianTree<R, P> =
  R extends Tensor<infer S, infer D>
    ? JacobianRow<S, D, P>
    : R extends object
      ? { readonly [K in keyof R]: JacobianTree<R[K], P> }
      : R

/** The identity of `size`, its columns shaped like the tensor of `type`: `[size, …shape]`, row i is 1 at element i. */
const standardBasis = ({ shape, dtype }: TensorType): Node => {
  const size = sizeOf(shape)
  const count = (axis: number): Node => build.iota([], { shape: [size, size], dtype: 'i32', axis })
  const identity = build.cast([build.eq([count(0), count(1)], {})], { dtype })
  return build.reshape([identity], { shape: [size, ...shape] })
}

/** The derivatives of every output in every selected leaf, `[output][leaf]`, each of shape `[…output, …leaf]`. */
type Blocks = readonly (readonly Node[])[]

/** The block of a derivative that is zero, or has no shape because something is ill-typed. */
const emptyBlock = (output: Node, leaf: Node): Node => {
  const ill = [output, leaf].find(isIll)
  if (ill !== undefined) return poisoned(ill)
  const [to, from] = [typeOf(output), typeOf(leaf)]
  return zeros({ shape: [...to.shape, ...from.shape], dtype: to.dtype })
}

/** `outputs`, linear in `input`, for every vector of its standard basis: axis 0 counts them; undefined where all are 0. */
const onBasis = (outputs: readonly Linear[], input: Node, type: TensorType): readonly Linear[] => {
  const some = outputs.filter((n) => n !== undefined)
  const graph = { inputs: [input as NodeOf<'input'>], outputs: some }
  const found = batchOnto(graph, [standardBasis(type)], [true], sizeOf(type.shape))
  return outputs.map((n) => {
    const at = n === undefined ? -1 : some.indexOf(n)
    return found.batched[at] ? found.outputs[at] : undefined
  })
}

/** `[basis, …output]` as `[…output, …leaf]`: the basis vectors are numbered by the leaf's elements. */
const asColumns = (n: Node, leaf: TensorType): Node => {
  const { shape } = typeOf(n)
  const moved = build.permute([n], { axes: [...shape.slice(1).map((_, i) => i + 1), 0] })
  return build.reshape([moved], { shape: [...shape.slice(1), ...leaf.shape] })
}

/** `[basis, …leaf]` as `[…output, …leaf]`, in the output's dtype. */
const asRows = (n: Node, output: TensorType): Node => {
  const { shape, dtype } = typeOf(n)
  const rows = build.reshape([n], { shape: [...output.shape, ...shape.slice(1)] })
  return dtype === output.dtype ? rows : build.cast([rows], { dtype: output.dtype })
}

/** How many leaves of the result, the first ones, are differentiated: a function of the result's structure. */
type Head = (result: Leaves, outputs: readonly Node[]) => number

interface Derived {
  readonly result: Leaves
  readonly outputs: readonly Node[]
  readonly blocks: Blocks
}

type Mode = (f: Fn, selection: Selection, head: Head) => Derived

/** One pass of forward mode for every leaf, over its basis. */
const forward: Mode = (f, selection, head) => {
  const { result, inputs, graph } = traceSelected(f, selection)
  const differentiated = graph.outputs.slice(0, head(result, graph.outputs))
  const columns = selection.leaves.map((leaf, j) => {
    const type = typeOf(leaf)
    const [input] = freshInputs([type])
    const only = selection.leaves.map((_, i) => (i === j ? input : undefined))
    const tangents = jvpGraph({ inputs: graph.inputs, outputs: differentiated }, only)
    return onBasis(tangents, input!, type).map((n, i) =>
      n === undefined ? emptyBlock(differentiated[i]!, leaf) : asColumns(n, type),
    )
  })
  const rows = differentiated.flatMap((_, i) => columns.map((column) => column[i]!))
  const placed = substitute([...graph.outputs, ...rows], inputs, selection.leaves)
  const at = (i: number): number => graph.outputs.length + i * columns.length
  return {
    result,
    outputs: placed.slice(0, graph.outputs.length),
    blocks: differentiated.map((_, i) => placed.slice(at(i), at(i + 1))),
  }
}

/** One pass of reverse mode for every output, over its basis. */
const reverse: Mode = (f, selection, head) => {
  const { result, outputs, pull } = linearMap(f, selection)
  const differentiated = outputs.slice(0, head(result, outputs))
  const blocks = differentiated.map((output, i) => {
    if (isIll(output)) return selection.leaves.map((leaf) => emptyBlock(output, leaf))
    const type = typeOf(output)
    const [input] = freshInputs([type])
    const cotangents = pull(outputs.map((_, k) => (k === i ? input : undefined)))
    return onBasis(cotangents, input!, type).map((n, j) =>
      n === undefined ? emptyBlock(output, selection.leaves[j]!) : asRows(n, type),
    )
  })
  return { result, outputs, blocks }
}

const jacobian = (
  caller: string,
  mode: Mode,
  f: Fn,
  args: readonly unknown[],
  { argnums = 0, hasAux = false }: GradOptions<Argnums, boolean>,
): unknown => {
  const selection = select(caller, args, argnums)
  const isPoisoned = selection.leaves.some(isIll)
  if (!isPoisoned) requireFloat(caller, selection)
  const head: Head = (result, outputs) => {
    const count = headOf(caller, result, hasAux).leaves.length
    for (const [i, n] of outputs.slice(0, count).entries()) {
      if (isIll(n) || isFloat(typeOf(n).dtype)) continue
      raise({
        tag: 'UsageError',
        message: `${caller}: the result ${result.paths[i]} is ${showOperand(typeOf(n))}, and ${typeOf(n).dtype} tensors have no derivative`,
        hint: 'return it beside the rest as [value, aux] and set hasAux: true',
      })
    }
    return count
  }
  const poison = (): Derived => {
    const result = resultOnIll(f, selection)
    const outputs = result.leaves.map(nodeOf)
    const blocks = outputs.map((n) => selection.leaves.map((leaf) => emptyBlock(n, leaf)))
    return { result, outputs, blocks }
  }
  const { result, outputs, blocks } = isPoisoned ? poison() : mode(f, selection, head)
  const derivative = unflattenTree(headOf(caller, result, hasAux).shape, blocks.map(selection.picked))
  if (!hasAux) return derivative
  return [derivative, (unflattenTree(result.shape, outputs) as readonly unknown[])[1]]
}

/** A Jacobian as a function of the same arguments. */
type Jacobian = {
  <A extends readonly unknown[], R, const N extends Argnums = 0>(
    f: (...args: A) => R,
    options?: GradOptions<N, false>,
  ): (...args: A) => JacobianTree<R, Picked<A, N>>
  <A extends readonly unknown[], R, X, const N extends Argnums = 0>(
    f: (...args: A) => readonly [R, X],
    options: GradOptions<N, true> & { readonly hasAux: true },
  ): (...args: A) => readonly [JacobianTree<R, Picked<A, N>>, X]
}

/** A Hessian as a function of the same arguments. */
type Hessian = {
  <A extends readonly unknown[], R, const N extends Argnums = 0>(
    f: (...args: A) => R,
    options?: GradOptions<N, false>,
  ): (...args: A) => JacobianTree<JacobianTree<R, Picked<A, N>>, Picked<A, N>>
  <A extends readonly unknown[], R, X, const N extends Argnums = 0>(
    f: (...args: A) => readonly [R, X],
    options: GradOptions<N, true> & { readonly hasAux: true },
  ): (...args: A) => readonly [JacobianTree<JacobianTree<R, Picked<A, N>>, Picked<A, N>>, X]
}

/**
 * The Jacobian by forward mode, one batch of columns: best where the arguments are few and the results many. The result
 * tree of `f` with every tensor `[…out]` replaced by a tree like the argument (or list of those `argnums` names) of
 * tensors `[…out, …in]`, as jax.jacfwd. With `hasAux`, f gives `[value, aux]`, the result is `[jacobian, aux]`.
 * UsageError when a differentiated leaf or result is not float.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.mul(x, T.sum(x))
 * T.reference(T.jacfwd(f)(T.tensor([1.5, -2]))) // => { shape: [2, 2], dtype: 'f32', data: [1, 1.5, -2, -2.5] }
 */
export const jacfwd: Jacobian = (f: Fn, options: GradOptions<Argnums, boolean> = {}) => {
  demandDerivative('jacfwd', f, options)
  return ((...args: readonly unknown[]) => jacobian('jacfwd', forward, f, args, options)) as never
}

/**
 * The Jacobian by reverse mode, one batch of rows: best where the results are few and the arguments many. Result and
 * errors as in `jacfwd` (jax.jacrev).
 * @example
 * const f = (p: { a: T.Tensor; b: T.Tensor }) => T.mul(p.a, p.b)
 * T.reference(T.jacrev(f)({ a: T.tensor(0.5), b: T.tensor([2, 3], { dtype: 'f32' }) })).a.data // => [2, 3]
 */
export const jacrev: Jacobian = (f: Fn, options: GradOptions<Argnums, boolean> = {}) => {
  demandDerivative('jacrev', f, options)
  return ((...args: readonly unknown[]) => jacobian('jacrev', reverse, f, args, options)) as never
}

/**
 * The Hessian, forward over reverse (jax.hessian): for a scalar function of a tensor `[…in]` the tensor
 * `[…in, …in]` of second derivatives; for trees a tree of trees, as `jacfwd(jacrev(f))` gives. To multiply it with a
 * vector use `hvp`. UsageError as in `jacfwd`.
 * @example
 * const f = (x: T.Tensor<readonly [2], 'f32'>) => T.prod(T.square(x))
 * T.reference(T.hessian(f)(T.tensor([1.5, -2]))).data // => [8, -12, -12, 4.5]
 */
export const hessian: Hessian = (f: Fn, options: GradOptions<Argnums, boolean> = {}) => {
  demandDerivative('hessian', f, options)
  const of =
    (mode: Mode, g: Fn): Fn =>
    (...args: readonly unknown[]) =>
      jacobian('hessian', mode, g, args, options)
  return of(forward, of(reverse, f)) as never
}
