/** Arithmetic of two operands: promotion, broadcasting, and the primitives or short formulas beneath. */
import { build } from '../build.ts'
import { type DType, isFloat } from '../dtype.ts'
import type { BinaryOp, Node } from '../ir.ts'
import type { Arithmetic, FloatArithmetic } from '../types/broadcast.ts'
import type { Operand, Tensor } from '../types.ts'
import { dual } from './dual.ts'
import { castNode, expandNode, refuse, scalar, unify } from './operand.ts'

/** The node `op(a, b)` of two nodes of equal type. */
export const binaryNode = (op: BinaryOp, a: Node, b: Node): Node => build[op]([a, b], {})

/** `x` as a constant of the type of `like`. */
export const likeNode = (x: number, like: { readonly shape: readonly number[]; readonly dtype: DType }): Node =>
  expandNode(scalar(x, like.dtype), like.shape)

const plain =
  (name: string, op: BinaryOp, onBool?: BinaryOp) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) => {
      if (dtype !== 'bool') return binaryNode(op, x!, y!)
      if (onBool) return binaryNode(onBool, x!, y!)
      return refuse(name, [x!, y!], {
        reason: 'is not defined on bool',
        hint: "cast to a number first: T.cast(x, 'i32')",
      })
    })

/** `a + b`. Broadcasts, promotes; on bool it is `or`. */
export const add: Arithmetic<'add'> = dual('T.add', 2, plain('T.add', 'add', 'or'))

/** `a - b`. Broadcasts, promotes; bool is refused. `pipe(x, T.sub(1))` is x - 1. */
export const sub: Arithmetic<'sub'> = dual('T.sub', 2, plain('T.sub', 'sub'))

/** `a * b`. Broadcasts, promotes; on bool it is `and`. */
export const mul: Arithmetic<'mul'> = dual('T.mul', 2, plain('T.mul', 'mul', 'and'))

/** The true quotient `a / b`: integers and bool give f32. Broadcasts. */
export const div: FloatArithmetic<'div'> = dual('T.div', 2, (a: Operand, b: Operand) =>
  unify('T.div', [a, b], 'float', ([x, y]) => binaryNode('div', x!, y!)),
)

/** C's fmod: the remainder with the dividend's sign. */
export const fmod: Arithmetic<'fmod'> = dual('T.fmod', 2, plain('T.fmod', 'rem'))

/** `a` where `c` is true, else `b`, on nodes of one type. */
export const selectNode = (c: Node, a: Node, b: Node): Node => build.select([c, a, b], {})

const not = (c: Node): Node => build.not([c], {})
const and = (c: Node, d: Node): Node => binaryNode('and', c, d)

/** Whether a remainder `r` of a division by `b` is nonzero and of the other sign: floor and trunc then differ by one. */
const offSide = (r: Node, b: Node, zero: Node): Node =>
  and(not(binaryNode('eq', r, zero)), binaryNode('xor', binaryNode('lt', b, zero), binaryNode('lt', r, zero)))

/** Python's `a % b`: the remainder with the divisor's sign. */
export const remainder: Arithmetic<'remainder'> = dual('T.remainder', 2, (a: Operand, b: Operand) =>
  unify('T.remainder', [a, b], 'promote', ([x, y], type) => {
    if (type.dtype === 'bool') return refuse('T.remainder', [x!, y!], { reason: 'is not defined on bool' })
    const r = binaryNode('rem', x!, y!)
    return selectNode(offSide(r, y!, likeNode(0, type)), binaryNode('add', r, y!), r)
  }),
)

const truncated = (x: Node, y: Node, float: boolean): Node => {
  const q = binaryNode('div', x, y)
  return float ? build.trunc([q], {}) : q
}

/**
 * Python's `a // b`: the quotient rounded down. For floats it is computed from the remainder, so that it agrees with
 * `remainder` where a/b rounds up to a whole number (CPython's float_floor_div); division by zero gives a/b.
 */
