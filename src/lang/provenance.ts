/**
 * Where in the user's source well-typed nodes were made, for errors that show late: a side table, outside of keys and
 * digests, filled only while somebody asks for it. A node made twice keeps the first place.
 */
import type { Site } from './errors.ts'
import type { Node } from './ir.ts'
import { captureSite } from './site.ts'

const sites = new WeakMap<Node, Site>()
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

/** Notes the line that is being run by the user as the place of `n`, which has none yet. */
export const noteSite = <N extends Node>(n: N): N => {
  const site = sites.has(n) ? undefined : captureSite()
  if (site) {
    const { file, line, column } = site
    sites.set(n, { file, line, column })
    isEmpty = false
  }
  return n
}

/** The same where places are being recorded. */
export const noteMade = (n: Node): void => {
  if (recording > 0) noteSite(n)
}

/** Gives what stands in the place of `from` its place too. */
export const inheritSite = <N extends Node>(to: N, from: Node): N => {
  if (isEmpty || to === from || sites.has(to)) return to
  const site = sites.get(from)
  if (site) sites.set(to, site)
  return to
}

/** Where `n` was made, if that is known. */
export const siteOf = (n: Node): Site | undefined => sites.get(n)

const howToSee = 'compile with { provenance: true } to see the line that makes it'

/** `error` with the first known place of `nodes`, or with the way to get one. */
export const located = <E extends { readonly hint?: string }>(
  error: E,
  nodes: readonly Node[],
): E & { readonly site?: Site } => {
  const site = nodes.map(siteOf).find((s) => s !== undefined)
  return site ? { ...error, site } : { ...error, hint: error.hint ? `${error.hint}; ${howToSee}` : howToSee }
}
