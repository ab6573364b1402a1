/** Telling what a program was asked to tell: values on the way on stderr, numbers that are not finite as an error. */
import type { Observation } from '../../passes/graph/observe.ts'
import type { HostArray } from '../lang/dtype.ts'
import { raise, showOperand } from '../lang/errors.ts'
import { stridesOf } from '../lang/shape.ts'
import { visible } from '../lang/visible-text.ts'

/** A line for people: on stderr where there is one, so that it does not mix with a program's output. */
export const say = (text: string): void => {
  if (typeof process !== 'undefined' && process.stderr) process.stderr.write(`${text}\n`)
  else console.info(text)
}

/** How many elements are NaN and infinite, and the first of them, counted row by row. */
export interface Census {
  readonly nans: number
  readonly infinities: number
  readonly first: number
}

/** The census of values on the host. */
export const censusOf = (data: HostArray): Census => {
  const census = { nans: 0, infinities: 0, first: -1 }
  for (const [i, x] of data.entries()) {
    if (Number.isFinite(x)) continue
    if (Number.isNaN(x)) census.nans++
    else census.infinities++
    if (census.first < 0) census.first = i
  }
  return census
}

/** NumericsError where the census found something. */
export const demandFinite = (o: Observation, { nans, infinities, first }: Census): void => {
  if (nans + infinities === 0) return
  const { label, shape, dtype, site } = o
  const position = stridesOf(shape).map((s, i) => Math.floor(first / s) % shape[i]!)
  raise({
    tag: 'NumericsError',
    label,
    operand: { shape, dtype },
    nans,
    infinities,
    position,
    ...(site ? { site } : {}),
  })
}

/** How elements are shown to people. */
export type Show = (o: Observation, data: HostArray) => string

const mostShown = 100

/** A flat list: emitted modules carry no more. */
export const showFlat: Show = (_, data) =>
  `[${Array.from(data.subarray(0, mostShown)).join(', ')}${data.length > mostShown ? `, … ${data.length} in all` : ''}]`

/** Prints a value under its label. */
export const printObserved = (o: Observation, data: HostArray, show: Show): void =>
  say(`${visible(o.label)}: ${showOperand(o)}\n${show(o, data)}`)

/** Tells of every observation of a run, the results that belong to them in the same order. */
export const tell = async (
  observations: readonly Observation[],
  results: readonly { readonly read: () => Promise<HostArray> }[],
  show: Show,
): Promise<void> => {
  for (const [i, o] of observations.entries()) {
    const data = await results[i]!.read()
    if (o.kind === 'print') printObserved(o, data, show)
    else demandFinite(o, { nans: data[0]!, infinities: data[1]!, first: data[2]! })
  }
}
