/** The one place that decides whether a call is data-first (`T.add(a, b)`) or curried for pipe (`T.add(b)`). */
import { isLeft } from '#fp/Either'
import { calling } from '../caller.ts'
import type { Shape } from '../dim.ts'
import type { DType } from '../dtype.ts'
import { raise } from '../errors.ts'
import type { Node, TensorType } from '../ir.ts'
import { isNoArgument, strangerName } from '../strangers.ts'
import { isHandle, isRecord, isTensor } from '../tree.ts'
import { nodeOf, type Tensor, tensorOf } from '../types/tensor.ts'
import { noteCondition, useOperands } from '../unused-conditions.ts'
import { demandRecord, type Names, showArgument } from './arguments.ts'
import { isMistake } from './ask.ts'
import { lift, onTensor, refuse } from './operand.ts'

/** What `dual` needs to know of a function. */
export interface Form {
  /**
   * `operands`: direct when `count` positional arguments are given, curried when one fewer (tensors and numbers alike).
   * `data`: direct when the first argument is a tensor (for functions whose other arguments never come first as one).
   */
  readonly by: 'operands' | 'data'
  /** Positional arguments, and how many of them must be given. */
  readonly count: number
  readonly least: number
  /** The options that come after them in one record, where there are any. */
  readonly options: Names | undefined
}

/** A function of one tensor that keeps its dtype, options last; without the tensor it is curried. */
export interface OfOneTensor<Options> {
  (options?: Options): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>
  <D extends DType>(x: Tensor<Shape, D>, options?: Options): Tensor<Shape, D>
}

/** Every dual function with its form, by public name: the test of duality runs over this table. */
export const forms: Map<string, Form> = new Map()

/** Why a call is neither direct nor curried: too many arguments or too few, or a first one that should be a tensor. */
const wrongCall = (name: string, { by, count, least, options }: Form, args: readonly unknown[]): never => {
  const takes = `${least < count ? `${least} to ` : ''}${count} argument${count === 1 ? '' : 's'}`
  const direct = by === 'data' && isTensor(args[0])
  const couldBeDirect = by === 'data' && least <= args.length && args.length <= count + (options ? 1 : 0)
  const fewer = direct ? '' : ' (one fewer when curried)'
  return raise({
    tag: 'UsageError',
    message:
      couldBeDirect && !direct
        ? `${name}: the first of ${args.length} arguments is ${showArgument(args[0])}, not a tensor`
        : `${name} takes ${takes}${options ? ' and options' : ''}${fewer}, not ${args.length}`,
    hint: `write ${name}(x, …) or pipe(x, ${name}(…))${options ? '; options go in one record at the end' : ''}`,
  })
}

/** A result of a run has the type of a tensor, so that programs take it; it is none. */
const fromProgram = (name: string): never =>
  raise({
    tag: 'UsageError',
    message: `${name}: operand 1 is a result of a run, which is on the device`,
    hint: 'give it to a program as an argument, or read it: T.fromArray(await x.read(), x.shape)',
  })

/** Whether a call is direct; UsageError where it is neither direct nor curried, or has options that nobody knows. */
const isDirect = (name: string, form: Form, args: readonly unknown[]): boolean => {
  const { by, count, least, options } = form
  const stray = args.findIndex((x, i) => isNoArgument(x) || (i === 0 && by === 'data' && strangerName(x) !== undefined))
  if (stray >= 0) lift(name, args[stray], stray)
  const tail = by === 'operands' && options && isRecord(args.at(-1)) ? 1 : 0
  const direct = by === 'data' ? isTensor(args[0]) : args.length - tail >= count
  const places = direct ? args : [undefined, ...args]
  const positional = Math.min(places.length - tail, count)
  const rest = places.slice(positional)
  if (positional < least || rest.length > (options ? 1 : 0)) return wrongCall(name, form, args)
  if (!direct && isHandle(args[0])) return fromProgram(name)
  if (options) demandRecord(name, options, rest[0])
  return direct
}

/** The tensors among arguments, those in lists and records too. */
export const tensorsIn = (x: unknown): readonly Tensor[] =>
  isTensor(x) ? [x] : Array.isArray(x) ? x.flatMap(tensorsIn) : isRecord(x) ? Object.values(x).flatMap(tensorsIn) : []

