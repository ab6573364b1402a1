/** The line that the user wrote: the first frame of a stack that is neither ours, nor Node's, nor a library's. */
import type { Site } from './errors.ts'
import { scopePath } from './scope.ts'

/** The package's own root, as stack traces spell it; a bundle of everything has none. */
const ownRoot = import.meta.url?.replace(/^file:\/\/|src\/lang\/[^/]*$/g, '') ?? ''

const ownFiles = /^(?:src[/\\](?:lang|nn|optim|random|testing|compile|compile-options|eager|host)|passes|codegen)[/\\.]/

/** Whether a line of a stack is in tensorloom, in Node or in a library. A user may have a folder named like one of ours. */
const isOwnFrame = (frame: string): boolean => {
  const at = frame.indexOf(ownRoot)
  return (
    /node:internal|[/\\]node_modules[/\\]/.test(frame) || (at >= 0 && ownFiles.test(frame.slice(at + ownRoot.length)))
  )
}

/** The first stack frame outside tensorloom: the line the user wrote; and where a function is traced, what called it. */
export const captureSite = (): Site | undefined => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 40
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = limit
  const site = siteIn(stack)
  const scope = scopePath()
  return site && scope !== undefined ? { ...site, scope } : site
}

/** What stands between a public function's body and whoever called it: the wrapper of all of them, pipe, Array's map. */
const between = /unused-conditions\.|[/\\]lang[/\\]tensor[/\\]dual\.|[/\\]node_modules[/\\]fp-ts[/\\]|<anonymous>\)$/

/** The line that called a public function, on whose wrapper `stack` begins; undefined where one of ours or a library's did. */
export const calledBy = (stack: string): Site | undefined => {
  const [first = '', ...rest] = stack.split('\n').slice(1)
  // In a bundle of everything nobody can tell whose frame is whose.
  if (!isOwnFrame(first)) return undefined
  const caller = rest.find((frame) => !between.test(frame))
  return caller === undefined || isOwnFrame(caller) ? undefined : siteOf(caller)
}

/** The place that a line of a stack names. */
const siteOf = (frame: string): Site | undefined => {
  const m = /(?:\(|at (?:async )?)([^()]+):(\d+):(\d+)\)?$/.exec(frame)
  return m ? { file: pathOf(m[1]!), line: Number(m[2]), column: Number(m[3]) } : undefined
}

/** The path of a file as people write it. */
const pathOf = (file: string): string =>
  file.startsWith('file://') ? decodeURIComponent(file.slice('file://'.length)) : file

/** A user's function is entered here: what is above in a stack led to the function, not to a line of it. */
const entry = /\btraceTree \(/

/** As many calls as help. */
const mostCallers = 8

/** The same of a stack that was kept. */
export const siteIn = (stack: string): Site | undefined => {
  const frames = stack.split('\n').slice(1)
  const end = frames.findIndex((frame) => entry.test(frame) && isOwnFrame(frame))
  const inside = end < 0 ? frames : frames.slice(0, end)
  const [site, ...callers] = inside.filter((frame) => !isOwnFrame(frame)).flatMap((frame) => siteOf(frame) ?? [])
  if (!site || end < 0 || callers.length === 0) return site
  return { ...site, callers: callers.slice(0, mostCallers) }
}
