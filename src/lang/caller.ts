/** Which public function is being run: errors that show late name it, not an operation beneath. */

let current: string | undefined

/** `f` as a part of the public function `name`, or of the one that is being run already. */
export const calling = <A>(name: string, f: () => A): A => {
  if (current !== undefined) return f()
  current = name
  try {
    return f()
  } finally {
    current = undefined
  }
}

/** The public function that the user called, while it runs. */
export const caller = (): string | undefined => current
