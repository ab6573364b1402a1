/** torch's recurrent cells and layers in our functions: weights come under names such as `weight_ih_l0_reverse`. */
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { type Call, flag, input, maybeInput, number, type Op, optional, text } from './call.ts'
import type { Ops } from './names.ts'

const cell = (c: Call): nn.CellParams => ({
  weightIh: input(c, 'w_ih'),
  weightHh: input(c, 'w_hh'),
  ...optional('biasIh', maybeInput(c, 'b_ih')),
  ...optional('biasHh', maybeInput(c, 'b_hh')),
})

const nonlinearity = (c: Call): nn.Nonlinearity => text(c, 'nonlinearity', 'tanh') as nn.Nonlinearity

const layers = (c: Call): readonly nn.RecurrentLayer[] =>
  Array.from({ length: number(c, 'num_layers') }, (_, l) => {
    const one = (suffix: string): nn.CellParams => ({
      weightIh: input(c, `weight_ih_l${l}${suffix}`),
      weightHh: input(c, `weight_hh_l${l}${suffix}`),
      ...optional('biasIh', maybeInput(c, `bias_ih_l${l}${suffix}`)),
      ...optional('biasHh', maybeInput(c, `bias_hh_l${l}${suffix}`)),
    })
    return flag(c, 'bidirectional', false) ? [one(''), one('_reverse')] : one('')
  })

const network =
  (f: (c: Call, x: Tensor, initial: Tensor, batchFirst: boolean) => readonly Tensor[]): Op =>
  (c) =>
    f(c, input(c, 'x'), input(c, 'h0'), flag(c, 'batch_first', false))

export const recurrentOps: Ops<'rnn_cell' | 'lstm_cell' | 'gru_cell' | 'rnn' | 'lstm' | 'gru'> = {
  rnn_cell: (c) => nn.rnnCell(input(c, 'x'), input(c, 'h'), { ...cell(c), nonlinearity: nonlinearity(c) }),
  lstm_cell: (c) => nn.lstmCell(input(c, 'x'), [input(c, 'h'), input(c, 'c')], cell(c)),
  gru_cell: (c) => nn.gruCell(input(c, 'x'), input(c, 'h'), cell(c)),
  rnn: network((c, x, initial, batchFirst) =>
    nn.rnn(x, layers(c), { initial, batchFirst, nonlinearity: nonlinearity(c) }),
  ),
  lstm: network((c, x, initial, batchFirst) =>
    nn.lstm(x, layers(c), { initial: [initial, input(c, 'c0')], batchFirst }),
  ),
  gru: network((c, x, initial, batchFirst) => nn.gru(x, layers(c), { initial, batchFirst })),
}
