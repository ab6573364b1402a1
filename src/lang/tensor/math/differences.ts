/** Differences of neighbours. */
import { typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import { nodeOf, type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith } from '../dual.ts'
import { castNode, expandNode, lift, misfit, onAxis, refuse, scalar, withTypes } from '../operand.ts'
import { concat } from '../shape/joining.ts'
import { narrowNode } from '../shape/reordering.ts'
import { binaryNode } from './arithmetic.ts'

/** How many times (1), along which axis (the last), and what is put before and after it first. */
export interface DiffOptions {
  readonly n?: number | undefined
  readonly axis?: number | undefined
  readonly prepend?: Operand | undefined
  readonly append?: Operand | undefined
}

const diffOptions: OptionNames<DiffOptions> = { n: 'size', axis: 'own', prepend: 'operand', append: 'operand' }

type Diff = {
  (options?: DiffOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, options?: DiffOptions): Tensor<Shape, D>
}

/** What is put beside `n` along an axis: a number once, a tensor as it is. */
const beside = (n: Node, axis: number, x: Operand | undefined): readonly Tensor[] => {
  if (x === undefined) return []
  const { shape, dtype } = typeOf(n)
  const node =
    typeof x === 'object'
      ? castNode(lift('T.diff', x, 1), dtype)
      : expandNode(
          scalar(x, dtype),
          shape.map((d, i) => (i === axis ? 1 : d)),
        )
  return [tensorOf(node)]
}

const stepDown = (n: Node, axis: number): Node => {
  const { shape, dtype } = typeOf(n)
  const size = shape[axis]!
  if (size === 0) return n
  return binaryNode(dtype === 'bool' ? 'xor' : 'sub', narrowNode(n, axis, 1, size), narrowNode(n, axis, 0, size - 1))
}

/**
 * The differences x[i + 1] - x[i] along `axis` (the last), `n` times over (1), so that the axis gets shorter by n, down to nothing
 * (numpy.diff, torch.diff). `prepend` and `append`, a number or a tensor, are joined to it first. Same dtype; integers wrap, of bool it is
 * whether they differ. ShapeError for a scalar, an axis out of range, and what cannot be joined.
 * @example
 * T.reference(T.diff(T.tensor([1, 4, 9, 16]))).data // => [3, 5, 7]
 * T.reference(T.diff(T.tensor([1, 4, 9, 16]), { n: 2, prepend: 0 })).data // => [2, 2, 2]
 */
export const diff: Diff = dataFirstWith('T.diff', 1, diffOptions, (x: Tensor, o: DiffOptions = {}) => {
  const { n: times = 1, axis = -1, prepend, append } = o
  return onAxis('T.diff', x, axis, (given, a, { dtype }) => {
    const numbers = [prepend, append].filter((e) => e !== undefined && typeof e !== 'object')
    const over = misfit(numbers, dtype)
    if (over) return refuse('T.diff', [given], over)
    const parts = [...beside(given, a, prepend), tensorOf(given), ...beside(given, a, append)]
    const whole = parts.length === 1 ? given : nodeOf(concat(parts, { axis: a }) as Tensor)
    return withTypes('T.diff', [whole], () => {
      let n = whole
      for (let i = 0; i < times && typeOf(n).shape[a] !== 0; i++) n = stepDown(n, a)
      return n
    })
  })
})
