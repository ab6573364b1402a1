/** Recurrent networks over sequences: layers of cells, one or both directions of time. */
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type CellParams, gruKind, type LstmCellParams, type Nonlinearity, rnnKind } from './recurrent-cells.ts'
import { one, pair, type RecurrentLayer, run, type SequenceOptions, sequenceOptions } from './recurrent-run.ts'

/** Options of a recurrent network with one state: that before the first step (zeros). */
export interface RecurrentOptions extends SequenceOptions {
  readonly initial?: Tensor | undefined
}

const recurrentOptions: OptionNames<RecurrentOptions> = { ...sequenceOptions, initial: 'tensor' }

/** Options of `rnn`, with what its cells apply to their sums (`'tanh'`). */
export interface RnnOptions extends RecurrentOptions {
  readonly nonlinearity?: Nonlinearity | undefined
}

const rnnOptions: OptionNames<RnnOptions> = { ...recurrentOptions, nonlinearity: 'own' }

/** Options of `gru`, with whether the reset gate acts after the product (true, as in PyTorch) or before it. */
export interface GruOptions extends RecurrentOptions {
  readonly resetAfter?: boolean | undefined
}

const gruOptions: OptionNames<GruOptions> = { ...recurrentOptions, resetAfter: 'boolean' }

/** Options of `lstm`: the state and the cell before the first step. */
export interface LstmOptions extends SequenceOptions {
  readonly initial?: readonly [hidden: Tensor, cell: Tensor] | undefined
}

const lstmOptions: OptionNames<LstmOptions> = { ...sequenceOptions, initial: 'own' }

type Recurrent<Options, Result, P extends CellParams = CellParams> = {
  (layers: readonly RecurrentLayer<P>[], options?: Options): (x: Tensor) => Result
  (x: Tensor, layers: readonly RecurrentLayer<P>[], options?: Options): Result
}

/**
 * Simple recurrence (`rnnCell`) over sequences `[T, N, I]` (`[N, T, I]` under `batchFirst`, `[T, I]` without a batch):
 * the outputs of the last layer `[T, N, D·H]`, where D is 2 for a layer given as a pair (both directions), and the last
 * states of all cells `[cells, N, H]`, layer by layer. `initial` has the shape of the latter.
 *
 * With `lengths` `[N]` (a scalar without a batch), what lies past a row's end neither moves its state nor gives an output
 * but zeros: its last state is that at its end, and backwards it is read from there (PyTorch's packed sequences).
 * `dropout` is the probability that an output between two layers is dropped, drawn from `dropoutKey`. ShapeError for
 * weights, states or lengths that do not fit.
 * @example
 * const layers = [{ weightIh: T.tensor([[0.5]]), weightHh: T.tensor([[0.25]]) }]
 * const x = T.tensor([[2], [4]], { dtype: 'f32' })
 * const [output, hidden] = nn.rnn(x, layers, { nonlinearity: 'relu' })
 * T.reference([output, hidden]).map((t) => t.data) // => [[1, 2.25], [2.25]]
 * const short = nn.rnn(x, layers, { nonlinearity: 'relu', lengths: T.tensor(1) })
 * T.reference(short).map((t) => t.data) // => [[1, 0], [1]]
 */
export const rnn: Recurrent<RnnOptions, readonly [output: Tensor, hidden: Tensor]> = dataFirstWith(
  'nn.rnn',
  2,
  rnnOptions,
  (x: Tensor, layers: readonly RecurrentLayer[], { initial, nonlinearity, ...options }: RnnOptions = {}) =>
    run(one(rnnKind('nn.rnn', nonlinearity)), x, { layers, initial: initial && [initial], ...options }),
)

/**
 * Gated recurrence (`gruCell`) over sequences, the reset gate after the product of the state, or before it under
 * `resetAfter: false`. Layouts, results, lengths and errors as in `rnn`.
 * @example
 * const layers = [{ weightIh: T.zeros([3, 1]), weightHh: T.zeros([3, 1]) }]
 * const [output] = nn.gru(T.zeros([2, 1]), layers, { initial: T.tensor([[1.5]]) })
 * T.reference(output).data // => [0.75, 0.375]
 */
export const gru: Recurrent<GruOptions, readonly [output: Tensor, hidden: Tensor]> = dataFirstWith(
  'nn.gru',
  2,
  gruOptions,
  (x: Tensor, layers: readonly RecurrentLayer[], { initial, resetAfter, ...options }: GruOptions = {}) =>
    run(one(gruKind(resetAfter)), x, { layers, initial: initial && [initial], ...options }),
)

/**
 * Long short-term memory (`lstmCell`) over sequences: layouts, lengths and errors as in `rnn`; outputs, last states and
 * last cells. A layer may have peepholes, and a projection `weightHr`, with which states are `[cells, N, P]`.
 * @example
 * const layers = [{ weightIh: T.zeros([4, 1]), weightHh: T.zeros([4, 1]) }]
 * const initial = [T.zeros([1, 1]), T.tensor([[1.5]])] as const
 * const [output, , cell] = nn.lstm(T.zeros([2, 1]), layers, { initial })
 * T.reference([output, cell]).map((t) => t.data) // => [[0.317575, 0.179179], [0.375]]
 */
export const lstm: Recurrent<LstmOptions, readonly [output: Tensor, hidden: Tensor, cell: Tensor], LstmCellParams> =
  dataFirstWith(
    'nn.lstm',
    2,
    lstmOptions,
    (x: Tensor, layers: readonly RecurrentLayer<LstmCellParams>[], options: LstmOptions = {}) =>
      run(pair, x, { layers, ...options }),
  )
