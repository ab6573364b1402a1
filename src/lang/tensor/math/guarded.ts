/** Formulas of two operands that need a choice to stay finite, and those of whole numbers that stop by one. */
import { build } from '../../build.ts'
import { isInteger, isUnsigned } from '../../dtype.ts'
import type { Node, TensorType } from '../../ir.ts'
import type { Arithmetic, FloatArithmetic } from '../../types/broadcast.ts'
import type { Operand, Tensor } from '../../types/tensor.ts'
import { dual } from '../dual.ts'
import { refuse, unify } from '../operand.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'
import { signbitNode } from './predicates.ts'

/**
 * `|a|` with the sign bit of `b`, of -0 too. Shapes broadcast; floating point, f32 for integers and bool.
 * @example
 * T.reference(T.copysign(T.tensor([3.5, -4]), T.tensor([-0, 1.5]))).data // => [-3.5, 4]
 */
export const copysign: FloatArithmetic<'copysign'> = dual('T.copysign', 2, (a: Operand, b: Operand) =>
  unify('T.copysign', [a, b], 'float', ([x, y], type) => {
    const size = build.abs([x!], {})
    return selectNode(signbitNode(y!, type), build.neg([size], {}), size)
  }),
)

/**
 * `√(a² + b²)` without overflow: the larger times `√(1 + (smaller/larger)²)`. Shapes broadcast; floating point, f32 for
 * integers and bool; Infinity where either is infinite.
 * @example
 * T.reference(T.hypot(T.full([1], 3e30), T.full([1], 4e30))).data // => [5e30]
 */
export const hypot: FloatArithmetic<'hypot'> = dual('T.hypot', 2, (a: Operand, b: Operand) =>
  unify('T.hypot', [a, b], 'float', ([x, y], type) => {
    const [zero, one] = [likeNode(0, type), likeNode(1, type)]
    const [p, q] = [build.abs([x!], {}), build.abs([y!], {})]
    const [big, small] = [binaryNode('max', p, q), binaryNode('min', p, q)]
    const degenerate = binaryNode('or', binaryNode('eq', big, zero), build.isInf([big], {}))
    const ratio = binaryNode('div', selectNode(degenerate, zero, small), selectNode(degenerate, one, big))
    const root = build.sqrt([binaryNode('add', one, binaryNode('mul', ratio, ratio))], {})
    const infinite = binaryNode('or', build.isInf([p], {}), build.isInf([q], {}))
    return selectNode(infinite, likeNode(Number.POSITIVE_INFINITY, type), binaryNode('mul', big, root))
  }),
)

/**
 * The larger plus log(1 + e^-|a-b|), in base e or 2. Choices instead of max and abs, so that derivatives of every order hold
 * at a = b; equal infinities are their maximum, whose derivative they share.
 */
const logAdd = (x: Node, y: Node, type: TensorType, base2: boolean): Node => {
  const zero = likeNode(0, type)
  const bothInfinite = binaryNode('and', binaryNode('eq', x, y), build.isInf([x], {}))
  const gap = selectNode(bothInfinite, zero, binaryNode('sub', x, y))
  const first = binaryNode('lt', zero, gap)
  const away = selectNode(first, build.neg([gap], {}), gap)
  const decay = base2 ? build.exp2([away], {}) : build.exp([away], {})
  const bump = build.log1p([decay], {})
  const larger = selectNode(bothInfinite, binaryNode('max', x, y), selectNode(first, x, y))
  return binaryNode('add', larger, base2 ? binaryNode('mul', bump, likeNode(Math.LOG2E, type)) : bump)
}

/**
 * `log(eᵃ + eᵇ)`, stable: the larger plus `log(1 + e^-|a-b|)`. Shapes broadcast; floating point, f32 for integers and
 * bool. -Infinity of two -Infinity. The gradient at infinities is that of `logsumexp`.
 * @example
 * T.reference(T.logaddexp(T.tensor([0, 1000]), T.tensor([0, 1000]))).data // => [0.693147, 1000.693147]
 */
