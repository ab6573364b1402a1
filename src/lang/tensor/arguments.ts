/**
 * What arguments other than tensors must be: option records, shapes, lists, functions, dtypes. The editor says so
 * before this does; but a program may run without having been checked, and an option that nobody knows must not mean
 * nothing.
 */
import { isDim, type Shape } from '../dim.ts'
import { type DType, dtypes } from '../dtype.ts'
import { raise } from '../errors.ts'
import { isNamedSize } from '../size.ts'
import { strangerName } from '../strangers.ts'
import { isRecord, isTensor } from '../tree.ts'
import { visible } from '../visible-text.ts'
import { type Kind, type KindName, optionKinds } from './option-kinds.ts'

/**
 * The names of all options of `O`, in the order in which errors list them, and of what kind each is: `'count'`, or
 * `'must count'` for one that has to be given. One missing, one too many or a wrong word is a type error.
 */
export type OptionNames<O> = { readonly [K in keyof O]-?: object extends Pick<O, K> ? KindName : `must ${KindName}` }

/** The same where the type is no longer known. */
export type Names = Readonly<Record<string, KindName | `must ${KindName}`>>

const isNeeded = (entry: Names[string]): boolean => entry.startsWith('must ')

const kindIn = (entry: Names[string]): Kind => optionKinds[entry.replace(/^must /, '') as KindName]

/** A name without regard to how its words are set apart: `kernel_size` as `kernelSize`, `keepDims` as `keepdims`. */
const plain = (name: string): string => name.replaceAll('_', '').toLowerCase()

/** What PyTorch, NumPy, JAX and TensorFlow call options of ours, as plain names. */
const elsewhere: Readonly<Record<string, string>> = {
  argnum: 'argnums',
  attnmask: 'mask',
  axes: 'axis',
  batchsize: 'size',
  ddof: 'correction',
  delimiter: 'separator',
  dim: 'axis',
  dims: 'axis',
  donateargnums: 'donate',
  epsilon: 'eps',
  inaxis: 'inAxes',
  indims: 'inAxes',
  iscausal: 'causal',
  keepdim: 'keepdims',
  kernelsize: 'size',
  lam: 'rate',
  loc: 'mean',
  lower: 'low',
  maxval: 'high',
  minval: 'low',
  numgroups: 'groups',
  numheads: 'heads',
  outaxis: 'outAxes',
  outdims: 'outAxes',
  scale: 'std',
  sep: 'separator',
  stddev: 'std',
  unbiased: 'correction',
  upper: 'high',
}

