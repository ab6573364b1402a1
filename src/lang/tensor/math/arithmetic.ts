/** Arithmetic of two operands: promotion, broadcasting, and the primitives or short formulas beneath. */
import { build } from '../../build.ts'
import { type DType, isFloat } from '../../dtype.ts'
import type { Refusal } from '../../errors.ts'
import type { BinaryOp, Node, TensorType } from '../../ir.ts'
import type { Arithmetic, FloatArithmetic } from '../../types/broadcast.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { dual } from '../dual.ts'
import { castNode, expandNode, refuse, scalar, unify } from '../operand.ts'
import { negativeExponent, zeroDivisor } from './known-values.ts'

/** The node `op(a, b)` of two nodes of equal type. */
export const binaryNode = (op: BinaryOp, a: Node, b: Node): Node => build[op]([a, b], {})

/** `x` as a constant of the type of `like`. */
export const likeNode = (x: number, like: { readonly shape: readonly number[]; readonly dtype: DType }): Node =>
  expandNode(scalar(x, like.dtype), like.shape)

const plain =
  (name: string, op: BinaryOp, onBool?: BinaryOp, refusal: (y: Node) => Refusal | undefined = () => undefined) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) => {
      const wrong = refusal(y!)
      if (wrong) return refuse(name, [x!, y!], wrong)
      if (dtype !== 'bool') return binaryNode(op, x!, y!)
      if (onBool) return binaryNode(onBool, x!, y!)
      return refuse(name, [x!, y!], {
        reason: 'not defined on bool',
        hint: "cast to a number first: T.cast(x, 'i32')",
      })
    })

/**
 * `a + b`, element by element. Shapes broadcast, dtypes promote (see `promote`), numbers adopt the tensor's dtype;
 * integers wrap modulo 2³², on bool it is `or`. ShapeError where shapes do not broadcast.
 * @example
 * T.reference(T.add(T.tensor([[1], [2]]), T.tensor([10, 20]))).data // => [11, 21, 12, 22]
 * T.reference(T.pipe(T.tensor([1, 2]), T.add(0.5))).data // => [1.5, 2.5]
 */
export const add: Arithmetic<'add'> = dual('T.add', 2, plain('T.add', 'add', 'or'))

/**
 * `a - b`, element by element; curried, `pipe(x, T.sub(1))` is x - 1. Shapes broadcast, dtypes promote; integers wrap
 * modulo 2³². ShapeError for bool.
 * @example
 * T.reference(T.sub(T.tensor([5, 7]), T.tensor([1, 2]))).data // => [4, 5]
 */
export const sub: Arithmetic<'sub'> = dual('T.sub', 2, plain('T.sub', 'sub'))

/**
 * `a · b`, element by element. Shapes broadcast, dtypes promote; integers wrap modulo 2³², on bool it is `and`.
 * @example
 * T.reference(T.mul(T.tensor([1, 2, 3]), 2)).data // => [2, 4, 6]
 */
export const mul: Arithmetic<'mul'> = dual('T.mul', 2, plain('T.mul', 'mul', 'and'))

/**
 * The true quotient `a / b`: floating point, f32 for integers and bool. Shapes broadcast; IEEE 754 for zeros (1/0 is
 * Infinity, 0/0 NaN).
 * @example
 * T.reference(T.div(T.tensor([1, 0, 6]), T.tensor([2, 0, 4]))).data // => [0.5, NaN, 1.5]
 */
export const div: FloatArithmetic<'div'> = dual('T.div', 2, (a: Operand, b: Operand) =>
  unify('T.div', [a, b], 'float', ([x, y]) => binaryNode('div', x!, y!)),
)

/**
 * The remainder of the quotient rounded towards zero, with the sign of `a` (C's fmod, torch.fmod). Shapes broadcast,
 * dtypes promote; by 0 it is NaN for floats, 0 for integers. ShapeError for bool, and for integers by a constant 0.
 * @example
 * T.reference(T.fmod(T.tensor([-7, 7]), 3)).data // => [-1, 1]
 */
export const fmod: Arithmetic<'fmod'> = dual('T.fmod', 2, plain('T.fmod', 'rem', undefined, zeroDivisor))

/** `a` where `c` is true, else `b`, on nodes of one type. */
export const selectNode = (c: Node, a: Node, b: Node): Node => build.select([c, a, b], {})

const not = (c: Node): Node => build.not([c], {})
const and = (c: Node, d: Node): Node => binaryNode('and', c, d)

