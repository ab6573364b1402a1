/** One program in one library, in a process of its own: makes it ready, calls it as often as the bench asks, and answers. */
import { timedPrograms } from '../programs.ts'
import { hostArguments } from './arguments.ts'
import type { Kind } from './device.ts'
import { openJax } from './jax.ts'
import { type Library, type LibraryName, type Measured, type Session, signatureOf } from './library.ts'
import { openOurs } from './ours.ts'
import { openTfjs } from './tfjs.ts'

/** What the bench asks: a device, the first call, one more. */
export type Question = 'open' | 'first' | 'next'

/** The answer; `missing` where the library lacks the program. */
export type Answer = Measured | { readonly missing: true } | { readonly error: string }

const [name, row, kind, folder] = process.argv.slice(2) as [LibraryName, string, Kind, string]

const open: Readonly<Record<LibraryName, () => Promise<Library>>> = {
  ours: () => openOurs(kind),
  one: () => openOurs(kind, 1),
  jax: () => openJax(kind, folder),
  tfjs: () => openTfjs(kind, folder),
}

const args = hostArguments(timedPrograms.find((p) => p.name === row)!.specs)
let library: Library | undefined
let session: Session | undefined

const timed = (from: number, loss: number | undefined): Measured => {
  const ms = performance.now() - from
  return { ms, values: loss === undefined ? [] : [loss] }
}

const answers: Readonly<Record<Question, () => Promise<Answer>>> = {
  open: async () => {
    const from = performance.now()
    library = await open[name]()
    return timed(from, undefined)
  },
  /** Everything from the function on counts. */
  first: async () => {
    const from = performance.now()
    session = await library!.start(row, args)
    if (!session) return { missing: true }
    const { ms, values } = await timed(from, await session.call())
    await session.settle?.()
    return { ms, values: values.length > 0 ? values : signatureOf(await session.read()) }
  },
  next: async () => {
    const from = performance.now()
    return timed(from, await session!.call())
  },
}

process.on('message', async (question: Question) => {
  const answer: Answer = await answers[question]().catch((e: unknown) => ({ error: String(e) }))
  process.send!(answer)
})
