/**
 * Arithmetic on sizes that are literal types, digit by digit, with tables of what two digits give: lists as long as a number would cost
 * the type checker more. What is not a literal gives `number`.
 */

// biome-ignore format: tables read better
/** A digit, or one and a carry, and another: the carry, then the digit of their sum. */
interface Sums {
  readonly '0': readonly ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09']
  readonly '1': readonly ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10']
  readonly '2': readonly ['02', '03', '04', '05', '06', '07', '08', '09', '10', '11']
  readonly '3': readonly ['03', '04', '05', '06', '07', '08', '09', '10', '11', '12']
  readonly '4': readonly ['04', '05', '06', '07', '08', '09', '10', '11', '12', '13']
  readonly '5': readonly ['05', '06', '07', '08', '09', '10', '11', '12', '13', '14']
  readonly '6': readonly ['06', '07', '08', '09', '10', '11', '12', '13', '14', '15']
  readonly '7': readonly ['07', '08', '09', '10', '11', '12', '13', '14', '15', '16']
  readonly '8': readonly ['08', '09', '10', '11', '12', '13', '14', '15', '16', '17']
  readonly '9': readonly ['09', '10', '11', '12', '13', '14', '15', '16', '17', '18']
  readonly '10': readonly ['10', '11', '12', '13', '14', '15', '16', '17', '18', '19']
}

// biome-ignore format: tables read better
/** A digit, or one less, without another: whether one was borrowed, then the digit of their difference. */
interface Differences {
  readonly '-1': readonly ['19', '18', '17', '16', '15', '14', '13', '12', '11', '10']
  readonly '0': readonly ['00', '19', '18', '17', '16', '15', '14', '13', '12', '11']
  readonly '1': readonly ['01', '00', '19', '18', '17', '16', '15', '14', '13', '12']
  readonly '2': readonly ['02', '01', '00', '19', '18', '17', '16', '15', '14', '13']
  readonly '3': readonly ['03', '02', '01', '00', '19', '18', '17', '16', '15', '14']
  readonly '4': readonly ['04', '03', '02', '01', '00', '19', '18', '17', '16', '15']
  readonly '5': readonly ['05', '04', '03', '02', '01', '00', '19', '18', '17', '16']
  readonly '6': readonly ['06', '05', '04', '03', '02', '01', '00', '19', '18', '17']
  readonly '7': readonly ['07', '06', '05', '04', '03', '02', '01', '00', '19', '18']
  readonly '8': readonly ['08', '07', '06', '05', '04', '03', '02', '01', '00', '19']
  readonly '9': readonly ['09', '08', '07', '06', '05', '04', '03', '02', '01', '00']
}

// biome-ignore format: tables read better
/** What was left of the digits before, and a digit: half of them, then what is left. */
interface Halves {
  readonly '0': readonly ['00', '01', '10', '11', '20', '21', '30', '31', '40', '41']
  readonly '1': readonly ['50', '51', '60', '61', '70', '71', '80', '81', '90', '91']
}

// biome-ignore format: tables read better
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

// biome-ignore format: tables read better
interface Next { readonly '0': '1'; readonly '1': '2'; readonly '2': '3'; readonly '3': '4'; readonly '4': '5'; readonly '5': '6'; readonly '6': '7'; readonly '7': '8'; readonly '8': '9'; readonly '9': '10' }

// biome-ignore format: tables read better
interface Previous { readonly '0': '-1'; readonly '1': '0'; readonly '2': '1'; readonly '3': '2'; readonly '4': '3'; readonly '5': '4'; readonly '6': '5'; readonly '7': '6'; readonly '8': '7'; readonly '9': '8' }

type Digit = keyof Lists
type Bit = '0' | '1'
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
  C extends Bit,
  Done extends string,
> = A extends `${infer X extends Digit}${infer R}`
  ? B extends `${infer Y extends Digit}${infer Q}`
    ? Sums[C extends '1' ? Next[X] : X][Y] extends `${infer K extends Bit}${infer D}`
      ? Sum<R, Q, K, `${D}${Done}`>
      : never
    : C extends '0'
      ? Backwards<A, Done>
      : Sum<A, '0', C, Done>
  : C extends '0'
    ? Backwards<B, Done>
    : Sum<'0', B extends '' ? '0' : B, C, Done>

/** The sum of two sizes. */
export type Add<A extends number, B extends number> = number extends A | B
  ? number
  : A extends 0
    ? B
    : B extends 0
      ? A
      : AsNumber<Sum<Backwards<`${A}`>, Backwards<`${B}`>, '0', ''>>

type Difference<
  A extends string,
  B extends string,
  C extends Bit,
  Done extends string,
> = A extends `${infer X extends Digit}${infer R}`
  ? B extends `${infer Y extends Digit}${infer Q}`
    ? Differences[C extends '1' ? Previous[X] : X][Y] extends `${infer K extends Bit}${infer D}`
      ? Difference<R, Q, K, `${D}${Done}`>
      : never
    : C extends '0'
      ? Backwards<A, Done>
      : Difference<A, '0', C, Done>
  : `${B}${C}` extends '0'
    ? Done
    : never

/** The difference of two sizes; `never` below 0. */
export type Subtract<A extends number, B extends number> = number extends A | B
  ? number
  : B extends 0
    ? A
    : B extends A
      ? 0
      : Plain<Difference<Backwards<`${A}`>, Backwards<`${B}`>, '0', ''>>

type Half<
  A extends string,
  Left extends Bit = '0',
  Done extends string = '',
> = A extends `${infer X extends Digit}${infer R}`
  ? Halves[Left][X] extends `${infer H}${infer L extends Bit}`
    ? Half<R, L, `${Done}${H}`>
    : never
  : Plain<Done>

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
    : B extends 2
      ? Half<`${A}`>
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

/** The size of a negative number; `never` for others. */
export type Negative<A extends number> = `${A}` extends `-${infer N extends number}` ? N : never