/** Whether a remainder `r` of a division by `b` is nonzero and of the other sign: floor and trunc then differ by one. */
const offSide = (r: Node, b: Node, zero: Node): Node =>
  and(not(binaryNode('eq', r, zero)), binaryNode('xor', binaryNode('lt', b, zero), binaryNode('lt', r, zero)))

/**
 * The remainder of the quotient rounded down, with the sign of `b` (Python's `a % b`, torch.remainder). Shapes
 * broadcast, dtypes promote; by 0 it is NaN for floats, 0 for integers. ShapeError for bool, and for integers by a constant
 * 0.
 * @example
 * T.reference(T.remainder(T.tensor([-7, 7]), 3)).data // => [2, 1]
 */
export const remainder: Arithmetic<'remainder'> = dual('T.remainder', 2, (a: Operand, b: Operand) =>
  unify('T.remainder', [a, b], 'promote', ([x, y], type) => {
    if (type.dtype === 'bool') return refuse('T.remainder', [x!, y!], { reason: 'not defined on bool' })
    const none = zeroDivisor(y!)
    if (none) return refuse('T.remainder', [x!, y!], none)
    const r = binaryNode('rem', x!, y!)
    return selectNode(offSide(r, y!, likeNode(0, type)), binaryNode('add', r, y!), r)
  }),
)

const truncated = (x: Node, y: Node, float: boolean): Node => {
  const q = binaryNode('div', x, y)
  return float ? build.trunc([q], {}) : q
}

/**
 * Both operands of a division, brought away from the least floats together: a remainder that a device takes for 0 would be
 * taken for none. What is divided by something small and is not small itself has a quotient past all fractions.
 */
const enlarged = (x: Node, y: Node, type: TensorType): readonly [Node, Node] => {
  if (type.dtype !== 'f32' && type.dtype !== 'bf16') return [x, y]
  const below = (n: Node, bound: number): Node => binaryNode('lt', build.abs([n], {}), likeNode(bound, type))
  const isSmall = and(below(y, 2 ** -60), below(x, 1))
  const by = selectNode(isSmall, likeNode(2 ** 60, type), likeNode(1, type))
  return [binaryNode('mul', x, by), binaryNode('mul', y, by)]
}

/**
 * The quotient rounded down (Python's `a // b`). Shapes broadcast, dtypes promote. For floats it is computed from the
 * remainder, so that `a = b·(a // b) + remainder(a, b)` holds up to rounding; by 0 floats give `a / b`, integers a.
 * ShapeError for bool, and for integers by a constant 0.
 * @example
 * T.reference(T.floorDivide(T.tensor([-7, 7]), 2)).data // => [-4, 3]
 */
export const floorDivide: Arithmetic<'floorDivide'> = dual('T.floorDivide', 2, (a: Operand, b: Operand) =>
  unify('T.floorDivide', [a, b], 'promote', ([given, divisor], type) => {
    if (type.dtype === 'bool') return refuse('T.floorDivide', [given!, divisor!], { reason: 'not defined on bool' })
    const none = zeroDivisor(divisor!)
    if (none) return refuse('T.floorDivide', [given!, divisor!], none)
    const [zero, one] = [likeNode(0, type), likeNode(1, type)]
    const [x, y] = enlarged(given!, divisor!, type)
    const r = binaryNode('rem', x, y)
    const off = offSide(r, y, zero)
    if (!isFloat(type.dtype)) {
      const q = truncated(x, y, false)
      return selectNode(off, binaryNode('sub', q, one), q)
    }
    const exact = binaryNode('div', binaryNode('sub', x, r), y)
    const down = selectNode(off, binaryNode('sub', exact, one), exact)
    const floor = build.floor([down], {})
    const half = likeNode(0.5, type)
    const nearest = selectNode(
      binaryNode('lt', half, binaryNode('sub', down, floor)),
      binaryNode('add', floor, one),
      floor,
    )
    return selectNode(binaryNode('eq', y, zero), binaryNode('div', x, y), nearest)
  }),
)

/**
 * The quotient rounded towards zero. Shapes broadcast, dtypes promote: integers stay integers; by 0 floats give `a /
 * b`, integers a. ShapeError for bool.
 * @example
 * T.reference(T.truncDivide(T.tensor([-7, 7]), 2)).data // => [-3, 3]
 */
export const truncDivide: Arithmetic<'truncDivide'> = dual('T.truncDivide', 2, (a: Operand, b: Operand) =>
  unify('T.truncDivide', [a, b], 'promote', ([x, y], { dtype }) =>
    dtype === 'bool'
      ? refuse('T.truncDivide', [x!, y!], { reason: 'not defined on bool' })
      : truncated(x!, y!, isFloat(dtype)),
  ),
)

