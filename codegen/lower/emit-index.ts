/** Index expressions → u32 arithmetic. Loop-invariant parts are hoisted. */

import type { Atom, Bound, Index, LoopValue, Range } from '../../passes/loop/ir/cluster.ts'
import {
  addIndex,
  constantIndex,
  rangeIndex,
  rangesOfIndex,
  scaleIndex,
  substituteIndex,
} from '../../passes/loop/ir/index-expression.ts'
import { boundKey } from '../../passes/loop/ir/values.ts'
import { isUniformBound, lanePattern } from '../../passes/loop/schedule/lane-pattern.ts'
import { type Schedule, stepIn, tileIn } from '../../passes/loop/schedule/roles.ts'
import { ceilDiv } from '../../src/lang/dim.ts'
import type { KernelDType } from '../../src/lang/dtype.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { vectorOf } from './access.ts'

/** Offsets of unrolled (and, for one lane at a time, vector) ranges. */
export type Lanes = ReadonlyMap<Range, number>

/** A block under construction: its statements, the ranges it binds, and index parts already computed in it. */
export interface OpenScope {
  readonly statements: KStmt[]
  readonly ranges: ReadonlySet<Range>
  readonly memo: Map<string, KExpr>
}

/** A range that stands for something else for a while. */
export interface Moved {
  readonly copy: Range
  readonly restore: () => void
}

export interface IndexEmitter {
  /** Binds a range to its step counter; must be called before anything uses the range. */
  readonly bind: (range: Range, counter: KExpr) => void
  /** Binds a range to invocation `local` of the `threads` along it in tile number `tile`. */
  readonly bindTile: (range: Range, tile: KExpr, local: KExpr, threads: number) => void
  /**
   * From here on `counter` numbers points of the tile of a range, or vectors of them, until `restore`. `copy` is the range of
   * the counter.
   */
  readonly inTileAt: (range: Range, counter: KExpr) => Moved
  /** A range of its own that `counter` numbers. */
  readonly block: (count: number, counter: KExpr) => Range
  /** Binds a range to a step counter within a run of `run` steps, of which a range made by `block` says which. */
  readonly bindWithin: (range: Range, block: Range, run: number, counter: KExpr) => void
  /**
   * From here on `counter` says which of the copies of a range is meant, each `width` points wide, until `restore`. `copy`
   * is the range of the counter.
   */
  readonly roll: (range: Range, counter: KExpr, copies: number, width: number) => Moved
  /** The index of lane 0. */
  readonly scalar: (a: Index, lanes: Lanes) => KExpr
  /** The index of one lane of the vector range. */
  readonly lane: (a: Index, lanes: Lanes, vector: Range, lane: number) => KExpr
  /** A quarter of an index that is a multiple of four: the address of a vec4. */
  readonly quarter: (a: Index, lanes: Lanes) => KExpr
  /** For an index 4·q + lane with a constant lane: q and the lane. */
  readonly split4: (
    a: Index,
    lanes: Lanes,
  ) => { readonly quarter: KExpr; readonly lane: number; readonly key: string } | undefined
  /** The index as a value, four wide where it varies over the vector range. */
  readonly value: (a: Index, dtype: KernelDType, lanes: Lanes) => KExpr
  /** Whether all bounds hold, four wide where lanes differ. */
  readonly holds: (bounds: readonly Bound[], lanes: Lanes) => KExpr
  /** What `fill` emits is where `bounds` hold. */
  readonly assuming: (bounds: readonly Bound[], fill: () => void) => void
  readonly isFirst: (r: Range) => KExpr
  /** Whether the last tile of a range is shifted back. */
  readonly hasEdge: (r: Range) => boolean
  /** False where an edge tile was shifted back and this point belongs to its neighbour. */
  readonly inTile: (ranges: readonly Range[], lanes: Lanes) => KExpr | undefined
}

