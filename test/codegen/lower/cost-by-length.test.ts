/** No length is special: a prime executes hardly more statements than the next multiple of 4, whose vectors are whole. */
import { describe, expect, it, test } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Kernel } from '../../../codegen/kernel/kernel.ts'
import type { Profile } from '../../../passes/profile.ts'
import * as T from '../../../src/index.ts'
import * as nn from '../../../src/nn/index.ts'
import { executedStatements, statementsRun } from '../kernel/executed-statements.ts'

type X = T.Tensor

interface Work {
  readonly name: string
  readonly shapes: (n: number) => readonly (readonly number[])[]
  readonly of: (x: X, y: X) => unknown
  /** What is allowed, where it is more than for others. */
  readonly most?: number
  /** The longest that is counted, where longer ones take long. */
  readonly longest?: number
}

/** Four elements are stored one by one where they are not a whole vector: a statement each, among five. */
const oneByOne = 1.75

/** On the processor, rows in whole vectors are kept from one loop for the next, and others are computed again. */
const keptRows = 1.9

const works: readonly Work[] = [
  { name: 'sum over axis 1 of [8, n]', shapes: (n) => [[8, n]], of: (x) => T.sum(x, { axis: 1 }) },
  { name: 'sum over axis 0 of [n, 8]', shapes: (n) => [[n, 8]], of: (x) => T.sum(x, { axis: 0 }) },
  { name: 'sum over [n]', shapes: (n) => [[n]], of: (x) => T.sum(x) },
  {
    name: 'softmax of [4, n]',
    shapes: (n) => [[4, n]],
    of: (x) => nn.softmax(x, { axis: 1 }),
    most: oneByOne,
    longest: 1021,
  },
  {
    name: 'softmax of [64, n]',
    shapes: (n) => [[64, n]],
    of: (x) => nn.softmax(x, { axis: 1 }),
    most: keptRows,
    longest: 127,
  },
  { name: 'layerNorm of [4, n]', shapes: (n) => [[4, n]], of: (x) => nn.layerNorm(x), most: 1.2, longest: 1021 },
  { name: 'layerNorm of [64, n]', shapes: (n) => [[64, n]], of: (x) => nn.layerNorm(x), most: 1.2, longest: 127 },
  {
    name: '[8, 64] by [64, n]',
    shapes: (n) => [
      [8, 64],
      [64, n],
    ],
    of: (x, y) => T.matmul(x, y),
    longest: 1021,
  },
  {
    name: '[4, n] by [n, 4]',
    shapes: (n) => [
      [4, n],
      [n, 4],
    ],
    of: (x, y) => T.matmul(x, y),
  },
]

const primes = [61, 67, 127, 251, 509, 1021, 2039, 4093, 4159]
/** What masks and a short last run may add. */
const most = 1.15

const cost = ({ shapes, of }: Work, n: number, profile: Profile): number =>
  executedStatements(T.orThrow(T.compile(of as never, shapes(n).map((s) => T.spec(s)) as never, { profile })).plan)

describe.each(Object.values(T.profiles).map((profile) => [profile.name, profile] as const))('%s', (_, profile) => {
  it.each(works.map((work) => [work.name, work] as const))('%s: hardly more at a prime', (_name, work) => {
    const counted = primes.filter((n) => n <= (work.longest ?? Number.POSITIVE_INFINITY))
    const ratios = counted.map((n) => [n, cost(work, n, profile) / cost(work, 4 * Math.ceil(n / 4), profile)] as const)
    expect(ratios.filter(([, ratio]) => ratio > (work.most ?? most))).toEqual([])
  })
})

test('statements are counted where they are executed, in each invocation', () => {
  const out = { name: 'out', element: k.kType('u32'), access: 'read_write' } as const
  const i = k.ref('i')
  const kernel: Kernel = {
    name: 'counted by hand',
    workgroupSize: 3,
    bindings: [out],
    arrays: [],
    body: [
      k.forStmt('i', k.u32(0), k.u32(5), 1, [
        k.letStmt('double', k.add(i, i)),
        k.ifStmt(k.lt(i, k.u32(2)), [k.store(out, i, k.ref('double'))], []),
      ]),
    ],
  }
  // The loop; five times a declaration and a condition; twice a store: in three invocations of two workgroups.
  expect(statementsRun(kernel, 2, [{ buffer: new ArrayBuffer(20) }])).toBe((1 + 5 * 2 + 2) * 3 * 2)
})
