/**
 * Where in the user's source well-typed nodes were made, for errors that show late: a side table, outside of keys and
 * digests, filled only while somebody asks for it. A node made twice keeps the first place;
 * what indexes is noted always, and has the last one: that of the program being compiled.
 */
import { caller } from './caller.ts'
import type { Site } from './errors.ts'
import type { Node } from './ir.ts'
import { captureSite } from './site.ts'

const sites = new WeakMap<Node, Site>()
const callers = new WeakMap<Node, string>()
let recording = 0
let isEmpty = true

/** `f` with the place of every node that is made meanwhile, or of none. */
export const recordSites = <A>(on: boolean, f: () => A): A => {
  if (!on) return f()
  recording++
  try {
    return f()
  } finally {
    recording--
  }
}

/** Notes the line that is being run by the user as the place of `n`, which has none yet, or in the place of an older one. */
export const noteSite = <N extends Node>(n: N, anew = false): N => {
  const site = sites.has(n) && !anew ? undefined : captureSite()
  if (site) {
    const { callers: _, ...place } = site
    sites.set(n, place)
    isEmpty = false
  }
  return n
}

/** What may turn out to be wrong when numbers are known: indices. */
const isLate = ({ op }: Node): boolean => op === 'gather' || op === 'scatterAdd'

let original: Node | undefined

/** What `f` makes in the place of `n`: what may be told of late there has the place and the caller of `n`. */
export const inPlaceOf = <A>(n: Node, f: () => A): A => {
  if (!isLate(n)) return f()
  original = n
  try {
    return f()
  } finally {
    original = undefined
  }
}

/** Notes the place of a node that was just made where places are being recorded, and of one that may be told of late. */
export const noteMade = (n: Node): void => {
  if (recording > 0) noteSite(n)
  if (original && isLate(n)) inheritSite(n, original)
  const name = isLate(n) ? caller() : undefined
  if (name === undefined) return
  callers.set(n, name)
  noteSite(n, true)
}

/** Gives what stands in the place of `from` its place too. */
export const inheritSite = <N extends Node>(to: N, from: Node): N => {
  if (isEmpty || to === from) return to
  const name = isLate(to) ? callers.get(from) : undefined
  if (name !== undefined) callers.set(to, name)
  else if (sites.has(to)) return to
  const site = sites.get(from)
  if (site) sites.set(to, site)
  return to
}

/** Where `n` was made, if that is known. */
export const siteOf = (n: Node): Site | undefined => sites.get(n)

/** The public function that indexes with `n`, or the operation where that is not known. */
export const callerOf = (n: Node): string => callers.get(n) ?? n.op

const howToSee = 'compile with { provenance: true } to see the line that makes it'

/** `error` with the first known place of `nodes`, or with the way to get one. */
export const located = <E extends { readonly hint?: string }>(
  error: E,
  nodes: readonly Node[],
): E & { readonly site?: Site } => {
  const site = nodes.map(siteOf).find((s) => s !== undefined)
  return site ? { ...error, site } : { ...error, hint: error.hint ? `${error.hint}; ${howToSee}` : howToSee }
}