/**
 * The larger of two; NaN where either is NaN. Shapes broadcast, dtypes promote; on bool it is `or`. On a tie each
 * operand gets half of the gradient, as in PyTorch.
 * @example
 * T.reference(T.maximum(T.tensor([1, 5]), T.tensor([3, 2]))).data // => [3, 5]
 */
export const maximum: Arithmetic<'maximum'> = dual('T.maximum', 2, plain('T.maximum', 'max', 'or'))

/**
 * The smaller of two; NaN where either is NaN. Shapes broadcast, dtypes promote; on bool it is `and`. On a tie each
 * operand gets half of the gradient, as in PyTorch.
 * @example
 * T.reference(T.minimum(T.tensor([1, 5]), T.tensor([3, 2]))).data // => [1, 2]
 */
export const minimum: Arithmetic<'minimum'> = dual('T.minimum', 2, plain('T.minimum', 'min', 'and'))

const ignoringNan =
  (name: string, op: 'max' | 'min') =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) => {
      if (!isFloat(dtype)) return binaryNode(dtype === 'bool' ? (op === 'max' ? 'or' : 'and') : op, x!, y!)
      const isFirst = op === 'max' ? binaryNode('le', y!, x!) : binaryNode('le', x!, y!)
      return selectNode(binaryNode('or', isFirst, build.isNan([y!], {})), x!, y!)
    })

/**
 * The larger of two, where a number wins over NaN (IEEE 754 maxNum). Shapes broadcast, dtypes promote; on bool it is
 * `or`. On a tie the first operand gets the gradient, as in PyTorch.
 * @example
 * T.reference(T.fmax(T.tensor([NaN, 5]), T.tensor([3, 2]))).data // => [3, 5]
 */
export const fmax: Arithmetic<'fmax'> = dual('T.fmax', 2, ignoringNan('T.fmax', 'max'))

/**
 * The smaller of two, where a number wins over NaN (IEEE 754 minNum). Shapes broadcast, dtypes promote; on bool it is
 * `and`. On a tie the first operand gets the gradient, as in PyTorch.
 * @example
 * T.reference(T.fmin(T.tensor([NaN, 5]), T.tensor([3, 2]))).data // => [3, 2]
 */
export const fmin: Arithmetic<'fmin'> = dual('T.fmin', 2, ignoringNan('T.fmin', 'min'))

/**
 * The angle in [-π, π], in radians, of the point with y = a and x = b. Shapes broadcast; floating point, f32 for
 * integers and bool. Zeros and infinities as C99 has them.
 * @example
 * T.reference(T.atan2(T.tensor([1, 1, 0]), T.tensor([1, -1, -1]))).data // => [0.785398, 2.356194, 3.141593]
 */
export const atan2: FloatArithmetic<'atan2'> = dual('T.atan2', 2, (a: Operand, b: Operand) =>
  unify('T.atan2', [a, b], 'float', ([x, y]) => binaryNode('atan2', x!, y!)),
)

/**
 * `aᵇ`, as C99 has it: pow(1, NaN) = 1, x⁰ = 1, NaN for a negative base and a fraction. Shapes broadcast, dtypes
 * promote; integers wrap, and their negative powers are rounded towards zero, but for constant exponents, which are a
 * ShapeError below 0. The whole exponents 1, 2 and 3 given as numbers are products, which is exact.
 * @example
 * T.reference(T.pow(T.tensor([2, 3]), T.tensor([10, 0]))).data // => [1024, 1]
 * T.reference(T.pow(T.tensor([-8, 4]), 0.5)).data // => [NaN, 2]
 */
export const pow: Arithmetic<'pow'> = dual('T.pow', 2, (a: Operand, b: Operand) => {
  if (typeof b === 'number' && (b === 1 || b === 2 || b === 3) && typeof a === 'object')
    return unify('T.pow', [a, 1], 'promote', ([x]) => {
      const square = b === 1 ? x! : binaryNode('mul', x!, x!)
      return b === 3 ? binaryNode('mul', square, x!) : square
    })
  return unify('T.pow', [a, b], 'promote', ([x, y], { dtype }) => {
    const fraction = negativeExponent(y!)
    if (fraction) return refuse('T.pow', [x!, y!], fraction)
    return dtype === 'bool' ? binaryNode('or', x!, build.not([y!], {})) : binaryNode('pow', x!, y!)
  })
})

/** Nodes cast to f32 unless floating. */
export const floatNode = (n: Node, dtype: DType): Node => (isFloat(dtype) ? n : castNode(n, 'f32'))
