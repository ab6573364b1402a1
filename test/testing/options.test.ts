/** Options that arbitraries and checks do not have, and arguments of another kind: a UsageError. */
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import * as testing from '../../src/testing/index.ts'

/** The editor refuses these calls; a program that was never checked makes them all the same. */
const loose = testing as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

const x = T.ones([2, 3])

const cases: readonly (readonly [name: string, args: readonly unknown[], text: string])[] = [
  ['arbDim', [{ zero: false }], "arbDim: there is no option 'zero'\n  hint: it knows empty"],
  ['arbShape', [{ rank: 2 }], "arbShape: there is no option 'rank'\n  hint: it knows maxRank, maxElements and empty"],
  [
    'arbBroadcastable',
    [{ counts: 2 }],
    "arbBroadcastable: there is no option 'counts'\n  hint: it knows count, maxRank, maxElements and empty",
  ],
  [
    'arbBroadcastable',
    [{ count: 0 }],
    "arbBroadcastable: the option 'count' is 0, not a whole number above 0\n  hint: write { count: 1 }",
  ],
  [
    'arbShape',
    [2],
    'arbShape: 2 stands where a record of options is needed\n  hint: it knows maxRank, maxElements and empty',
  ],
  ['arbNumber', ['float32'], "arbNumber: 'float32' is not a dtype\n  hint: 'f32' is the nearest one"],
  ['arbTensor', [{ shape: 2, dtype: 'f32' }], 'arbValue: the shape is 2, not an array of sizes\n  hint: write [2]'],
  [
    'arbGraph',
    [{ nodes: 3 }],
    "arbGraph: there is no option 'nodes'\n  hint: it knows maxNodes, ops, without, vmap, dtypes, maxElements and specials",
  ],
  ['arbDType', ['f32'], "arbDType takes an array of dtypes, not 'f32'\n  hint: write arbDType(['f32'])"],
  ['checkGrad', [T.exp, x], 'checkGrad takes an array of arguments, not a tensor\n  hint: write checkGrad(f, [x])'],
  [
    'checkGrad',
    [T.exp, [x], { tol: 1 }],
    "checkGrad: there is no option 'tol'\n  hint: it knows tolerance, maxElements, order and seed",
  ],
  ['checkVmap', [T.exp, x], 'checkVmap takes an array of arguments, not a tensor\n  hint: write checkVmap(f, [x])'],
  ['checkVmap', [T.exp, [x], { axes: 1 }], "vmap: there is no option 'axes'\n  hint: it knows inAxes and outAxes"],
]

describe('what arbitraries and checks do not take', () => {
  it.each(cases)('%s %#', (name, args, text) => {
    expect(() => loose[name]!(...args)).toThrow(text)
  })

  it('operations that there are not', () => {
    expect(() => testing.checkGrad(T.exp, [T.tensor([0.5])], { order: 3 as never })).toThrow(
      'checkGrad: the order is 3',
    )
    expect(() => testing.arbGraph({ ops: ['plus' as never] })).toThrow("arbGraph: the operation is 'plus'")
  })

  it('nor does agreesWithReference', async () => {
    await expect(loose['agreesWithReference']!(T.exp, [x], { runs: 3 })).rejects.toThrow(
      "agreesWithReference: there is no option 'runs'\n  hint: it knows device, numRuns and seed",
    )
  })
})
