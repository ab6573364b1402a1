/** Choices between elements: where, clamp, fills; linear mixes. */
import * as E from '#fp/Either'
import { build } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { type DType, isFloat, promote } from '../../dtype.ts'
import type { Node } from '../../ir.ts'
import type { Elementary, Elementwise, ElementwiseCheck } from '../../types/broadcast.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import type { OptionNames } from '../arguments.ts'
import { dataFirstWith, dual, dualWith } from '../dual.ts'
import {
  castNode,
  commonDtype,
  expandNode,
  jointShape,
  lift,
  liftOperand,
  misfit,
  onTensor,
  refuse,
  scalar,
  unify,
  withTypes,
} from '../operand.ts'
import { binaryNode, likeNode, selectNode } from './arithmetic.ts'

type Mask = Tensor<Shape, 'bool'> | boolean

type Chosen<C, A, B> = Elementwise<Elementwise<A, B>, C extends Tensor<infer S> ? Tensor<S, never> : number>

type Where = {
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
  const values = [a, b].map((x, i) => liftOperand(name, x, i + 1))
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
    const over = misfit(values, dtype)
    if (over !== undefined) return refuse(name, [c, ...tensors], over)
    const shape = jointShape([mask!.shape, ...types.map((t) => t.shape)])
    if (E.isLeft(shape)) return refuse(name, [c, ...tensors], shape.left)
    const [x, y] = values.map((v) =>
      expandNode(typeof v === 'object' ? castNode(v, dtype) : scalar(v, dtype), shape.right),
    )
    return selectNode(expandNode(c, shape.right), x!, y!)
  })
}

/**
 * `a` where the condition (bool) holds, else `b`. All three broadcast. Numbers adopt the other's dtype; unlike dtypes
 * of two tensors are a ShapeError, as is a condition that is not bool.
 * @example
 * const x = T.tensor([-1.5, 2])
 * T.reference(T.where(T.less(x, 0), 0, x)).data // => [0, 2]
 */
export const where: Where = dual('T.where', 3, (c: unknown, a: Operand, b: Operand) =>
  tensorOf(whereNode('T.where', c, a, b)),
)

type MaskedFill = {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, mask: Tensor<Shape, 'bool'>, value: Operand): Tensor<S, D>
  (mask: Tensor<Shape, 'bool'>, value: Operand): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
}

/**
 * `x` with `value` where the mask (bool) holds. Both broadcast with x; a number that x's dtype cannot hold promotes it.
 * ShapeError for a mask that is not bool and for a tensor of another dtype.
 * @example
 * T.reference(T.maskedFill(T.tensor([1, 2, 3]), T.tensor([true, false, true]), 0)).data // => [0, 2, 0]
 */
export const maskedFill: MaskedFill = dual('T.maskedFill', 3, (x: Tensor, mask: Tensor, value: Operand) =>
  tensorOf(whereNode('T.maskedFill', mask, value, x)),
)

/** Bounds of `clamp`; either may be absent. Tensors broadcast against `x`. */
export interface ClampOptions {
  readonly min?: Operand | undefined
  readonly max?: Operand | undefined
}

const clampOptions: OptionNames<ClampOptions> = { min: 'own', max: 'own' }

const bounded = (name: string, x: Tensor, bound: Operand, beyond: (n: Node, bound: Node) => Node): Tensor =>
  unify(name, [x, bound], 'promote', ([n, b], { dtype }) => {
    const isBeyond = beyond(n!, b!)
    const replaced = isFloat(dtype) ? binaryNode('or', isBeyond, build.isNan([b!], {})) : isBeyond
    return selectNode(replaced, b!, n!)
  })

const clamped =
  (name: string) =>
  (x: Tensor, { min, max }: ClampOptions = {}): Tensor => {
    const raised = min === undefined ? x : bounded(name, x, min, (n, low) => binaryNode('lt', n, low))
    return max === undefined ? raised : bounded(name, raised, max, (n, high) => binaryNode('lt', high, n))
  }

type Clamp = {
  (options: ClampOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options: ClampOptions): Tensor<S, D>
}

/**
 * `x` held between `min` and `max` (numbers or tensors that broadcast; either may be absent); dtypes promote. NaN
 * passes, that of a bound too; the gradient passes at the bounds; where min > max the result is max (torch.clamp).
 * @example
 * T.reference(T.clamp(T.tensor([-2, 0.5, 3]), { min: -1, max: 1 })).data // => [-1, 0.5, 1]
 */
export const clamp: Clamp = dataFirstWith('T.clamp', 1, clampOptions, clamped('T.clamp'))

