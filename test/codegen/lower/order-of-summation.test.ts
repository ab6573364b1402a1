/**
 * The order of summation depends on positions alone: results have the same bits whatever lies behind the last term, in
 * whatever layout, for whatever profile, in every run.
 */
import { describe, expect, it } from 'vitest'
import { hardware, portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../../../passes/profile.ts'
import * as T from '../../../src/index.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import * as nn from '../../../src/nn/index.ts'
import { loadPlan } from '../../../src/runtime/execute.ts'
import { sharedDevice } from '../../device.ts'
import { interpretPlan } from '../../differential.ts'
import { randomWords } from '../kernel/sweep.ts'

type X = T.Tensor
type Program = (...xs: readonly X[]) => readonly unknown[]

interface Argument {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

const planFor = (f: Program, args: readonly Argument[], profile: Profile) =>
  T.orThrow(T.compile(f as never, args.map((a) => T.spec(a.shape)) as never, { profile })).plan

/** The bits of each result. */
type Run = (f: Program, args: readonly Argument[], profile: Profile) => Promise<readonly Uint32Array[]>

const bitsOf = (data: ArrayLike<number>): Uint32Array => new Uint32Array(Float32Array.from(data).buffer)

/** The bits of each result on the device, one run after another. */
const runsOnDevice = async (
  f: Program,
  args: readonly Argument[],
  profile: Profile,
  runs: number,
): Promise<readonly (readonly Uint32Array[])[]> => {
  const executable = await loadPlan(await sharedDevice(), planFor(f, args, profile))
  const all: (readonly Uint32Array[])[] = []
  for (let run = 0; run < runs; run++) {
    const outputs = await executable.run(args.map((a) => a.data))
    all.push(await Promise.all(outputs.map(async (o) => bitsOf((await o.read()) as ArrayLike<number>))))
  }
  return all
}

const onDevice: Run = async (f, args, profile) => (await runsOnDevice(f, args, profile, 1))[0]!

const interpreted: Run = async (f, args, profile) =>
  interpretPlan(
    planFor(f, args, profile),
    args.map(({ shape, data }) => ({ shape, dtype: 'f32', data: Float64Array.from(data) })),
  ).map((v) => bitsOf(v.data))

const seed = 20261130
const next = randomWords(seed)
/** Numbers of either sign and of several sizes, whose products stay in range. */
const numbers = (size: number): Float32Array =>
  Float32Array.from({ length: size }, () => (next() & 1 ? 1 : -1) * 2 ** ((next() / 2 ** 32) * 4 - 2))

/** Two lines, and those that they are multiplied by, `longest` numbers each. */
const longest = 4100
const lines = 2
const terms = { x: numbers(lines * longest), y: numbers(lines * longest) }
const lineOf = (data: Float32Array, line: number, n: number): Float32Array =>
  data.subarray(line * longest, line * longest + n)

interface Reduction {
  /** What changes nothing. */
  readonly identities: readonly number[]
  readonly of: (x: X, y: X, axis: number) => unknown
}

const reductions: Readonly<Record<string, Reduction>> = {
  sum: { identities: [-0, 0], of: (x, _, axis) => T.sum(x, { axis }) },
  dot: { identities: [-0, 0], of: (x, y, axis) => T.vecdot(x, y, { axis }) },
  max: { identities: [Number.NEGATIVE_INFINITY], of: (x, _, axis) => T.max(x, { axis }) },
  prod: { identities: [1], of: (x, _, axis) => T.prod(x, { axis }) },
  logsumexp: { identities: [Number.NEGATIVE_INFINITY], of: (x, _, axis) => T.logsumexp(x, { axis }) },
}

/** Where the terms of a line lie. */
interface Layout {
  readonly name: string
  readonly axis: number
  readonly lines: number
  readonly shape: (n: number) => readonly number[]
}

const layouts: readonly Layout[] = [
  { name: '[n]', axis: 0, lines: 1, shape: (n) => [n] },
  { name: 'axis 1 of [2, n]', axis: 1, lines, shape: (n) => [lines, n] },
  { name: 'axis 0 of [n, 2]', axis: 0, lines, shape: (n) => [n, lines] },
]

const laidOut = (data: Float32Array, n: number, { shape, axis, lines: count }: Layout): Argument => {
  const step = axis === 0 ? count : 1
  const out = new Float32Array(n * count)
  for (let line = 0; line < count; line++)
    for (const [i, x] of lineOf(data, line, n).entries()) out[i * step + line * (axis === 0 ? 1 : n)] = x
  return { shape: shape(n), data: out }
}

/** The lines of every length in one table, what is missing filled with `identity`. */
const table = (data: Float32Array, lengths: readonly number[], identity: number): Argument => {
  const shape = [lengths.length * lines, longest]
  const out = new Float32Array(lengths.length * lines * longest).fill(identity)
  for (const [k, n] of lengths.entries())
    for (let line = 0; line < lines; line++) out.set(lineOf(data, line, n), (k * lines + line) * longest)
  return { shape, data: out }
}

/** Results of a length, in any layout, that differ from those of its padded line. */
const differences = async (
  run: Run,
  profile: Profile,
  { of, identities }: Reduction,
  lengths: readonly number[],
): Promise<readonly string[]> => {
  const cases = lengths.flatMap((n, k) => layouts.map((layout) => ({ n, k, layout })))
  const args = cases.flatMap(({ n, layout }) => [laidOut(terms.x, n, layout), laidOut(terms.y, n, layout)])
  const all: Program = (...xs) => cases.map(({ layout }, c) => of(xs[2 * c]!, xs[2 * c + 1]!, layout.axis))
  const got = await run(all, args, profile)
  const wrong: string[] = []
  for (const identity of identities) {
    const tables = [table(terms.x, lengths, identity), table(terms.y, lengths, identity)]
    const [want] = await run((x, y) => [of(x!, y!, 1)], tables, profile)
    for (const [c, { n, k, layout }] of cases.entries())
      for (let line = 0; line < layout.lines; line++)
        if (got[c]![line] !== want![k * lines + line])
          wrong.push(
            `${n} terms, ${layout.name}, line ${line}, against padding with ${Object.is(identity, -0) ? '-0' : identity}`,
          )
  }
  return wrong
}

/** Primes, powers of two and ends of runs, with their neighbours. */
const many: readonly number[] = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 61, 63, 64, 65, 100, 127, 128, 129, 191, 251, 255, 256, 257, 509],
  ...[511, 512, 513, 1000, 1009, 1021, 1023, 1024, 1025, 1531, 2039, 2047, 2048, 2049, 3001, 3072, 4089],
  ...[4093, 4095, 4096, 4097, 4098, 4099, 4100],
]
/** As many kernels as a device compiles in a second or two: long texts are few. */
const few: Readonly<Record<string, readonly number[]>> = {
  sum: [1, 3, 7, 61, 64, 65, 257, 1009, 2049, 4093, 4096, 4097, 4099],
  dot: [1, 3, 7, 61, 65, 257, 1009, 1025, 4093, 4097, 4099],
  max: [3, 61, 1025, 4097],
  prod: [3, 61, 1025, 4097],
  logsumexp: [3, 61, 1025, 4097],
}

