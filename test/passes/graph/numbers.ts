/** What the tests of function transforms share: the numbers of trees of constant tensors, and errors as text. */
import { expect } from 'vitest'
import { showError, TensorloomError } from '../../../src/lang/errors.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import { flattenTree, isTensor } from '../../../src/lang/tree.ts'
import { nodeOf, type Tensor } from '../../../src/lang/types/tensor.ts'

/** The elements of every leaf, in Float64. */
export const numbersOf = (tree: unknown): readonly (readonly number[])[] =>
  evaluate({ inputs: [], outputs: flattenTree<Tensor>(tree, isTensor).leaves.map(nodeOf) }, []).map((v) =>
    Array.from(v.data),
  )

/** Leaf by leaf and element by element equal to `digits` decimals, shapes and dtypes included. */
export const closeTo = (got: unknown, want: unknown, digits = 9): void => {
  const types = (tree: unknown): unknown =>
    flattenTree<Tensor>(tree, isTensor).leaves.map((x) => `${x.dtype}[${x.shape.join()}]`)
  expect(types(got)).toEqual(types(want))
  const [a, b] = [numbersOf(got), numbersOf(want)]
  for (const [i, l] of a.entries()) for (const [e, v] of l.entries()) expect(v).toBeCloseTo(b[i]![e]!, digits)
}

/** The tag and text of the typed error that `f` raises. */
export const messageOf = (f: () => unknown): string => {
  try {
    f()
  } catch (e) {
    if (e instanceof TensorloomError) return `${e.error.tag} ${showError(e.error)}`
    throw e
  }
  return 'no error'
}