/**
 * The array API's name of `clamp`.
 * @example
 * T.reference(T.clip(T.tensor([-2, 0.5, 3]), { min: -1, max: 1 })).data // => [-1, 0.5, 1]
 */
export const clip: Clamp = dataFirstWith('T.clip', 1, clampOptions, clamped('T.clip'))

/** Replacements of `nanToNum`; infinities become the largest finite numbers when absent. */
export interface NanToNumOptions {
  readonly nan?: number | undefined
  readonly posinf?: number | undefined
  readonly neginf?: number | undefined
}

const nanToNumOptions: OptionNames<NanToNumOptions> = { nan: 'value', posinf: 'value', neginf: 'value' }

type NanToNum = {
  (options?: NanToNumOptions): Elementary
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: NanToNumOptions): Tensor<S, D>
}

const largest: Readonly<Record<'f32' | 'f16' | 'bf16', number>> = {
  f32: 3.4028234663852886e38,
  f16: 65504,
  bf16: 3.3895313892515355e38,
}

/**
 * NaN and the infinities replaced by numbers: 0 and the largest finite ones of the dtype by default. Same shape and
 * dtype; integers and bool are returned as they are.
 * @example
 * T.reference(T.nanToNum(T.tensor([NaN, 1.5, -Infinity]), { neginf: -9 })).data // => [0, 1.5, -9]
 */
export const nanToNum: NanToNum = dataFirstWith(
  'T.nanToNum',
  1,
  nanToNumOptions,
  (x: Tensor, options: NanToNumOptions = {}) =>
    onTensor('T.nanToNum', x, (n, type) => {
      if (type.dtype !== 'f32' && type.dtype !== 'f16' && type.dtype !== 'bf16') return n
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

type Lerp = {
  <S extends Shape>(start: Tensor<S>, end: Operand, weight: Operand): Tensor<S>
  (end: Operand, weight: Operand): <S extends Shape>(start: Tensor<S>) => Tensor<S>
}

/**
 * `start + weight · (end - start)`, from the end that is nearer: exact at both. All three broadcast; floating point, f32 for
 * integers and bool. Weights outside [0, 1] go on along the line.
 * @example
 * T.reference(T.lerp(T.tensor([0, 10]), T.tensor([10, 20]), 0.25)).data // => [2.5, 12.5]
 */
export const lerp: Lerp = dual('T.lerp', 3, (a: Operand, b: Operand, w: Operand) =>
  unify('T.lerp', [a, b, w], 'float', ([x, y, t], type) => {
    const gap = binaryNode('sub', y!, x!)
    const fromStart = binaryNode('add', x!, binaryNode('mul', t!, gap))
    const fromEnd = binaryNode('sub', y!, binaryNode('mul', binaryNode('sub', likeNode(1, type), t!), gap))
    const isNearer = binaryNode('lt', build.abs([t!], {}), likeNode(0.5, type))
    return selectNode(isNearer, fromStart, fromEnd)
  }),
)

/** Options of `addcmul` and `addcdiv`. */
export interface ScaledOptions {
  readonly value?: number | undefined
}

const scaledOptions: OptionNames<ScaledOptions> = { value: 'value' }

type Fused = {
  (x: Operand, a: Operand, b: Operand, options?: ScaledOptions): Tensor
  (a: Operand, b: Operand, options?: ScaledOptions): (x: Operand) => Tensor
}

const fused =
  (name: string, op: 'mul' | 'div') =>
  (x: Operand, a: Operand, b: Operand, { value = 1 }: ScaledOptions = {}): Tensor =>
    unify(name, [x, a, b, value], op === 'div' ? 'float' : 'promote', ([n, p, q, v]) =>
      binaryNode('add', n!, binaryNode('mul', v!, binaryNode(op, p!, q!))),
    )

/**
 * `x + value · a · b` (value 1). All broadcast, dtypes promote.
 * @example
 * T.reference(T.addcmul(T.tensor([1, 2]), T.tensor([3, 4]), T.tensor([5, 6]), { value: 2 })).data // => [31, 50]
 */
export const addcmul: Fused = dualWith('T.addcmul', 3, scaledOptions, fused('T.addcmul', 'mul'))

/**
 * `x + value · a / b` (value 1). All broadcast; floating point, f32 for integers and bool.
 * @example
 * T.reference(T.addcdiv(T.tensor([1, 2]), T.tensor([3, 4]), T.tensor([2, 8]))).data // => [2.5, 2.5]
 */
export const addcdiv: Fused = dualWith('T.addcdiv', 3, scaledOptions, fused('T.addcdiv', 'div'))