export const indexEmitter = (
  schedule: Schedule,
  scopes: readonly OpenScope[],
  name: (prefix: string) => string,
  resultOf: (v: LoopValue, lanes: Lanes) => KExpr,
): IndexEmitter => {
  /** Per range: the index it stands for before lane offsets, and the counters those indices are made of. */
  const bases = new Map<Range, Index>()
  const counters = new Map<Range, KExpr>()
  const owners = new Map<Range, Range>()
  const edges = new Map<Range, { readonly counter: KExpr; readonly step: number; readonly base: KExpr }>()
  /** Per range of the grid, the counters that are zero at its first point. */
  const firsts = new Map<Range, readonly KExpr[]>()
  /** Where tiles begin. */
  const tiles = new Map<Range, Index>()
  /** Bounds that hold where statements are emitted. */
  let known: ReadonlySet<string> = new Set()
  let fresh = -2

  const letHere = (e: KExpr): KExpr => {
    const id = name('e')
    scopes[scopes.length - 1]!.statements.push(k.letStmt(id, e))
    return k.ref(id)
  }

  const bind = (range: Range, counter: KExpr): void => {
    const step = stepIn(schedule.roles, range)
    const steps = ceilDiv(range.size, step)
    const exact = range.size % step === 0
    const own: Range = { id: fresh--, size: exact ? steps : range.size - step + 1 }
    owners.set(own, range)
    firsts.set(range, [counter])
    bases.set(range, exact ? scaleIndex(rangeIndex(own), step) : rangeIndex(own))
    if (exact) {
      counters.set(own, counter)
      edges.delete(range)
      return
    }
    const first = k.min(k.mul(counter, k.u32(step)), k.u32(range.size - step))
    // Of a grid it is used all over the kernel. The prefix b is taken by bindings.
    const base = schedule.nest.grid.includes(range) ? letHere(first) : first
    counters.set(own, base)
    edges.set(range, { counter, step, base })
  }

  const bindTile: IndexEmitter['bindTile'] = (range, tile, local, threads) => {
    const step = stepIn(schedule.roles, range)
    const width = threads * step
    const isExact = range.size % width === 0
    // Tiles that are moved back begin at vectors, where those fill the range.
    const unit = isExact ? width : schedule.roles.get(range)?.vector && range.size % 4 === 0 ? 4 : 1
    const own: Range = { id: fresh--, size: (range.size - width) / unit + 1 }
    const beside: Range = { id: fresh--, size: threads }
    for (const r of [own, beside]) owners.set(r, range)
    firsts.set(range, [tile, local])
    const start = isExact ? tile : letHere(k.min(k.mul(tile, k.u32(width / unit)), k.u32((range.size - width) / unit)))
    counters.set(own, start)
    counters.set(beside, local)
    tiles.set(range, scaleIndex(rangeIndex(own), unit))
    bases.set(range, addIndex(scaleIndex(rangeIndex(own), unit), scaleIndex(rangeIndex(beside), step)))
    if (isExact) return
    const base = letHere(k.add(k.mul(start, k.u32(unit)), k.mul(local, k.u32(step))))
    edges.set(range, { counter: tile, step: width, base })
  }

  const inTileAt: IndexEmitter['inTileAt'] = (range, counter) => {
    const before = bases.get(range)!
    const unit = schedule.roles.get(range)?.vector ? 4 : 1
    const copy: Range = { id: fresh--, size: tileIn(schedule, range) / unit }
    counters.set(copy, counter)
    bases.set(range, addIndex(tiles.get(range)!, scaleIndex(rangeIndex(copy), unit)))
    return { copy, restore: () => bases.set(range, before) }
  }

  const block: IndexEmitter['block'] = (count, counter) => {
    const made: Range = { id: fresh--, size: count }
    counters.set(made, counter)
    return made
  }

  const bindWithin: IndexEmitter['bindWithin'] = (range, of, run, counter) => {
    const own: Range = { id: fresh--, size: run }
    owners.set(own, range)
    counters.set(own, counter)
    const step = addIndex(scaleIndex(rangeIndex(of), run), rangeIndex(own))
    bases.set(range, scaleIndex(step, stepIn(schedule.roles, range)))
    edges.delete(range)
  }

  const roll: IndexEmitter['roll'] = (range, counter, copies, width) => {
    const copy: Range = { id: fresh--, size: copies }
    const [base, edge] = [bases.get(range)!, edges.get(range)]
    const moved = k.mul(counter, k.u32(width))
    counters.set(copy, counter)
    bases.set(range, addIndex(base, scaleIndex(rangeIndex(copy), width)))
    if (edge) edges.set(range, { ...edge, base: k.add(edge.base, moved) })
    const restore = (): void => {
      bases.set(range, base)
      if (edge) edges.set(range, edge)
    }
    return { copy, restore }
  }

  const resolve = (a: Index, lanes: Lanes): Index =>
    substituteIndex(a, (r) => {
      const base = bases.get(r)
      return base && addIndex(base, constantIndex(lanes.get(r) ?? 0))
    })

  /** The scope that binds the innermost range of an atom. */
  const depthOf = (atom: Atom): number => {
    const ranges = new Set<Range>()
    rangesOfIndex({ terms: [{ atom, coefficient: 1 }], constant: 0, min: 0, max: 0, key: '' }, ranges)
    let depth = 0
    for (const r of ranges) {
      const owner = owners.get(r) ?? r
      const at = scopes.findLastIndex((s) => s.ranges.has(owner))
      depth = Math.max(depth, at)
    }
    return hasValue(atom) ? Math.max(depth, scopes.length - 1) : depth
  }

  const atomExpr = (atom: Atom, lanes: Lanes, lane: number): KExpr => {
    switch (atom.kind) {
      case 'range':
        return counters.get(atom.range)!
      case 'value': {
        const v = resultOf(atom.value, lanes)
        const one = v.type.width === 4 ? k.lane(v, lane) : v
        return k.min(k.cast(one, 'u32'), k.u32(atom.size - 1))
      }
      case 'div':
      case 'mod':
        return digit(atom, lanes, lane)
    }
  }

  /** Chains of views divide what was divided: each quotient and remainder is computed once, where its ranges are bound. */
  const digit = (atom: Extract<Atom, { readonly kind: 'div' | 'mod' }>, lanes: Lanes, lane: number): KExpr => {
    const scope = hasValue(atom) ? undefined : scopes[depthOf(atom)]!
    const seen = scope?.memo.get(`@${atom.key}`)
    if (seen) return seen
    // u32 division needs a non-negative dividend: add a multiple of the divisor.
    const shift = atom.of.min < 0 ? ceilDiv(-atom.of.min, atom.by) : 0
    const of = sum({ ...atom.of, constant: atom.of.constant + shift * atom.by }, lanes, lane, 0)
    const q = atom.kind === 'mod' ? k.rem(of, k.u32(atom.by)) : k.div(of, k.u32(atom.by))
    const made = atom.kind === 'div' && shift > 0 ? k.sub(q, k.u32(shift)) : q
    if (!scope || made.kind === 'ref' || made.kind === 'lit') return made
    const id = name('x')
    scope.statements.push(k.letStmt(id, made))
    scope.memo.set(`@${atom.key}`, k.ref(id))
    return k.ref(id)
  }

  /** constant + Σ coefficient·atom; parts that depend on outer scopes only are computed there. */
  const sum = (a: Index, lanes: Lanes, lane: number, outermost: number): KExpr => {
    const depths = a.terms.map((t) => depthOf(t.atom))
    const innermost = scopes.length - 1
    let total: KExpr | undefined
    for (let d = 0; d <= innermost; d++) {
      const terms = a.terms.filter((_, i) => Math.max(depths[i]!, outermost) === d)
      if (terms.length === 0) continue
      const scope = scopes[d]!
      const key = `${total?.kind === 'ref' ? total.name : ''}|${terms.map((t) => `${t.coefficient}*${t.atom.key}`).join('+')}`
      const seen = terms.some((t) => hasValue(t.atom)) ? undefined : scope.memo.get(key)
      if (seen) {
        total = seen
        continue
      }
      let part = total
      for (const t of [...terms].sort((x, y) => y.coefficient - x.coefficient)) {
        const scaled = k.mul(atomExpr(t.atom, lanes, lane), k.u32(Math.abs(t.coefficient)))
        part = !part
          ? t.coefficient < 0
            ? k.sub(k.u32(0), scaled)
            : scaled
          : t.coefficient < 0
            ? k.sub(part, scaled)
            : k.add(part, scaled)
      }
      if (d < innermost && part!.kind !== 'ref' && part!.kind !== 'lit') {
        const id = name('x')
        scope.statements.push(k.letStmt(id, part!))
        part = k.ref(id)
        if (!terms.some((t) => hasValue(t.atom))) scope.memo.set(key, part)
      }
      total = part
    }
    if (!total) return k.u32(a.constant >= 0 ? a.constant : a.constant + 2 ** 32)
    return a.constant === 0
      ? total
      : a.constant > 0
        ? k.add(total, k.u32(a.constant))
        : k.sub(total, k.u32(-a.constant))
  }

  const scalar = (a: Index, lanes: Lanes): KExpr => sum(resolve(a, lanes), lanes, 0, 0)
  const lane = (a: Index, lanes: Lanes, vector: Range, l: number): KExpr => {
    const at = new Map(lanes).set(vector, (lanes.get(vector) ?? 0) + l)
    return sum(resolve(a, at), lanes, l, 0)
  }
  const vectorIn = (a: Index): Range | undefined => vectorOf(rangesOfIndex(a), schedule)

  const holdsAt = (b: Bound, at: Lanes, lanes: Lanes, l: number): KExpr => {
    const resolved = resolve(b.index, at)
    const shift = Math.max(0, -resolved.min)
    const e = sum({ ...resolved, constant: resolved.constant + shift }, lanes, l, 0)
    const tests: KExpr[] = []
    if (resolved.min < b.low) tests.push(k.le(k.u32(b.low + shift), e))
    if (resolved.max >= b.high) tests.push(k.lt(e, k.u32(Math.max(0, b.high + shift))))
    return tests.reduce((x, y) => k.and(x, y), k.bool(true))
  }

  return {
    bind,
    bindTile,
    inTileAt,
    block,
    bindWithin,
    roll,
    scalar,
    lane,
    quarter: (a, lanes) => {
      const r = resolve(a, lanes)
      const terms = r.terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient / 4 }))
      return sum({ ...r, terms, constant: r.constant / 4 }, lanes, 0, 0)
    },
    split4: (a, lanes) => {
      const r = resolve(a, lanes)
      if (r.constant < 0 || !r.terms.every((t) => t.coefficient % 4 === 0)) return undefined
      const l = r.constant % 4
      const terms = r.terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient / 4 }))
      const quarter: Index = { ...r, terms, constant: (r.constant - l) / 4 }
      const key = `${quarter.constant}${terms.map((t) => `+${t.coefficient}*${t.atom.key}`).join('')}`
      return { quarter: sum(quarter, lanes, 0, 0), lane: l, key }
    },
    value: (a, dtype, lanes) => {
      const vector = vectorIn(a)
      if (!vector || lanePattern(a, vector) === 'uniform') return k.cast(scalar(a, lanes), dtype)
      return k.cast(k.vec([0, 1, 2, 3].map((l) => lane(a, lanes, vector, l))), dtype)
    },
    holds: (all, lanes) => {
      const bounds = known.size > 0 ? all.filter((b) => !known.has(boundKey(b))) : all
      if (bounds.length === 0) return k.bool(true)
      const vector = bounds.map((b) => vectorIn(b.index)).find((r) => r !== undefined)
      const at = (l: number): KExpr =>
        bounds
          .map((b) => holdsAt(b, vector ? new Map(lanes).set(vector, (lanes.get(vector) ?? 0) + l) : lanes, lanes, l))
          .reduce((x, y) => k.and(x, y))
      const same = !vector || bounds.every((b) => isUniformBound(b, vector))
      return same ? at(0) : k.vec([0, 1, 2, 3].map(at))
    },
    assuming: (bounds, fill) => {
      const before = known
      known = new Set([...known, ...bounds.map(boundKey)])
      fill()
      known = before
    },
    isFirst: (r) =>
      firsts
        .get(r)!
        .map((c) => k.eq(c, k.u32(0)))
        .reduce((a, b) => k.and(a, b)),
    hasEdge: (r) => edges.has(r),
    inTile: (ranges, lanes) => {
      const tests = ranges.flatMap((r) => {
        const edge = edges.get(r)
        if (!edge) return []
        return [k.le(k.mul(edge.counter, k.u32(edge.step)), k.add(edge.base, k.u32(lanes.get(r) ?? 0)))]
      })
      return tests.length > 0 ? tests.reduce((a, b) => k.and(a, b)) : undefined
    },
  }
}

const hasValue = (atom: Atom): boolean =>
  atom.kind === 'value' || (atom.kind !== 'range' && atom.of.terms.some((t) => hasValue(t.atom)))
