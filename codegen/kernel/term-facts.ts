/** Range analysis of terms, under the conditions that dominate their use. */
import { ceilDiv, floorDiv } from '../../src/lang/dim.ts'
import {
  anything,
  bounded,
  combine,
  exact,
  fits,
  type Interval,
  join,
  type Linear,
  meet,
  plus,
  settled,
  times,
  top,
  width,
} from './interval.ts'
import type { Term, TermTable } from './term-table.ts'

/** The budget of one query: nested conditions would make it exponential. */
const maxEffort = 5000

/** Known sums that may be taken out of one sum. */
const maxRounds = 8

/**
 * Narrower intervals of some terms, by the conditions around a place. They hold for the sum as it is written, before it
 * wraps.
 */
export type Facts = ReadonlyMap<number, Interval>

export const noFacts: Facts = new Map()

/** Queries about terms. */
export interface TermFacts {
  /** The range of a term as a u32; all u32 where nothing better is known. */
  readonly interval: (term: number, facts: Facts) => Interval
  /** `facts`, extended by what follows from the term being true (or false). */
  readonly assume: (condition: number, holds: boolean, facts: Facts) => Facts
  /** `term` simplified under `facts`: selects that they decide are resolved. */
  readonly decided: (term: number, facts: Facts) => number
}

