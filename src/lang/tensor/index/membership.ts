/** Which elements are among others. */
import { build, typeOf } from '../../build.ts'
import { type Shape, sizeOf } from '../../dim.ts'
import type { Node } from '../../ir.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dualWith } from '../dual.ts'
import { binaryNode, likeNode } from '../math/arithmetic.ts'
import {
  castNode,
  commonDtype,
  expandNode,
  liftOperand,
  misfit,
  refuse,
  reshapeNode,
  scalar,
  withTypes,
} from '../operand.ts'
import { search } from './searchsorted.ts'
import { sortedNode } from './sorting.ts'

/** Whether to tell those that are not among the values. */
export interface IsinOptions {
  readonly invert?: boolean | undefined
}

const isinOptions: OptionNames<IsinOptions> = { invert: 'boolean' }

type Isin = {
  (values: Operand, options?: IsinOptions): (x: Operand) => Tensor<Shape, 'bool'>
  (x: Operand, values: Operand, options?: IsinOptions): Tensor<Shape, 'bool'>
}

/** So few values are each compared with every element, as sorting costs more. */
const few = 16

/** Whether each element of `x` is among the values, a vector. */
const among = (x: Node, values: Node): Node => {
  const { shape } = typeOf(x)
  const n = typeOf(values).shape[0]!
  if (n === 0) return expandNode(scalar(false, 'bool'), shape)
  if (n <= few) {
    const full = [...shape, n]
    const equal = binaryNode('eq', expandNode(reshapeNode(x, [...shape, 1]), full), expandNode(values, full))
    return build.reduce([equal], { monoid: 'any', axes: [shape.length] })
  }
  const sorted = sortedNode(values, 0, false, 0)
  const at = search(sorted, x, n, 0, false)
  const found = build.gather([sorted, binaryNode('min', at, likeNode(n - 1, typeOf(at)))], { batch: 0 })
  return binaryNode('eq', found, x)
}

/**
 * Whether each element of `x` equals one of `values`, of any shape: bool of x's shape (numpy.isin, torch.isin); the contrary with
 * `invert`. Dtypes promote. NaN equals nothing.
 * @example
 * T.reference(T.isin(T.tensor([1, 2, 5]), T.tensor([2, 3, 1]))).data // => [1, 1, 0]
 */
export const isin: Isin = dualWith(
  'T.isin',
  2,
  isinOptions,
  (x: Operand, values: Operand, { invert = false }: IsinOptions = {}) => {
    const given = [x, values].map((v, i) => liftOperand('T.isin', v, i))
    const nodes = given.filter((v) => typeof v === 'object')
    return tensorOf(
      withTypes('T.isin', nodes, (types) => {
        const weak = given.filter((v) => typeof v !== 'object')
        const dtype = commonDtype(
          types.map((t) => t.dtype),
          weak,
        )
        const over = misfit(given, dtype)
        if (over) return refuse('T.isin', nodes, over)
        const [n, vs] = given.map((v) => {
          const cast = typeof v === 'object' ? castNode(v, dtype) : scalar(v, dtype)
          return dtype === 'bool' ? castNode(cast, 'i32') : cast
        }) as [Node, Node]
        const found = among(n, reshapeNode(vs, [sizeOf(typeOf(vs).shape)]))
        return invert ? build.not([found], {}) : found
      }),
    )
  },
)
