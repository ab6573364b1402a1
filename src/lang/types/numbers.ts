/**
 * Arithmetic on sizes that are literal types, digit by digit: the cost grows with how long a number is written, not with how large
 * it is. What is not a literal gives `number`.
 */

/** Lists as long as a digit says. */
interface Lists {
  readonly '0': readonly []
  readonly '1': readonly [0]
  readonly '2': readonly [0, 0]
  readonly '3': readonly [0, 0, 0]
  readonly '4': readonly [0, 0, 0, 0]
  readonly '5': readonly [0, 0, 0, 0, 0]
  readonly '6': readonly [0, 0, 0, 0, 0, 0]
  readonly '7': readonly [0, 0, 0, 0, 0, 0, 0]
  readonly '8': readonly [0, 0, 0, 0, 0, 0, 0, 0]
  readonly '9': readonly [0, 0, 0, 0, 0, 0, 0, 0, 0]
}
type Digit = keyof Lists
type Ten = readonly [...Lists['5'], ...Lists['5']]
type List = readonly unknown[]

type Backwards<S extends string, Done extends string = ''> = S extends `${infer H}${infer R}`
  ? Backwards<R, `${H}${Done}`>
  : Done

type Plain<S extends string> = S extends `0${infer R}` ? (R extends '' ? 0 : Plain<R>) : AsNumber<S>
type AsNumber<S extends string> = S extends `${infer N extends number}` ? N : never

/** Numbers written from the last digit on, and the carry. */
type Sum<
  A extends string,
  B extends string,
  C extends List,
  Done extends string,
> = A extends `${infer X extends Digit}${infer R}`
  ? B extends `${infer Y extends Digit}${infer Q}`
    ? Carried<R, Q, readonly [...Lists[X], ...Lists[Y], ...C], Done>
    : Carried<R, '', readonly [...Lists[X], ...C], Done>
  : B extends `${infer Y extends Digit}${infer Q}`
    ? Carried<'', Q, readonly [...Lists[Y], ...C], Done>
    : C extends readonly []
      ? Done
      : `1${Done}`

type Carried<
  A extends string,
  B extends string,
  N extends List,
  Done extends string,
> = `${N['length']}` extends `1${infer U extends Digit}`
  ? Sum<A, B, readonly [0], `${U}${Done}`>
  : Sum<A, B, readonly [], `${N['length']}${Done}`>

/** The sum of two sizes. */
export type Add<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : A extends 0
      ? B
      : B extends 0
        ? A
        : AsNumber<Sum<Backwards<`${A}`>, Backwards<`${B}`>, readonly [], ''>>

type Difference<
  A extends string,
  B extends string,
  C extends List,
  Done extends string,
> = A extends `${infer X extends Digit}${infer R}`
  ? B extends `${infer Y extends Digit}${infer Q}`
    ? Borrowed<R, Q, Lists[X], readonly [...Lists[Y], ...C], Done>
    : Borrowed<R, '', Lists[X], C, Done>
  : B extends ''
    ? C extends readonly []
      ? Done
      : never
    : never

type Borrowed<
  A extends string,
  B extends string,
  X extends List,
  Y extends List,
  Done extends string,
> = X extends readonly [...Y, ...infer R]
  ? Difference<A, B, readonly [], `${R['length']}${Done}`>
  : readonly [...X, ...Ten] extends readonly [...Y, ...infer R]
    ? Difference<A, B, readonly [0], `${R['length']}${Done}`>
    : never

/** The difference of two sizes; `never` below 0. */
export type Subtract<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : B extends 0
      ? A
      : Plain<Difference<Backwards<`${A}`>, Backwards<`${B}`>, readonly [], ''>>

/** How often a list holds another, and what is left. */
type Held<N extends List, S extends List, Q extends List = readonly []> = N extends readonly [...S, ...infer R]
  ? Held<R, S, readonly [...Q, 0]>
  : readonly [Q['length'], N]

type TenTimes<R extends List> = readonly [...R, ...R, ...R, ...R, ...R, ...R, ...R, ...R, ...R, ...R]

type Quotient<
  A extends string,
  S extends List,
  Rest extends List = readonly [],
  Done extends string = '',
> = A extends `${infer X extends Digit}${infer R}`
  ? Held<readonly [...TenTimes<Rest>, ...Lists[X]], S> extends readonly [
      infer Q extends number,
      infer Left extends List,
    ]
    ? Quotient<R, S, Left, `${Done}${Q}`>
    : never
  : Plain<Done>

type ListOf<N extends number> = `${N}` extends `${infer A extends Digit}${infer B}`
  ? B extends ''
    ? Lists[A]
    : B extends Digit
      ? readonly [...TenTimes<Lists[A]>, ...Lists[B]]
      : undefined
  : undefined

/** The whole part of a quotient; `number` for divisors of three digits. */
export type Divide<A extends number, B extends number> = B extends 1
  ? A
  : number extends A
    ? number
    : ListOf<B> extends infer S extends readonly [0, ...List]
      ? Quotient<`${A}`, S>
      : number

/** The product of a size and a small number, of two digits at most: `number` for others. */
export type Multiply<A extends number, B extends number> = B extends 1
  ? A
  : number extends A
    ? number
    : ListOf<B> extends infer S extends List
      ? Times<A, S>
      : number

type Times<A extends number, S extends List, Done extends number = 0> = S extends readonly [unknown, ...infer R]
  ? Times<A, R, Add<Done, A>>
  : Done

/** Whether a number is negative, and its size. */
export type Negative<A extends number> = `${A}` extends `-${infer N extends number}` ? N : never
