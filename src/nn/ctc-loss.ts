/** Connectionist temporal classification (Graves et al. 2006): the cost of a sequence of labels that no frame is tied to. */
import { isInteger } from '../lang/dtype.ts'
import { showShape } from '../lang/shape.ts'
import { demandChoice, type OptionNames } from '../lang/tensor/arguments.ts'
import { dualWith } from '../lang/tensor/dual.ts'
import { takeCountedAlong } from '../lang/tensor/index/picking.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import type { Only } from '../lang/types/options.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { type LossOptions, lossOptions, type Reduced, reduced } from './loss-reduction.ts'
import { mistakeAmong } from './operands.ts'
import { roundedOnce } from './precision.ts'
import { choose } from './select.ts'

/** Options of `ctcLoss`: the class that stands for no label (0), and whether what is impossible costs nothing. */
export interface CtcOptions extends LossOptions {
  readonly blank?: number | undefined
  readonly zeroInfinity?: boolean | undefined
}

const ctcOptions: OptionNames<CtcOptions> = { ...lossOptions, blank: 'size', zeroInfinity: 'boolean' }

/** `ctcLoss`, dual. */
export interface CtcLoss {
  <A extends Tensor, const O extends CtcOptions = CtcOptions & Record<never, never>>(
    logProbs: A,
    targets: Tensor,
    inputLengths: Tensor,
    targetLengths: Tensor,
    options?: O & Only<O, CtcOptions>,
  ): Reduced<Tensor['shape'], A['dtype'], O>
  <const O extends CtcOptions = CtcOptions & Record<never, never>>(
    targets: Tensor,
    inputLengths: Tensor,
    targetLengths: Tensor,
    options?: O & Only<O, CtcOptions>,
  ): <A extends Tensor>(logProbs: A) => Reduced<Tensor['shape'], A['dtype'], O>
}

const never = Number.NEGATIVE_INFINITY

/** `log Σ eˣ` of tensors of one shape, -Infinity without a gradient where all are. */
const logSum = (xs: readonly Tensor[]): Tensor => {
  const top = T.stopGradient(xs.reduce((a, b) => T.maximum(a, b) as Tensor))
  const none = T.equal(top, never)
  const shift = choose(none, 0, top)
  const sum = xs.map((x) => T.exp(T.sub(x, shift)) as Tensor).reduce((a, b) => T.add(a, b) as Tensor)
  return choose(none, never, T.add(T.log(choose(none, 1, sum)), shift))
}

/** `x` moved by `n` states to the right, -Infinity where none comes from. */
const shifted = (x: Tensor, n: number): Tensor => {
  const states = x.shape[1]!
  const kept = T.narrow(x, 0, Math.max(0, states - n), { axis: 1 })
  return T.pad(
    kept,
    [
      [0, 0],
      [states - kept.shape[1]!, 0],
    ],
    { value: never },
  )
}

/** The states of an alignment `[N, 2·S + 1]`: a blank before, between and after the labels; past its length, blanks. */
const statesOf = (targets: Tensor, lengths: Tensor, blank: number): Tensor => {
  const [batch, most] = targets.shape as readonly [number, number]
  const counts = T.less(T.arange(most), T.expandDims(lengths, 1)) as Tensor
  const labels = T.expandDims(choose(counts, T.cast(targets, 'i32'), blank), 2)
  const pairs = T.concat([T.fullLike(labels, blank), labels], { axis: 2 })
  const flat = T.reshape(pairs, [batch, 2 * most])
  return T.pad(
    flat,
    [
      [0, 0],
      [0, 1],
    ],
    { value: blank },
  )
}

/** The logarithm of the probability that the frames up to the last spell the targets. `[N]`. */
const logLikelihood = (
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  blank: number,
): Tensor => {
  const frames = logProbs.shape[0]!
  const states = statesOf(targets, targetLengths, blank)
  const width = states.shape[1]!
  const emitted = takeCountedAlong(logProbs, T.expandDims(states, 0), { axis: 2 })
  // From a label to another one directly; equal neighbours need the blank between them.
  const before = T.pad(
    T.narrow(states, 0, Math.max(0, width - 2), { axis: 1 }),
    [
      [0, 0],
      [Math.min(2, width), 0],
    ],
    { value: blank },
  )
  const skips = T.logicalAnd(T.notEqual(states, blank), T.notEqual(states, before)) as Tensor
  // Before the first frame all is in the first state: from there a frame reaches the first blank and the first label.
  const start = choose(T.equal(T.arange(width), 0), 0, T.full([width], never, { dtype: logProbs.dtype }))
  const init = T.broadcastTo(start, states.shape) as Tensor
  const turn = (alpha: Tensor, [now, t]: readonly [Tensor, Tensor]): readonly [Tensor, readonly []] => {
    const ways = [alpha, shifted(alpha, 1), choose(skips, shifted(alpha, 2), never)]
    const next = T.add(logSum(ways), now) as Tensor
    return [choose(T.expandDims(T.less(t, inputLengths), 1), next, alpha), []]
  }
  const [last] = T.scan(turn as never, init, [emitted, T.arange(frames)]) as unknown as readonly [Tensor]
  const end = T.expandDims(T.mul(T.cast(targetLengths, 'i32'), 2), 1) as Tensor
  const onBlank = T.takeAlongAxis(last, end, { axis: 1 }) as Tensor
  const onLabel = T.takeAlongAxis(last, T.maximum(T.sub(end, 1), 0) as Tensor, { axis: 1 }) as Tensor
  return T.squeeze(logSum([onBlank, choose(T.equal(end, 0), never, onLabel)]), { axis: 1 })
}

