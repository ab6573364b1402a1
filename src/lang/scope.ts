/** Which named part of a model is being built. */

/** The names of the parts that are being run, the outermost first. */
let open: readonly string[] = []

/** The path of the part that is being run, `encoder/attention`. */
export const scopePath = (): string | undefined => (open.length === 0 ? undefined : open.join('/'))

/** What `f` gives, as the part `name` of the one that is being run. */
export const within = <A>(name: string, f: () => A): A => {
  const outer = open
  open = [...outer, name]
  try {
    return f()
  } finally {
    open = outer
  }
}
