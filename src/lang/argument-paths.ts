/**
 * Which argument of the traced function an input stands for, for errors: a side table, outside of keys and digests. A
 * transform that runs a function on inputs of its own hands the paths on.
 */
import type { Node, Op } from './ir.ts'

const paths = new WeakMap<Node, string>()

/** Notes where among the arguments the input `n` stands. */
export const notePath = (n: Node, path: string): void => {
  paths.set(n, path)
}

/** Says that `to` stands for what `from` does. */
export const inheritPath = (to: Node, from: Node): void => {
  const path = pathOf(from)
  if (path !== undefined) paths.set(to, path)
}

/** What shows an argument in another form, and is still that argument to a reader. */
const forms: ReadonlySet<Op> = new Set<Op>(['reshape', 'permute', 'broadcast', 'cast', 'stopGradient'])

/** The path of the argument that `n` is, in whatever form; undefined for what was computed. */
export const pathOf = (n: Node): string | undefined =>
  paths.get(n) ?? (forms.has(n.op) && n.args[0] ? pathOf(n.args[0]) : undefined)