/** Answers about the terms of a table. */
export const createTermFacts = ({ terms, add, linear }: TermTable): TermFacts => {
  let effort = 0
  const interval = (term: number, facts: Facts, memo: Map<number, Interval> = new Map()): Interval =>
    settled(range(term, facts, memo))

  /** The interval before it is settled: sums and products may pass through what does not fit a u32. */
  const range = (term: number, facts: Facts, memo: Map<number, Interval>): Interval => {
    const seen = memo.get(term)
    if (seen) return seen
    const fact = facts.get(term)
    const natural = compute(terms[term]!, facts, memo)
    const known = fact ? meet(natural, fact) : natural
    const form = facts.size > 0 ? linear(term) : undefined
    const result = form && form.parts.size > 1 ? meet(known, bySums(term, form, facts, memo)) : known
    memo.set(term, result)
    return result
  }

  const compute = ({ op, scalar, args, leaf }: Term, facts: Facts, memo: Map<number, Interval>): Interval => {
    if (leaf) return leaf
    if (++effort > maxEffort) return anything
    const arg = (i: number): Interval => range(args[i]!, facts, memo)
    const word = (i: number): Interval => settled(arg(i))
    if (op === 'select') {
      const yes = range(args[1]!, assume(args[0]!, true, facts), new Map())
      const no = range(args[2]!, assume(args[0]!, false, facts), new Map())
      return join(settled(yes), settled(no))
    }
    if (op === 'cast') {
      // Between integers only, and only where the sign bit plays no part.
      const from = terms[args[0]!]!.scalar
      const a = from === 'u32' || from === 'i32' ? word(0) : top
      return scalar === 'u32' || (scalar === 'i32' && a.high < 2 ** 31) ? a : top
    }
    if (scalar !== 'u32') return top
    switch (op) {
      case 'add':
        return bounded(plus(arg(0), arg(1)))
      case 'sub':
        return bounded(plus(arg(0), times(arg(1), -1)))
      case 'mul': {
        const by = exact(arg(1))
        return by === undefined ? anything : by === 0 ? arg(1) : bounded(times(arg(0), by))
      }
      case 'div': {
        const by = exact(word(1))
        const a = word(0)
        return by ? { low: floorDiv(a.low, by), high: floorDiv(a.high, by) } : top
      }
      case 'rem': {
        const by = exact(word(1))
        const a = word(0)
        if (!by) return top
        const same = floorDiv(a.low, by) === floorDiv(a.high, by)
        return same ? { low: a.low % by, high: a.high % by } : { low: 0, high: by - 1 }
      }
      case 'min': {
        const [a, b] = [word(0), word(1)]
        return { low: Math.min(a.low, b.low), high: Math.min(a.high, b.high) }
      }
      case 'max': {
        const [a, b] = [word(0), word(1)]
        return { low: Math.max(a.low, b.low), high: Math.max(a.high, b.high) }
      }
      case 'and': {
        const [a, b] = [word(0), word(1)]
        return { low: 0, high: Math.min(a.high, b.high) }
      }
      case 'shiftRight': {
        const by = exact(word(1))
        const a = word(0)
        return by === undefined ? top : { low: floorDiv(a.low, 2 ** by), high: floorDiv(a.high, 2 ** by) }
      }
      default:
        return top
    }
  }

  /**
   * The interval of a sum by what is known of other sums: n·known + rest, for each known sum that makes it narrower. So
   * 5x - 9y under 0 <= x - 2y < 5 is 5(x - 2y) + y, which is never negative.
   */
  const bySums = (term: number, form: Linear, facts: Facts, memo: Map<number, Interval>): Interval => {
    const plain = ({ parts, constant }: Linear): Interval => {
      let sum = { low: constant, high: constant }
      for (const [t, n] of parts) sum = plus(sum, times(range(t, facts, memo), n))
      return sum
    }
    // Only sums of the same terms: others would bring in terms that may depend on this one.
    const sums = [...facts].flatMap(([t, found]) => {
      const sum = linear(t)
      const isUseful = t !== term && sum.parts.size > 1 && [...sum.parts.keys()].every((x) => form.parts.has(x))
      return isUseful ? [{ sum, found }] : []
    })
    interface Split {
      readonly rest: Linear
      readonly known: Interval
      readonly whole: Interval
    }
    let best: Split = { rest: form, known: { low: 0, high: 0 }, whole: plain(form) }
    for (let round = 0, better: Split | undefined = best; better && round < maxRounds; round++) {
      better = undefined
      for (const { sum, found } of sums) {
        for (const [t, n] of sum.parts) {
          const by = (best.rest.parts.get(t) ?? 0) / n
          if (by === 0 || !Number.isInteger(by)) continue
          const rest = combine(best.rest, 1, sum, -by)
          const known = plus(best.known, times(found, by))
          const whole = plus(known, plain(rest))
          if (width(whole) < width((better ?? best).whole)) better = { rest, known, whole }
        }
      }
      if (better) best = better
    }
    return best.whole
  }

  /** Takes down what a condition says of a term's value, where the sum behind it can have no other value modulo 2³². */
  const learnWord = (term: number, found: Interval, facts: Map<number, Interval>): void => {
    const before = range(term, facts, new Map())
    if (before.low > found.high - 2 ** 32 && before.high < found.low + 2 ** 32) learn(term, found, facts)
  }

  /** Puts a term's interval into `facts`, and what follows for the terms it is computed from. */
  const learn = (term: number, found: Interval, facts: Map<number, Interval>): void => {
    const before = range(term, facts, new Map())
    const now = meet(before, found)
    if (now.low === before.low && now.high === before.high) return
    facts.set(term, now)
    const { op, scalar, args } = terms[term]!
    if (scalar !== 'u32') return
    const [a, b] = args.map((x) => range(x, facts, new Map()))
    switch (op) {
      case 'add':
        learn(args[0]!, { low: now.low - b!.high, high: now.high - b!.low }, facts)
        learn(args[1]!, { low: now.low - a!.high, high: now.high - a!.low }, facts)
        return
      case 'sub':
        learn(args[0]!, { low: now.low + b!.low, high: now.high + b!.high }, facts)
        learn(args[1]!, { low: a!.low - now.high, high: a!.high - now.low }, facts)
        return
      case 'mul': {
        const by = exact(b!)
        if (by) learn(args[0]!, { low: ceilDiv(now.low, by), high: floorDiv(now.high, by) }, facts)
        return
      }
      case 'div': {
        const by = exact(b!)
        if (by && fits(a!)) learn(args[0]!, { low: now.low * by, high: now.high * by + by - 1 }, facts)
        return
      }
      case 'shiftRight': {
        const by = exact(b!)
        if (by !== undefined && fits(a!))
          learn(args[0]!, { low: now.low * 2 ** by, high: (now.high + 1) * 2 ** by - 1 }, facts)
        return
      }
      case 'and':
        // Masking takes bits away.
        if (fits(a!)) learn(args[0]!, { low: now.low, high: top.high }, facts)
        if (fits(b!)) learn(args[1]!, { low: now.low, high: top.high }, facts)
        return
      case 'rem': {
        const by = exact(b!)
        if (!by || !fits(a!)) return
        const turn = floorDiv(a!.low, by)
        const isOneTurn = turn === floorDiv(a!.high, by)
        const shift = isOneTurn ? turn * by : 0
        learn(args[0]!, { low: now.low + shift, high: isOneTurn ? now.high + shift : top.high }, facts)
      }
    }
  }

  const assumeInto = (condition: number, holds: boolean, facts: Map<number, Interval>): void => {
    const { op, args } = terms[condition]!
    const [l, r] = args
    if (op === 'not') {
      assumeInto(l!, !holds, facts)
      return
    }
    if (holds && (op === 'and' || op === 'mul' || op === 'min')) {
      assumeInto(l!, true, facts)
      assumeInto(r!, true, facts)
      return
    }
    if ((op !== 'lt' && op !== 'le' && op !== 'eq') || terms[l!]!.scalar !== 'u32') return
    const a = interval(l!, facts)
    const b = interval(r!, facts)
    if (op === 'eq') {
      if (!holds) return
      learnWord(l!, b, facts)
      learnWord(r!, a, facts)
      return
    }
    // a < b, a <= b; the negations are b <= a, b < a.
    const strict = (op === 'lt') === holds ? 1 : 0
    const [small, large, sa, sb] = holds ? [l!, r!, a, b] : [r!, l!, b, a]
    learnWord(small, { low: 0, high: sb.high - strict }, facts)
    learnWord(large, { low: sa.low + strict, high: top.high }, facts)
  }

  const assume: TermFacts['assume'] = (condition, holds, facts) => {
    const more = new Map(facts)
    // One conjunct may sharpen another: two rounds.
    for (let round = 0; round < 2; round++) assumeInto(condition, holds, more)
    return more
  }

  const decided = (term: number, facts: Facts): number => {
    const { op, scalar, args, leaf } = terms[term]!
    if (leaf || scalar !== 'u32' || args.length === 0) return term
    const [a, b] = args.map((x) => interval(x, facts))
    if ((op === 'min' && a!.high <= b!.low) || (op === 'max' && a!.low >= b!.high)) return decided(args[0]!, facts)
    if ((op === 'min' && b!.high <= a!.low) || (op === 'max' && b!.low >= a!.high)) return decided(args[1]!, facts)
    if (op.startsWith('load')) return term
    return add(
      op,
      scalar,
      args.map((x) => decided(x, facts)),
    )
  }

  return {
    interval: (term, facts) => {
      effort = 0
      return interval(term, facts)
    },
    assume: (condition, holds, facts) => {
      effort = 0
      return assume(condition, holds, facts)
    },
    decided: (term, facts) => {
      effort = 0
      return decided(term, facts)
    },
  }
}