const list = (names: readonly string[], last = 'and'): string =>
  names.length < 2 ? (names[0] ?? 'none') : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`

/** What an argument is, in a few words. */
export const showArgument = (x: unknown): string => {
  if (isTensor(x)) return 'a tensor'
  const stranger = strangerName(x)
  if (stranger !== undefined) return stranger
  if (Array.isArray(x)) return 'an array'
  if (typeof x === 'function') return 'a function'
  if (typeof x === 'string') return `'${visible(x)}'`
  return typeof x === 'object' && x !== null ? 'an object' : String(x)
}

/** What is wrong with a record of options, and the way out. */
const wrongRecord = (names: Names, given: unknown, what: string): readonly [string, string] | undefined => {
  const known = Object.keys(names)
  if (given !== undefined && !isRecord(given))
    return [`${showArgument(given)} stands where a record of ${what}s is needed`, `it knows ${list(known)}`]
  const unknown = Object.keys(given ?? {}).find((k) => !Object.hasOwn(names, k))
  if (unknown !== undefined) {
    const meant = known.find((k) => plain(k) === plain(unknown) || k === elsewhere[plain(unknown)])
    return [
      `there is no ${what} '${visible(unknown)}'`,
      meant ? `it is called ${meant} here` : `it knows ${list(known)}`,
    ]
  }
  // In a tree of parameters, null is an empty part, as what is absent.
  const isAbsent = (k: string): boolean =>
    given?.[k] === undefined || (given[k] === null && what === 'parameter' && /\btensor$/.test(names[k]!))
  const needed = known.find((k) => isNeeded(names[k]!) && isAbsent(k))
  if (needed !== undefined) return [`the ${what} '${needed}' is missing`, `it knows ${list(known)}`]
  const other = known.find((k) => !isAbsent(k) && !kindIn(names[k]!).holds(given?.[k]))
  if (other === undefined) return undefined
  const kind = kindIn(names[other]!)
  return [
    `the ${what} '${other}' is ${showArgument(given?.[other])}, not ${kind.what}`,
    `write { ${other}: ${kind.example} }`,
  ]
}

/**
 * UsageError unless `given` is a record of what `names` has, each of its kind, and has what it must; absent is as good as
 * empty. `what` is the word for one of them: an option, a parameter.
 */
export const demandRecord = (name: string, names: Names, given: unknown, what = 'option'): void => {
  const wrong = wrongRecord(names, given, what)
  if (wrong) raise({ tag: 'UsageError', message: `${name}: ${wrong[0]}`, hint: wrong[1] })
}

/** UsageError unless `value` is one of `choices` or absent; `what` is what it chooses: a mode, a reduction. */
export const demandChoice = <C extends string | number>(
  name: string,
  what: string,
  value: C | undefined,
  choices: readonly C[],
): void => {
  if (value === undefined || choices.includes(value)) return
  raise({
    tag: 'UsageError',
    message: `${name}: the ${what} is ${showArgument(value)}`,
    hint: `it can be ${list(choices.map(showArgument), 'or')}`,
  })
}

/**
 * `x` as a list of sizes, a copy that the caller cannot change; whether they are whole numbers is for those to say who know
 * what -1 means to them.
 */
export const demandShape = (name: string, x: unknown): Shape => {
  if (!Array.isArray(x))
    return raise({
      tag: 'UsageError',
      message: `${name}: the shape is ${showArgument(x)}, not an array of sizes`,
      hint: `write [${isDim(x) ? x : '2, 3'}]`,
    })
  const named = (x as readonly unknown[]).find(isNamedSize)
  if (named)
    raise({
      tag: 'UsageError',
      message: `${name}: the size '${visible(named.dim)}' is known only when a program runs, and stands in its spec alone`,
      hint: 'take it from an argument that has it: x.shape[0]',
    })
  return [...(x as Shape)]
}

/** `xs` as a list of tensors, or of what else the function takes many of; `call` shows how it is written then. */
export const demandList = <X>(
  name: string,
  xs: readonly X[],
  what = 'tensors',
  call = `${name}([a, b])`,
): readonly X[] =>
  Array.isArray(xs)
    ? xs
    : raise({
        tag: 'UsageError',
        message: `${name} takes an array of ${what}, not ${showArgument(xs)}`,
        hint: `write ${call}`,
      })

/** `x` as a number, or a boolean that counts as one; `what` is its part in the call. */
export const demandNumber = <X extends number | boolean>(name: string, what: string, x: X): X =>
  typeof x === 'number' || typeof x === 'boolean'
    ? x
    : raise({ tag: 'UsageError', message: `${name}: ${what} is ${showArgument(x)}, not a number` })

/** `x` as a text; `what` is its part in the call, which `call` shows. */
export const demandString = (name: string, what: string, x: string, call: string): string =>
  typeof x === 'string'
    ? x
    : raise({
        tag: 'UsageError',
        message: `${name}: ${what} is ${showArgument(x)}, not a string`,
        hint: `write ${call}`,
      })

/** `x` as a number between two others; `what` is its part in the call. */
export const demandBetween = (name: string, what: string, x: number, low: number, high: number): void => {
  if (demandNumber(name, what, x) >= low && x <= high) return
  raise({ tag: 'UsageError', message: `${name}: ${what} is ${x}, not a number from ${low} to ${high}` })
}

/** UsageError unless `f` is a function; `what` is its part in the call, `of` what it is given. */
export const demandFunction = (
  name: string,
  what: string,
  f: unknown,
  of = 'tensors, which is called once, to see what it computes',
): void => {
  if (typeof f !== 'function')
    raise({
      tag: 'UsageError',
      message: `${name}: ${what} is ${showArgument(f)}, not a function`,
      hint: `give a function of ${of}`,
    })
}

/** Names of dtypes elsewhere, and what stands nearest to them here. */
const dtypesElsewhere: Readonly<Record<string, DType>> = {
  float: 'f32',
  float32: 'f32',
  double: 'f32',
  float64: 'f32',
  half: 'f16',
  float16: 'f16',
  bfloat16: 'bf16',
  int: 'i32',
  int32: 'i32',
  int64: 'i32',
  long: 'i32',
  uint32: 'u32',
  int8: 'i8',
  uint8: 'u8',
  boolean: 'bool',
}

/** `dtype` when it is one; UsageError otherwise. */
export const demandDType = <D extends DType>(name: string, dtype: D): D => {
  if (dtypes.includes(dtype)) return dtype
  const near = typeof dtype === 'string' ? dtypesElsewhere[dtype] : undefined
  return raise({
    tag: 'UsageError',
    message: `${name}: ${showArgument(dtype)} is not a dtype`,
    hint: near === undefined ? `the dtypes are ${list(dtypes)}` : `'${near}' is the nearest one`,
  })
}
