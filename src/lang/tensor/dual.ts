/** The one place that decides whether a call is data-first (`T.add(a, b)`) or curried for pipe (`T.add(b)`). */
import { raise } from '../errors.ts'
import type { Node, TensorType } from '../ir.ts'
import { isRecord, isTensor } from '../tree.ts'
import type { Tensor } from '../types.ts'
import { onTensor } from './operand.ts'

/** What `dual` needs to know of a function. */
export interface Form {
  /**
   * `operands`: direct when `count` positional arguments are given, curried when one fewer (tensors and numbers alike).
   * `data`: direct when the first argument is a tensor (for functions whose other arguments never come first as one).
   */
  readonly by: 'operands' | 'data'
  readonly count: number
  /** Whether a trailing plain record is the options and not an operand. */
  readonly options: boolean
}

/** Every dual function with its form, by public name: the test of duality runs over this table. */
export const forms: Map<string, Form> = new Map()

const isDirect = (form: Form, args: readonly unknown[]): boolean | undefined => {
  if (form.by === 'data') return isTensor(args[0])
  const given = form.options && args.length > 0 && isRecord(args.at(-1)) ? args.length - 1 : args.length
  if (given === form.count) return true
  return given === form.count - 1 ? false : undefined
}

const make = <F>(name: string, form: Form, impl: (...args: never[]) => unknown): F => {
  forms.set(name, form)
  const f = (...args: never[]): unknown => {
    const direct = isDirect(form, args)
    if (direct === undefined)
      return raise({
        tag: 'UsageError',
        message: `${name} takes ${form.count} operand${form.count === 1 ? '' : 's'} (${form.count - 1} when curried), not ${args.length}`,
        hint: `write ${name}(x, …) or pipe(x, ${name}(…)); options go in one record at the end`,
      })
    return direct ? impl(...args) : (x: never) => impl(x, ...args)
  }
  Object.defineProperty(f, 'name', { value: name })
  return f as F
}

/** A function of `count` operands, all of which may be tensors: `T.add`, `T.where`. */
export const dual = <F>(name: string, count: number, impl: (...args: never[]) => unknown): F =>
  make(name, { by: 'operands', count, options: false }, impl)

/** A function of `count` operands and a trailing record of options: `T.sum(x, { axis })`. */
export const dualWith = <F>(name: string, count: number, impl: (...args: never[]) => unknown): F =>
  make(name, { by: 'operands', count, options: true }, impl)

/** A function of one tensor, the first argument, and of others that are not: `T.reshape(x, [2, 3])`. */
export const dataFirst = <F>(name: string, impl: (...args: never[]) => unknown): F =>
  make(name, { by: 'data', count: 1, options: true }, impl)

/** A function of one tensor and nothing else, which needs no curried form: `pipe(x, T.exp)`. */
export const single = <F>(name: string, body: (n: Node, type: TensorType) => Node): F =>
  alone(name, (x: Tensor) => onTensor(name, x, body))

/** A function of one tensor and nothing else, which may give several. */
export const alone = <F>(name: string, f: (x: Tensor) => unknown): F => {
  forms.set(name, { by: 'operands', count: 1, options: false })
  Object.defineProperty(f, 'name', { value: name })
  return f as F
}
