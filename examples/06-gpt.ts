/**
 * Chapter 6: a small GPT reads Moby Dick. Two blocks of causal attention say what comes after each of 64 characters, at once; then
 * the model writes on where the book was cut off. It keeps checkpoints, and goes on from them. `npm run example examples/06-gpt.ts`
 */
import { join } from 'node:path'
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import { batches } from 'tensorloom/data'
import { checkpoints } from 'tensorloom/io'
import * as nn from 'tensorloom/nn'
import { adamw, cosineDecay, joined, warmup } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { readBook, runs } from './course/book.ts'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

/** Runs of characters by number, a row each. */
type Text = T.Tensor<readonly [number, number], 'u8'>
type Batch = { readonly text: Text }

/** Features of a character, heads of attention, characters that it looks back on. */
const [width, heads, context] = [64, 4, 64]

const init = (key: random.Key, characters: number, depth: number) => {
  const [a, b, c, d] = random.splitList(key, 4)
  return {
    characters: nn.embeddingInit(a, characters, width, { std: 0.02 }),
    places: nn.embeddingInit(b, context, width, { std: 0.02 }),
    blocks: random.splitList(d, depth).map((k) => nn.transformerEncoderBlockInit(k, width, 4 * width)),
    norm: nn.layerNormInit(width),
    last: nn.linearInit(c, width, characters),
  }
}

type Params = ReturnType<typeof init>

/** Scores of what follows each character of a text; with a key, as in training, some of what it sees is dropped. */
const logits = (p: Params, text: Text, key?: random.Key): T.Tensor => {
  const options = { heads, causal: true, normFirst: true, activation: nn.gelu }
  const dropping = (i: number) => (key ? { dropout: 0.05, dropoutKey: random.foldIn(key, i) } : {})
  const x: T.Tensor = T.add(nn.embedding(text, p.characters), p.places)
  const y = p.blocks.reduce((x, block, i) => nn.transformerEncoderBlock(x, block, { ...options, ...dropping(i) }), x)
  return pipe(y, nn.layerNorm(p.norm), nn.linear(p.last))
}

/** The cross-entropy of each next character. */
const loss = (p: Params, text: Text, key?: random.Key): T.Tensor => {
  const scores = logits(p, T.at(text, ':', ':-1') as Text, key)
  return nn.crossEntropy(scores, T.at(text, ':', '1:'), { axis: -1 })
}

/** What the model writes after `context` characters; the lower the temperature, the less it dares. */
const write = (p: Params, prompt: Text, length: number, temperature: number): T.Tensor => {
  const step = (seen: Text, key: random.Key) => {
    const scores = T.at(logits(p, seen), ':', -1)
    const next = T.cast(random.categorical(key, { logits: T.div(scores, temperature) }), 'u8')
    return [T.concat([T.at(seen, ':', '1:'), T.expandDims(next, 1)], { axis: 1 }) as Text, next] as const
  }
  return T.scan(step, prompt, random.split(random.key(9), length))[1]
}

export const gpt: Example = {
  name: '06-gpt',
  title: 'A small GPT reads Moby Dick',
  run: async ({ device, quick, folder, progress }) => {
    const { alphabet, seen, unseen, spell } = await readBook()
    // Epochs are as short as one likes here: so many batches from anywhere in the book.
    const [depth, epochs, perEpoch, size] = quick ? [1, 2, 15, 8] : [2, 15, 300, 32]
    const total = epochs * perEpoch

    const warm = Math.ceil(total / 20)
    const rate = joined([warmup(0.003, { steps: warm }), cosineDecay(0.003, { steps: total - warm })], [warm])
    const decayMask = (_: string, p: T.Tensor): boolean => p.shape.length === 2
    const optimiser = adamw(rate, { weightDecay: 0.1, decayMask, clipNorm: 1 })
    const params = init(random.key(1), alphabet.length, depth)
    const start = { params, optimiser: optimiser.init(params), key: random.key(2) }
    const step = (s: typeof start, { text }: Batch) => {
      const [key, now] = random.splitList(s.key)
      const [value, grads] = T.valueAndGrad(loss)(s.params, text, now)
      const next = optimiser.update(s.params, grads, s.optimiser)
      return { state: { params: next.params, optimiser: next.state, key }, loss: value }
    }
    const judge = (s: typeof start, { text }: Batch) => ({ unseen: loss(s.params, text) })
    const learn = await T.compileOn(device, step, [start, { text: T.spec([size, context + 1], 'u8') }], { donate: [0] })
    const exam = await T.compileOn(device, judge, [start, { text: T.spec([32, context + 1], 'u8') }])

    const pages = Math.floor((quick ? 2_100 : unseen.length - 1) / context)
    const judged = runs(unseen, T.reference(T.mul(T.arange(pages), context)).data, context)
    const draw = (epoch: number) => {
      const key = random.foldIn(random.key(3), epoch)
      const starts = random.randint(key, [perEpoch * size], { low: 0, high: seen.length - context })
      return batches(runs(seen, T.reference(starts).data, context), { size })
    }
    const { state, history } = await train.fit(learn, start, draw, {
      epochs,
      evaluate: (s) => train.evaluate(exam, s, batches(judged, { size: 32 })),
      checkpoints: { to: checkpoints(join(folder, quick ? 'quick' : 'full')) },
      onStep: ({ step, epoch }) => progress(step, total, `epoch ${epoch + 1}`),
    })

    const [length, temperatures] = quick ? [60, [0.8]] : [500, [0.5, 0.8]]
    const prompt = unseen.slice(0, context)
    const pen = (p: Params, prompt: Text) => temperatures.map((t) => write(p, prompt, length, t))
    const writer = await T.compileOn(device, pen, [params, T.spec([1, context], 'u8')])
    const written = await T.read(await writer.run(state.params, prompt))
    const at = history.map((e) => e.step)
    const losses = (of: string) => history.map((e) => e.measures[of]!)
    const perplexity = losses('unseen').map(Math.exp)
    return {
      measures: { perplexity: perplexity.at(-1)!, first: perplexity[0]! },
      tables: [
        {
          title: `perplexity of the book’s last chapters, of ${alphabet.length} characters`,
          columns: ['batches', 'perplexity'],
          rows: history.map(({ step }, i) => [step, perplexity[i]!.toFixed(2)]),
        },
      ],
      texts: Object.fromEntries(
        written.map((w, i) => [`at temperature ${temperatures[i]}`, `${spell(prompt)}|${spell(w)}`]),
      ),
      pictures: {
        'loss.svg': lineChart(
          [
            curve('as it learns, some of it dropped', losses('loss'), at),
            curve('unseen chapters', losses('unseen'), at),
          ],
          { title: 'A small GPT learns English', x: 'batch', y: 'cross-entropy' },
        ),
      },
    }
  },
}

await alone(import.meta.url, gpt)
