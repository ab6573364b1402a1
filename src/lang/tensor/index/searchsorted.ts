/** Where values belong among sorted elements: a binary search for all of them at once. */
import { build, typeOf } from '../../build.ts'
import { isFloat } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { showShape } from '../../shape.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { tensorOf } from '../../types/tensor.ts'
import { demandChoice, type OptionNames } from '../arguments.ts'
import { dualWith } from '../dual.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'
import { castNode, commonDtype, lift, liftOperand, misfit, refuse, scalar, withTypes } from '../operand.ts'

/** Which side of equal elements a value goes to. */
export interface SearchOptions {
  readonly side?: 'left' | 'right' | undefined
}

const searchOptions: OptionNames<SearchOptions> = { side: 'own' }

type Search = {
  (values: Operand, options?: SearchOptions): (sorted: Tensor) => Tensor<Tensor['shape'], 'i32'>
  (sorted: Tensor, values: Operand, options?: SearchOptions): Tensor<Tensor['shape'], 'i32'>
}

/** Whether an element comes before a value (or is its equal, on the right side) in the order of `sort`: NaN is last. */
const comesBefore = (values: Node, right: boolean): ((element: Node) => Node) => {
  const plain = (element: Node): Node => binaryNode(right ? 'le' : 'lt', element, values)
  if (!isFloat(typeOf(values).dtype)) return plain
  const isNan = build.isNan([values], {})
  // All elements come before a NaN or are its equals; only on the left side must the equals stay out.
  return (element) =>
    right
      ? binaryNode('or', isNan, plain(element))
      : selectNode(isNan, build.not([build.isNan([element], {})], {}), plain(element))
}

/** How many of the `n` sorted elements come before each value: bit by bit from the highest, in ⌊log₂ n⌋ + 1 steps. */
export const search = (sorted: Node, values: Node, n: number, batch: number, right: boolean): Node => {
  const type = { shape: typeOf(values).shape, dtype: 'i32' } as const
  const like = (x: number): Node => likeNode(x, type)
  const isBefore = comesBefore(values, right)
  let found = like(0)
  for (let step = 2 ** Math.floor(Math.log2(Math.max(1, n))); step >= 1; step /= 2) {
    const next = binaryNode('add', found, like(step))
    const last = binaryNode('sub', binaryNode('min', next, like(n)), like(1))
    const element = build.gather([sorted, last], { batch })
    found = selectNode(binaryNode('and', binaryNode('le', next, like(n)), isBefore(element)), next, found)
  }
  return found
}

/**
 * The positions (i32) at which `values` keep the ascending last axis of `sorted` in order: before equal elements, or
 * after them on the `'right'` side (torch.searchsorted). A vector takes values of any shape; other ranks take values
 * whose leading axes are its own. NaN comes last, among the elements too (numpy.searchsorted); dtypes promote.
 * ShapeError for a scalar, or other leading axes.
 * @example
 * const sorted = T.tensor([1, 3, 3, 5])
 * T.reference(T.searchsorted(sorted, T.tensor([3, 0, 9]))).data // => [1, 0, 4]
 * T.reference(T.searchsorted(sorted, 3, { side: 'right' })).data // => [3]
 */
export const searchsorted: Search = dualWith(
  'T.searchsorted',
  2,
  searchOptions,
  (sorted: Tensor, values: Operand, { side = 'left' }: SearchOptions = {}) => {
    demandChoice('T.searchsorted', 'side', side, ['left', 'right'])
    const x = lift('T.searchsorted', sorted)
    const given = liftOperand('T.searchsorted', values, 1)
    const isNode = typeof given === 'object'
    return tensorOf(
      withTypes('T.searchsorted', isNode ? [x, given] : [x], ([type, vt]) => {
        const dtype = commonDtype(vt ? [type!.dtype, vt.dtype] : [type!.dtype], isNode ? [] : [given])
        const over = misfit([given], dtype)
        if (over !== undefined) return refuse('T.searchsorted', [x], over)
        const v = isNode ? castNode(given, dtype) : scalar(given, dtype)
        const { shape } = type!
        const lead = shape.slice(0, -1)
        const vs = typeOf(v).shape
        if (shape.length === 0)
          return refuse('T.searchsorted', [x, v], { reason: 'a scalar holds no sorted axis', hint: 'give a vector' })
        if (lead.length > 0 && (vs.length !== shape.length || lead.some((d, i) => d !== vs[i])))
          return refuse('T.searchsorted', [x, v], {
            reason: `values of shape ${showShape(vs)} do not go with sorted elements of shape ${showShape(shape)}`,
            hint: 'the leading axes must be equal; a vector takes values of any shape',
          })
        const n = shape.at(-1)!
        if (n === 0) return likeNode(0, { shape: vs, dtype: 'i32' })
        return search(castNode(x, dtype), v, n, lead.length, side === 'right')
      }),
    )
  },
)
