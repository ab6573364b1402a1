/** What a function of ours made prints itself as the call that made it: `optim.adam(0.001, { beta1: 0.8 })`. */
import { waitingCall } from '../tensor/dual.ts'
import { isRecord, isTensor } from '../tree.ts'
import { visible } from '../visible-text.ts'
import { printing } from './printing.ts'

/** Whether it is a record or a function that prints itself. */
const isPrinting = (x: object): boolean => Object.hasOwn(x, 'toString')

const isAbsent = (x: unknown): boolean =>
  x === undefined || (isRecord(x) && !isPrinting(x) && Object.values(x).every(isAbsent))

/** A string as it is written in a program. */
const literal = (text: string): string => `'${visible(text.replace(/['\\]/g, '\\$&'))}'`

const keyText = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : literal(key))

const functionText = (f: { readonly name: string }): string => {
  const call = waitingCall(f)
  return call === undefined ? f.name || 'a function' : callText(call.name, call.args)
}

/** What was given to a function, in a line unless it prints itself in more. */
export const showGiven = (x: unknown): string => {
  if (typeof x === 'string') return literal(x)
  if (typeof x === 'function') return isPrinting(x) ? String(x) : functionText(x)
  if (isTensor(x)) return 'a tensor'
  if (Array.isArray(x)) return `[${x.map(showGiven).join(', ')}]`
  if (!isRecord(x) || isPrinting(x)) return String(x)
  const entries = Object.entries(x).filter(([, value]) => value !== undefined)
  const shown = entries.map(([key, value]) => `${keyText(key)}: ${showGiven(value)}`)
  return entries.length === 0 ? '{}' : `{ ${shown.join(', ')} }`
}

/** The call as one would write it, without what was left out at its end. */
export const callText = (name: string, args: readonly unknown[]): string => {
  const last = args.findLastIndex((x) => !isAbsent(x))
  return `${name}(${args
    .slice(0, last + 1)
    .map(showGiven)
    .join(', ')})`
}

/** Has `made` print itself as the call of `name` with `args`. */
export const printedCall = <X extends object>(made: X, name: string, ...args: readonly unknown[]): X =>
  printing(() => callText(name, args))(made)
