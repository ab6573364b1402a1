/** What compiling and loading say of themselves: to a callback, and in a terminal where they take long. */
import { visible } from '../lang/visible-text.ts'

/** What a program is about to do. */
export interface Progress {
  /** The program's name. */
  readonly program: string
  /** The pass or phase that begins: `simplify`, `fusing`, `loading 12 kernels`, and at the end `ready`. */
  readonly doing: string
  /** Seconds since the program was given to `compile`, or to `load`. */
  readonly seconds: number
}

/** Tells what begins. */
export type Tell = (doing: string) => void

/** From here on a terminal is told, as often. */
const longSeconds = 2

/** The clock, and where lines go; none where there is no terminal. */
export interface Surroundings {
  readonly now: () => number
  readonly write: ((line: string) => void) | undefined
}

const terminal = (): Surroundings => ({
  now: () => performance.now() / 1000,
  write:
    typeof process !== 'undefined' && process.stderr?.isTTY === true
      ? (line) => void process.stderr.write(`${line}\n`)
      : undefined,
})

/** What tells `callback` of all that begins, and a terminal every two seconds. */
export const teller = (
  program: string,
  callback: ((p: Progress) => void) | undefined,
  { now, write }: Surroundings = terminal(),
): Tell => {
  const start = now()
  let said = start
  return (doing) => {
    const at = now()
    callback?.({ program, doing, seconds: at - start })
    if (!write || at - said < longSeconds) return
    said = at
    write(`tensorloom: ${visible(program)}: ${doing}, after ${(at - start).toFixed(0)} s`)
  }
}

/** Waits for `work`, telling what is waited for at once, and again as long as it takes. */
export const waiting = async <A>(tell: Tell, doing: string, work: Promise<A>): Promise<A> => {
  tell(doing)
  const timer = setInterval(() => tell(doing), longSeconds * 1000)
  ;(timer as { readonly unref?: () => void }).unref?.()
  try {
    const result = await work
    tell('ready')
    return result
  } finally {
    clearInterval(timer)
  }
}
