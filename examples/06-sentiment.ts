/**
 * Chapter 6: did they like it? 3,000 sentences about films, goods and restaurants (Kotzias et al. 2015), by words that have weights
 * and by words, pairs and stems that are vectors. `npm run example examples/06-sentiment.ts`
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as T from 'tensorloom'
import * as data from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adamw } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

const folder = join(dirname(createRequire(import.meta.url).resolve('sentiment/package.json')), 'test/fixtures')

/** A sentence; its class is 1 for praise and 0 for blame. */
type Opinion = Readonly<{ text: string; class: number }>

const readOpinions = async (): Promise<readonly Opinion[]> => {
  const files = ['imdb', 'amazon', 'yelp'].map((name) => readFile(join(folder, `${name}.json`), 'utf8'))
  return (await Promise.all(files)).flatMap((json): readonly Opinion[] => JSON.parse(json))
}

/** The words of a sentence; in `detail` also each with the next ("not good" is no praise), and how long ones begin ("disap…"). */
const cut = (text: string, detail: boolean): readonly string[] => {
  const words = data.wordsOf(text)
  const stems = words.filter((word) => word.length > 5).map((word) => `${word.slice(0, 5)}…`)
  return detail ? [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`), ...stems] : words
}

/** Tokens of sentences, filled up with number 0, and what they are. */
interface Batch {
  readonly tokens: T.Tensor<readonly [number, number], 'i32'>
  readonly label: T.Tensor<readonly [number], 'i32'>
}

/** A vector for each token, and what speaks for praise in the sum of a sentence. */
interface Params {
  readonly table: T.Tensor<readonly [number, number], 'f32'>
  readonly out: T.Tensor<readonly [number], 'f32'>
  readonly bias: T.Tensor<readonly [], 'f32'>
}

/** Logistic regression: each word has a weight, a vector of one. */
const counted = (words: number): Params => ({ table: T.zeros([words, 1]), out: T.ones([1]), bias: T.zeros([]) })

/** fastText (Joulin et al. 2016): vectors that are learned, too. */
const embedded = (words: number): Params => {
  const [a, b] = random.splitList(random.key(1), 2)
  const table = nn.embeddingInit(a, words, 16, { std: 0.01 })
  return { table, out: random.normal(b, [16], { std: 0.3 }), bias: T.zeros([]) }
}

/** The logarithm of the odds of praise. */
const logits = ({ table, out, bias }: Params, { tokens }: Batch): T.Tensor =>
  T.add(T.matmul(nn.embeddingBag(tokens, table, { mode: 'sum', paddingIndex: 0 }), out), bias)

const loss = (p: Params, batch: Batch): T.Tensor =>
  nn.binaryCrossEntropyWithLogits(logits(p, batch), T.cast(batch.label, 'f32'))

const judge = (p: Params, batch: Batch) => {
  const predicted = T.cast(T.greater(logits(p, batch), 0), 'i32')
  return {
    validation: loss(p, batch),
    accuracy: nn.accuracy(predicted, batch.label),
    confusion: nn.confusionMatrix(predicted, batch.label, { classes: 2 }),
  }
}

const kinds = {
  words: { init: counted, detail: false, optimiser: adamw(0.01, { weightDecay: 0.1 }) },
  vectors: { init: embedded, detail: true, optimiser: adamw(0.003, { weightDecay: 1 }) },
} as const

/** Everything about one kind of model: its tokens, a program to learn and one to judge, and what they find in a fold. */
const study = async (device: T.Device, all: readonly Opinion[], kind: keyof typeof kinds, epochs: number) => {
  const { init, detail, optimiser } = kinds[kind]
  const texts = all.map((o) => cut(o.text, detail))
  const vocabulary = data.vocabulary(texts, { minCount: 2, special: ['(padding)'], unknown: '(padding)' })
  const tokens = data.padSequences(texts.map((words) => Int32Array.from(words, vocabulary.idOf))).values
  const label = { shape: [texts.length], data: Int32Array.from(all, (o) => o.class) }
  const params = init(vocabulary.tokens.length)
  const start = { params, optimiser: optimiser.init(params) }
  const step = (s: typeof start, batch: Batch) => {
    const [value, grads] = T.valueAndGrad(loss)(s.params, batch)
    const next = optimiser.update(s.params, grads, s.optimiser)
    return { state: { params: next.params, optimiser: next.state }, loss: value }
  }
  const batch = (rows: number) => ({ tokens: T.spec([rows, tokens.shape[1]!], 'i32'), label: T.spec([rows], 'i32') })
  const learn = await T.compileOn(device, step, [start, batch(50)], { donate: [0] })
  const exam = await T.compileOn(device, judge, [params, batch(Math.floor(texts.length / 5))])

  const folds = []
  for (const { train: seen, test } of data.kFold({ tokens, label }, 5, { key: random.key(2), stratify: 'label' })) {
    const shuffled = (epoch: number) => data.batches(seen, { size: 50, key: random.foldIn(random.key(3), epoch) })
    const evaluate = (s: typeof start) => train.evaluate(exam, s.params, [test])
    const { state, history } = await train.fit(learn, start, shuffled, { epochs, evaluate })
    const found = await T.read(await exam.run(state.params, test))
    folds.push({ ...found, ...(await T.read(state.params)), history })
    if (epochs < 5) break
  }
  return { folds, vocabulary }
}

export const sentiment: Example = {
  name: '06-sentiment',
  title: 'Did they like it?',
  run: async ({ device, quick, progress }) => {
    const opinions = (await readOpinions()).slice(0, 3000)
    const epochs = quick ? 4 : 5
    const words = await study(device, opinions, 'words', epochs)
    progress(1, 2, 'words as vectors')
    const vectors = await study(device, opinions, 'vectors', epochs)

    const mean = ({ folds }: typeof words) => folds.reduce((sum, f) => sum + f.accuracy[0]!, 0) / folds.length
    const [first, second, { tokenOf }] = [words.folds[0]!, vectors.folds[0]!, words.vocabulary]
    const ranked = Array.from(first.table, (w, id) => ({ weight: w * first.out[0]!, id }))
    ranked.sort((a, b) => a.weight - b.weight)
    const list = (some: typeof ranked) => some.map(({ id, weight }) => `${tokenOf(id)} ${weight.toFixed(1)}`).join(', ')
    const extremes = { blame: list(ranked.slice(0, 10)), praise: list(ranked.slice(-10)) }
    const losses = ({ history }: typeof first) => history.map((e) => e.measures['validation']!)
    return {
      measures: { words: mean(words), vectors: mean(vectors) },
      tables: [
        {
          title: `accuracy on sentences that were not learned from, in ${words.folds.length} of 5 folds`,
          rows: Object.entries({ words, vectors }).map(([name, found]) => [name, mean(found)]),
        },
        {
          title: 'confusion matrix of the vectors, first fold',
          columns: ['', 'taken for blame', 'taken for praise'],
          rows: ['blame', 'praise'].map((name, i) => [name, ...second.confusion.slice(2 * i, 2 * i + 2)]),
        },
        { title: 'words of the largest weights', rows: Object.entries(extremes) },
      ],
      pictures: {
        'validation.svg': lineChart([curve('words', losses(first)), curve('vectors', losses(second))], {
          title: 'Sentences not learned from',
          x: 'epoch',
          y: 'cross-entropy',
        }),
      },
    }
  },
}

await alone(import.meta.url, sentiment)
