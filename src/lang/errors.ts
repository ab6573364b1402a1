/** Errors as tagged data, one `showError` for all, and the two ways to raise: `raise` (user's mistake), `invariant` (ours). */

import type { Shape } from './dim.ts'
import type { DType } from './dtype.ts'
import { visible } from './visible-text.ts'

/** Where in the user's source something was written. */
export interface Site {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The user's calls that led there inside of the function that is being traced, the nearest first. */
  readonly callers?: readonly Site[]
  /** The path of the named part of the model that it is in: `encoder/attention`. */
  readonly scope?: string
}

/** An operand as an error shows it. */
export interface OperandInfo {
  readonly shape: Shape
  readonly dtype: DType
  /** Where among the arguments of the traced function it stands, where it is one: `[0].blocks[2].weight`. */
  readonly path?: string
}

/** What `infer` says when it refuses: the reason, the axis it concerns, the way out. */
export interface Refusal {
  readonly reason: string
  readonly axis?: number
  readonly hint?: string
}

/** A mistake in building an expression: wrong shape, dtype, axis, count. */
export interface ShapeError extends Refusal {
  readonly tag: 'ShapeError'
  readonly op: string
  readonly operands: readonly OperandInfo[]
  readonly site?: Site
}

/** Several independent mistakes of one program, in order of construction. */
export interface CheckError {
  readonly tag: 'CheckError'
  readonly errors: readonly ShapeError[]
}

/** A value was asked of an expression (or the reverse) in a way JavaScript allows and tensors do not. */
export interface UsageError {
  readonly tag: 'UsageError'
  readonly message: string
  readonly hint?: string
  readonly site?: Site
}

/** An index outside its axis, seen where the values were known. */
export interface IndexError {
  readonly tag: 'IndexError'
  readonly op: string
  readonly index: number
  readonly size: number
  readonly position: readonly number[]
  readonly hint?: string
  readonly site?: Site
}

/** Numbers that are not finite where T.checkNumerics looked. */
export interface NumericsError {
  readonly tag: 'NumericsError'
  readonly label: string
  readonly operand: OperandInfo
  readonly nans: number
  readonly infinities: number
  /** Of the first of them. */
  readonly position: readonly number[]
  readonly site?: Site
}

/** Arguments given to a compiled program do not fit its signature. */
export interface ArgumentError {
  readonly tag: 'ArgumentError'
  readonly path: string
  readonly reason: string
  readonly hint?: string
}

/** A program does not fit the limits or features of the target profile. */
export interface LimitError {
  readonly tag: 'LimitError'
  readonly what: string
  readonly needed: number
  readonly limit: number
  readonly hint?: string
  readonly site?: Site
}

/** Anything that can go wrong between a function and a program. */
export type CompileError = CheckError | ShapeError | UsageError | IndexError | LimitError

/** Anything that can go wrong on a device. */
export type RuntimeError =
  | ArgumentError
  | IndexError
  | LimitError
  | NumericsError
  | { readonly tag: 'NoAdapter'; readonly reason: string; readonly hint: string }
  | { readonly tag: 'UnsupportedFeature'; readonly feature: string; readonly hint: string }
  | { readonly tag: 'OutOfMemory'; readonly bytes: number; readonly hint: string }
  | { readonly tag: 'DeviceLost'; readonly reason: string; readonly hint: string }
  | { readonly tag: 'ConsumedHandle'; readonly path: string; readonly hint: string }
  | { readonly tag: 'ValidationError'; readonly message: string; readonly hint: string }

/** A file or a text is not what it should be: cut short, of another format, a row that does not fit. */
export interface DataError {
  readonly tag: 'DataError'
  /** The file, or the format where there is no file. */
  readonly source: string
  readonly reason: string
  /** Line of a text, counted from 1. */
  readonly line?: number
  /** Where in the bytes of a file, counted from 0. */
  readonly offset?: number
  readonly hint?: string
}

/** Every error that is thrown or given as a value, as data. */
export type TensorloomErrorData = CompileError | RuntimeError | DataError

/**
 * The one class that is thrown: it carries the typed data in `error`, its tag as `name`, and the text of `showError` as
 * `message`.
 * @example
 * const error = new T.TensorloomError({ tag: 'UsageError', message: 'no seed', hint: 'give one' })
 * [error.name, error.message, error.error.tag] // => ['UsageError', 'no seed\n  hint: give one', 'UsageError']
 */
