/** One step of a recurrent network: simple, long short-term memory, gated. Gates stand in PyTorch's order. */
import { demandChoice, demandList, demandRecord, type Names, type OptionNames } from '../lang/tensor/arguments.ts'
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

/** Parameters of `gruCell`, with whether the reset gate acts after the product (true, as in PyTorch) or before it. */
export interface GruCellParams extends CellParams {
  readonly resetAfter?: boolean
}

const gruCellParams: OptionNames<GruCellParams> = { ...cellParams, resetAfter: 'boolean' }

/**
 * Parameters of `lstmCell`: `peepholes` `[3·H]`, by which the input, the forget and the output gate see the cell (ONNX has
 * them in the order input, output, forget), and `weightHr` `[P, H]`, which maps the state to one of P; `weightHh` is `[4·H, P]` then.
 */
export interface LstmCellParams extends CellParams {
  readonly peepholes?: Tensor | undefined
  readonly weightHr?: Tensor | undefined
}

export const lstmCellParams: OptionNames<LstmCellParams> = { ...cellParams, peepholes: 'tensor', weightHr: 'tensor' }

/** How a kind of cell moves its state, the products of its inputs already taken: `projected` is `x·weightIhᵀ + biasIh`. */
export interface Cell<S> {
  readonly name: string
  readonly gates: number
  readonly params: Names
  readonly move: (projected: Tensor, state: S, params: LstmCellParams) => S
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
    params: cellParams,
    move: (x, h, params) => (nonlinearity === 'relu' ? T.relu : T.tanh)(T.add(x, fromState(h, params))),
  }
}

/** Gates: input, forget, candidate, output. */
export const lstmKind: Cell<readonly [Tensor, Tensor]> = {
  name: 'lstm',
  gates: 4,
  params: lstmCellParams,
  move: (x, [h, c], { peepholes, weightHr, ...params }) => {
    const [i, f, g, o] = T.chunk(T.add(x, fromState(h, params)), 4, { axis: -1 })
    const [toInput, toForget, toOutput] = peepholes ? T.chunk(peepholes, 3) : []
    const gate = (sum: Tensor, peephole: Tensor | undefined, cell: Tensor): Tensor =>
      T.sigmoid(peephole ? T.add(sum, T.mul(peephole, cell)) : sum) as Tensor
    const cell = T.add(T.mul(gate(f!, toForget, c), c), T.mul(gate(i!, toInput, c), T.tanh(g!)))
    const hidden = T.mul(gate(o!, toOutput, cell), T.tanh(cell))
    return [weightHr ? (linear(hidden, layer(weightHr, undefined)) as Tensor) : hidden, cell]
  },
}

/** Gates: reset, update, candidate. The reset gate acts on the state's product, or on the state itself. */
export const gruKind = (resetAfter = true): Cell<Tensor> => ({
  name: 'gru',
  gates: 3,
  params: cellParams,
  move: (x, h, params) => {
    const hidden = h.shape.at(-1)!
    const part = (p: Tensor | undefined, from: number, count: number): Tensor | undefined =>
      p && T.narrow(p, from * hidden, count * hidden)
    const gates = (state: Tensor, from: number, count: number): Tensor =>
      linear(state, layer(part(params.weightHh, from, count)!, part(params.biasHh, from, count))) as Tensor
    const [xr, xz, xn] = T.chunk(x, 3, { axis: -1 })
    const [hr, hz, hn] = T.chunk(resetAfter ? fromState(h, params) : gates(h, 0, 2), resetAfter ? 3 : 2, { axis: -1 })
    const reset = T.sigmoid(T.add(xr!, hr!))
    const update = T.sigmoid(T.add(xz!, hz!))
    const fresh = resetAfter ? T.mul(reset, hn!) : gates(T.mul(reset, h), 2, 1)
    const candidate = T.tanh(T.add(xn!, fresh))
    return T.add(candidate, T.mul(update, T.sub(h, candidate)))
  },
})

/** Sizes of the state that a cell gives, and of what it keeps inside: one unless the state is projected. */
export const stateSizes = ({ weightHh, weightHr }: LstmCellParams): readonly [state: number, inner: number] => {
  const state = weightHh.shape[1] ?? 0
  return [state, weightHr ? (weightHr.shape[1] ?? 0) : state]
}

