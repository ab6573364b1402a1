/**
 * Chapter 5: recurrent networks read Moby Dick letter by letter, and say what comes next: plain, with gates, with a memory, and
 * two layers deep. The best of them then writes on by itself. `npm run example examples/05-characters.ts`
 */
import * as T from 'tensorloom'
import { batchCount, batches } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam, cosineDecay } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { readBook, runs } from './course/book.ts'
import { alone, type Example } from './course/example.ts'
import { lineChart, smoothed } from './pictures/chart.ts'

/** Runs of characters by number, a row each. */
type Text = T.Tensor<readonly [number, number], 'u8'>
type Batch = { readonly text: Text }

/** What a network remembers of a text: a state, and for an LSTM its cells too. */
type Memory = readonly T.Tensor[]

interface Recurrent {
  readonly init: (key: random.Key, inputs: number, hidden: number) => readonly nn.CellStart[]
  readonly run: (x: T.Tensor, cells: readonly nn.CellStart[], memory: Memory) => readonly [y: T.Tensor, ...Memory]
  /** How many tensors it remembers. */
  readonly states: number
}

const rnn: Recurrent['run'] = (x, cells, [initial]) => nn.rnn(x, cells, { initial, batchFirst: true })
const gru: Recurrent['run'] = (x, cells, [initial]) => nn.gru(x, cells, { initial, batchFirst: true })
const lstm: Recurrent['run'] = (x, cells, [h, c]) => nn.lstm(x, cells, { initial: [h!, c!], batchFirst: true })

const networks: Readonly<Record<string, Recurrent>> = {
  'plain RNN': { init: nn.rnnInit, run: rnn, states: 1 },
  LSTM: { init: (...sizes) => nn.lstmInit(...sizes, { forgetBias: 1 }), run: lstm, states: 2 },
  GRU: { init: nn.gruInit, run: gru, states: 1 },
  'GRU, 2 layers': { init: (...sizes) => nn.gruInit(...sizes, { layers: 2 }), run: gru, states: 1 },
}

const init = ({ init }: Recurrent, key: random.Key, characters: number, hidden: number) => {
  const [a, b, c] = random.splitList(key, 3)
  return {
    embedding: nn.embeddingInit(a, characters, hidden),
    cells: init(b, hidden, hidden),
    last: nn.linearInit(c, hidden, characters),
  }
}

type Params = ReturnType<typeof init>

/** Nothing remembered yet, in so many rows. */
const blank = ({ states }: Recurrent, { cells, last }: Params, rows: number): Memory =>
  Array.from({ length: states }, () => T.zeros([cells.length, rows, last.weight.shape[1]]))

/** Scores of what follows each character, and what is remembered at the end. */
const read = ({ run }: Recurrent, p: Params, text: Text, memory: Memory): readonly [T.Tensor, ...Memory] => {
  const [y, ...after] = run(nn.embedding(text, p.embedding), p.cells, memory)
  return [nn.linear(y, p.last), ...after]
}

/** The cross-entropy of each next character, and what is remembered. */
const loss = (network: Recurrent, p: Params, text: Text, memory: Memory): readonly [T.Tensor, Memory] => {
  const [logits, ...after] = read(network, p, T.at(text, ':', ':-1') as Text, memory)
  return [nn.crossEntropy(logits, T.at(text, ':', '1:'), { axis: -1 }), after]
}

/** Characters after a line break, one drawn at a time; the lower the temperature, the more likely ones. */
const write = (network: Recurrent, p: Params, newline: number, length: number, temperature: number): T.Tensor => {
  const step = ({ last, memory }: { last: Text; memory: Memory }, key: random.Key) => {
    const [logits, ...after] = read(network, p, last, memory)
    const next = T.cast(random.categorical(key, { logits: T.div(logits, temperature) }), 'u8') as Text
    return [{ last: next, memory: after }, next] as const
  }
  const start = { last: T.full([1, 1], newline, { dtype: 'u8' }), memory: blank(network, p, 1) }
  return T.scan(step, start, random.split(random.key(5), length))[1]
}