/**
 * A result whose mistake lies in a function beneath as one of the function that was called, of the tensors that it was given.
 * What an operand brought with it stays, and so does what a user's own function made.
 */
const ownMistake = (name: string, args: readonly unknown[], result: unknown): unknown => {
  if (Array.isArray(result)) return result.map((x) => ownMistake(name, args, x))
  if (!isTensor(result)) return result
  const { type } = nodeOf(result)
  if (!isLeft(type) || type.left.op === name || args.some((x) => typeof x === 'function')) return result
  const operands = tensorsIn(args)
  const { reason, axis, hint } = type.left
  return operands.some(isMistake)
    ? result
    : tensorOf(
        refuse(name, operands.map(nodeOf), {
          reason,
          ...(axis === undefined ? {} : { axis }),
          ...(hint === undefined ? {} : { hint }),
        }),
      )
}

/** A call that waits for its tensor, as it was written. */
export interface WaitingCall {
  readonly name: string
  readonly args: readonly unknown[]
}

const waiting = new WeakMap<object, WaitingCall>()

/** The call that gave `f`, where it is one that waits for its tensor: layers print themselves with it. */
export const waitingCall = (f: object): WaitingCall | undefined => waiting.get(f)

const waitingFor = <F extends object>(f: F, name: string, args: readonly unknown[]): F => {
  waiting.set(f, { name, args })
  return f
}

const make = <F>(name: string, form: Form, impl: (...args: never[]) => unknown): F => {
  forms.set(name, form)
  const run = (...args: never[]): unknown => {
    useOperands(args)
    const result = calling(name, () => ownMistake(name, args, impl(...args)))
    noteCondition(name, result)
    return result
  }
  const f = (...args: never[]): unknown =>
    isDirect(name, form, args) ? run(...args) : waitingFor((x: never) => run(x, ...args), name, args)
  Object.defineProperty(f, 'name', { value: name })
  return f as F
}

/** How many positional arguments there are, or the least and the most. */
type Count = number | readonly [least: number, most: number]

const formOf = (by: Form['by'], of: Count, options?: Form['options']): Form => {
  const [least, count] = typeof of === 'number' ? [of, of] : of
  return { by, count, least, options }
}

/** A function of `count` operands, all of which may be tensors: `T.add`, `T.where`. */
export const dual = <F>(name: string, count: number, impl: (...args: never[]) => unknown): F =>
  make(name, formOf('operands', count), impl)

/** A function of `count` operands and a trailing record of options: `T.addcmul(x, a, b, { value })`. */
export const dualWith = <F>(name: string, count: number, options: Names, impl: (...args: never[]) => unknown): F =>
  make(name, formOf('operands', count, options), impl)

/** A function of one tensor, the first of `count` arguments, and of others that are not: `T.reshape(x, [2, 3])`. */
export const dataFirst = <F>(name: string, count: Count, impl: (...args: never[]) => unknown): F =>
  make(name, formOf('data', count), impl)

/** The same with a trailing record of options: `T.sum(x, { axis })`. */
export const dataFirstWith = <F>(name: string, count: Count, options: Names, impl: (...args: never[]) => unknown): F =>
  make(name, formOf('data', count, options), impl)

/** A function of one tensor and nothing else, which needs no curried form: `pipe(x, T.exp)`. */
export const single = <F>(name: string, body: (n: Node, type: TensorType) => Node): F =>
  alone(name, (x: Tensor) => onTensor(name, x, body))

/** A function of one tensor and nothing else, which may give several. What `map` of arrays gives it besides is left. */
export const alone = <F>(name: string, impl: (x: Tensor) => unknown): F => {
  forms.set(name, formOf('operands', 1))
  const f = (x: Tensor, ...rest: readonly unknown[]): unknown => {
    if (isRecord(rest[0])) demandRecord(name, {}, rest[0])
    useOperands([x])
    const result = calling(name, () => ownMistake(name, [x], impl(x)))
    noteCondition(name, result)
    return result
  }
  Object.defineProperty(f, 'name', { value: name })
  return f as F
}
