/** Vocabularies: tokens with numbers, and texts cut into characters or words that a vocabulary numbers. */
import { raise } from '../lang/errors.ts'
import { demandList, demandRecord, demandString, type OptionNames } from '../lang/tensor/arguments.ts'
import { quoted } from '../lang/visible-text.ts'

/** Which tokens a vocabulary takes. */
export interface VocabularyOptions {
  /** The most frequent of them, special ones included; all unless given. */
  readonly size?: number | undefined
  /** Those that occur as often; 1 unless given. */
  readonly minCount?: number | undefined
  /** Tokens that come first, whatever the texts hold: padding, begin, end. */
  readonly special?: readonly string[] | undefined
  /** The token that stands for all that is not in it, which comes first too; without one, a token it does not know is an error. */
  readonly unknown?: string | undefined
}

const vocabularyOptions: OptionNames<VocabularyOptions> = {
  size: 'count',
  minCount: 'count',
  special: 'list',
  unknown: 'text',
}

/** Tokens and their numbers. */
export interface Vocabulary {
  readonly tokens: readonly string[]
  /** How often the texts have each token, in the order of `tokens`; the unknown one counts for all that it stands for. */
  readonly counts: readonly number[]
  /** The token that stands for all others, where there is one. */
  readonly unknown: string | undefined
  /** The number of a token. DataError for one that is not there, unless there is one for the unknown. */
  readonly idOf: (token: string) => number
  /** The token of a number. UsageError for one that is none. */
  readonly tokenOf: (id: number) => string
}

/** The vocabulary of these tokens in this order, out of texts in which tokens occur as `found` counts them. */
const vocabularyOf = (
  tokens: readonly string[],
  found: ReadonlyMap<string, number>,
  unknown: string | undefined,
): Vocabulary => {
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const other = unknown === undefined ? undefined : ids.get(unknown)
  const counts = tokens.map(() => 0)
  for (const [token, count] of found) {
    const id = ids.get(token) ?? other
    if (id !== undefined) counts[id]! += count
  }
  return {
    tokens,
    counts,
    unknown,
    idOf: (token) =>
      ids.get(token) ??
      other ??
      raise({
        tag: 'DataError',
        source: 'vocabulary',
        reason: `there is no token ${quoted(token)} among ${tokens.length}`,
        hint: "{ unknown: '<unk>' } makes one for all that are not there",
      }),
    tokenOf: (id) =>
      tokens[id] ??
      raise({ tag: 'UsageError', message: `tokenOf: ${id} is none of the ${tokens.length} tokens of the vocabulary` }),
  }
}

/**
 * The vocabulary of the tokens of some texts: special ones first, then by how often they occur, equal ones in order of their
 * characters. The same texts in another order give the same one.
 * @example
 * const words = data.vocabulary([['the', 'cat'], ['the', 'dog']], { unknown: '<unk>' })
 * words.tokens // => ['<unk>', 'the', 'cat', 'dog']
 * words.counts // => [0, 2, 1, 1]
 * [words.idOf('the'), words.idOf('bird'), words.tokenOf(3)] // => [1, 0, 'dog']
 */
export const vocabulary = (texts: Iterable<Iterable<string>>, options: VocabularyOptions = {}): Vocabulary => {
  demandRecord('vocabulary', vocabularyOptions, options)
  const { size = Number.POSITIVE_INFINITY, minCount = 1, special = [], unknown } = options
  const first = [...new Set(unknown === undefined ? special : [...special, unknown])]
  const counts = new Map<string, number>()
  for (const tokens of texts) for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
  const found = [...counts]
    .filter(([token, count]) => count >= minCount && !first.includes(token))
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([token]) => token)
  return vocabularyOf([...first, ...found.slice(0, Math.max(0, size - first.length))], counts, unknown)
}

/** Texts to numbers and back. */
export interface Tokenizer {
  /** How many tokens there are: the rows of an embedding. */
  readonly size: number
  readonly encode: (text: string) => Int32Array
  readonly decode: (ids: ArrayLike<number>) => string
}

/** A tokeniser that cuts with `cut`, numbers by a vocabulary, and puts together with `joint` in between. */
const tokenizerOf = (
  vocabulary: Vocabulary,
  cut: (text: string) => readonly string[],
  joint: string,
): VocabularyTokenizer => ({
  vocabulary,
  size: vocabulary.tokens.length,
  encode: (text) => Int32Array.from(cut(text), vocabulary.idOf),
  decode: (ids) => Array.from(ids, vocabulary.tokenOf).join(joint),
})

/** A tokeniser whose tokens are a vocabulary. */
export interface VocabularyTokenizer extends Tokenizer {
  readonly vocabulary: Vocabulary
}

/** The texts themselves: one, or a list. */
const textsOf = (name: string, texts: string | readonly string[]): readonly string[] =>
  typeof texts === 'string' ? [texts] : demandList(name, texts, 'texts', `${name}(['a text', 'another'])`)

const charactersOf = (text: string): readonly string[] => [...text]

/**
 * A tokeniser whose tokens are the characters (code points) of some texts. Options are those of `vocabulary`.
 * @example
 * const letters = data.characterTokenizer('hello')
 * letters.encode('hell') // => [2, 1, 0, 0]
 * letters.decode([3, 2]) // => 'oh'
 */
export const characterTokenizer = (
  texts: string | readonly string[],
  options: VocabularyOptions = {},
): VocabularyTokenizer => {
  demandRecord('characterTokenizer', vocabularyOptions, options)
  const known = vocabulary(textsOf('characterTokenizer', texts).map(charactersOf), options)
  return tokenizerOf(known, charactersOf, '')
}

/**
 * The words of a text, in small letters: runs of letters and digits with the marks that belong to them, apostrophes inside of them.
 * @example
 * data.wordsOf("The cat's 3 hats, again!") // => ['the', "cat's", '3', 'hats', 'again']
 */
export const wordsOf = (text: string): readonly string[] =>
  demandString('wordsOf', 'the text', text, "wordsOf('some words')")
    .toLowerCase()
    .match(/[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{N}\p{M}]+)*/gu) ?? []

/**
 * A tokeniser whose tokens are the words of some texts (`wordsOf`); spaces stand between them when it decodes. Options are those of
 * `vocabulary`; without `unknown`, a word that the texts do not have is a DataError.
 * @example
 * const words = data.wordTokenizer(['the cat', 'the dog'], { unknown: '<unk>' })
 * words.encode('The bird!') // => [1, 0]
 * words.decode([1, 3]) // => 'the dog'
 */
export const wordTokenizer = (
  texts: string | readonly string[],
  options: VocabularyOptions = {},
): VocabularyTokenizer => {
  demandRecord('wordTokenizer', vocabularyOptions, options)
  return tokenizerOf(vocabulary(textsOf('wordTokenizer', texts).map(wordsOf), options), wordsOf, ' ')
}
