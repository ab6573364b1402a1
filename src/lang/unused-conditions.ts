/**
 * Comparisons and logic that a user's function makes while it is traced and that reach no result: an `if` or `?:` on a
 * tensor takes its first branch whatever the elements are, and nothing else would tell.
 */
import * as E from '#fp/Either'
import type { UsageError } from './errors.ts'
import type { Node, Op } from './ir.ts'
import { calledBy } from './site.ts'
import { isTensor } from './tree.ts'
import { nodeOf } from './types/tensor.ts'

/** A tensor of truth values that nothing is known to use, the function that made it, and the stack it was made on. */
interface Noted {
  readonly name: string
  readonly stack: string
}

/** One for each function that is being traced by `compile`, the innermost last. */
const listeners: Map<Node, Noted>[] = []

/** How deep a stack has to be kept: our own frames around a call, and the user's first. */
const frames = 14

/** What compares or reasons: truth values that are only moved, cast or looked at were made elsewhere. */
const decides = new Set<Op>(['eq', 'lt', 'le', 'and', 'or', 'xor', 'not', 'isNan', 'isInf', 'reduce'])

/** Says that a public function is given these: what is an operand is not what an `if` stands on. */
export const useOperands = (args: readonly unknown[]): void => {
  if (listeners.length === 0) return
  for (const x of args.flat()) if (isTensor(x)) for (const noted of listeners) noted.delete(nodeOf(x))
}

/** Notes what a public function gave to its caller, where that is truth values and a program is being traced. */
export const noteCondition = (name: string, result: unknown): void => {
  const noted = listeners.at(-1)
  if (!noted || !isTensor(result)) return
  const n = nodeOf(result)
  if (E.isLeft(n.type) || n.type.right[0]!.dtype !== 'bool' || !decides.has(n.op)) return
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = frames
  noted.set(n, { name, stack: new Error().stack ?? '' })
  Error.stackTraceLimit = limit
}

/** Takes from `noted` the roots and all that they are made of. Ids grow, so nothing older is looked at. */
const strike = (noted: Map<Node, Noted>, roots: readonly Node[]): void => {
  if (noted.size === 0) return
  let oldest = Number.POSITIVE_INFINITY
  for (const n of noted.keys()) oldest = Math.min(oldest, n.id)
  const seen = new Set<Node>()
  const left = [...roots]
  for (let n = left.pop(); n; n = left.pop()) {
    if (n.id < oldest || seen.has(n)) continue
    seen.add(n)
    noted.delete(n)
    left.push(...n.args)
  }
}

/** Says that `outputs` are results: of a function that was traced, of an expression whose value is asked for. */
export const useNodes = (outputs: readonly Node[]): void => {
  for (const noted of listeners) strike(noted, outputs)
}

const mistakeOf = ({ name, stack }: Noted): UsageError | undefined => {
  const site = calledBy(stack)
  return (
    site && {
      tag: 'UsageError',
      message: `${name} gives a tensor that reaches no result: nothing uses it, and an if or ?: on it always takes its first branch`,
      hint: 'T.where(condition, a, b) chooses between tensors, T.cond(condition, f, g, …) between computations',
      site,
    }
  )
}

/** What `f` gives, and the conditions that it made in vain: one a line, in order. */
export const watchConditions = <A>(f: () => A): readonly [result: A, warnings: readonly UsageError[]] => {
  const noted = new Map<Node, Noted>()
  listeners.push(noted)
  try {
    const result = f()
    const byLine = new Map<string, UsageError>()
    for (const n of noted.values()) {
      const mistake = mistakeOf(n)
      const line = `${mistake?.site?.file}:${mistake?.site?.line}`
      if (mistake && !byLine.has(line)) byLine.set(line, mistake)
    }
    return [result, [...byLine.values()]]
  } finally {
    listeners.splice(listeners.indexOf(noted), 1)
  }
}
