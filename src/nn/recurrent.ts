/** Recurrent networks over sequences: layers of cells, one or both directions of time. */
import { demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { dataFirstWith } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { mistakeAmong } from './operands.ts'
import {
  type Cell,
  type CellParams,
  cellParams,
  gruKind,
  lstmKind,
  type Nonlinearity,
  projected,
  rnnKind,
  wrongCell,
} from './recurrent-cells.ts'

/** One layer: a cell, or two of them for a layer that runs both ways, forwards and backwards in time. */
export type RecurrentLayer = CellParams | readonly [forwards: CellParams, backwards: CellParams]

/** Options of `gru`: whether batches come first (`[N, T, I]`), and the state before the first step (zeros). */
export interface RecurrentOptions {
  readonly batchFirst?: boolean
  readonly initial?: Tensor | undefined
}

const recurrentOptions: OptionNames<RecurrentOptions> = { batchFirst: 'boolean', initial: 'tensor' }

/** Options of `rnn`, with what its cells apply to their sums (`'tanh'`). */
export interface RnnOptions extends RecurrentOptions {
  readonly nonlinearity?: Nonlinearity
}

const rnnOptions: OptionNames<RnnOptions> = { ...recurrentOptions, nonlinearity: 'own' }

/** Options of `lstm`: the state and the cell before the first step. */
export interface LstmOptions {
  readonly batchFirst?: boolean
  readonly initial?: readonly [hidden: Tensor, cell: Tensor]
}

const lstmOptions: OptionNames<LstmOptions> = { batchFirst: 'boolean', initial: 'own' }

type Recurrent<Options, Result> = {
  (layers: readonly RecurrentLayer[], options?: Options): (x: Tensor) => Result
  (x: Tensor, layers: readonly RecurrentLayer[], options?: Options): Result
}

/** How a kind of state is taken apart into tensors and put together again. */
interface Kind<S> extends Cell<S> {
  readonly parts: (state: S) => readonly Tensor[]
  readonly whole: (parts: readonly Tensor[]) => S
  /** How many tensors there are. */
  readonly count: number
}

const one = (cell: Cell<Tensor>): Kind<Tensor> => ({ ...cell, parts: (h) => [h], whole: ([h]) => h!, count: 1 })

const pair: Kind<readonly [Tensor, Tensor]> = {
  ...lstmKind,
  parts: (s) => s,
  whole: ([h, c]) => [h!, c!],
  count: 2,
}

const directions = (layer: RecurrentLayer): readonly CellParams[] =>
  Array.isArray(layer) ? (layer as readonly CellParams[]) : [layer as CellParams]

/** Layers one above the other over `x` `[T, N, I]`: the last layer's outputs, and each cell's last state in order. */
const stacked = <S>(
  kind: Kind<S>,
  x: Tensor,
  layers: readonly RecurrentLayer[],
  before: (cell: number) => S,
): readonly [Tensor, readonly S[]] => {
  const finals: S[] = []
  let below = x
  for (const layer of layers) {
    const outputs: Tensor[] = []
    for (const [direction, params] of directions(layer).entries()) {
      const state = before(finals.length)
      const wrong = wrongCell(`nn.${kind.name}`, kind.gates, below, kind.parts(state), params)
      if (wrong) return [wrong, [kind.whole(Array.from({ length: kind.count }, () => wrong))]]
      const gates = projected(below, params)
      if (isMistake(gates)) return [gates, [kind.whole(Array.from({ length: kind.count }, () => gates))]]
      const [final, out] = T.scan(
        (s: S, g: Tensor) => {
          const next = kind.move(g, s, params)
          return [next, kind.parts(next)[0]!] as const
        },
        state,
        gates as never,
        { reverse: direction === 1 },
      )
      finals.push(final)
      outputs.push(out as Tensor)
    }
    below = outputs.length === 1 ? outputs[0]! : T.concat(outputs, { axis: -1 })
  }
  return [below, finals]
}

/** Outputs and last states of a network, in the layout its options ask for. */
const run = <S>(
  kind: Kind<S>,
  x: Tensor,
  layers: readonly RecurrentLayer[],
  batchFirst: boolean,
  initial: readonly Tensor[] | undefined,
): readonly Tensor[] => {
  const name = `nn.${kind.name}`
  const all = (t: Tensor): readonly Tensor[] => Array.from({ length: 1 + kind.count }, () => t)
  const cells = demandList(name, layers, 'layers', `${name}(x, [layer])`).flatMap(directions)
  for (const cell of cells) demandRecord(name, cellParams, cell, 'parameter')
  if (initial !== undefined) demandList(name, initial, "states in 'initial'", '{ initial: [hidden, cell] }')
  const mistake = [
    mistakeAmong(name, { 'operand 1': x }),
    ...cells.map(({ weightIh, weightHh, biasIh, biasHh }) =>
      mistakeAmong(name, { weightIh, weightHh }, { biasIh, biasHh }),
    ),
    ...(initial ?? []).map((state) => mistakeAmong(name, { 'the initial state': state })),
  ].find((t) => t !== undefined)
  if (mistake) return all(mistake)
  const fail = (reason: string, hint: string): readonly Tensor[] =>
    all(tensorOf(refuse(name, [x, ...(initial ?? [])].map(nodeOf), { reason, hint })))
  const rank = x.shape.length
  if (rank !== 2 && rank !== 3) return fail(`takes sequences [T, N, I] or [T, I], not rank ${rank}`, 'see batchFirst')
  if (cells.length === 0) return fail('there are no layers', 'give the parameters of at least one')
  const alone = rank === 2
  const timed = alone ? T.expandDims(x, 1) : batchFirst ? T.swapaxes(x, 0, 1) : x
  const batch = timed.shape[1]!
  const hidden = cells.map((c) => c.weightHh.shape[1] ?? 0)
  const wanted = [cells.length, ...(alone ? [] : [batch]), hidden[0]!]
  const odd = initial?.find((s) => s.shape.join() !== wanted.join())
  if (odd)
    return fail(
      `the initial state has shape [${odd.shape.join(', ')}], not [${wanted.join(', ')}]`,
      'one state for each cell: layers times directions',
    )
  const before = (cell: number): S =>
    kind.whole(
      Array.from({ length: kind.count }, (_, k) =>
        initial
          ? (T.reshape(T.select(initial[k]!, cell), [batch, hidden[cell]!]) as Tensor)
          : T.zeros([batch, hidden[cell]!], { dtype: x.dtype }),
      ),
    )
  const [outputs, finals] = stacked(kind, timed, layers, before)
  const laid = alone ? T.squeeze(outputs, { axis: 1 }) : batchFirst ? T.swapaxes(outputs, 0, 1) : outputs
  const last = finals.map((s) => kind.parts(s))
  return [
    laid as Tensor,
    ...Array.from({ length: kind.count }, (_, k) => {
      const each = T.stack(last.map((parts) => parts[k]!))
      return (alone ? T.squeeze(each, { axis: 1 }) : each) as Tensor
    }),
  ]
}

/**
 * Simple recurrence (`rnnCell`) over sequences `[T, N, I]` (`[N, T, I]` under `batchFirst`, `[T, I]` without a batch):
 * the outputs of the last layer `[T, N, D·H]`, where D is 2 for a layer given as a pair (both directions), and the last
 * states of all cells `[cells, N, H]`, layer by layer. `initial` has the shape of the latter. ShapeError for weights or
 * states that do not fit.
 * @example
 * const layers = [{ weightIh: T.tensor([[0.5]]), weightHh: T.tensor([[0.25]]) }]
 * const [output, hidden] = nn.rnn(T.tensor([[2], [4]], { dtype: 'f32' }), layers, { nonlinearity: 'relu' })
 * T.reference([output, hidden]).map((t) => t.data) // => [[1, 2.25], [2.25]]
 */
export const rnn: Recurrent<RnnOptions, readonly [output: Tensor, hidden: Tensor]> = dataFirstWith(
  'nn.rnn',
  2,
  rnnOptions,
  (
    x: Tensor,
    layers: readonly RecurrentLayer[],
    { batchFirst = false, initial, nonlinearity = 'tanh' }: RnnOptions = {},
  ) => run(one(rnnKind('nn.rnn', nonlinearity)), x, layers, batchFirst, initial && [initial]),
)

/**
 * Gated recurrence (`gruCell`) over sequences: layouts, results and errors as in `rnn`.
 * @example
 * const layers = [{ weightIh: T.zeros([3, 1]), weightHh: T.zeros([3, 1]) }]
 * const [output] = nn.gru(T.zeros([2, 1]), layers, { initial: T.tensor([[1.5]]) })
 * T.reference(output).data // => [0.75, 0.375]
 */
export const gru: Recurrent<RecurrentOptions, readonly [output: Tensor, hidden: Tensor]> = dataFirstWith(
  'nn.gru',
  2,
  recurrentOptions,
  (x: Tensor, layers: readonly RecurrentLayer[], { batchFirst = false, initial }: RecurrentOptions = {}) =>
    run(one(gruKind), x, layers, batchFirst, initial && [initial]),
)

/**
 * Long short-term memory (`lstmCell`) over sequences: layouts and errors as in `rnn`; outputs, last states and last
 * cells.
 * @example
 * const layers = [{ weightIh: T.zeros([4, 1]), weightHh: T.zeros([4, 1]) }]
 * const initial = [T.zeros([1, 1]), T.tensor([[1.5]])] as const
 * const [output, , cell] = nn.lstm(T.zeros([2, 1]), layers, { initial })
 * T.reference([output, cell]).map((t) => t.data) // => [[0.317575, 0.179179], [0.375]]
 */
export const lstm: Recurrent<LstmOptions, readonly [output: Tensor, hidden: Tensor, cell: Tensor]> = dataFirstWith(
  'nn.lstm',
  2,
  lstmOptions,
  (x: Tensor, layers: readonly RecurrentLayer[], { batchFirst = false, initial }: LstmOptions = {}) =>
    run(pair, x, layers, batchFirst, initial),
)
