/** Choices between elements: where, clamp, fills, and the formulas that need a choice to stay finite. */
import * as E from '#fp/Either'
import { build } from '../build.ts'
import type { Shape } from '../dim.ts'
import { type DType, promote } from '../dtype.ts'
import type { Node, TensorType } from '../ir.ts'
import type { Arithmetic, Elementary, Elementwise, ElementwiseCheck, FloatArithmetic } from '../types/broadcast.ts'
import { type Operand, type Tensor, tensorOf } from '../types.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'
import { dataFirst, dual, dualWith } from './dual.ts'
import { signbitNode } from './elementary.ts'
import {
  castNode,
  commonDtype,
  expandNode,
  jointShape,
  lift,
  onTensor,
  refuse,
  scalar,
  unify,
  withTypes,
} from './operand.ts'

type Mask = Tensor<Shape, 'bool'> | boolean
type Chosen<C, A, B> = Elementwise<Elementwise<A, B>, C extends Tensor<infer S> ? Tensor<S, never> : number>

interface Where {
  <C extends Mask, A extends Operand, B extends Operand>(
    condition: C,
    a: A,
    b: B & ElementwiseCheck<A, B, 'where'>,
  ): Chosen<C, A, B>
  <A extends Operand, B extends Operand>(
    a: A,
    b: B & ElementwiseCheck<A, B, 'where'>,
  ): <C extends Mask>(condition: C) => Chosen<C, A, B>
}

const whereNode = (name: string, condition: unknown, a: Operand, b: Operand): Node => {
  const c = typeof condition === 'boolean' ? scalar(condition, 'bool') : lift(name, condition)
  const values = [a, b].map((x, i) => (typeof x === 'object' ? lift(name, x, i + 1) : x))
  const tensors = values.filter((x) => typeof x === 'object')
  return withTypes(name, [c, ...tensors], ([mask, ...types]) => {
    if (mask!.dtype !== 'bool')
      return refuse(name, [c, ...tensors], {
        reason: `the condition is ${mask!.dtype}, not bool`,
        hint: "write a comparison such as T.greater(x, 0), or T.cast(mask, 'bool')",
      })
    const dtypes = types.map((t) => t.dtype)
    if (dtypes.length === 2 && dtypes[0] !== dtypes[1])
      return refuse(name, [c, ...tensors], {
        reason: `dtypes ${dtypes.join(' and ')} differ`,
        hint: `cast one operand, e.g. T.cast(x, '${promote(dtypes[0]!, dtypes[1]!)}')`,
      })
    const dtype = commonDtype(
      dtypes,
      values.filter((x) => typeof x !== 'object'),
    )
    const shape = jointShape([mask!.shape, ...types.map((t) => t.shape)])
    if (E.isLeft(shape)) return refuse(name, [c, ...tensors], shape.left)
    const [x, y] = values.map((v) =>
      expandNode(typeof v === 'object' ? castNode(v, dtype) : scalar(v, dtype), shape.right),
    )
    return selectNode(expandNode(c, shape.right), x!, y!)
  })
}

/** `a` where the condition (bool) holds, else `b`. All three broadcast; unlike dtypes of `a` and `b` are refused. */
export const where: Where = dual('T.where', 3, (c: unknown, a: Operand, b: Operand) =>
  tensorOf(whereNode('T.where', c, a, b)),
)

interface MaskedFill {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, mask: Tensor<Shape, 'bool'>, value: Operand): Tensor<S, D>
  (mask: Tensor<Shape, 'bool'>, value: Operand): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
}

/** `x` with `value` where the mask (bool, broadcast) holds. */
export const maskedFill: MaskedFill = dual('T.maskedFill', 3, (x: Tensor, mask: Tensor, value: Operand) =>
  tensorOf(whereNode('T.maskedFill', mask, value, x)),
)

/** Bounds of `clamp`; either may be absent. Tensors broadcast against `x`. */
export interface ClampOptions {
  readonly min?: Operand
  readonly max?: Operand
}

interface Clamp {
  (options: ClampOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options: ClampOptions): Tensor<S, D>
}

/** `x` held between `min` and `max`. NaN passes; the gradient passes at the bounds; where min > max the result is max. */
export const clamp: Clamp = dataFirst('T.clamp', (x: Tensor, { min, max }: ClampOptions) => {
  const raised = min === undefined ? x : bounded(x, min, (n, low) => binaryNode('lt', n, low))
  return max === undefined ? raised : bounded(raised, max, (n, high) => binaryNode('lt', high, n))
})

const bounded = (x: Tensor, bound: Operand, beyond: (n: Node, bound: Node) => Node): Tensor =>
  unify('T.clamp', [x, bound], 'promote', ([n, b]) => selectNode(beyond(n!, b!), b!, n!))

/** Replacements of `nanToNum`; infinities become the largest finite numbers when absent. */
export interface NanToNumOptions {
  readonly nan?: number
  readonly posinf?: number
  readonly neginf?: number
}

interface NanToNum {
  (options?: NanToNumOptions): Elementary
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: NanToNumOptions): Tensor<S, D>
}

const largest: Readonly<Record<'f32' | 'f16', number>> = { f32: 3.4028234663852886e38, f16: 65504 }

