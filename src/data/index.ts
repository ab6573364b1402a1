/** Data on its way in: files as columns, shuffled mini-batches, parts for validation. What users import as `tensorloom/data`. */
export type { Either } from '#fp/Either'
export type { TaskEither } from '#fp/TaskEither'
export type { Shape } from '../lang/dim.ts'
export type { DType } from '../lang/dtype.ts'
export type { DataError } from '../lang/errors.ts'
export type { Key } from '../lang/tensor/random/keys.ts'
export type { Tensor } from '../lang/types/tensor.ts'
export type { FileUrl } from '../runtime/global-types.ts'
export { asTensors, type ColumnTensor, type DTypeOf, type DTypesOf } from './as-tensors.ts'
export { bagOfWords, type TfIdf, tfIdf } from './bag-of-words.ts'
export { type BatchOptions, batchCount, batches } from './batches.ts'
export { type BytePairOptions, type BytePairTokenizer, trainBytePairs } from './byte-pairs.ts'
export {
  type Column,
  type Dataset,
  datasetRows,
  type Elements,
  mapColumns,
  rowCount,
  sliceRows,
  takeRows,
} from './column.ts'
export { type CsvOptions, parseCsv, parseCsvTask, readCsv, readCsvTask, type Table, type TableColumn } from './csv.ts'
export { type Classes, classes, designMatrix, type Standardiser, standardiser } from './design-matrix.ts'
export {
  type LabelledImages,
  type MnistOptions,
  parseIdx,
  readIdx,
  readIdxTask,
  readMnist,
  readMnistTask,
} from './idx.ts'
export { type LoadTokenizerOptions, loadTokenizer, loadTokenizerTask } from './load-tokenizer.ts'
export { type Fold, kFold, type SplitOptions, split } from './partition.ts'
export { filter, type MapAsyncOptions, map, mapAsync, shuffle } from './pipeline.ts'
export { type PrefetchOptions, prefetch, type Source } from './prefetch.ts'
export { type BatchOf, type BatchRowsOptions, batch, type Row, rows } from './rows.ts'
export {
  type BucketOptions,
  bucket,
  type Padded,
  type PadOptions,
  padSequences,
  type Sequence,
  type SequenceWindowOptions,
  windows,
} from './sequences.ts'
export { shuffled } from './shuffle.ts'
export {
  characterTokenizer,
  type Tokenizer,
  type Vocabulary,
  type VocabularyOptions,
  type VocabularyTokenizer,
  vocabulary,
  wordsOf,
  wordTokenizer,
} from './vocabulary.ts'