/** What is wrong with the parameters of a cell, or with what they meet; the mistake below, if there is one. */
export const wrongCell = (
  name: string,
  gates: number,
  x: Tensor,
  states: readonly Tensor[],
  params: LstmCellParams,
): Tensor | undefined => {
  const { weightIh, weightHh, biasIh, biasHh, peepholes, weightHr } = params
  const operands = [x, ...states, weightIh, weightHh]
  const named = Object.fromEntries([x, ...states].map((t, i) => [`operand ${i + 1}`, t]))
  const mistake = mistakeAmong(name, { ...named, weightIh, weightHh }, { biasIh, biasHh, peepholes, weightHr })
  if (mistake) return mistake
  const features = x.shape.at(-1)
  const sizes = stateSizes(params)
  const [state, inner] = sizes
  const fits =
    weightIh.shape.join() === [gates * inner, features].join() &&
    weightHh.shape.join() === [gates * inner, state].join() &&
    states.every((s, i) => s.shape.at(-1) === sizes[i])
  if (fits) {
    const others = {
      biasIh: [biasIh, [gates * inner]],
      biasHh: [biasHh, [gates * inner]],
      peepholes: [peepholes, [3 * inner]],
      weightHr: [weightHr, [state, inner]],
    } as const
    return misshapen(name, x, others, `with ${gates} gate${gates === 1 ? '' : 's'}, a bias is [${gates}·H]`)
  }
  const reason = `weights [${weightIh.shape.join(', ')}] and [${weightHh.shape.join(', ')}] do not fit ${features} features and a state of ${states[0]?.shape.at(-1) ?? state}`
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
 * One step of gated recurrence (Cho et al. 2014): inputs `[N, I]` (or `[I]`), state `[N, H]` → the next state. The rows of
 * the weights `[3·H, …]` are reset, update, candidate. The reset gate acts on the product of the state, as in PyTorch, or
 * on the state itself under `resetAfter: false`, as in the paper. ShapeError for weights that do not fit.
 * @example
 * const params = { weightIh: T.zeros([3, 1]), weightHh: T.tensor([[0], [0], [1]], { dtype: 'f32' }), biasHh: T.ones([3]) }
 * T.reference(nn.gruCell(T.tensor([[3.5]]), T.tensor([[1.5]]), params)).data // => [1.351973]
 * T.reference(nn.gruCell(T.tensor([[3.5]]), T.tensor([[1.5]]), { ...params, resetAfter: false })).data // => [1.357529]
 */
export const gruCell: StateCell<GruCellParams> = dual(
  'nn.gruCell',
  3,
  (x: Tensor, h: Tensor, params: GruCellParams) => {
    demandRecord('nn.gruCell', gruCellParams, params, 'parameter')
    return (
      wrongCell('nn.gruCell', 3, x, [h], params) ?? gruKind(params.resetAfter).move(projected(x, params), h, params)
    )
  },
)

type LstmState = readonly [hidden: Tensor, cell: Tensor]

type LstmCell = {
  (state: LstmState, params: LstmCellParams): (x: Tensor) => LstmState
  (x: Tensor, state: LstmState, params: LstmCellParams): LstmState
}

/**
 * One step of long short-term memory (Hochreiter and Schmidhuber 1997): inputs `[N, I]` (or `[I]`), state and cell `[N,
 * H]` → the next state and cell. The rows of the weights `[4·H, …]` are input, forget, candidate, output. With `peepholes`
 * the gates see the cell (Gers and Schmidhuber 2000), with `weightHr` `[P, H]` the state is `[N, P]` (Sak et al. 2014).
 * ShapeError for weights that do not fit.
 * @example
 * const params = { weightIh: T.zeros([4, 1]), weightHh: T.zeros([4, 1]) }
 * const next = nn.lstmCell(T.tensor([[3.5]]), [T.zeros([1, 1]), T.tensor([[1.5]])], params)
 * T.reference(next).map((t) => t.data) // => [[0.317575], [0.75]]
 */
export const lstmCell: LstmCell = dual('nn.lstmCell', 3, (x: Tensor, state: LstmState, params: LstmCellParams) => {
  demandRecord('nn.lstmCell', lstmCellParams, params, 'parameter')
  demandList('nn.lstmCell', state, 'state and cell', 'nn.lstmCell(x, [hidden, cell], params)')
  const wrong = wrongCell('nn.lstmCell', 4, x, state, params)
  return wrong ? [wrong, wrong] : lstmKind.move(projected(x, params), state, params)
})
