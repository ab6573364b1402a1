/** Texts as vectors: how often each word occurs, and how much that says. */
import { raise } from '../lang/errors.ts'
import { demandList } from '../lang/tensor/arguments.ts'
import { type Column, rowCount } from './column.ts'
import { type Vocabulary, wordsOf } from './vocabulary.ts'

/**
 * How often each token of a vocabulary occurs in each text: f32 `[texts, tokens]`. Texts are cut by `cut`; tokens that the vocabulary
 * does not have count for its unknown one, or not at all.
 * @example
 * const texts = ['the cat', 'the dog the']
 * const known = data.vocabulary(texts.map(data.wordsOf))
 * data.bagOfWords(texts, known) // => { shape: [2, 3], data: [1, 1, 0, 2, 0, 1] }
 */
export const bagOfWords = (
  texts: readonly string[],
  vocabulary: Vocabulary,
  cut: (text: string) => Iterable<string> = wordsOf,
): Column<Float32Array> => {
  demandList('bagOfWords', texts, 'texts', "bagOfWords(['a text'], vocabulary)")
  const size = vocabulary.tokens.length
  const known = new Set(vocabulary.tokens)
  const data = new Float32Array(texts.length * size)
  for (const [i, text] of texts.entries())
    for (const token of cut(text))
      if (known.has(token) || vocabulary.unknown !== undefined) data[i * size + vocabulary.idOf(token)]! += 1
  return { shape: [texts.length, size], data }
}

/** What `tfIdf` learned, and how it is applied. */
export interface TfIdf {
  /** The weight of each token. */
  readonly idf: Float64Array
  /** Counts weighed, each row of length 1 (one of zeros stays). Apply it to validation and test data as it is. */
  readonly apply: (counts: Column) => Column<Float32Array>
}

/**
 * Learns from counts `[texts, tokens]` how much a token says: `idf = ln((1 + texts) / (1 + texts that have it)) + 1`, as scikit-learn's
 * TfidfTransformer with its defaults; rows come to have the Euclidean length 1.
 * @example
 * const counts = { shape: [2, 2], data: Float32Array.of(1, 1, 1, 0) }
 * data.tfIdf(counts).idf // => [1, 1.4054651081081644]
 * data.tfIdf(counts).apply({ shape: [1, 2], data: Float32Array.of(5, 0) }).data // => [1, 0]
 */
export const tfIdf = (counts: Column): TfIdf => {
  const size = counts.shape[1] ?? 1
  const texts = rowCount(counts)
  const having = new Float64Array(size)
  counts.data.forEach((n, i) => {
    if (n > 0) having[i % size]! += 1
  })
  const idf = having.map((n) => Math.log((1 + texts) / (1 + n)) + 1)
  return {
    idf,
    apply: (column) => {
      if ((column.shape[1] ?? 1) !== size)
        raise({
          tag: 'UsageError',
          message: `tfIdf: the column has ${column.shape[1] ?? 1} tokens, it was made from ${size}`,
          hint: 'count texts by one vocabulary',
        })
      const weighed = Float64Array.from(column.data, (n, i) => n * idf[i % size]!)
      const data = new Float32Array(weighed.length)
      for (let from = 0; from < weighed.length; from += size) {
        const row = weighed.subarray(from, from + size)
        const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
        data.set(
          row.map((x) => (length === 0 ? 0 : x / length)),
          from,
        )
      }
      return { shape: column.shape, data }
    },
  }
}
