/** JSON that keeps every number: NaN, the infinities and -0, of which JSON knows nothing, are written as records. */

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }

const key = '$number'

const isLost = (x: unknown): x is number => typeof x === 'number' && (!Number.isFinite(x) || Object.is(x, -0))

/** The text of a value. */
export const toJson = (value: Json): string =>
  JSON.stringify(value, (_, x: unknown) => (isLost(x) ? { [key]: Object.is(x, -0) ? '-0' : String(x) } : x))

/** The value of a text. Throws SyntaxError for one that is no JSON. */
export const fromJson = (text: string): Json =>
  JSON.parse(text, (_, x: unknown) =>
    typeof x === 'object' && x !== null && Object.keys(x).length === 1 && key in x ? Number(x[key]) : x,
  ) as Json
