/**
 * The loops of reductions: accumulators, what one step adds to them, and the levels by which states become one. Order
 * and levels are the monoid's (`monoids.ts`, `levels.ts`); register copies and lanes do not change them.
 */
import type { LoopValue, Range } from '../../passes/loop/ir/cluster.ts'
import { type Level, levelsOf } from '../../passes/loop/schedule/levels.ts'
import type { Accumulation, Item, ReduceValue, Scope } from '../../passes/loop/schedule/nest.ts'
import { type Schedule, stepIn } from '../../passes/loop/schedule/roles.ts'
import { type Deal, dealOfLoop, dealOfReduce } from '../../passes/loop/schedule/workgroup.ts'
import { ceilDiv, floorDiv } from '../../src/lang/dim.ts'
import { heightOf, stateMonoids } from '../../src/lang/monoids.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { type Kind, type State, stateEmitter } from '../kernel/states.ts'
import { vectorOf } from './access.ts'
import type { IndexEmitter, Lanes } from './emit-index.ts'
import type { StageEmitter } from './emit-stage.ts'
import type { Crew } from './emit-workgroup.ts'

/** What the emitter of a cluster lends to that of its reductions. */
export interface Surroundings {
  readonly schedule: Schedule
  readonly index: IndexEmitter
  readonly name: (prefix: string) => string
  readonly push: (s: KStmt) => void
  /** The statements that `fill` emits, in a scope of its own that binds `ranges`. */
  readonly inScope: (ranges: readonly Range[], fill: () => void) => readonly KStmt[]
  readonly instances: (ranges: Iterable<Range>) => readonly Lanes[]
  readonly exprOf: (v: LoopValue, lanes: Lanes) => KExpr
  readonly record: (v: LoopValue, lanes: Lanes, e: KExpr) => void
  readonly emitItems: (items: readonly Item[]) => void
  /** Which of the tasks that share the tiles of a range this is. */
  readonly taskNumber: () => KExpr
  /** The reductions of the cluster, every component that is used. */
  readonly reductions: readonly ReduceValue[]
  /** Where a workgroup computes a point together. */
  readonly crew?: Crew
  readonly stages: StageEmitter
  /** The number of steps of a range that a run needs, where that is not known before. */
  readonly limitOf: (range: Range) => KExpr | undefined
}

export interface ReduceEmitter {
  readonly reduce: (item: Extract<Item, { readonly kind: 'reduce' }>) => void
  /** One step of the innermost loop. */
  readonly accumulate: () => void
  /** The loop over a range: of a reduction that is open, with its levels. */
  readonly loop: (scope: Scope) => void
  /** Whether a reduction is open. */
  readonly isOpen: () => boolean
}

/** The variables of one register copy of a reduction. */
interface Copy extends Kind {
  readonly reduce: ReduceValue
  readonly lanes: Lanes
  /** Order matters, and lanes of the reduced range are taken one after another. */
  readonly isOrdered: boolean
}

/** A reduction whose loops are being emitted. */
interface Open {
  readonly copies: readonly Copy[]
  readonly levels: ReadonlyMap<Range, Level>
  /** Whose the steps of one of its loops are. */
  readonly deal: Deal | undefined
  /** Where each copy's states go at present. */
  readonly into: Map<Copy, State>
  /** Whether they are identities there: a loop may then begin with them. */
  isFresh: boolean
}

