/** Integer intervals and linear forms, for the range analysis of index arithmetic. */

/** The integers [low, high], before wrapping modulo 2³². */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Any u32. */
export const top: Interval = { low: 0, high: 2 ** 32 - 1 }
/** Any integer, whether or not it has wrapped. */
export const anything: Interval = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
/** Beyond this, sums of products are not exact in doubles. */
const most = 2 ** 50
/** The interval, if its ends are exact. */
export const bounded = (a: Interval): Interval => (Math.abs(a.low) > most || Math.abs(a.high) > most ? anything : a)

/** The intersection. */
export const meet = (a: Interval, b: Interval): Interval => ({
  low: Math.max(a.low, b.low),
  high: Math.min(a.high, b.high),
})
/** The interval hull of both. */
export const join = (a: Interval, b: Interval): Interval => ({
  low: Math.min(a.low, b.low),
  high: Math.max(a.high, b.high),
})
/** Whether the whole interval lies within u32. */
export const fits = (a: Interval): boolean => a.low >= 0 && a.high <= top.high
/** The interval after conversion to u32: unchanged where nothing wraps, else any u32. */
export const settled = (a: Interval): Interval => (fits(a) ? a : top)
/** The value of an interval with a single element. */
export const exact = (a: Interval): number | undefined => (a.low === a.high ? a.low : undefined)

/** The interval of sums. */
export const plus = (a: Interval, b: Interval): Interval => ({ low: a.low + b.low, high: a.high + b.high })
/** high - low. */
export const width = (a: Interval): number => a.high - a.low
/** The interval of products with `n`. */
export const times = (a: Interval, n: number): Interval =>
  n < 0 ? { low: a.high * n, high: a.low * n } : { low: a.low * n, high: a.high * n }

/** A linear form, constant + Σ count·term. */
export interface Linear {
  readonly parts: ReadonlyMap<number, number>
  readonly constant: number
}

/** n·a + m·b. */
export const combine = (a: Linear, n: number, b: Linear, m: number): Linear => {
  const parts = new Map<number, number>()
  for (const [form, by] of [
    [a, n],
    [b, m],
  ] as const)
    for (const [t, count] of form.parts) parts.set(t, (parts.get(t) ?? 0) + by * count)
  for (const [t, count] of parts) if (count === 0) parts.delete(t)
  return { parts, constant: n * a.constant + m * b.constant }
}