/** What is wrong with the operands, or undefined. */
const wrongOperands = (
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  blank: number,
): Tensor | undefined => {
  const operands = [logProbs, targets, inputLengths, targetLengths]
  const fail = (reason: string, hint: string): Tensor =>
    tensorOf(refuse('nn.ctcLoss', operands.map(nodeOf), { reason, hint }))
  const rank = logProbs.shape.length
  if (rank !== 2 && rank !== 3)
    return fail(`log-probabilities of rank ${rank}`, 'give [T, N, C], or [T, C] of one sequence')
  const batch = logProbs.shape.slice(1, -1)
  if (targets.shape.length !== rank - 1 || (rank === 3 && targets.shape[0] !== batch[0]))
    return fail(
      `targets of shape ${showShape(targets.shape)} do not fit log-probabilities of shape ${showShape(logProbs.shape)}`,
      rank === 3 ? 'give [N, S]: pad the shorter ones, targetLengths says what counts' : 'give [S]',
    )
  const named = { inputLengths, targetLengths }
  const odd = Object.entries(named).find(([, x]) => showShape(x.shape) !== showShape(batch))
  if (odd)
    return fail(
      `${odd[0]} has shape ${showShape(odd[1].shape)}, not ${showShape(batch)}`,
      'give one length for each sequence',
    )
  const float = Object.entries({ targets, ...named }).find(([, x]) => !isInteger(x.dtype))
  if (float) return fail(`${float[0]} is ${float[1].dtype}, not integers`, "cast it: T.cast(x, 'i32')")
  if (blank >= logProbs.shape.at(-1)!)
    return fail(`the blank ${blank} is none of ${logProbs.shape.at(-1)} classes`, 'set blank to one of them')
  return undefined
}

/**
 * The cost of labels without alignment: minus the logarithm of the probability that frames of log-probabilities `[T, N, C]`
 * spell the `targets` `[N, S]` (integers without the blank, padded with anything past their length), summed over all
 * alignments, for the first `inputLengths` `[N]` frames and the first `targetLengths` `[N]` labels; or `[T, C]`, `[S]` and
 * two scalars. Reduction `'mean'` divides each by its target length (1 at least) first, then averages; `'sum'`; `'none'`
 * `[N]`. Where no alignment exists the cost is Infinity, 0 with `zeroInfinity`, and the gradient 0 (torch.nn.functional.ctc_loss).
 * The gradient is that of the log-probabilities themselves; after `logSoftmax` it is PyTorch's. ShapeError for operands
 * that do not fit, IndexError for a label that is no class.
 * @example
 * const logp = nn.logSoftmax(T.zeros([2, 1, 3]))
 * const [targets, frames, labels] = [T.tensor([[1]]), T.tensor([2]), T.tensor([1])]
 * T.reference(nn.ctcLoss(logp, targets, frames, labels)).data // => [1.098612]
 * const twice = nn.ctcLoss(logp, T.tensor([[1, 1]]), frames, T.tensor([2]), { zeroInfinity: true })
 * T.reference(twice).data // => [0]
 */
export const ctcLoss: CtcLoss = dualWith(
  'nn.ctcLoss',
  4,
  ctcOptions,
  roundedOnce(
    (
      logProbs: Tensor,
      targets: Tensor,
      inputLengths: Tensor,
      targetLengths: Tensor,
      { blank = 0, zeroInfinity = false, reduction = 'mean' }: CtcOptions = {},
    ) => {
      demandChoice('nn.ctcLoss', 'reduction', reduction, ['mean', 'sum', 'none'])
      const wrong =
        mistakeAmong('nn.ctcLoss', { logProbs, targets, inputLengths, targetLengths }) ??
        wrongOperands(logProbs, targets, inputLengths, targetLengths, blank)
      if (wrong) return wrong
      const single = logProbs.shape.length === 2
      const [x, y] = single ? [T.expandDims(logProbs, 1), T.expandDims(targets, 0)] : [logProbs, targets]
      const [frames, labels] = [inputLengths, targetLengths].map((n) => (single ? T.expandDims(n, 0) : n)) as [
        Tensor,
        Tensor,
      ]
      const cost = T.neg(logLikelihood(x as Tensor, y as Tensor, frames, labels, blank)) as Tensor
      const finite = zeroInfinity ? choose(T.isinf(cost), 0, cost) : cost
      if (single && reduction === 'none') return T.squeeze(finite, { axis: 0 })
      const each = reduction === 'mean' ? T.div(finite, T.maximum(T.cast(labels, x.dtype), 1)) : finite
      return reduced('nn.ctcLoss', each as Tensor, reduction)
    },
  ),
)
