/** The linear layer. Parameters come as a record, the result depends on nothing else. */
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirst } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import type { DTypeCheck, Mistake } from '../lang/types/broadcast.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { misshapen, mistakeAmong } from './operands.ts'

type Shape = Tensor['shape']
type DType = Tensor['dtype']

/** Parameters of `linear`: weight `[out, in]` as in PyTorch, bias `[out]`. */
export interface LinearParams<O extends number = number, I extends number = number, D extends DType = DType> {
  readonly weight: Tensor<readonly [O, I], D>
  readonly bias?: Tensor<readonly [O], D> | undefined
}

export const linearParams: OptionNames<LinearParams> = { weight: 'must tensor', bias: 'tensor' }

/** The last size of `S` replaced by `O`; refused when it is known not to be `I`. */
type Mapped<S extends Shape, O extends number> = S extends readonly [...infer P extends Shape, number]
  ? readonly [...P, O]
  : Shape

type Linear = {
  <O extends number, I extends number, D extends DType>(
    params: LinearParams<O, I, D>,
  ): <S extends Shape, E extends DType>(
    x: Tensor<S, E> & InnerCheck<S, I> & DTypeCheck<E, D, 'linear'>,
  ) => Tensor<Mapped<S, O>, D>
  <S extends Shape, O extends number, I extends number, D extends DType>(
    x: Tensor<S, D>,
    params: LinearParams<O, I, NoInfer<D>> & InnerCheck<S, NoInfer<I>>,
  ): Tensor<Mapped<S, O>, D>
}

type InnerCheck<S extends Shape, I extends number> = number extends S['length']
  ? unknown
  : number extends I
    ? unknown
    : S extends readonly [...Shape, infer L extends number]
      ? number extends L
        ? unknown
        : L extends I
          ? unknown
          : Mistake<`linear: the input has ${L} features, the weight takes ${I}`>
      : Mistake<'linear: a scalar has no features'>

/** The refusal of an input that has not the features that the weight takes, or of a bias that is not one an output. */
const wrongFeatures = (x: Tensor, { weight, bias }: LinearParams): Tensor | undefined => {
  if (mistakeAmong('nn.linear', { 'the input': x, weight }, { bias })) return undefined
  const [features, taken] = [x.shape.at(-1), weight.shape[1]]
  const rank: number = weight.shape.length
  if (rank === 2 && features === taken)
    return misshapen(
      'nn.linear',
      x,
      { 'the bias': [bias, [weight.shape[0]]] },
      'the bias is [out], the weight [out, in]',
    )
  return tensorOf(
    refuse('nn.linear', [nodeOf(x), nodeOf(weight)], {
      reason:
        rank === 2
          ? `the input has ${features ?? 'no'} features, the weight takes ${taken}`
          : `the weight has ${rank} axes, not 2`,
      hint: 'the weight is [out, in], as in PyTorch',
    }),
  )
}

/**
 * `x · weightᵀ + bias` over the last axis: x `[…, in]`, weight `[out, in]`, bias `[out]` (optional) → `[…, out]`. One
 * dtype. ShapeError (and a compile-time error where sizes are known) when `in` differs.
 * @example
 * const params = { weight: T.tensor([[1, 2]]), bias: T.tensor([10]) }
 * T.reference(nn.linear(T.tensor([[3, 4]]), params)).data // => [21]
 */
export const linear: Linear = dataFirst('nn.linear', 2, (x: Tensor, params: LinearParams) => {
  demandRecord('nn.linear', linearParams, params, 'parameter')
  const { weight, bias } = params
  const wrong = wrongFeatures(x, params)
  if (wrong) return wrong
  const y = T.matmul(x, T.matrixTranspose(weight))
  return bias ? T.add(y, bias) : y
})