/** A text in `rows` columns, read down side by side: each row of a batch goes on where that of the batch before ended. */
const columns = (codes: Uint8Array, rows: number, size: number) => {
  const count = Math.floor((codes.length - 1) / (rows * size))
  const starts = Array.from({ length: count * rows }, (_, i) => ((i % rows) * count + Math.floor(i / rows)) * size)
  return runs(codes, starts, size)
}

export const characters: Example = {
  name: '05-characters',
  title: 'Moby Dick, letter by letter',
  run: async ({ device, quick, progress }) => {
    const book = await readBook()
    const [rows, size, hidden] = quick ? [16, 32, 32] : [32, 32, 128]
    const seen = columns(book.seen.subarray(0, quick ? 20_000 : undefined), rows, size)
    const unseen = columns(book.unseen.subarray(0, quick ? 4_100 : undefined), rows, 256)
    const steps = batchCount(seen, { size: rows })

    const study = async ([name, network]: readonly [string, Recurrent], i: number) => {
      const optimiser = adam(cosineDecay(0.008, { steps }), { clipNorm: 1 })
      const params = init(network, random.key(i), book.alphabet.length, hidden)
      const start = { params, optimiser: optimiser.init(params), memory: blank(network, params, rows) }
      const step = (s: typeof start, { text }: Batch) => {
        const lossOf = (p: Params) => loss(network, p, text, s.memory)
        const [[value, memory], grads] = T.valueAndGrad(lossOf, { hasAux: true })(s.params)
        const next = optimiser.update(s.params, grads, s.optimiser)
        return { state: { params: next.params, optimiser: next.state, memory }, loss: value }
      }
      const judge = (p: Params, { text }: Batch) => ({
        loss: loss(network, p, text, blank(network, p, rows))[0],
      })
      const learn = await T.compileOn(device, step, [start, { text: T.spec([rows, size + 1], 'u8') }], { donate: [0] })
      const exam = await T.compileOn(device, judge, [params, { text: T.spec([rows, 257], 'u8') }])
      const losses: number[] = []
      const { state } = await train.fit(learn, start, batches(seen, { size: rows }), {
        onStep: ({ step, measures }) => {
          losses.push(measures['loss']!)
          progress(i * steps + step, 4 * steps, name)
        },
      })
      const found = await train.evaluate(exam, state.params, batches(unseen, { size: rows }))
      return { name, network, losses, params: state.params, perplexity: Math.exp(found['loss']!) }
    }
    const found: Awaited<ReturnType<typeof study>>[] = []
    for (const [i, entry] of Object.entries(networks).entries()) found.push(await study(entry, i))

    const best = found.reduce((a, b) => (a.perplexity < b.perplexity ? a : b))
    const length = quick ? 100 : 600
    const pen = (p: Params) => write(best.network, p, book.alphabet.indexOf('\n'), length, 0.7)
    const writer = await T.compileOn(device, pen, [best.params])
    const [written] = await T.read([await writer.run(best.params)])
    return {
      measures: Object.fromEntries(found.map(({ name, perplexity }) => [name, perplexity])),
      tables: [
        {
          title: `perplexity of the book’s last chapters, of ${book.alphabet.length} characters`,
          columns: ['network', 'perplexity'],
          rows: found.map(({ name, perplexity }) => [name, perplexity.toFixed(2)]),
        },
      ],
      texts: { [`${best.name}, at temperature 0.7`]: book.spell(written!) },
      pictures: {
        'loss.svg': lineChart(
          found.map(({ name, losses }) => ({ name, points: smoothed(losses, Math.ceil(steps / 60)) })),
          { title: 'Recurrent networks learn English', x: 'batch', y: 'cross-entropy, mean of some batches' },
        ),
      },
    }
  },
}

await alone(import.meta.url, characters)
