/** What an option may be: one row for each kind, which the tables of options name and `demandRecord` asks. */
import { isTensor } from '../tree.ts'

export type KindName =
  | 'boolean'
  | 'value'
  | 'number'
  | 'finite'
  | 'positive'
  | 'amount'
  | 'limit'
  | 'fraction'
  | 'decay'
  | 'integer'
  | 'size'
  | 'count'
  | 'integers'
  | 'factors'
  | 'padding'
  | 'text'
  | 'list'
  | 'tensor'
  | 'operand'
  | 'own'

export interface Kind {
  /** What a value of the kind is, after "not". */
  readonly what: string
  /** How one is written. */
  readonly example: string
  readonly holds: (x: unknown) => boolean
}

const isNumber = (x: unknown): x is number => typeof x === 'number' && !Number.isNaN(x)

const within =
  (low: number, high: number) =>
  (x: unknown): boolean =>
    isNumber(x) && low <= x && x <= high

const wholeFrom =
  (low: number) =>
  (x: unknown): boolean =>
    Number.isInteger(x) && (x as number) >= low

const oneOrMore =
  (holds: (x: unknown) => boolean) =>
  (x: unknown): boolean =>
    Array.isArray(x) ? x.every(holds) : holds(x)

export const optionKinds: Readonly<Record<KindName, Kind>> = {
  boolean: { what: 'true or false', example: 'true', holds: (x) => typeof x === 'boolean' },
  /** NaN too: what fills a place. */
  value: { what: 'a number', example: '0', holds: (x) => typeof x === 'number' },
  number: { what: 'a number', example: '1', holds: isNumber },
  finite: { what: 'a finite number', example: '1', holds: Number.isFinite },
  positive: { what: 'a number above 0', example: '1', holds: (x) => isNumber(x) && x > 0 },
  /** A finite one: an addition, a decay. */
  amount: { what: 'a finite number of at least 0', example: '0.001', holds: within(0, Number.MAX_VALUE) },
  limit: { what: 'a number of at least 0', example: '1', holds: within(0, Number.POSITIVE_INFINITY) },
  fraction: { what: 'a number from 0 to 1', example: '0.5', holds: within(0, 1) },
  /** What a moving average keeps. */
  decay: { what: 'a number from 0 to below 1', example: '0.9', holds: (x) => within(0, 1)(x) && x !== 1 },
  integer: { what: 'a whole number', example: '1', holds: Number.isInteger },
  size: { what: 'a whole number of at least 0', example: '1', holds: wholeFrom(0) },
  count: { what: 'a whole number above 0', example: '1', holds: wholeFrom(1) },
  integers: { what: 'a whole number or an array of them', example: '1', holds: oneOrMore(Number.isInteger) },
  factors: { what: 'a number or an array of them', example: '2', holds: oneOrMore(isNumber) },
  padding: {
    what: "a whole number, an array of them or of pairs, 'same' or 'valid'",
    example: "'same'",
    holds: (x) => x === 'same' || x === 'valid' || oneOrMore(oneOrMore(Number.isInteger))(x),
  },
  text: { what: 'a string', example: "'a'", holds: (x) => typeof x === 'string' },
  list: { what: 'an array', example: '[]', holds: Array.isArray },
  tensor: { what: 'a tensor', example: 'x', holds: isTensor },
  /** NaN too, as tensors may hold it. */
  operand: { what: 'a number or a tensor', example: '0.5', holds: (x) => typeof x === 'number' || isTensor(x) },
  /** The function says itself what it may be: an axis, a mode, a dtype, a tree. */
  own: { what: '', example: '', holds: () => true },
}
