/** Mixed precision: parameters, moments and losses in f32, what is between them in 16 bits. */
import { valueAndGrad } from '../../passes/transform/gradient.ts'
import { isFloat, isHalf } from '../lang/dtype.ts'
import { raise, showOperand } from '../lang/errors.ts'
import { callText, printedCall } from '../lang/print/call-text.ts'
import { demandChoice, demandFunction, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { cast, full, where } from '../lang/tensor/index.ts'
import { isRecord, isTensor, mapTree } from '../lang/tree.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { allFinite, updateIf } from './conditional.ts'
import { type LossScaleOptions, type LossScaleState, scaleWithin } from './loss-scale.ts'
import { demandOptimiser, nextStep, type Optimiser, type OptimiserState, wrongState } from './transform.ts'

/** Settings of `mixed`. */
export interface MixedOptions {
  /** What is computed in. bf16 has the range of f32 and 8 bits; f16 has 11 bits and needs its loss scaled. */
  readonly compute: 'f16' | 'bf16'
  /** How the loss is scaled, or false: for f16 as `lossScale` does, for bf16 not at all. */
  readonly scaling?: LossScaleOptions | false | undefined
}

const mixedOptions: OptionNames<MixedOptions> = { compute: 'must own', scaling: 'own' }

/** Whether the loss gives `[loss, aux]`. */
interface StepOptions {
  readonly hasAux?: boolean | undefined
}

const stepOptions: OptionNames<StepOptions> = { hasAux: 'boolean' }

/**
 * The state of a step in mixed precision: the optimiser's, and where the loss is scaled, its scale and how many steps were
 * skipped (i32).
 */
export interface MixedState {
  readonly optimiser: OptimiserState
  readonly scale?: LossScaleState
  readonly skipped?: Tensor
}

/**
 * Parameters and state after a step, the loss of the parameters before it (an f32 scalar), and what the loss gave beside
 * itself.
 */
export interface MixedUpdated<P, X> {
  readonly params: P
  readonly state: MixedState
  readonly loss: Tensor
  readonly aux: X
}

/** A training step: `update(params, state, …inputs)` evaluates the loss of parameters and inputs, differentiates it, and moves. */
export interface MixedStep<P, A extends readonly unknown[], X> {
  /** The state before the first step. UsageError for a parameter that is not f32. */
  readonly init: (params: P) => MixedState
  readonly update: (params: P, state: MixedState, ...inputs: A) => MixedUpdated<P, X>
}

/** What a precision does to functions. */
export interface Mixed {
  /** The floats of a tree in the dtype that is computed in; everything else as it is. */
  readonly cast: <P>(tree: P) => P
  /** `f` with the floats among its arguments in that dtype, and those of its results in f32: so are its gradients. */
  readonly loss: <A extends readonly unknown[], R>(f: (...args: A) => R) => (...args: A) => R
  /** The training step of a loss, which gives a scalar or, with `hasAux`, `[scalar, aux]`. */
  readonly step: {
    <P, A extends readonly unknown[]>(
      loss: (params: P, ...inputs: A) => Tensor,
      optimiser: Optimiser,
    ): MixedStep<P, A, undefined>
    <P, A extends readonly unknown[], X>(
      loss: (params: P, ...inputs: A) => readonly [Tensor, X],
      optimiser: Optimiser,
      options: { readonly hasAux: true },
    ): MixedStep<P, A, X>
  }
}

/** `f` of the tensors in an argument; keys, options and numbers in it are as they were. */
const mapTensors = (x: unknown, f: (t: Tensor) => Tensor): unknown => {
  if (isTensor(x)) return f(x)
  if (Array.isArray(x)) return x.map((part) => mapTensors(part, f))
  return isRecord(x) ? Object.fromEntries(Object.entries(x).map(([key, part]) => [key, mapTensors(part, f)])) : x
}

/** A result in f32. One that was computed in f32 and rounded at its end, as losses and norms are, is taken as it was before. */
const restored = (x: Tensor): Tensor => {
  if (isMistake(x) || !isHalf(x.dtype)) return x
  const { op, args } = nodeOf(x)
  const before = op === 'cast' ? tensorOf(args[0]!) : x
  return before.dtype === 'f32' ? before : cast(x, 'f32')
}

const demandWide = (params: unknown): void => {
  mapTree(params, (p, path) => {
    if (isMistake(p) || p.dtype === 'f32') return
    raise({
      tag: 'UsageError',
      message: `optim.mixed: ${path || 'the parameter'} is ${showOperand(p)}, where parameters are f32`,
      hint: 'keep parameters in f32: the step itself computes with 16 bits',
    })
  })
}

type Loss = (params: unknown, ...inputs: readonly unknown[]) => unknown

/** The loss and what is beside it, and the gradients of the loss that `scaled` makes of it. */
const differentiated = (
  loss: Loss,
  hasAux: boolean,
  scaled: (loss: Tensor) => Tensor,
  [params, ...inputs]: readonly unknown[],
): { readonly value: Tensor; readonly aux: unknown; readonly grads: unknown } => {
  const both = (p: unknown): readonly [Tensor, readonly [Tensor, unknown]] => {
    const given = loss(p, ...inputs)
    const [value, aux] = hasAux ? (given as readonly [Tensor, unknown]) : [given as Tensor, undefined]
    return [scaled(value), [value, aux]]
  }
  const [[, [value, aux]], grads] = valueAndGrad(both, { hasAux: true })(params)
  return { value, aux, grads }
}

/**
 * Mixed precision by one option: `mixed({ compute: 'bf16' })`. Its `loss(f)` is f with the floats among its arguments
 * rounded to bf16 (or f16), and its result in f32; the gradients go back the same way, so the backward pass is of 16 bits,
 * too, and what comes out is f32. Its `step(loss, optimiser)` is a whole training step of f32 parameters and moments:
 * `init(params)` gives the state, `update(params, state, …inputs)` the next parameters, state and the loss. For f16 it
 * scales the loss as `lossScale` does, skips steps whose gradients are not finite and counts them in `state.skipped`.
 * Softmax, norms and the losses of `tensorloom/nn` compute in f32 whatever they are given, and a loss that ends in one of
 * them is not rounded at all; sums and products accumulate in f32. Tensors that `loss` captures stay as they are: capture
 * what must not be rounded. f16 needs a device that has it, such as the processor, and what is past 65504 is infinite in it. UsageError for parameters that are not
 * f32.
 * @example
 * const half = optim.mixed({ compute: 'bf16' })
 * const step = half.step((p: { w: T.Tensor }, x: T.Tensor) => nn.mseLoss(T.matmul(x, p.w), T.ones([2])), optim.sgd(0.5))
 * const params = { w: T.tensor([0.5, 0.25]) }
 * const next = step.update(params, step.init(params), T.tensor([[2, 0], [0, 4]], { dtype: 'f32' }))
 * T.reference([next.loss, next.params.w]).map((t) => t.data) // => [[0], [0.5, 0.25]]
 */
export const mixed = (options: MixedOptions): Mixed => {
  demandRecord('optim.mixed', mixedOptions, options)
  const { compute, scaling = compute === 'f16' ? {} : false } = options
  demandChoice('optim.mixed', 'dtype to compute in', compute, ['f16', 'bf16'])
  const scale = scaling === false ? undefined : scaleWithin('optim.mixed', scaling)
  const rounded = (x: Tensor): Tensor => (!isMistake(x) && isFloat(x.dtype) ? cast(x, compute) : x)
  const call = callText('optim.mixed', [options])
  const inHalf: Mixed['loss'] = (f) => {
    demandFunction('optim.mixed', 'the loss', f)
    const wrapped: typeof f = (...args) =>
      mapTensors(f(...(mapTensors(args, rounded) as typeof args)), restored) as ReturnType<typeof f>
    return printedCall(wrapped, `${call}.loss`, f)
  }
  const step = (
    loss: Loss,
    optimiser: Optimiser,
    settings: StepOptions = {},
  ): MixedStep<unknown, readonly unknown[], unknown> => {
    demandOptimiser('optim.mixed', optimiser)
    demandRecord('optim.mixed', stepOptions, settings)
    const { hasAux = false } = settings
    const wrapped = inHalf(loss)
    const made: MixedStep<unknown, readonly unknown[], unknown> = {
      init: (params) => {
        demandWide(params)
        const first = optimiser.init(params)
        return scale
          ? { optimiser: first, scale: scale.init(), skipped: full([], 0, { dtype: 'i32' }) }
          : { optimiser: first }
      },
      update: (params, state, ...inputs) => {
        demandWide(params)
        const before = state.scale
        if ((scale === undefined) !== (before === undefined)) wrongState()
        if (!scale || !before) {
          const { value, aux, grads } = differentiated(wrapped, hasAux, (x) => x, [params, ...inputs])
          const next = optimiser.update(params, grads, state.optimiser)
          return { params: next.params, state: { optimiser: next.state }, loss: value, aux }
        }
        const found = differentiated(wrapped, hasAux, (x) => scale.scaled(x, before), [params, ...inputs])
        const grads = scale.unscaled(found.grads, before)
        const finite = allFinite(grads)
        const next = updateIf(finite, optimiser, params, grads, state.optimiser)
        const skipped = where(finite, state.skipped!, nextStep(state.skipped!)) as Tensor
        return {
          params: next.params,
          state: { optimiser: next.state, scale: scale.update(before, finite), skipped },
          loss: found.value,
          aux: found.aux,
        }
      },
    }
    return printedCall(made, `${call}.step`, loss, optimiser, settings)
  }
  const made: Mixed = { cast: (tree) => mapTensors(tree, rounded) as typeof tree, loss: inHalf, step: step as never }
  return printedCall(made, 'optim.mixed', options)
}
