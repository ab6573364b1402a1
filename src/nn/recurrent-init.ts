/** Initial weights of recurrent networks, as PyTorch draws them. */
import type { Shape } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import * as T from '../lang/tensor/index.ts'
import { demandKey, foldIn } from '../lang/tensor/random/keys.ts'
import type { Only } from '../lang/types/options.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { type BiasOptions, demandSizes, perUnit, uniformParts } from './drawn.ts'

/** Options of initial weights of recurrent networks: how many layers (1), whether they run both ways (false), and have biases (true). */
export interface RecurrentInitOptions extends BiasOptions {
  readonly layers?: number | undefined
  readonly bidirectional?: boolean | undefined
}

const recurrentInitOptions: OptionNames<RecurrentInitOptions> = {
  layers: 'count',
  bidirectional: 'boolean',
  bias: 'boolean',
}

/**
 * Options of `lstmInit`, with whether gates see the cell (false), the size that states are projected to (none), and the sum of
 * the two biases of the forget gates (as drawn, near 0): 1 lets cells keep what they hold (Jozefowicz, Zaremba and Sutskever 2015).
 */
export interface LstmInitOptions extends RecurrentInitOptions {
  readonly peepholes?: boolean | undefined
  readonly projection?: number | undefined
  readonly forgetBias?: number | undefined
}

const lstmInitOptions: OptionNames<LstmInitOptions> = {
  ...recurrentInitOptions,
  peepholes: 'boolean',
  projection: 'count',
  forgetBias: 'finite',
}

type F32 = Tensor<Shape, 'f32'>

/** The weights of one cell, biases and all that it was asked for. */
export interface CellStart {
  readonly weightIh: F32
  readonly weightHh: F32
  readonly biasIh?: F32
  readonly biasHh?: F32
  readonly peepholes?: F32
  readonly weightHr?: F32
}

/** Layers of cells, or of pairs of them where the option says that they run both ways. */
export type LayersStart<Options> = Options extends { readonly bidirectional: infer B }
  ? [B] extends [true]
    ? readonly (readonly [forwards: CellStart, backwards: CellStart])[]
    : [B] extends [false]
      ? readonly CellStart[]
      : readonly (CellStart | readonly [forwards: CellStart, backwards: CellStart])[]
  : readonly CellStart[]

/** Initial weights of a network of cells with one state. */
export interface RecurrentInit {
  (key: Tensor, inputs: number, hidden: number): readonly CellStart[]
  <const Q extends RecurrentInitOptions = object>(
    key: Tensor,
    inputs: number,
    hidden: number,
    options?: Q & Only<Q, RecurrentInitOptions>,
  ): LayersStart<Q>
}

/**
 * Initial weights of a network of long short-term memory: a `RecurrentInit` first of all, so that a table of networks of any kind
 * can be called without telling them apart, with options of its own besides.
 */
export interface LstmInit extends RecurrentInit {
  <const Q extends LstmInitOptions = object>(
    key: Tensor,
    inputs: number,
    hidden: number,
    options?: Q & Only<Q, LstmInitOptions>,
  ): LayersStart<Q>
}

/** `cell` of so many units whose forget gates, the second of the four, begin with `bias` between them. */
const keeping = (cell: CellStart, hidden: number, bias: number): CellStart => {
  const begun = (drawn: F32 | undefined, x: number): F32 => T.setAt(drawn!, [`${hidden}:${2 * hidden}`], x)
  return { ...cell, biasIh: begun(cell.biasIh, bias), biasHh: begun(cell.biasHh, 0) }
}

const recurrentInit = <F>(name: string, gates: number, known: OptionNames<RecurrentInitOptions>): F =>
  ((key: Tensor, inputs: number, hidden: number, options: LstmInitOptions = {}) => {
    demandRecord(name, known, options)
    demandSizes(name, { inputs, hidden })
    demandKey(name, key)
    const { layers = 1, bidirectional = false, bias = true, peepholes = false, projection, forgetBias } = options
    const [rows, out] = [gates * hidden, projection ?? hidden]
    const count = bidirectional ? 2 : 1
    if (forgetBias !== undefined && !bias)
      raise({
        tag: 'UsageError',
        message: `${name}: forgetBias is ${forgetBias}, but { bias: false } leaves no biases`,
      })
    const drawn = (layer: number, direction: number): CellStart =>
      uniformParts(name, foldIn(key, layer * count + direction), perUnit(1, hidden), {
        weightIh: [rows, layer === 0 ? inputs : out * count],
        weightHh: [rows, out],
        ...(bias ? { biasIh: [rows], biasHh: [rows] } : {}),
        ...(peepholes ? { peepholes: [3 * hidden] } : {}),
        ...(projection === undefined ? {} : { weightHr: [projection, hidden] }),
      }) as never
    const cell = (layer: number, direction: number): CellStart =>
      forgetBias === undefined ? drawn(layer, direction) : keeping(drawn(layer, direction), hidden, forgetBias)
    return Array.from({ length: layers }, (_, layer) =>
      bidirectional ? [cell(layer, 0), cell(layer, 1)] : cell(layer, 0),
    )
  }) as F

/**
 * PyTorch's default of a simple recurrent network: a list of `layers` (1) for `rnn`, each with f32 `weightIh`
 * `[hidden, inputs]`, `weightHh` `[hidden, hidden]`, `biasIh` and `biasHh` `[hidden]`, uniform within ±1/√hidden; pairs of
 * them where the layers are `bidirectional`. UsageError for sizes that are none.
 * @example
 * const layers = nn.rnnInit(random.key(0), 3, 4, { layers: 2, bidirectional: true })
 * layers[1]![0].weightIh.shape // => [4, 8]
 * nn.rnn(T.ones([5, 2, 3]), layers).map((t) => t.shape) // => [[5, 2, 8], [4, 2, 4]]
 */
export const rnnInit: RecurrentInit = recurrentInit('nn.rnnInit', 1, recurrentInitOptions)

/**
 * PyTorch's default of gated recurrence: layers for `gru`, as those of `rnnInit` with 3 times as many rows.
 * @example
 * const [layer] = nn.gruInit(random.key(0), 3, 4, { bias: false })
 * Object.entries(layer!).map(([name, { shape }]) => [name, shape]) // => [['weightIh', [12, 3]], ['weightHh', [12, 4]]]
 */
export const gruInit: RecurrentInit = recurrentInit('nn.gruInit', 3, recurrentInitOptions)

/**
 * PyTorch's default of long short-term memory: layers for `lstm`, as those of `rnnInit` with 4 times as many rows; with
 * `peepholes` `[3·hidden]`, and with `weightHr` `[projection, hidden]` where the states are projected.
 * @example
 * const layers = nn.lstmInit(random.key(0), 3, 4, { projection: 2, peepholes: true })
 * nn.lstm(T.ones([5, 1, 3]), layers).map((t) => t.shape) // => [[5, 1, 2], [1, 1, 2], [1, 1, 4]]
 */
export const lstmInit: LstmInit = recurrentInit('nn.lstmInit', 4, lstmInitOptions)
