/**
 * What is read from a user's WGSL and what is changed in it: the signature of the function that an op calls, and the names
 * it declares, which get a prefix so that they meet no names of ours. The text itself is left to the device's compiler.
 */
import type { KernelDType } from './dtype.ts'
import { raise } from './errors.ts'

/** Parameters and result of a function; no result where it gives nothing. */
export interface Signature {
  readonly takes: readonly KernelDType[]
  readonly gives: KernelDType | undefined
}

/** The text with spaces in the place of comments: block comments nest. */
const withoutComments = (wgsl: string): string => {
  let out = ''
  let depth = 0
  for (const part of wgsl.split(/(\/\/[^\n]*|\/\*|\*\/)/)) {
    if (part === '/*') depth += 1
    else if (part === '*/' && depth > 0) depth -= 1
    else if (depth === 0 && !part.startsWith('//')) out += part
  }
  return out
}

/** Names, numbers (with their suffixes), and everything else a character at a time. */
const tokensOf = (text: string): readonly string[] => text.match(/[A-Za-z_]\w*|\d[\w.]*|\s+|\S/g) ?? []

const isName = (token: string | undefined): token is string => token !== undefined && /^[A-Za-z_]/.test(token)

/** What is declared outside of all functions. */
const declaredNames = (text: string): readonly string[] => {
  const tokens = tokensOf(text).filter((t) => t.trim() !== '')
  const names: string[] = []
  let depth = 0
  tokens.forEach((t, i) => {
    if (t === '{') depth += 1
    else if (t === '}') depth -= 1
    else if (depth === 0 && /^(fn|struct|alias|const|override|var)$/.test(t)) {
      let at = i + 1
      if (t === 'var' && tokens[at] === '<') at = tokens.indexOf('>', at) + 1
      const name = tokens[at]
      if (isName(name)) names.push(name)
    }
  })
  return names
}

const scalars: readonly KernelDType[] = ['f32', 'i32', 'u32', 'bool', 'f16']
const isDType = (x: string | undefined): x is KernelDType => scalars.some((s) => s === x)

/** `fn name(x: f32, …) -> f32` in the text, where it is there and is made of scalars. */
export const signatureOf = (name: string, wgsl: string): Signature | undefined => {
  const found = new RegExp(`\\bfn\\s+${name}\\s*\\(([^)]*)\\)\\s*(?:->\\s*(\\w+)\\s*)?\\{`).exec(withoutComments(wgsl))
  if (!found) return undefined
  const parameters = found[1]!.split(',').filter((p) => p.trim() !== '')
  const takes = parameters.map((p) => /^\s*\w+\s*:\s*(\w+)\s*$/.exec(p)?.[1])
  const gives = found[2]
  if (!takes.every(isDType) || !(gives === undefined || isDType(gives))) return undefined
  return { takes, gives }
}

/** UsageError where a name cannot be an op's, or the text declares what tensorloom declares itself. */
export const checkText = (caller: string, name: string, wgsl: string, tensors: readonly string[] = []): void => {
  const wrong = (message: string, hint: string): never =>
    raise({ tag: 'UsageError', message: `${caller}: ${message}`, hint })
  for (const n of [name, ...tensors])
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(n)) wrong(`'${n}' is no name in WGSL`, 'use letters, digits and _')
  const text = withoutComments(wgsl)
  const own = /@(?:group|binding|compute|vertex|fragment)\b|^\s*(?:enable|requires|diagnostic)\b/m.exec(text)
  if (own)
    wrong(
      `the text of ${name} has '${own[0].trim()}'`,
      'bindings, entry point and extensions are declared for it: give functions alone',
    )
  const twice = tensors.find((t, i) => tensors.indexOf(t) !== i)
  if (twice !== undefined) wrong(`two tensors of ${name} are called ${twice}`, 'give each a name of its own')
  for (const t of tensors) {
    const declared = new RegExp(`\\b(?:fn|struct|alias|const|override|let|var(?:\\s*<[^>]*>)?)\\s+${t}\\b|\\b${t}\\s*:`)
    if (declared.test(text))
      wrong(`the text of ${name} declares ${t}, the name of a tensor`, 'call one of them otherwise')
  }
}

/** The text with names exchanged, what follows a `.` or `@` left alone. */
const exchanged = (text: string, names: ReadonlyMap<string, string>): string => {
  let before = ''
  return tokensOf(text)
    .map((t) => {
      const made = before !== '.' && before !== '@' ? (names.get(t) ?? t) : t
      if (t.trim() !== '') before = t
      return made
    })
    .join('')
}

/**
 * The text, each name that it declares beginning with `prefix`, and the names of tensors exchanged for those of variables.
 * A binding may be longer than its tensor: arrayLength becomes the tensor's size.
 */
export const placedText = (
  wgsl: string,
  prefix: string,
  variables: ReadonlyMap<string, string> = new Map(),
): string => {
  const plain = withoutComments(wgsl)
  const names = new Map([...declaredNames(plain).map((n) => [n, prefix + n] as const), ...variables])
  const sized = plain.replace(/\barrayLength\s*\(\s*&\s*(\w+)\s*\)/g, (all, n: string) =>
    variables.has(n) ? `${n}_size` : all,
  )
  const lines = exchanged(sized, names)
    .split('\n')
    .map((l) => l.trimEnd())
    .filter((l) => l !== '')
  const indent = Math.min(...lines.map((l) => l.length - l.trimStart().length))
  return lines.map((l) => l.slice(indent)).join('\n')
}