describe('results have the bits of their padded lines', () => {
  it.each(Object.entries(reductions))('%s on the device', async (name, reduction) => {
    expect(await differences(onDevice, portable, reduction, few[name]!), `seed ${seed}`).toEqual([])
  })
  it.each(
    [portable, hardware].flatMap((profile) =>
      Object.entries(reductions).map(([name, reduction]) => [name, profile.name, profile, reduction] as const),
    ),
  )('%s under %s in the interpreter of kernels, at many lengths', async (name, _, profile, reduction) => {
    const lengths = many.filter((n, i) => name === 'sum' || name === 'dot' || i % 3 === 0 || n > 4090)
    for (const n of lengths) expect(await differences(interpreted, profile, reduction, [n]), `seed ${seed}`).toEqual([])
  })
})

/** Every kind of reduction, short, long and in stages, alone and with what is computed from it. */
const everything: Readonly<Record<string, (x: X, y: X, long: X, rows: X) => unknown>> = {
  sum: (x) => T.sum(x),
  'sum in stages': (_x, _y, long) => T.sum(long),
  'sum of rows': (_x, _y, _long, rows) => T.sum(rows, { axis: 1 }),
  'sum of columns': (_x, _y, _long, rows) => T.sum(rows, { axis: 0 }),
  'sum of both': (_x, _y, _long, rows) => T.sum(rows),
  mean: (x) => T.mean(x),
  variance: (x) => T.variance(x, { correction: 1 }),
  'variance in stages': (_x, _y, long) => T.variance(long, { correction: 1 }),
  'std of rows': (_x, _y, _long, rows) => T.std(rows, { axis: 1, correction: 1 }),
  'product in stages': (_x, _y, long) => T.prod(long),
  'products of columns': (_x, _y, _long, rows) => T.prod(rows, { axis: 0 }),
  'logsumexp in stages': (_x, _y, long) => T.logsumexp(long),
  'logsumexp of rows': (_x, _y, _long, rows) => T.logsumexp(rows, { axis: 1 }),
  norm: (x) => T.vectorNorm(x),
  dot: (x, y) => T.dot(x, y),
  'dot in stages': (_x, _y, long) => T.dot(long, long),
  matmul: (_x, _y, _long, rows) => T.matmul(rows, T.matrixTranspose(rows)),
  cumsum: (x) => T.cumsum(x),
  'cumsum in blocks': (_x, _y, long) => T.cumsum(long),
  cumprod: (x) => T.cumprod(x),
  logcumsumexp: (x) => T.logcumsumexp(x),
  softmax: (_x, _y, _long, rows) => nn.softmax(rows),
  layerNorm: (_x, _y, _long, rows) => nn.layerNorm(rows),
  loss: (x, y) => nn.mseLoss(x, y),
}

/** The reductions that two runs differ in. */
const unequal = (a: readonly Uint32Array[], b: readonly Uint32Array[]): readonly string[] =>
  Object.keys(everything).filter((_, i) => a[i]!.length === 0 || a[i]!.some((word, k) => word !== b[i]![k]))

it('the bits are those of any run and any profile, on the device', async () => {
  const args = [[4099], [4099], [10_007], [7, 257]].map((shape) => ({ shape, data: numbers(sizeOf(shape)) }))
  const all: Program = (...xs) => Object.values(everything).map((f) => f(xs[0]!, xs[1]!, xs[2]!, xs[3]!))
  const [first, second] = await runsOnDevice(all, args, portable, 2)
  expect(unequal(first!, second!)).toEqual([])
  for (const profile of [software, hardware])
    expect(unequal(first!, await onDevice(all, args, profile)), `${profile.name}, seed ${seed}`).toEqual([])
})
