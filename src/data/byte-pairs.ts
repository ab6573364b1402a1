/**
 * Byte-pair encoding over bytes (Sennrich, Haddow and Birch 2016; Radford et al. 2019): words are bytes, and the pairs that occur most
 * often become tokens of their own, one after the other. What is learned is written as a `tokenizer.json`.
 */
import { raise } from '../lang/errors.ts'
import { demandList, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import type { Tokenizer } from './vocabulary.ts'

/** How much is learned. */
export interface BytePairOptions {
  /** Tokens, the 256 bytes included. Fewer come out where no pair occurs twice. */
  readonly size: number
}

const bytePairOptions: OptionNames<BytePairOptions> = { size: 'must count' }

/** A tokeniser of byte pairs. */
export interface BytePairTokenizer extends Tokenizer {
  /** The tokens in order, bytes spelled as GPT-2 does: a space is `Ġ`. */
  readonly tokens: readonly string[]
  /** Pairs in the order in which they are merged. */
  readonly merges: readonly (readonly [string, string])[]
  /** What the file `tokenizer.json` of the Hugging Face libraries holds: `JSON.stringify` gives its text. */
  readonly toJson: () => Readonly<Record<string, unknown>>
}

/** The bytes that stand for themselves in texts; the others are spelled by characters from 256 on, as GPT-2 does. */
const isPlain = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174

const byteTexts: readonly string[] = (() => {
  let next = 256
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(isPlain(b) ? b : next++))
})()

const bytes = [...byteTexts.keys()]

/** The tokens that there are before anything is learned: plain bytes first, as in GPT-2's own vocabulary. */
const firstTokens: readonly string[] = [...bytes.filter(isPlain), ...bytes.filter((b) => !isPlain(b))].map(
  (b) => byteTexts[b]!,
)

const byteOf = new Map(byteTexts.map((text, b) => [text, b]))

/** Where a text is cut before pairs are looked for (GPT-2): a word has the space before it, and no pair reaches over its ends. */
const pieces = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

const piecesOf = (text: string): readonly string[] => text.match(pieces) ?? []

const utf8 = new TextEncoder()

const spelled = (piece: string): readonly string[] => Array.from(utf8.encode(piece), (b) => byteTexts[b]!)

/** A word of the texts, as the tokens that it is made of so far, and how often it occurs. */
interface Word {
  readonly count: number
  tokens: readonly string[]
}

const keyOf = (a: string, b: string): string => `${a} ${b}`

/** The word with every `a b` in it made one token. */
const merged = (tokens: readonly string[], a: string, b: string): readonly string[] => {
  const out: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    const isPair = tokens[i] === a && tokens[i + 1] === b
    out.push(isPair ? a + b : tokens[i]!)
    if (isPair) i++
  }
  return out
}

/** How often each pair occurs, and in which words. */
class Pairs {
  readonly counts: Map<string, number> = new Map()
  private readonly words = new Map<string, Set<Word>>()

  /** Counts the pairs of a word, `sign` times. */
  count(word: Word, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.tokens.length; i++) {
      const key = keyOf(word.tokens[i]!, word.tokens[i + 1]!)
      const count = (this.counts.get(key) ?? 0) + sign * word.count
      if (count === 0) this.counts.delete(key)
      else this.counts.set(key, count)
      const words = this.words.get(key) ?? new Set()
      words.add(word)
      this.words.set(key, words)
    }
  }

  /** Words that a pair occurs in, or did. */
  wordsOf(key: string): readonly Word[] {
    return [...(this.words.get(key) ?? [])]
  }

  /** The pair that occurs most often, of equal ones the first in order of the numbers of its tokens; undefined where none does twice. */
  best(ids: ReadonlyMap<string, number>): readonly [string, string] | undefined {
    let [best, most] = ['', 1]
    const rank = (key: string): readonly number[] => key.split(' ').map((token) => ids.get(token)!)
    for (const [key, count] of this.counts) {
      if (count < most || (count === most && best === '')) continue
      if (count === most) {
        const [[a, b], [c, d]] = [rank(key), rank(best)] as [[number, number], [number, number]]
        if (a > c || (a === c && b > d)) continue
      }
      ;[best, most] = [key, count]
    }
    return best === '' ? undefined : (best.split(' ') as [string, string])
  }
}

