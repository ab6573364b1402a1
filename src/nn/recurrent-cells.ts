/** One step of a recurrent network: simple, long short-term memory, gated. Gates stand in PyTorch's order. */
import { demandChoice, demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { dual } from '../lang/tensor/dual.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { type LinearParams, linear } from './linear.ts'
import { misshapen, mistakeAmong } from './operands.ts'

/**
 * Parameters of a cell with G gates (1, 4 or 3) for inputs of I features and a state of H: `weightIh` `[G·H, I]`,
 * `weightHh` `[G·H, H]`, `biasIh` and `biasHh` `[G·H]`.
 */
export interface CellParams {
  readonly weightIh: Tensor
  readonly weightHh: Tensor
  readonly biasIh?: Tensor | undefined
  readonly biasHh?: Tensor | undefined
}

export const cellParams: OptionNames<CellParams> = {
  weightIh: 'must tensor',
  weightHh: 'must tensor',
  biasIh: 'tensor',
  biasHh: 'tensor',
}

/** What the simple cell applies to its sum. */
export type Nonlinearity = 'tanh' | 'relu'

/** Parameters of `rnnCell`, with what it applies to the sum (`'tanh'`). */
export interface RnnCellParams extends CellParams {
  readonly nonlinearity?: Nonlinearity
}

const rnnCellParams: OptionNames<RnnCellParams> = { ...cellParams, nonlinearity: 'own' }

/** How a kind of cell moves its state, the products of its inputs already taken: `projected` is `x·weightIhᵀ + biasIh`. */
export interface Cell<S> {
  readonly name: string
  readonly gates: number
  readonly move: (projected: Tensor, state: S, params: CellParams) => S
}

const layer = (weight: Tensor, bias: Tensor | undefined): LinearParams =>
  ({ weight, ...(bias ? { bias } : {}) }) as LinearParams

/** The inputs' part of all gates. */
export const projected = (x: Tensor, { weightIh, biasIh }: CellParams): Tensor =>
  linear(x, layer(weightIh, biasIh)) as Tensor

const fromState = (h: Tensor, { weightHh, biasHh }: CellParams): Tensor => linear(h, layer(weightHh, biasHh)) as Tensor

/** The simple cell under that nonlinearity; `name` is whom an error about it names. */
export const rnnKind = (name: string, nonlinearity: Nonlinearity = 'tanh'): Cell<Tensor> => {
  demandChoice(name, 'nonlinearity', nonlinearity, ['tanh', 'relu'])
  return {
    name: 'rnn',
    gates: 1,
    move: (x, h, params) => (nonlinearity === 'relu' ? T.relu : T.tanh)(T.add(x, fromState(h, params))),
  }
}

/** Gates: input, forget, candidate, output. */
export const lstmKind: Cell<readonly [Tensor, Tensor]> = {
  name: 'lstm',
  gates: 4,
  move: (x, [h, c], params) => {
    const [i, f, g, o] = T.chunk(T.add(x, fromState(h, params)), 4, { axis: -1 })
    const cell = T.add(T.mul(T.sigmoid(f!), c), T.mul(T.sigmoid(i!), T.tanh(g!)))
    return [T.mul(T.sigmoid(o!), T.tanh(cell)), cell]
  },
}

/** Gates: reset, update, candidate. */
export const gruKind: Cell<Tensor> = {
  name: 'gru',
  gates: 3,
  move: (x, h, params) => {
    const [xr, xz, xn] = T.chunk(x, 3, { axis: -1 })
    const [hr, hz, hn] = T.chunk(fromState(h, params), 3, { axis: -1 })
    const reset = T.sigmoid(T.add(xr!, hr!))
    const update = T.sigmoid(T.add(xz!, hz!))
    const candidate = T.tanh(T.add(xn!, T.mul(reset, hn!)))
    return T.add(candidate, T.mul(update, T.sub(h, candidate)))
  },
}

/** What is wrong with the parameters of a cell, or with what they meet; the mistake below, if there is one. */
export const wrongCell = (
  name: string,
  gates: number,
  x: Tensor,
  states: readonly Tensor[],
  { weightIh, weightHh, biasIh, biasHh }: CellParams,
): Tensor | undefined => {
  const operands = [x, ...states, weightIh, weightHh]
  const named = Object.fromEntries([x, ...states].map((t, i) => [`operand ${i + 1}`, t]))
  const mistake = mistakeAmong(name, { ...named, weightIh, weightHh }, { biasIh, biasHh })
  if (mistake) return mistake
  const [features, hidden] = [x.shape.at(-1), weightHh.shape[1]]
  const fits =
    weightIh.shape.join() === [gates * hidden!, features].join() &&
    weightHh.shape.join() === [gates * hidden!, hidden].join() &&
    states.every((s) => s.shape.at(-1) === hidden)
  if (fits) {
    const biases = { biasIh: [biasIh, [gates * hidden!]], biasHh: [biasHh, [gates * hidden!]] } as const
    return misshapen(name, x, biases, `with ${gates} gate${gates === 1 ? '' : 's'}, a bias is [${gates}·H]`)
  }
  const reason = `weights [${weightIh.shape.join(', ')}] and [${weightHh.shape.join(', ')}] do not fit ${features} features and a state of ${states[0]?.shape.at(-1) ?? hidden}`
  const hint = `with ${gates} gate${gates === 1 ? '' : 's'}, weightIh is [${gates}·H, features] and weightHh [${gates}·H, H]`
  return tensorOf(refuse(name, operands.map(nodeOf), { reason, hint }))
}

type StateCell<P> = {
  (h: Tensor, params: P): (x: Tensor) => Tensor
  (x: Tensor, h: Tensor, params: P): Tensor
}

/**
 * `tanh(x·weightIhᵀ + biasIh + h·weightHhᵀ + biasHh)` (Elman 1990), or relu instead of tanh: inputs `[N, I]` (or `[I]`)
 * and state `[N, H]` → the next state. ShapeError for weights that do not fit.
 * @example
 * const params = { weightIh: T.tensor([[0.5]]), weightHh: T.tensor([[0.25]]), nonlinearity: 'relu' } as const
 * T.reference(nn.rnnCell(T.tensor([[3.5]]), T.tensor([[1.5]]), params)).data // => [2.125]
 */
export const rnnCell: StateCell<RnnCellParams> = dual(
  'nn.rnnCell',
  3,
  (x: Tensor, h: Tensor, params: RnnCellParams) => {
    demandRecord('nn.rnnCell', rnnCellParams, params, 'parameter')
    const kind = rnnKind('nn.rnnCell', params.nonlinearity)
    return wrongCell('nn.rnnCell', 1, x, [h], params) ?? kind.move(projected(x, params), h, params)
  },
)

/**
 * One step of gated recurrence (Cho et al. 2014, with PyTorch's reset after the product): inputs `[N, I]` (or `[I]`),
 * state `[N, H]` → the next state. The rows of the weights `[3·H, …]` are reset, update, candidate. ShapeError for
 * weights that do not fit.
 * @example
 * const params = { weightIh: T.zeros([3, 1]), weightHh: T.zeros([3, 1]) }
 * T.reference(nn.gruCell(T.tensor([[3.5]]), T.tensor([[1.5]]), params)).data // => [0.75]
 */
export const gruCell: StateCell<CellParams> = dual('nn.gruCell', 3, (x: Tensor, h: Tensor, params: CellParams) => {
  demandRecord('nn.gruCell', cellParams, params, 'parameter')
  return wrongCell('nn.gruCell', 3, x, [h], params) ?? gruKind.move(projected(x, params), h, params)
})

type LstmState = readonly [hidden: Tensor, cell: Tensor]

type LstmCell = {
  (state: LstmState, params: CellParams): (x: Tensor) => LstmState
  (x: Tensor, state: LstmState, params: CellParams): LstmState
}

/**
 * One step of long short-term memory (Hochreiter and Schmidhuber 1997): inputs `[N, I]` (or `[I]`), state and cell `[N,
 * H]` → the next state and cell. The rows of the weights `[4·H, …]` are input, forget, candidate, output. ShapeError for
 * weights that do not fit.
 * @example
 * const params = { weightIh: T.zeros([4, 1]), weightHh: T.zeros([4, 1]) }
 * const next = nn.lstmCell(T.tensor([[3.5]]), [T.zeros([1, 1]), T.tensor([[1.5]])], params)
 * T.reference(next).map((t) => t.data) // => [[0.317575], [0.75]]
 */
export const lstmCell: LstmCell = dual('nn.lstmCell', 3, (x: Tensor, state: LstmState, params: CellParams) => {
  demandRecord('nn.lstmCell', cellParams, params, 'parameter')
  demandList('nn.lstmCell', state, 'state and cell', 'nn.lstmCell(x, [hidden, cell], params)')
  const wrong = wrongCell('nn.lstmCell', 4, x, state, params)
  return wrong ? [wrong, wrong] : lstmKind.move(projected(x, params), state, params)
})
