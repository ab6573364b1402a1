/**
 * How objects of ours print themselves, in `console.log` of Node as in `String(x)` of a browser, though they are plain records
 * or functions: by two keys that nothing enumerates, so that copies, comparisons, trees and JSON know nothing of them.
 */

/** The text of an object; `isPart` where it stands inside of another one, which indents the lines after the first. */
export type Show<T> = (x: T, isPart: boolean) => string

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** Node indents the lines of an object that stands for another one, not those of a text. */
const standIn = (text: string): object => ({ [inspect]: () => text })

/**
 * Has objects print themselves as `show` says; gives them back. What is said last holds: a function prints what it made with
 * another one as its own. The descriptors are made once, as tensors are made often.
 */
export const printing = <T extends object>(show: Show<T>): (<X extends T>(x: X) => X) => {
  const keys = {
    toString: {
      configurable: true,
      value(this: T): string {
        return show(this, false)
      },
    },
    [inspect]: {
      configurable: true,
      value(this: T, depth: number | null, options?: { readonly depth?: number | null }): object {
        // `depth` counts down from that of the options, which is null where there is no end to it.
        return standIn(show(this, depth === null || depth !== options?.depth))
      },
    },
  }
  return (x) => Object.defineProperties(x, keys)
}