/** Learns merges until there are `size` tokens. */
const learn = (texts: readonly string[], size: number): readonly (readonly [string, string])[] => {
  const counts = new Map<string, number>()
  for (const text of texts) for (const piece of piecesOf(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  const pairs = new Pairs()
  for (const [piece, count] of counts) pairs.count({ count, tokens: spelled(piece) }, 1)
  const ids = new Map(firstTokens.map((token, id) => [token, id]))
  const merges: (readonly [string, string])[] = []
  while (ids.size < size) {
    const pair = pairs.best(ids)
    if (!pair) break
    merges.push(pair)
    ids.set(pair.join(''), ids.size)
    for (const word of pairs.wordsOf(keyOf(...pair))) {
      pairs.count(word, -1)
      word.tokens = merged(word.tokens, ...pair)
      pairs.count(word, 1)
    }
  }
  return merges
}

/** The tokens of a piece: of all pairs in it, the one that was learned first is merged, until there is none. */
const applied = (piece: string, ranks: ReadonlyMap<string, number>): readonly string[] => {
  let tokens = spelled(piece)
  while (tokens.length > 1) {
    let [best, at] = [Number.POSITIVE_INFINITY, -1]
    for (let i = 0; i + 1 < tokens.length; i++) {
      const rank = ranks.get(keyOf(tokens[i]!, tokens[i + 1]!)) ?? Number.POSITIVE_INFINITY
      if (rank < best) [best, at] = [rank, i]
    }
    if (at < 0) return tokens
    tokens = merged(tokens, tokens[at]!, tokens[at + 1]!)
  }
  return tokens
}

/** The text of tokens; bytes that are no UTF-8 become U+FFFD. */
const textOf = (tokens: readonly string[]): string =>
  new TextDecoder().decode(Uint8Array.from([...tokens.join('')].map((c) => byteOf.get(c)!)))

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }

/** Pieces whose tokens are remembered: words come again and again. */
const mostRemembered = 100_000

/**
 * Learns byte pairs from texts: the pair of tokens that occurs most often within words becomes a token, until there are `size` or no pair
 * occurs twice. Any text can be encoded, and comes back from `decode` as it was. What `toJson` gives is a `tokenizer.json`: the Hugging Face
 * libraries, `data.loadTokenizer` among them, encode texts to the same ids by it. UsageError for fewer tokens than bytes.
 * @example
 * const pairs = data.trainBytePairs(['low lower lowest'], { size: 260 })
 * pairs.merges[0] // => ['l', 'o']
 * pairs.decode(pairs.encode('slow, größer 🙂')) // => 'slow, größer 🙂'
 */
export const trainBytePairs = (texts: string | readonly string[], options: BytePairOptions): BytePairTokenizer => {
  demandRecord('trainBytePairs', bytePairOptions, options)
  const { size } = options
  if (size < firstTokens.length)
    raise({
      tag: 'UsageError',
      message: `trainBytePairs: ${size} tokens are fewer than the ${firstTokens.length} bytes, each of which is one`,
      hint: 'size: 512',
    })
  const merges = learn(typeof texts === 'string' ? [texts] : demandList('trainBytePairs', texts, 'texts'), size)
  const tokens = [...firstTokens, ...merges.map((pair) => pair.join(''))]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const ranks = new Map(merges.map(([a, b], rank) => [keyOf(a, b), rank]))
  const remembered = new Map<string, readonly number[]>()
  const idsOf = (piece: string): readonly number[] => {
    const known = remembered.get(piece)
    if (known) return known
    const found = applied(piece, ranks).map((token) => ids.get(token)!)
    if (remembered.size < mostRemembered) remembered.set(piece, found)
    return found
  }
  return {
    size: tokens.length,
    tokens,
    merges,
    encode: (text) => Int32Array.from(piecesOf(text).flatMap(idsOf)),
    decode: (given) =>
      textOf(
        Array.from(
          given,
          (id) =>
            tokens[id] ?? raise({ tag: 'UsageError', message: `decode: ${id} is none of the ${tokens.length} tokens` }),
        ),
      ),
    toJson: () => ({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(ids),
        merges,
      },
    }),
  }
}