export const floorDivide: Arithmetic<'floorDivide'> = dual('T.floorDivide', 2, (a: Operand, b: Operand) =>
  unify('T.floorDivide', [a, b], 'promote', ([x, y], type) => {
    if (type.dtype === 'bool') return refuse('T.floorDivide', [x!, y!], { reason: 'is not defined on bool' })
    const [zero, one] = [likeNode(0, type), likeNode(1, type)]
    const r = binaryNode('rem', x!, y!)
    const off = offSide(r, y!, zero)
    if (!isFloat(type.dtype)) {
      const q = truncated(x!, y!, false)
      return selectNode(off, binaryNode('sub', q, one), q)
    }
    const exact = binaryNode('div', binaryNode('sub', x!, r), y!)
    const down = selectNode(off, binaryNode('sub', exact, one), exact)
    const floor = build.floor([down], {})
    const half = likeNode(0.5, type)
    const nearest = selectNode(
      binaryNode('lt', half, binaryNode('sub', down, floor)),
      binaryNode('add', floor, one),
      floor,
    )
    return selectNode(binaryNode('eq', y!, zero), binaryNode('div', x!, y!), nearest)
  }),
)

/** The quotient rounded towards zero; integers stay integers. */
export const truncDivide: Arithmetic<'truncDivide'> = dual('T.truncDivide', 2, (a: Operand, b: Operand) =>
  unify('T.truncDivide', [a, b], 'promote', ([x, y], { dtype }) =>
    dtype === 'bool'
      ? refuse('T.truncDivide', [x!, y!], { reason: 'is not defined on bool' })
      : truncated(x!, y!, isFloat(dtype)),
  ),
)

/** The larger of two; NaN wins. On a tie the gradient is halved. */
export const maximum: Arithmetic<'maximum'> = dual('T.maximum', 2, plain('T.maximum', 'max', 'or'))

/** The smaller of two; NaN wins. On a tie the gradient is halved. */
export const minimum: Arithmetic<'minimum'> = dual('T.minimum', 2, plain('T.minimum', 'min', 'and'))

const ignoringNan =
  (name: string, op: BinaryOp) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], { dtype }) => {
      if (!isFloat(dtype)) return binaryNode(dtype === 'bool' ? (op === 'max' ? 'or' : 'and') : op, x!, y!)
      const [nanX, nanY] = [build.isNan([x!], {}), build.isNan([y!], {})]
      return selectNode(nanX, y!, selectNode(nanY, x!, binaryNode(op, x!, y!)))
    })

/** The larger of two, ignoring NaN where the other is a number. */
export const fmax: Arithmetic<'fmax'> = dual('T.fmax', 2, ignoringNan('T.fmax', 'max'))

/** The smaller of two, ignoring NaN where the other is a number. */
export const fmin: Arithmetic<'fmin'> = dual('T.fmin', 2, ignoringNan('T.fmin', 'min'))

/** The angle of the point (x = b, y = a), in (-π, π]. Integers give f32. */
export const atan2: FloatArithmetic<'atan2'> = dual('T.atan2', 2, (a: Operand, b: Operand) =>
  unify('T.atan2', [a, b], 'float', ([x, y]) => binaryNode('atan2', x!, y!)),
)

/**
 * `a` to the power `b`, as C99 has it (pow(1, NaN) = 1, x⁰ = 1). The whole exponents 1, 2 and 3 given as numbers are products, which
 * is exact and holds for integers.
 */
export const pow: Arithmetic<'pow'> = dual('T.pow', 2, (a: Operand, b: Operand) => {
  if (typeof b === 'number' && (b === 1 || b === 2 || b === 3) && typeof a === 'object')
    return unify('T.pow', [a, 1], 'promote', ([x]) => {
      const square = b === 1 ? x! : binaryNode('mul', x!, x!)
      return b === 3 ? binaryNode('mul', square, x!) : square
    })
  return unify('T.pow', [a, b], 'promote', ([x, y], { dtype }) =>
    dtype === 'bool' ? binaryNode('or', x!, build.not([y!], {})) : binaryNode('pow', x!, y!),
  )
})

/** Nodes cast to f32 unless floating. */
export const floatNode = (n: Node, dtype: DType): Node => (isFloat(dtype) ? n : castNode(n, 'f32'))