export class TensorloomError extends Error {
  readonly error: TensorloomErrorData
  constructor(error: TensorloomErrorData) {
    const text = showError(error)
    // Node prints the source line on which an uncaught error was made before its message: of an emitted module that is all
    // of the runtime. One that was made without frames has no such line, and is given its frames as text.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(text)
    Error.stackTraceLimit = limit
    const { stack = '' } = new Error()
    const [head = '', _own, ...frames] = stack.split('\n')
    this.stack = /^Error:? ?$/.test(head) ? [`${error.tag}: ${text}`, ...frames].join('\n') : stack
    this.name = error.tag
    this.error = error
  }
}

const showOperands = (xs: readonly OperandInfo[]): string =>
  xs.length === 0
    ? ''
    : `\n  operands: ${xs.map((x) => showOperand(x) + (x.path === undefined ? '' : ` (argument ${x.path})`)).join(', ')}`

const showSite = ({ file, line, column, callers = [], scope }: Site): string =>
  `\n  at ${file}:${line}:${column}${callers.map((c) => `\n  called at ${c.file}:${c.line}:${c.column}`).join('')}${scope ? `\n  in scope ${scope}` : ''}`

/** `f32[3, 4]`: how errors and graphs show a tensor's type. Spelled out here: emitted modules use this file without fp-ts. */
export const showOperand = (o: OperandInfo): string => `${o.dtype}[${o.shape.join(', ')}]`

const showNumerics = ({ label, operand, nans, infinities, position }: NumericsError): string => {
  const counted = [
    ...(nans > 0 ? [`${nans} NaN`] : []),
    ...(infinities > 0 ? [`${infinities} infinit${infinities === 1 ? 'y' : 'ies'}`] : []),
  ]
  const where = position.length === 0 ? '' : `, the first at position [${position.join(', ')}]`
  return `T.checkNumerics: ${visible(label)}, ${showOperand(operand)}, holds ${counted.join(' and ')}${where}`
}

const placeIn = ({ line, offset }: DataError): string => {
  if (line !== undefined) return `, line ${line}`
  return offset === undefined ? '' : `, byte ${offset}`
}

/** What is wrong, without where it was written and the way out. */
const showMistake = (e: TensorloomErrorData): string => {
  switch (e.tag) {
    case 'ShapeError':
      return `${e.op}: ${e.reason}${showOperands(e.operands)}`
    case 'CheckError':
      return e.errors.length === 1
        ? showError(e.errors[0]!)
        : `${e.errors.length} errors\n${e.errors.map((x, i) => `${i + 1}. ${showError(x)}`).join('\n')}`
    case 'UsageError':
      return e.message
    case 'IndexError':
      return `${e.op}: index ${e.index} at position [${e.position.join(', ')}] is out of range for an axis of size ${e.size}`
    case 'ArgumentError':
      return `argument ${e.path}: ${e.reason}`
    case 'LimitError':
      return `${e.what}: needs ${e.needed}, the target allows ${e.limit}`
    case 'NumericsError':
      return showNumerics(e)
    case 'NoAdapter':
      return `no WebGPU adapter: ${e.reason}`
    case 'UnsupportedFeature':
      return `the device lacks ${e.feature}`
    case 'OutOfMemory':
      return `out of device memory (${e.bytes} bytes asked)`
    case 'DeviceLost':
      return `device lost: ${e.reason}`
    case 'ConsumedHandle':
      return `${e.path}: this handle was donated to an earlier run and is consumed`
    case 'DataError':
      return `${e.source}${placeIn(e)}: ${e.reason}`
    case 'ValidationError':
      return `the device refused the work: ${e.message}`
  }
}

const hintOf = (e: TensorloomErrorData): string | undefined => {
  if (e.tag === 'NumericsError') return 'print what it is made of with T.debug(x, label)'
  return 'hint' in e ? e.hint : undefined
}

/**
 * The text of an error: what, which operands, where, and the way out.
 * @example
 * T.showError({ tag: 'DataError', source: 'a.csv', line: 2, reason: 'too short' }) // => 'a.csv, line 2: too short'
 */
export const showError = (e: TensorloomErrorData): string => {
  const site = 'site' in e ? e.site : undefined
  const hint = hintOf(e)
  return `${showMistake(e)}${site ? showSite(site) : ''}${hint ? `\n  hint: ${hint}` : ''}`
}

/** Throws `e` for scripts; libraries take the Either or TaskEither form instead. */
export const raise = (e: TensorloomErrorData): never => {
  // Deep enough to reach the user's own line, which is looked for in the stack.
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 40
  const error = new TensorloomError(e)
  Error.stackTraceLimit = limit
  throw error
}

/** A bug of ours, never of the user's. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`tensorloom bug: ${message}`)
}
