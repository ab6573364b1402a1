/** The instances we export keep their laws, and the laws notice an instance that does not. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Eq } from '#fp/Eq'
import * as N from '#fp/number'
import { type DType, dtypes, promote } from '../../src/lang/dtype.ts'
import { ShapeEq } from '../../src/lang/shape.ts'
import { arbDType, arbShape } from '../../src/testing/arbitrary.ts'
import { eqLaws, type Law, monoidLaws, ordLaws, semilatticeLaws } from '../../src/testing/laws.ts'

const settings = { seed: 42, numRuns: 300 }
const dtypeEq: Eq<DType> = { equals: (x, y) => x === y }
const anyDType = arbDType(dtypes)
const number = fc.integer({ min: -5, max: 5 })

const keeps = (laws: readonly Law[]): void => {
  test.each(laws)('$name', ({ property }) => {
    fc.assert(property, settings)
  })
}

describe('ShapeEq', () => keeps(eqLaws(arbShape({ maxRank: 2 }), ShapeEq)))
describe('promotion', () => keeps(semilatticeLaws(anyDType, { concat: promote }, dtypeEq)))
describe('numbers', () => {
  keeps(ordLaws(number, N.Ord))
  keeps(monoidLaws(number, N.MonoidSum, N.Eq))
})

describe('laws notice', () => {
  const broken = (laws: readonly Law[]): readonly string[] =>
    laws.filter(({ property }) => (fc.check(property, settings) as fc.RunDetails<unknown>).failed).map((l) => l.name)

  test('subtraction', () => {
    const wrong = { concat: (x: number, y: number) => x - y, empty: 0 }
    expect(broken(monoidLaws(number, wrong, N.Eq))).toEqual(['associative', 'left identity'])
    expect(broken(semilatticeLaws(number, wrong, N.Eq))).toEqual(['associative', 'commutative', 'idempotent'])
  })

  test('an equality that is not transitive', () => {
    expect(broken(eqLaws(number, { equals: (x, y) => Math.abs(x - y) < 2 }))).toEqual(['transitive'])
  })
})
