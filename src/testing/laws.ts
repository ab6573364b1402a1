/** Laws of algebraic instances as data: a name and a fast-check property, for `fc.assert` in any test runner. */
import * as fc from 'fast-check'
import type { Eq } from '#fp/Eq'
import type { Monoid } from '#fp/Monoid'
import type { Ord } from '#fp/Ord'
import type { Semigroup } from '#fp/Semigroup'

/** One law. */
export interface Law {
  readonly name: string
  readonly property: fc.IRawProperty<unknown>
}

const law = <Ts extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [K in keyof Ts]: fc.Arbitrary<Ts[K]> },
  holds: (...xs: Ts) => boolean,
): Law => ({
  name,
  property: fc.property(fc.tuple(...arbitraries), (xs) => holds(...(xs as Ts))) as fc.IRawProperty<unknown>,
})

/**
 * Reflexive, symmetric, transitive: the laws of fp-ts's Eq on values of `a`.
 * @example
 * const laws = testing.eqLaws(fc.integer(), { equals: (x, y) => x === y })
 * for (const { property } of laws) fc.assert(property, { seed: 42 })
 * laws.map(({ name }) => name) // => ['reflexive', 'symmetric', 'transitive']
 */
export const eqLaws = <A>(a: fc.Arbitrary<A>, { equals }: Eq<A>): readonly Law[] => [
  law('reflexive', [a], (x) => equals(x, x)),
  law('symmetric', [a, a], (x, y) => equals(x, y) === equals(y, x)),
  law('transitive', [a, a, a], (x, y, z) => !(equals(x, y) && equals(y, z)) || equals(x, z)),
]

/**
 * Total, antisymmetric, transitive, and of one mind with `equals`: the laws of fp-ts's Ord on values of `a`.
 * @example
 * const equals = (x: number, y: number) => x === y
 * const compare = (x: number, y: number) => (x < y ? -1 : x > y ? 1 : 0)
 * testing.ordLaws(fc.integer(), { equals, compare }).map((law) => fc.assert(law.property, { seed: 42 })).length // => 6
 */
export const ordLaws = <A>(a: fc.Arbitrary<A>, { compare, equals }: Ord<A>): readonly Law[] => [
  ...eqLaws(a, { equals }),
  law('agrees with equals', [a, a], (x, y) => (compare(x, y) === 0) === equals(x, y)),
  law('antisymmetric', [a, a], (x, y) => compare(x, y) === 0 - compare(y, x)),
  law('transitive order', [a, a, a], (x, y, z) => !(compare(x, y) <= 0 && compare(y, z) <= 0) || compare(x, z) <= 0),
]

/**
 * Associative: the law of fp-ts's Semigroup on values of `a`.
 * @example
 * const laws = testing.semigroupLaws(fc.integer(), { concat: Math.max }, { equals: (x, y) => x === y })
 * laws.map((law) => fc.assert(law.property, { seed: 42 })).length // => 1
 */
export const semigroupLaws = <A>(a: fc.Arbitrary<A>, { concat }: Semigroup<A>, { equals }: Eq<A>): readonly Law[] => [
  law('associative', [a, a, a], (x, y, z) => equals(concat(concat(x, y), z), concat(x, concat(y, z)))),
]

/**
 * Associative, with an identity on both sides: the laws of fp-ts's Monoid on values of `a`.
 * @example
 * const all = { concat: (x: boolean, y: boolean) => x && y, empty: true }
 * const laws = testing.monoidLaws(fc.boolean(), all, { equals: (x, y) => x === y })
 * laws.map((law) => fc.assert(law.property, { seed: 42 })).length // => 3
 */
export const monoidLaws = <A>(a: fc.Arbitrary<A>, m: Monoid<A>, eq: Eq<A>): readonly Law[] => [
  ...semigroupLaws(a, m, eq),
  law('left identity', [a], (x) => eq.equals(m.concat(m.empty, x), x)),
  law('right identity', [a], (x) => eq.equals(m.concat(x, m.empty), x)),
]

/**
 * Associative, commutative, idempotent: the laws of a join or a meet on values of `a`.
 * @example
 * const laws = testing.semilatticeLaws(fc.integer(), { concat: Math.max }, { equals: (x, y) => x === y })
 * laws.map((law) => fc.assert(law.property, { seed: 42 })).length // => 3
 */
export const semilatticeLaws = <A>(a: fc.Arbitrary<A>, s: Semigroup<A>, eq: Eq<A>): readonly Law[] => [
  ...semigroupLaws(a, s, eq),
  law('commutative', [a, a], (x, y) => eq.equals(s.concat(x, y), s.concat(y, x))),
  law('idempotent', [a], (x) => eq.equals(s.concat(x, x), x)),
]
