/** What all losses share: how the losses of single elements become one number, and the types of that. */
import { isLeft } from '#fp/Either'
import { broadcastShapes, showShape } from '../lang/shape.ts'
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import type { ElementwiseCheck } from '../lang/types/broadcast.ts'
import type { Only } from '../lang/types/options.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'

/** What becomes of the losses of single elements. */
export type LossReduction = 'mean' | 'sum' | 'none'

/** Options of all losses. */
export interface LossOptions {
  readonly reduction?: LossReduction | undefined
}

export const lossOptions: OptionNames<LossOptions> = { reduction: 'own' }

/** A loss of dtype `D` under options `O`: a scalar, or of shape `S` when nothing is reduced. */
export type Reduced<S extends Tensor['shape'], D extends Tensor['dtype'], O> = O extends { readonly reduction: 'none' }
  ? Tensor<S, D>
  : O extends { readonly reduction: infer R }
    ? LossReduction extends R
      ? Tensor<Tensor['shape'], D>
      : Tensor<readonly [], D>
    : Tensor<readonly [], D>

/** A loss of a prediction and a target of one shape. */
export interface Loss<Op extends string, Options extends { readonly reduction?: string | undefined } = LossOptions> {
  <A extends Tensor, B extends Tensor, const O extends Options = Options & Record<never, never>>(
    x: A,
    target: B & ElementwiseCheck<A, B, Op>,
    options?: O & Only<O, Options>,
  ): Reduced<A['shape'], A['dtype'], O>
  <B extends Tensor, const O extends Options = Options & Record<never, never>>(
    target: B,
    options?: O & Only<O, Options>,
  ): <A extends Tensor>(x: A & ElementwiseCheck<A, B, Op>) => Reduced<A['shape'], A['dtype'], O>
}

/** Losses of single elements reduced as asked. UsageError for a reduction that there is not. */
export const reduced = (name: string, x: Tensor, reduction: LossReduction = 'mean'): Tensor => {
  demandChoice(name, 'reduction', reduction, ['mean', 'sum', 'none'])
  return reduction === 'none' ? x : reduction === 'sum' ? T.sum(x) : T.mean(x)
}

/**
 * The refusal of a prediction and a target of unlike rank that would be compared all with all, as [N, 1] and [N] would: of
 * two ranks one may be spread, not both.
 */
export const spreadMistake = (name: string, x: Tensor, target: Tensor): Tensor | undefined => {
  if (mistakeAmong(name, { 'operand 1': x, 'operand 2': target })) return undefined
  if (x.shape.length === target.shape.length) return undefined
  const joint = broadcastShapes(x.shape, target.shape)
  if (isLeft(joint)) return undefined
  const [spread, own, other] = [joint.right, x.shape, target.shape].map(showShape)
  if (spread === own || spread === other) return undefined
  return tensorOf(
    refuse(name, [nodeOf(x), nodeOf(target)], {
      reason: `predictions of shape ${own} and targets of shape ${other} would be compared all with all, ${spread}`,
      hint: 'reshape one to the shape of the other',
    }),
  )
}

/** The dual function of a loss of single elements. */
export const loss = <F, O extends LossOptions>(
  name: string,
  names: OptionNames<O>,
  f: (x: Tensor, target: Tensor, options: O) => Tensor,
): F =>
  dualWith(
    name,
    2,
    names,
    roundedOnce((x: Tensor, target: Tensor, options: O = {} as O) =>
      reduced(name, spreadMistake(name, x, target) ?? f(x, target, options), options.reduction),
    ),
  )

/** A loss of three tensors that broadcast. */
export interface TripleLoss<Options extends LossOptions = LossOptions> {
  <A extends Tensor, const O extends Options = Options & Record<never, never>>(
    a: A,
    b: Tensor,
    c: Tensor,
    options?: O & Only<O, Options>,
  ): Reduced<Tensor['shape'], A['dtype'], O>
  <const O extends Options = Options & Record<never, never>>(
    b: Tensor,
    c: Tensor,
    options?: O & Only<O, Options>,
  ): <A extends Tensor>(a: A) => Reduced<Tensor['shape'], A['dtype'], O>
}

/** The dual function of a loss of three tensors. */
export const tripleLoss = <O extends LossOptions>(
  name: string,
  names: OptionNames<O>,
  f: (a: Tensor, b: Tensor, c: Tensor, options: O) => Tensor,
): TripleLoss<O> =>
  dualWith(
    name,
    3,
    names,
    roundedOnce((a: Tensor, b: Tensor, c: Tensor, options: O = {} as O) =>
      reduced(name, f(a, b, c, options), options.reduction),
    ),
  )