export const reduceEmitter = (around: Surroundings): ReduceEmitter => {
  const { schedule, index, name, push, instances, exprOf, crew } = around
  const open: Open[] = []
  const states = stateEmitter(name, push, (fill) => around.inScope([], fill))
  const { assign, begin, merge, named } = states

  const copiesOf = ({ reduce }: Accumulation): readonly Copy[] => {
    const isOrdered = reduce.order !== 'any'
    const own = reduce.values.flatMap((v) => [...v.ranges])
    // A value that is uniform over a vector range still counts once for each of its points.
    const wide = isOrdered ? own.filter((r) => !reduce.over.includes(r)) : [...own, ...reduce.over]
    const width = vectorOf(wide, schedule) ? 4 : 1
    const kind: Kind = { row: stateMonoids[reduce.monoid], dtype: reduce.values[0]!.dtype, width }
    return instances(reduce.ranges).map((lanes) => ({ ...kind, reduce, lanes, isOrdered }))
  }

  const reduce: ReduceEmitter['reduce'] = ({ accumulations, body }) => {
    const copies = accumulations.flatMap(copiesOf)
    const { over } = accumulations[0]!.reduce
    const ordered = accumulations.find((x) => x.reduce.order !== 'any')
    const results = new Map(copies.map((c) => [c, begin(c)]))
    const levels = levelsOf((ordered ?? accumulations[0]!).reduce)
    const levelOf = new Map(over.map((r, i) => [r, levels[i]!]))
    const isShared = crew?.isTogether() ?? false
    const deal = isShared ? dealOfReduce(accumulations, schedule.roles, crew!.threads) : undefined
    open.push({ copies, into: new Map(results), levels: levelOf, deal, isFresh: true })
    if (isShared) crew!.apart(() => loop(body))
    else loop(body)
    open.pop()
    const own = copies.map((copy) => {
      const state = results.get(copy)!
      const lanes = !copy.isOrdered && over.some((r) => schedule.roles.get(r)?.vector)
      return { kind: lanes ? { ...copy, width: 1 as const } : copy, state: lanes ? foldLanes(copy, state) : state }
    })
    const finals = deal ? crew!.meet(own, deal.active, states) : own.map((o) => o.state)
    for (const [i, copy] of copies.entries()) {
      const final = finals[i]!
      for (const v of around.reductions)
        if (v.group === copy.reduce.group) around.record(v, copy.lanes, final[v.component]!)
    }
  }

  /** Four lanes as one state, in a variable. */
  const foldLanes = (copy: Copy, state: State): State => {
    const [p, q, r, s] = [0, 1, 2, 3].map((l) => state.map((e) => k.lane(e, l)))
    return merge(copy, named(merge(copy, p!, q!)), named(merge(copy, r!, s!))).map(states.hold)
  }

  const accumulate: ReduceEmitter['accumulate'] = () => {
    const { copies, into } = open[open.length - 1]!
    const points = instances(copies[0]!.reduce.over)
    const at = (copy: Copy, point: Lanes): Lanes => new Map([...copy.lanes, ...point])
    const [ordered, free] = [copies.filter((c) => c.isOrdered), copies.filter((c) => !c.isOrdered)]
    for (const point of points) for (const c of ordered) assign(into.get(c)!, inOrder(c, into.get(c)!, at(c, point)))
    for (const c of free) {
      const elements = points.map((point) => elementAt(c, at(c, point)))
      assign(into.get(c)!, merge(c, into.get(c)!, joined(c, elements)))
    }
  }

  /** Elements of which the order is free, as one: pairs of pairs, so that few wait for others. */
  const joined = (copy: Copy, elements: readonly State[]): State => {
    if (elements.length === 1) return elements[0]!
    const half = ceilDiv(elements.length, 2)
    return named(merge(copy, joined(copy, elements.slice(0, half)), joined(copy, elements.slice(half))))
  }

  /** The values at a point as an element, and which of its lanes are counted for the first time. */
  const pointOf = (copy: Copy, lanes: Lanes) => {
    const { values, over, position } = copy.reduce
    const all = values.map((v) => exprOf(v, lanes))
    const at = position && k.cast(index.scalar(position, lanes), 'i32')
    const element = (xs: State): State => {
      const wide = xs.map((e) => (e.type.width === copy.width ? e : k.splat(e, copy.width)))
      if (values.length > 1) return wide
      return states.lift(copy, wide[0]!, at && k.splat(at, copy.width))
    }
    const vector = over.find((r) => schedule.roles.get(r)?.vector)
    // Of the last vector, which is moved back, the first lanes have been counted.
    const old = !vector || vector.size % 4 === 0 ? 0 : 4 - (vector.size % 4)
    const holdsForOld = vector && index.inTile([vector], new Map(lanes).set(vector, 0))
    const isNew = (l: number): KExpr | undefined => (l < old ? holdsForOld : undefined)
    const unlessOld = (next: State, holds: KExpr | undefined): State => {
      const nothing = holds && states.identity(copy)
      return nothing ? next.map((e, i) => k.select(holds!, e, nothing[i]!)) : next
    }
    return { all, element, vector, old, isNew, unlessOld }
  }

  /** What a point adds where order does not matter. */
  const elementAt = (copy: Copy, lanes: Lanes): State => {
    const { all, element, old, isNew, unlessOld } = pointOf(copy, lanes)
    const each = [0, 1, 2, 3].map((l) => isNew(l) ?? k.bool(true))
    return unlessOld(element(all), old === 0 ? undefined : k.vec(each))
  }

  /** `state` with what a point adds, one lane of the reduced range after another. */
  const inOrder = (copy: Copy, state: State, lanes: Lanes): State => {
    const { all, element, vector, isNew, unlessOld } = pointOf(copy, lanes)
    if (!vector) return merge(copy, state, element(all))
    const lane = (l: number): State => {
      const holds = isNew(l)
      const one = element(all.map((e) => (e.type.width === 4 ? k.lane(e, l) : e)))
      return unlessOld(one, holds && k.splat(holds, copy.width))
    }
    return [0, 1, 2, 3].reduce((s, l) => merge(copy, named(s), lane(l)), state)
  }

  /** The steps of a loop: `count` of them, or as many as a run needs. */
  const stepsOf = ({ range }: Scope, count: number): KExpr => around.limitOf(range!) ?? k.u32(count)

  /** A step of a loop over `range`, which a reduction passes over where it adds nothing. */
  const emitStep = (range: Range, items: readonly Item[]): void => {
    const bounds = open.length > 0 ? schedule.skips?.get(range) : undefined
    if (bounds) {
      const isNeeded = index.holds(bounds, new Map())
      const statements = around.inScope([], () => index.assuming(bounds, () => around.emitItems(items)))
      push(k.ifStmt(isNeeded, statements))
    } else around.emitItems(items)
  }

  /** A loop over the steps of the scope's range; none for a range that is taken in one. */
  const plainLoop = (scope: Scope, count: number, deal?: Deal): void => {
    const { range, items } = scope
    if (isStaged(scope)) {
      slabs(scope, k.u32(0), k.u32(count), count)
      return
    }
    const counter = count > 1 ? k.ref(name('n')) : k.u32(0)
    const statements = around.inScope([range!], () => {
      index.bind(range!, counter)
      emitStep(range!, items)
    })
    const { from, to, step } = deal ? crew!.partOf(deal, count) : { from: k.u32(0), to: stepsOf(scope, count), step: 1 }
    if (counter.kind === 'ref') push(k.forStmt(counter.name, from, to, step, statements))
    else for (const s of statements) push(s)
  }

  /** The loop of a map, which a workgroup deals out. */
  const mapLoop = (scope: Scope, steps: number): void => {
    const deal = crew?.isTogether() ? dealOfLoop(scope.range!, schedule.roles, crew.threads) : undefined
    if (deal) crew!.apart(() => plainLoop(scope, steps, deal))
    else plainLoop(scope, steps)
  }

  const isStaged = ({ items }: Scope): boolean => items[0]?.kind === 'stage'

  /** A loop whose operands a workgroup puts into its memory for a slab of steps at a time, `count` steps if those are known. */
  const slabs = ({ range, items: [stage, ...items] }: Scope, from: KExpr, to: KExpr, count = 0): void => {
    const { slab } = schedule.workgroup!.tile!
    const [counter, step] = [name('n'), name('n')]
    const isWhole = count > 0 && count % slab === 0
    // Slabs by their numbers, where they are whole: what they read is known to lie within their range.
    const first = isWhole ? k.add(from, k.mul(k.ref(counter), k.u32(slab))) : k.ref(counter)
    const here = around.inScope([], () => {
      if (stage?.kind === 'stage') around.stages.fill(stage.values, first, isWhole)
      push(k.barrier)
      const statements = around.inScope([range!], () => {
        index.bind(range!, k.add(first, k.ref(step)))
        around.stages.at(k.ref(step))
        around.emitItems(items)
      })
      const steps = isWhole ? k.u32(slab) : k.min(k.sub(to, first), k.u32(slab))
      push(k.forStmt(step, k.u32(0), steps, 1, statements))
      push(k.barrier)
    })
    push(
      isWhole ? k.forStmt(counter, k.u32(0), k.u32(count / slab), 1, here) : k.forStmt(counter, from, to, slab, here),
    )
  }

  /** The loop over the tiles of a task. */
  const taskLoop = (scope: Scope, tiles: number, run: number): void => {
    const { range, items } = scope
    const first = k.mul(around.taskNumber(), k.u32(run))
    const counter = k.ref(name('n'))
    const statements = around.inScope([range!], () => {
      index.bind(range!, counter)
      around.emitItems(items)
    })
    const all = stepsOf(scope, tiles)
    const end = tiles > run ? k.min(k.add(first, k.u32(run)), all) : all
    if (counter.kind === 'ref') push(k.forStmt(counter.name, first, end, 1, statements))
  }

  const loop: ReduceEmitter['loop'] = (scope) => {
    const range = scope.range!
    const step = stepIn(schedule.roles, range)
    const steps = ceilDiv(range.size, step)
    const here = open[open.length - 1]
    const level = here?.levels.get(range)
    const deal = here?.deal?.range === range ? here.deal : undefined
    if (range === schedule.task?.range) taskLoop(scope, steps, schedule.task.run)
    else if (!here || !level) mapLoop(scope, steps)
    else if (!level.isOwn) within(here, here.isFresh && steps === 1, () => plainLoop(scope, steps, deal))
    else inLevels(here, scope, steps, Math.max(1, floorDiv(level.run, step)), deal)
  }

  const within = (here: Open, isFresh: boolean, emit: () => void): void => {
    const before = here.isFresh
    here.isFresh = isFresh
    emit()
    here.isFresh = before
  }

  /** The loop over a range whose runs of `run` steps have states of their own. */
  const inLevels = (here: Open, scope: Scope, steps: number, run: number, deal: Deal | undefined): void => {
    const { copies, into, isFresh } = here
    const ordered = copies.filter((c) => c.isOrdered)
    const outer = new Map(ordered.map((c) => [c, into.get(c)!]))
    const runs = ceilDiv(steps, run)
    const height = deal ? Math.max(1, heightOf(deal.share)) : heightOf(runs)
    /** States above the runs, the highest last; of a single run there is the one that it goes into. */
    const above = new Map<Copy, readonly State[]>()
    for (const c of ordered) {
      const made = Array.from({ length: Math.max(1, height) - (isFresh ? 1 : 0) }, () => begin(c))
      above.set(c, isFresh ? [...made, outer.get(c)!] : made)
    }
    if (height === 0) {
      for (const c of ordered) into.set(c, above.get(c)![0]!)
      within(here, false, () => plainLoop(scope, steps))
    } else {
      const number = k.ref(name('n'))
      const block = index.block(runs, number)
      const statements = around.inScope([block], () => {
        const bottom = new Map(ordered.map((c) => [c, begin(c)]))
        for (const c of ordered) into.set(c, bottom.get(c)!)
        within(here, run === 1, () => runLoop(scope, steps, run, number, block))
        for (const c of ordered) assign(above.get(c)![0]!, merge(c, above.get(c)![0]!, bottom.get(c)!))
        states.carry(
          ordered.map((c) => ({ kind: c, levels: above.get(c)! })),
          number,
          1,
        )
      })
      const { from, to } = deal ? crew!.partOf(deal, runs) : { from: k.u32(0), to: runsOf(scope, runs, run) }
      if (number.kind === 'ref') push(k.forStmt(number.name, from, to, 1, statements))
    }
    for (const c of ordered) {
      const state = outer.get(c)!
      const total = states.total({ kind: c, levels: above.get(c)! })
      if (!isFresh) assign(state, merge(c, state, total))
      else if (height > 1) assign(state, total)
      into.set(c, state)
    }
  }

  /** The runs of a loop: `runs` of them, or those in which there is something. */
  const runsOf = ({ range }: Scope, runs: number, run: number): KExpr => {
    const limit = around.limitOf(range!)
    if (!limit) return k.u32(runs)
    const count = name('n')
    push(k.letStmt(count, k.div(k.add(limit, k.u32(run - 1)), k.u32(run))))
    return k.ref(count)
  }

  /** One run: its last one may be short. */
  const runLoop = (scope: Scope, steps: number, run: number, number: KExpr, block: Range): void => {
    const { range, items } = scope
    if (isStaged(scope)) {
      const from = k.mul(number, k.u32(run))
      const isWhole = steps % run === 0
      const to = k.add(from, k.u32(run))
      slabs(scope, from, isWhole ? to : k.min(to, k.u32(steps)), isWhole ? run : undefined)
      return
    }
    if (run === 1) {
      const once = around.inScope([range!], () => {
        index.bind(range!, number)
        emitStep(range!, items)
      })
      for (const s of once) push(s)
      return
    }
    const counter = k.ref(name('n'))
    const isLimited = around.limitOf(range!) !== undefined
    const isExact = !isLimited && steps % run === 0 && range!.size % stepIn(schedule.roles, range!) === 0
    const first = k.mul(number, k.u32(run))
    const statements = around.inScope([range!], () => {
      if (isExact) index.bindWithin(range!, block, run, counter)
      else index.bind(range!, counter)
      emitStep(range!, items)
    })
    if (counter.kind !== 'ref') return
    if (isExact) push(k.forStmt(counter.name, k.u32(0), k.u32(run), 1, statements))
    else push(k.forStmt(counter.name, first, k.min(k.add(first, k.u32(run)), stepsOf(scope, steps)), 1, statements))
  }

  return { reduce, accumulate, loop, isOpen: () => open.length > 0 }
}
