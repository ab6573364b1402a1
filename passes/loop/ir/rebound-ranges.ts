/**
 * Detection of variable capture: nested reductions must not bind the same range, or inside `Σ_j` a value of the outer j
 * and one of the inner j would be the same value. Lowering chooses ranges before it knows what a reduction contains, so
 * it checks afterwards.
 */
import type { LoopValue, Range } from './cluster.ts'
import { operandsOf } from './values.ts'

type Reduce = Extract<LoopValue, { readonly kind: 'reduce' }>

/** The outermost reductions at or below `v`. */
const outermost = (v: LoopValue): readonly Reduce[] => {
  const found = new Set<Reduce>()
  const seen = new Set<LoopValue>([v])
  const stack = [v]
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (top.kind === 'reduce') {
      found.add(top)
      continue
    }
    for (const o of operandsOf(top)) {
      if (seen.has(o)) continue
      seen.add(o)
      stack.push(o)
    }
  }
  return [...found]
}

/**
 * The ranges that a nested reduction in `v` binds a second time. A reduction is nested in those loops whose ranges it
 * depends on; one that depends on none of them is loop-invariant, is computed before, and is checked by itself, as the
 * mean within a variance.
 */
export const reboundRanges = (v: LoopValue): ReadonlySet<Range> => {
  const rebound = new Set<Range>()
  const tops = new Set(outermost(v))
  for (const top of tops) {
    const own = new Set(top.over)
    const seen = new Set<string>()
    const visit = (below: LoopValue, loops: readonly Range[]): void => {
      for (const inner of outermost(below)) {
        const around = loops.slice(0, loops.findLastIndex((r) => inner.ranges.has(r)) + 1)
        if (around.length === 0) {
          tops.add(inner)
          continue
        }
        for (const r of inner.over) if (own.has(r) && around.includes(r)) rebound.add(r)
        const deeper = [...around, ...inner.over]
        const key = `${inner.id}:${deeper.map((r) => r.id)}`
        if (seen.has(key)) continue
        seen.add(key)
        for (const v of inner.values) visit(v, deeper)
      }
    }
    for (const v of top.values) visit(v, top.over)
  }
  return rebound
}