/** NaN and the infinities replaced by numbers (0 and the largest finite ones by default). Integers pass. */
export const nanToNum: NanToNum = dataFirst('T.nanToNum', (x: Tensor, options: NanToNumOptions = {}) =>
  onTensor('T.nanToNum', x, (n, type) => {
    if (type.dtype !== 'f32' && type.dtype !== 'f16') return n
    const big = largest[type.dtype]
    const { nan = 0, posinf = big, neginf = -big } = options
    const finite = selectNode(
      build.isInf([n], {}),
      selectNode(binaryNode('lt', likeNode(0, type), n), likeNode(posinf, type), likeNode(neginf, type)),
      n,
    )
    return selectNode(build.isNan([n], {}), likeNode(nan, type), finite)
  }),
)

/** `|a|` with the sign bit of `b`. */
export const copysign: FloatArithmetic<'copysign'> = dual('T.copysign', 2, (a: Operand, b: Operand) =>
  unify('T.copysign', [a, b], 'float', ([x, y], type) => {
    const size = build.abs([x!], {})
    return selectNode(signbitNode(y!, type), build.neg([size], {}), size)
  }),
)

/** `√(a² + b²)` without overflow: the larger times `√(1 + (smaller/larger)²)`. Infinite where either is. */
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
 * at a = b; equal infinities do not make NaN.
 */
const logAdd = (x: Node, y: Node, type: TensorType, base2: boolean): Node => {
  const zero = likeNode(0, type)
  const bothInfinite = binaryNode('and', binaryNode('eq', x, y), build.isInf([x], {}))
  const gap = selectNode(bothInfinite, zero, binaryNode('sub', x, y))
  const first = binaryNode('lt', zero, gap)
  const away = selectNode(first, build.neg([gap], {}), gap)
  const decay = base2 ? build.exp2([away], {}) : build.exp([away], {})
  const bump = build.log1p([decay], {})
  return binaryNode('add', selectNode(first, x, y), base2 ? binaryNode('mul', bump, likeNode(Math.LOG2E, type)) : bump)
}

/** `log(eᵃ + eᵇ)`, stable for large operands. */
export const logaddexp: FloatArithmetic<'logaddexp'> = dual('T.logaddexp', 2, (a: Operand, b: Operand) =>
  unify('T.logaddexp', [a, b], 'float', ([x, y], type) => logAdd(x!, y!, type, false)),
)

/** `log2(2ᵃ + 2ᵇ)`, stable for large operands. */
export const logaddexp2: FloatArithmetic<'logaddexp2'> = dual('T.logaddexp2', 2, (a: Operand, b: Operand) =>
  unify('T.logaddexp2', [a, b], 'float', ([x, y], type) => logAdd(x!, y!, type, true)),
)

/** `a · log(b)`, 0 where a is 0 (unless b is NaN). */
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
  let [a, b] = type.dtype === 'u32' ? [x, y] : [build.abs([x], {}), build.abs([y], {})]
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
      type.dtype === 'i32' || type.dtype === 'u32'
        ? f(x!, y!, type)
        : refuse(name, [x!, y!], {
            reason: `is not defined on ${type.dtype}`,
            hint: "cast to an integer: T.cast(x, 'i32')",
          }),
    )

/** The greatest common divisor of integers, never negative. */
export const gcd: Arithmetic<'gcd'> = dual('T.gcd', 2, onIntegers('T.gcd', gcdNode))

/** The least common multiple of integers, never negative; 0 when either is. */
export const lcm: Arithmetic<'lcm'> = dual(
  'T.lcm',
  2,
  onIntegers('T.lcm', (x, y, type) => {
    const d = gcdNode(x, y, type)
    const [zero, one] = [likeNode(0, type), likeNode(1, type)]
    const product = binaryNode('mul', binaryNode('div', x, selectNode(binaryNode('eq', d, zero), one, d)), y)
    return type.dtype === 'u32' ? product : build.abs([product], {})
  }),
)

interface Lerp {
  <S extends Shape>(start: Tensor<S>, end: Operand, weight: Operand): Tensor<S>
  (end: Operand, weight: Operand): <S extends Shape>(start: Tensor<S>) => Tensor<S>
}

/** `start + weight · (end - start)`. */
export const lerp: Lerp = dual('T.lerp', 3, (a: Operand, b: Operand, w: Operand) =>
  unify('T.lerp', [a, b, w], 'float', ([x, y, t]) =>
    binaryNode('add', x!, binaryNode('mul', t!, binaryNode('sub', y!, x!))),
  ),
)

/** Options of `addcmul` and `addcdiv`. */
export interface ScaledOptions {
  readonly value?: number
}

interface Fused {
  (x: Operand, a: Operand, b: Operand, options?: ScaledOptions): Tensor
  (a: Operand, b: Operand, options?: ScaledOptions): (x: Operand) => Tensor
}

const fused =
  (name: string, op: 'mul' | 'div') =>
  (x: Operand, a: Operand, b: Operand, { value = 1 }: ScaledOptions = {}): Tensor =>
    unify(name, [x, a, b, value], op === 'div' ? 'float' : 'promote', ([n, p, q, v]) =>
      binaryNode('add', n!, binaryNode('mul', v!, binaryNode(op, p!, q!))),
    )

/** `x + value · a · b`. */
export const addcmul: Fused = dualWith('T.addcmul', 3, fused('T.addcmul', 'mul'))

/** `x + value · a / b`. */
export const addcdiv: Fused = dualWith('T.addcdiv', 3, fused('T.addcdiv', 'div'))
