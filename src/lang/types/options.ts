/** Options at type level. */
import type { Mistake } from './broadcast.ts'

/**
 * Refuses what `O` has besides the options of `Options`. A type parameter takes any record that has the right ones, so that a
 * misspelt one beside them would pass.
 */
export type Only<O, Options> = [Exclude<keyof O, keyof Options>] extends [never]
  ? unknown
  : { readonly [K in Exclude<keyof O, keyof Options>]: Mistake<`there is no option '${K & string}'`> }
