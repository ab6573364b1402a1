/** Which arguments of a function are differentiated: the option, its types, and taking those arguments apart. */

import { typesOf } from '../../src/lang/build.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { raise, showOperand } from '../../src/lang/errors.ts'
import type { Node } from '../../src/lang/ir.ts'
import { showArgument } from '../../src/lang/tensor/arguments.ts'
import { flattenTree, isTensor, type TreeShape, unflattenTree } from '../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'

/** One argument's position, or several. */
export type Argnums = number | readonly number[]

/** The argument that `N` picks out of `A`, or a tuple of them. */
export type Picked<A extends readonly unknown[], N extends Argnums> = N extends readonly number[]
  ? { readonly [K in keyof N]: A[N[K] & keyof A] }
  : A[N & keyof A]

/** The picked arguments as leaves, and the way back. */
export interface Selection {
  readonly leaves: readonly Node[]
  readonly paths: readonly string[]
  /** All arguments, with the leaves of the picked ones replaced. */
  readonly argumentsWith: (leaves: readonly Node[]) => readonly unknown[]
  /** The picked arguments alone, in the form `Picked` promises. */
  readonly picked: (leaves: readonly Node[]) => unknown
}

/** Takes the arguments at `argnums` apart; UsageError when there is no such argument, it is named twice or no tree of tensors. */
export const select = (caller: string, args: readonly unknown[], argnums: Argnums): Selection => {
  const indices = typeof argnums === 'number' ? [argnums] : argnums
  if (!Array.isArray(indices))
    raise({
      tag: 'UsageError',
      message: `${caller}: argnums is ${showArgument(argnums)}, neither a number nor an array of them`,
      hint: 'argnums counts from 0; it names the arguments to differentiate',
    })
  const wrong = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= args.length)
  if (wrong !== undefined)
    raise({
      tag: 'UsageError',
      message: `${caller}: there is no argument ${wrong}, the function was given ${args.length}`,
      hint: 'argnums counts from 0; it names the arguments to differentiate',
    })
  const repeated = indices.find((i, k) => indices.indexOf(i) !== k)
  if (repeated !== undefined)
    raise({
      tag: 'UsageError',
      message: `${caller}: argnums names argument ${repeated} twice`,
      hint: 'name each argument once: the derivative in it is the same both times',
    })
  const flat = flattenTree<Tensor>(
    indices.map((i) => args[i]),
    isTensor,
  )
  const parts = (flat.shape as { readonly list: readonly TreeShape[] }).list
  const trees = (leaves: readonly Node[]): readonly unknown[] => parts.map((s) => unflattenTree(s, leaves))
  return {
    leaves: flat.leaves.map(nodeOf),
    paths: flat.paths.map((p) => p.replace(/^\[(\d+)\]/, (_, k) => `argument ${indices[Number(k)]} `).trim()),
    argumentsWith: (leaves) => {
      const replaced = trees(leaves)
      return args.map((a, i) => (indices.includes(i) ? replaced[indices.indexOf(i)] : a))
    },
    picked: (leaves) => (typeof argnums === 'number' ? trees(leaves)[0] : trees(leaves)),
  }
}

/** UsageError when a leaf that is to be differentiated has no tangent. */
export const requireFloat = (caller: string, { leaves, paths }: Selection): void => {
  for (const [i, n] of leaves.entries()) {
    const type = typesOf(n)[0]!
    if (isFloat(type.dtype)) continue
    raise({
      tag: 'UsageError',
      message: `${caller}: ${paths[i]} is ${showOperand(type)}, and ${type.dtype} tensors have no derivative`,
      hint: 'pass it as an argument that argnums does not name, or cast it to f32 before differentiating',
    })
  }
}
