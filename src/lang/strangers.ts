/** What people give where a tensor or a number belongs: what it is called, and the way from it to a tensor. */

interface Stranger {
  readonly is: (x: unknown) => boolean
  readonly name: (x: unknown) => string
  readonly way: (x: unknown) => string
}

const has = (x: unknown, ...keys: readonly string[]): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && keys.every((k) => k in x)

/** What `run` gives for each tensor. */
export const isResult = (x: unknown): boolean => has(x, 'kind', 'read', 'item') && typeof x['read'] === 'function'

/** Whether it is a promise, or acts as one. */
export const isPromise = (x: unknown): boolean => has(x, 'then') && typeof x['then'] === 'function'

const strangers: readonly Stranger[] = [
  {
    is: isResult,
    name: () => 'a result of a run',
    way: () => 'give it to a program as an argument, or read it: T.fromArray(await result.read(), result.shape)',
  },
  { is: isPromise, name: () => 'a promise, which was not awaited', way: () => 'await it first' },
  {
    is: (x) => ArrayBuffer.isView(x),
    name: (x) => `a ${(x as object).constructor.name}`,
    way: () => 'make a tensor with T.fromArray(values, shape)',
  },
  { is: (x) => typeof x === 'bigint', name: (x) => `${x}n`, way: (x) => `write ${x}, or Number(x)` },
  {
    is: (x) => has(x, 'shape', 'dtype', 'data'),
    name: () => 'a value of the host',
    way: () => 'make a tensor with T.fromArray(x.data, x.shape)',
  },
]

const strangerOf = (x: unknown): Stranger | undefined => strangers.find(({ is }) => is(x))

/** What a stranger is called; undefined for everything else. */
export const strangerName = (x: unknown): string | undefined => strangerOf(x)?.name(x)

/** The hint for what stands in the place of a tensor. */
export const wayToTensor = (x: unknown): string =>
  strangerOf(x)?.way(x) ??
  `make a tensor with T.tensor(${typeof x === 'number' || typeof x === 'boolean' ? x : '[1, 2, 3]'})`

/** Whether it is no argument of any function, be it of options or of operands. */
export const isNoArgument = (x: unknown): boolean => isResult(x) || isPromise(x)
