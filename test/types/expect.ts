/** Assertions that only the type checker runs. */

/** True when two types are the same, not merely assignable. */
export type Equal<A, B> = (<G>() => G extends A ? 1 : 2) extends <G>() => G extends B ? 1 : 2 ? true : false

/** Compiles for true alone. */
export const holds = <_ extends true>(): void => {}

/** A value of a type, for code that is checked and never run. */
export const given = <A>(): A => undefined as unknown as A
