/** Reductions keep what is promised of their errors, on the adapter at hand; the judge sees results that are off. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import { columns, isKept, plane, reductionErrors, vector } from './reduction-accuracy.ts'
import { type Reduction, reductions } from './reductions.ts'
import { allTerms } from './terms.ts'

/** One term, a prime, more than one invocation sums, a contraction of many runs, lines side by side, two axes. */
const some = [vector(1), vector(61), vector(4097), vector(10_000), columns(250), plane(64, 64)]

test('every reduction of every kind of terms is within its limit', async () => {
  const rows = await reductionErrors(some)
  expect(rows.filter((r) => !isKept(r)).map((r) => r.worst)).toEqual([])
  expect(new Set(rows.map((r) => r.name))).toEqual(new Set(reductions.map((r) => r.name)))
  expect(new Set(rows.map((r) => r.terms))).toEqual(new Set(allTerms.map((t) => t.name)))
  // Rounding is seen: a table of zeros would be one of nothing.
  const rounded = new Set(rows.filter((r) => r.error > 0).map((r) => r.name))
  expect(reductions.filter((r) => !rounded.has(r.name)).map((r) => r.name)).toEqual(['normInf', 'max', 'argmax'])
})

/** Each reduction with its results off by a little more than it may be. */
const spoilt = (r: Reduction): Reduction => ({
  ...r,
  of: (operands, axis) => {
    const result = r.of(operands, axis) as T.Tensor
    return r.limit(61, 'uniform') === 0 ? T.add(result, 1) : T.add(T.mul(result, 1 + 1e-5), 1e-5)
  },
})

test('results that are off are seen, whatever the reduction', async () => {
  const uniform = allTerms.filter((t) => t.name === 'uniform')
  const rows = await reductionErrors([vector(61)], reductions.map(spoilt), uniform)
  expect(rows.filter(isKept).map((r) => r.name)).toEqual([])
})
