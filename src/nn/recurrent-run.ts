/** How recurrent networks run: layer above layer, one or both directions of time, rows as long as they are. */
import { isInteger } from '../lang/dtype.ts'
import { demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import * as T from '../lang/tensor/index.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { droppingWithin, type InnerDropoutOptions, innerDropoutOptions } from './dropout.ts'
import { mistakeAmong } from './operands.ts'
import {
  type Cell,
  type CellParams,
  type LstmCellParams,
  lstmKind,
  projected,
  stateSizes,
  wrongCell,
} from './recurrent-cells.ts'
import { choose } from './select.ts'

/** One layer: a cell, or two of them for a layer that runs both ways, forwards and backwards in time. */
export type RecurrentLayer<P extends CellParams = CellParams> = P | readonly [forwards: P, backwards: P]

/**
 * Options that all recurrent networks have: whether batches come first (`[N, T, I]`); how many steps each row has, integers
 * `[N]`; the probability that an output between two layers is dropped (0), and the key that it is drawn from.
 */
export interface SequenceOptions extends InnerDropoutOptions {
  readonly batchFirst?: boolean | undefined
  readonly lengths?: Tensor | undefined
}

export const sequenceOptions: OptionNames<SequenceOptions> = {
  batchFirst: 'boolean',
  lengths: 'tensor',
  ...innerDropoutOptions,
}

/** How a kind of state is taken apart into tensors and put together again. */
interface Kind<S> extends Cell<S> {
  readonly parts: (state: S) => readonly Tensor[]
  readonly whole: (parts: readonly Tensor[]) => S
  /** How many tensors there are. */
  readonly count: number
}

export const one = (cell: Cell<Tensor>): Kind<Tensor> => ({ ...cell, parts: (h) => [h], whole: ([h]) => h!, count: 1 })

export const pair: Kind<readonly [Tensor, Tensor]> = {
  ...lstmKind,
  parts: (s) => s,
  whole: ([h, c]) => [h!, c!],
  count: 2,
}

const directions = (layer: RecurrentLayer): readonly LstmCellParams[] =>
  Array.isArray(layer) ? (layer as readonly CellParams[]) : [layer as CellParams]

/** What layers stand on: sequences `[T, N, I]`, which steps count `[T, N, 1]`, the states to begin with, and what is dropped. */
interface Ground<S> {
  readonly x: Tensor
  readonly seen: Tensor | undefined
  readonly before: (cell: number) => S
  readonly drop: (x: Tensor, layer: number) => Tensor
}

/** Layers one above the other: the last layer's outputs, and each cell's last state in order. */
const stacked = <S>(
  kind: Kind<S>,
  layers: readonly RecurrentLayer[],
  { x, seen, before, drop }: Ground<S>,
): readonly [Tensor, readonly S[]] => {
  const everywhere = (t: Tensor): S => kind.whole(Array.from({ length: kind.count }, () => t))
  const finals: S[] = []
  // What lies past a row's end may be anything, NaN too, which no gradient is to see.
  let below = seen ? choose(seen, x, 0) : x
  for (const [at, layer] of layers.entries()) {
    const outputs: Tensor[] = []
    for (const [direction, params] of directions(layer).entries()) {
      const state = before(finals.length)
      const wrong = wrongCell(`nn.${kind.name}`, kind.gates, below, kind.parts(state), params)
      const gates = wrong ?? projected(below, params)
      if (isMistake(gates)) return [gates, [everywhere(gates)]]
      const step = (s: S, g: Tensor, lives?: Tensor): readonly [S, Tensor] => {
        const next = kind.move(g, s, params)
        if (!lives) return [next, kind.parts(next)[0]!]
        const [olds, news] = [kind.parts(s), kind.parts(next)]
        return [kind.whole(news.map((part, i) => choose(lives, part, olds[i]!))), choose(lives, news[0]!, 0)]
      }
      const [final, out] = T.scan(
        (s: S, turn: readonly [Tensor, Tensor?]) => step(s, ...turn),
        state,
        (seen ? [gates, seen] : [gates]) as never,
        { reverse: direction === 1 },
      )
      finals.push(final)
      outputs.push(out as Tensor)
    }
    const joined = outputs.length === 1 ? outputs[0]! : (T.concat(outputs, { axis: -1 }) as Tensor)
    below = at < layers.length - 1 ? drop(joined, at) : joined
  }
  return [below, finals]
}

/** A network as it is called: its layers, its options, and the states that it begins with. */
interface Network extends SequenceOptions {
  readonly layers: readonly RecurrentLayer[]
  readonly initial?: readonly Tensor[] | undefined
}

/** The mistake among all that a network is given. */
const mistakeIn = (
  name: string,
  x: Tensor,
  cells: readonly CellParams[],
  { initial = [], lengths }: Pick<Network, 'initial' | 'lengths'>,
): Tensor | undefined =>
  [
    mistakeAmong(name, { 'operand 1': x }, { lengths }),
    ...cells.map(({ weightIh, weightHh, ...others }) => mistakeAmong(name, { weightIh, weightHh }, { ...others })),
    ...initial.map((state) => mistakeAmong(name, { 'the initial state': state })),
  ].find((t) => t !== undefined)

/** Outputs and last states of a network, in the layout its options ask for. */
export const run = <S>(
  kind: Kind<S>,
  x: Tensor,
  { layers, initial, batchFirst = false, lengths, ...dropout }: Network,
): readonly Tensor[] => {
  const name = `nn.${kind.name}`
  const all = (t: Tensor): readonly Tensor[] => Array.from({ length: 1 + kind.count }, () => t)
  const cells = demandList(name, layers, 'layers', `${name}(x, [layer])`).flatMap(directions)
  for (const cell of cells) demandRecord(name, kind.params, cell, 'parameter')
  if (initial !== undefined) demandList(name, initial, "states in 'initial'", '{ initial: [hidden, cell] }')
  const drop = droppingWithin(name, dropout)
  const mistake = mistakeIn(name, x, cells, { initial, lengths })
  if (mistake) return all(mistake)
  const fail = (reason: string, hint: string, others: readonly Tensor[] = initial ?? []): readonly Tensor[] =>
    all(tensorOf(refuse(name, [x, ...others].map(nodeOf), { reason, hint })))
  const rank = x.shape.length
  if (rank !== 2 && rank !== 3) return fail(`takes sequences [T, N, I] or [T, I], not rank ${rank}`, 'see batchFirst')
  if (cells.length === 0) return fail('there are no layers', 'give the parameters of at least one')
  const alone = rank === 2
  const timed = alone ? T.expandDims(x, 1) : batchFirst ? T.swapaxes(x, 0, 1) : x
  const [steps, batch] = [timed.shape[0]!, timed.shape[1]!]
  const rows = alone ? [] : [batch]
  if (lengths && (lengths.shape.join() !== rows.join() || !isInteger(lengths.dtype)))
    return fail(
      `lengths are ${lengths.dtype}[${lengths.shape.join(', ')}], not integers [${rows.join(', ')}]`,
      'give the number of steps of each row',
      [lengths],
    )
  const sizes = cells.map(stateSizes)
  const odd = initial?.findIndex((s, k) => s.shape.join() !== [cells.length, ...rows, sizes[0]![k]].join()) ?? -1
  if (odd >= 0)
    return fail(
      `the initial state has shape [${initial![odd]!.shape.join(', ')}], not [${[cells.length, ...rows, sizes[0]![odd]].join(', ')}]`,
      'one state for each cell: layers times directions',
    )
  const before = (cell: number): S =>
    kind.whole(
      Array.from({ length: kind.count }, (_, k) =>
        initial
          ? (T.reshape(T.select(initial[k]!, cell), [batch, sizes[cell]![k]!]) as Tensor)
          : T.zeros([batch, sizes[cell]![k]!], { dtype: x.dtype }),
      ),
    )
  const seen =
    lengths &&
    (T.less(T.reshape(T.arange(steps), [steps, 1, 1]), T.reshape(T.cast(lengths, 'i32'), [1, batch, 1])) as Tensor)
  const [outputs, finals] = stacked(kind, layers, { x: timed, seen, before, drop })
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