export const logaddexp: FloatArithmetic<'logaddexp'> = dual('T.logaddexp', 2, (a: Operand, b: Operand) =>
  unify('T.logaddexp', [a, b], 'float', ([x, y], type) => logAdd(x!, y!, type, false)),
)

/**
 * `log2(2ᵃ + 2ᵇ)`, stable: the larger plus `log2(1 + 2^-|a-b|)`. Shapes broadcast; floating point, f32 for integers and
 * bool. The gradient at infinities is that of `logsumexp`.
 * @example
 * T.reference(T.logaddexp2(T.tensor([3, 1000]), T.tensor([3, 1000]))).data // => [4, 1001]
 */
export const logaddexp2: FloatArithmetic<'logaddexp2'> = dual('T.logaddexp2', 2, (a: Operand, b: Operand) =>
  unify('T.logaddexp2', [a, b], 'float', ([x, y], type) => logAdd(x!, y!, type, true)),
)

/**
 * `a · log(b)`, 0 where a is 0 (unless b is NaN), so that `xlogy(p, p)` is right at 0. Shapes broadcast; floating
 * point, f32 for integers and bool.
 * @example
 * T.reference(T.xlogy(T.tensor([0, 2]), T.tensor([0, 3]))).data // => [0, 2.197225]
 */
export const xlogy: FloatArithmetic<'xlogy'> = dual('T.xlogy', 2, (a: Operand, b: Operand) =>
  unify('T.xlogy', [a, b], 'float', ([x, y], type) => {
    const zero = likeNode(0, type)
    const unusable = binaryNode('or', binaryNode('le', y!, zero), build.isInf([y!], {}))
    const masked = binaryNode('and', binaryNode('eq', x!, zero), unusable)
    return binaryNode('mul', x!, build.log([selectNode(masked, likeNode(1, type), y!)], {}))
  }),
)

/** Euclid's algorithm; Fibonacci numbers are the worst case and F(47) is the first past 2^31. */
const euclidSteps = 47

const gcdNode = (x: Node, y: Node, type: TensorType): Node => {
  const [zero, one] = [likeNode(0, type), likeNode(1, type)]
  let [a, b] = isUnsigned(type.dtype) ? [x, y] : [build.abs([x], {}), build.abs([y], {})]
  for (let i = 0; i < euclidSteps; i++) {
    const done = binaryNode('eq', b, zero)
    const r = binaryNode('rem', a, selectNode(done, one, b))
    ;[a, b] = [selectNode(done, a, b), r]
  }
  return a
}

const onIntegers =
  (name: string, f: (x: Node, y: Node, type: TensorType) => Node) =>
  (a: Operand, b: Operand): Tensor =>
    unify(name, [a, b], 'promote', ([x, y], type) =>
      isInteger(type.dtype)
        ? f(x!, y!, type)
        : refuse(name, [x!, y!], {
            reason: `not defined on ${type.dtype}`,
            hint: "cast to an integer: T.cast(x, 'i32')",
          }),
    )

/**
 * The greatest common divisor, never negative; gcd(0, 0) = 0. Euclid's algorithm, unrolled. Shapes broadcast, dtypes
 * promote; ShapeError for floats and bool.
 * @example
 * T.reference(T.gcd(T.tensor([12, -9, 0]), T.tensor([18, 6, 5]))).data // => [6, 3, 5]
 */
export const gcd: Arithmetic<'gcd'> = dual('T.gcd', 2, onIntegers('T.gcd', gcdNode))

/**
 * The least common multiple, never negative; 0 where either is 0. Wraps. Shapes broadcast, dtypes promote;
 * ShapeError for floats and bool.
 * @example
 * T.reference(T.lcm(T.tensor([4, -6]), T.tensor([6, 4]))).data // => [12, 12]
 */
export const lcm: Arithmetic<'lcm'> = dual(
  'T.lcm',
  2,
  onIntegers('T.lcm', (x, y, type) => {
    const d = gcdNode(x, y, type)
    const [zero, one] = [likeNode(0, type), likeNode(1, type)]
    const product = binaryNode('mul', binaryNode('div', x, selectNode(binaryNode('eq', d, zero), one, d)), y)
    return isUnsigned(type.dtype) ? product : build.abs([product], {})
  }),
)
