/**
 * Loop nest → Kernel IR for one cluster: grid ranges from the invocation index, loops, accumulators, stores. A value
 * that depends on unrolled ranges is emitted once per combination of their offsets; one that depends on the vector
 * range is four wide.
 */

import type { Cluster, LoopValue, Range, Store } from '../../passes/loop/ir/cluster.ts'
import { valuesBelow } from '../../passes/loop/ir/values.ts'
import { isUniformBound } from '../../passes/loop/schedule/lane-pattern.ts'
import type { Item, ReduceValue } from '../../passes/loop/schedule/nest.ts'
import type { Schedule } from '../../passes/loop/schedule/roles.ts'
import { invariant } from '../../src/lang/errors.ts'
import { call } from '../kernel/build-call.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt, KType, LocalArray } from '../kernel/kernel.ts'
import type { Access } from './access.ts'
import { vectorOf } from './access.ts'
import { type Block, branchesOf, type Guard, type Sides } from './branch.ts'
import { bindGrid } from './emit-grid.ts'
import { indexEmitter, type Lanes, type OpenScope } from './emit-index.ts'
import { memoryEmitter } from './emit-memory.ts'
import { packedEmitter } from './emit-packed.ts'
import { reduceEmitter } from './emit-reduce.ts'
import { stageEmitter } from './emit-stage.ts'
import { storeAt } from './emit-store.ts'
import { crewOf } from './emit-workgroup.ts'
import { chooseRoll, type Roll, type Run, readersIn, runsOf } from './roll.ts'

/** Generates a fresh name for a `let`, `var` or counter of the kernel. */
export type Namer = (prefix: string) => string

/** An array that nobody else uses at the same time. */
export type Arrays = (element: KType, size: number, space?: LocalArray['space']) => LocalArray

/** Where loops end in a run, if that is not known before, and the masks that hold because they do. */
export interface Ends {
  readonly limitOf: (range: Range) => KExpr | undefined
  readonly implied?: ReadonlySet<LoopValue> | undefined
}

const endless: Ends = { limitOf: () => undefined }

/** The statements of invocation `thread`, one of `threadsOf(schedule)` (`emit-grid.ts`); or of workgroup `thread`, where those share points. */
export const emitCluster = (
  cluster: Cluster,
  schedule: Schedule,
  thread: KExpr,
  access: (bufferId: number) => Access,
  name: Namer,
  arrayOf: Arrays,
  { limitOf, implied }: Ends = endless,
): readonly KStmt[] => {
  /** Ranges whose copies an open loop takes in turn. */
  const rolled = new Set<Range>()
  const unrolled = (r: Range): number => (rolled.has(r) ? 1 : (schedule.roles.get(r)?.unroll ?? 1))
  const widthOf = (r: Range): number => (schedule.roles.get(r)?.vector ? 4 : 1)
  const readers = readersIn(schedule.nest)
  const own = reductionsOf(cluster)
  const isMap = own.length === 0
  const results = new Map<LoopValue, Map<string, KExpr>>()
  /** Which of the tasks that share the tiles of a range this is. */
  let taskNumber = k.u32(0)
  const scopes: OpenScope[] = []
  const index = indexEmitter(schedule, scopes, name, (v, lanes) => exprOf(v, lanes))
  const share = (key: string, make: () => KExpr): KExpr => {
    const { memo } = scopes[scopes.length - 1]!
    const seen = memo.get(key)
    if (seen) return seen
    const e = make()
    const made = k.ref(name('w'), e.type)
    push(k.letStmt(made.kind === 'ref' ? made.name : '', e))
    memo.set(key, made)
    return made
  }
  const memory = memoryEmitter(schedule, index, access, share)

  /** Every combination of register offsets of the unrolled ranges among `ranges`. */
  const instances = (ranges: Iterable<Range>): readonly Lanes[] => {
    let out: Lanes[] = [new Map()]
    for (const r of [...ranges].sort((a, b) => a.id - b.id)) {
      const n = unrolled(r)
      if (n === 1) continue
      out = out.flatMap((l) => Array.from({ length: n }, (_, i) => new Map(l).set(r, i * widthOf(r))))
    }
    return out
  }
  const instanceKey = (v: LoopValue, lanes: Lanes): string =>
    [...v.ranges]
      .filter((r) => unrolled(r) > 1)
      .sort((a, b) => a.id - b.id)
      .map((r) => lanes.get(r))
      .join()

  const exprOf = (v: LoopValue, lanes: Lanes): KExpr => {
    const found = results.get(v)?.get(instanceKey(v, lanes))
    invariant(found, `value ${v.kind} ${v.id} is used before it is computed`)
    return found
  }
  const record = (v: LoopValue, lanes: Lanes, e: KExpr): void => {
    const byInstance = results.get(v) ?? new Map<string, KExpr>()
    results.set(v, byInstance.set(instanceKey(v, lanes), e))
  }
  const push = (s: KStmt): void => {
    scopes[scopes.length - 1]!.statements.push(s)
  }

  const inScope = (ranges: readonly Range[], fill: () => void): readonly KStmt[] => {
    scopes.push({ statements: [], ranges: new Set(ranges), memo: new Map() })
    fill()
    return scopes.pop()!.statements
  }

  const widen = (es: readonly KExpr[]): readonly KExpr[] => {
    const width = es.some((e) => e.type.width === 4) ? 4 : 1
    return es.map((e) => (e.type.width === width ? e : k.splat(e, width)))
  }

  const compute = (v: LoopValue, lanes: Lanes): KExpr => {
    switch (v.kind) {
      case 'const':
        return k.lit(v.value, v.dtype)
      case 'index':
        return index.value(v.index, v.dtype, lanes)
      case 'load':
        return memory.load(v, lanes)
      case 'alu': {
        if (implied?.has(v)) return exprOf(v.args[1]!, lanes)
        const args = v.args.map((a) => exprOf(a, lanes))
        return compound(v.op, v.dtype, widen(args.map((e, i) => (isFoldable(v, i) ? opaque(e) : e))))
      }
      case 'threefry': {
        const [a, b, c, d] = widen(v.args.map((x) => exprOf(x, lanes)))
        return k.threefry(v.word, [a!, b!, c!, d!])
      }
      case 'call':
        return call(v.callee, widen(v.args.map((x) => exprOf(x, lanes))))
      case 'guard': {
        const [inside, outside] = widen([exprOf(v.inside, lanes), exprOf(v.outside, lanes)])
        const [cond, a, b] = widen([index.holds(v.bounds, lanes), inside!, outside!])
        return k.select(cond!, a!, b!)
      }
      case 'reduce':
        return invariant(false, 'a reduction is emitted by its loop') as never
    }
  }

  const emitValue = (v: LoopValue, isApart = false): void => {
    if (!isApart && (packed.read(v) || stages.read(v))) return
    for (const lanes of instances(v.ranges)) {
      const e = compute(v, lanes)
      if (e.kind === 'lit' || e.kind === 'ref') {
        record(v, lanes, e)
        continue
      }
      const id = name('v')
      push(k.letStmt(id, e))
      record(v, lanes, k.ref(id, e.type))
    }
  }

  const computeApart = (vs: readonly LoopValue[], single: readonly Range[]): KExpr => {
    const before = vs.map((v) => [v, results.get(v)] as const)
    for (const v of vs) results.delete(v)
    for (const r of single) rolled.add(r)
    for (const v of vs) emitValue(v, true)
    const last = exprOf(vs[vs.length - 1]!, new Map())
    for (const r of single) rolled.delete(r)
    for (const [v, known] of before) {
      if (known) results.set(v, known)
      else results.delete(v)
    }
    return last
  }

  const emitStore = (s: Store): void =>
    storeAt(s, { schedule, index, memory, instances, exprOf, push, isRolled: (r) => rolled.has(r), crew })

  const emitItem = (item: Item): void => {
    switch (item.kind) {
      case 'value':
        emitValue(item.value)
        break
      case 'reduce':
        reductions.reduce(item)
        break
      case 'accumulate':
        reductions.accumulate()
        break
      case 'store':
        emitStore(item.store)
        break
      case 'keep':
        packed.keep(item.packed)
        break
      case 'loop':
        reductions.loop(item.body)
        break
      case 'stage':
        invariant(false, 'a stage is emitted by the loop that it is first in')
        break
      case 'first': {
        const cond = item.first.map((r) => index.isFirst(r)).reduce((a, b) => k.and(a, b))
        scopes.push({ statements: [], ranges: new Set(), memo: new Map() })
        emitItems(item.body.items)
        const { statements } = scopes.pop()!
        push(k.ifStmt(cond, statements))
      }
    }
  }

  const emitItems = (items: readonly Item[]): void => {
    for (const part of runsOf(items)) {
      if ('kind' in part) emitItem(part)
      // Inside a reduction, copies share loads and belong in registers.
      else if (reductions.isOpen()) emitBranches(part)
      else emitRun(part)
    }
  }

  const emitRun = (run: Run): void => {
    // Copies of a map stand side by side to be computed at once.
    const roll = isMap ? undefined : chooseRoll(run, schedule, unrolled, readers)
    if (!roll) {
      emitBranches(run)
      return
    }
    emitRun(roll.before)
    emitRolled(roll)
  }

  const isScalar = (g: Guard): boolean => {
    const vector = vectorOf(g.ranges, schedule)
    return instances(g.ranges).length === 1 && (!vector || g.bounds.every((b) => isUniformBound(b, vector)))
  }

  const emitBranches = (run: Run): void => {
    const branches = branchesOf(run, schedule, isScalar, readers)
    if (!branches) {
      run.forEach(emitItem)
      return
    }
    const { sides } = branches
    const emitBlock = ({ items }: Block): void => {
      for (const item of items) {
        const both = item.kind === 'value' && item.value.kind === 'guard' ? sides.get(item.value) : undefined
        if (both) emitChoice((item as { readonly value: Guard }).value, both)
        else emitItem(item)
      }
    }
    /** The statements of a block, and the value that it is for. */
    const side = (block: Block | undefined, v: LoopValue): { readonly value: KExpr; readonly statements: KStmt[] } => {
      const statements: KStmt[] = []
      if (!block) return { value: exprOf(v, new Map()), statements }
      scopes.push({ statements, ranges: new Set(), memo: new Map() })
      emitBlock(block)
      scopes.pop()
      return { value: exprOf(v, new Map()), statements }
    }
    const emitChoice = (g: Guard, { inside, outside }: Sides): void => {
      const cond = index.holds(g.bounds, new Map())
      const [yes, no] = [side(inside, g.inside), side(outside, g.outside)]
      const [a, b] = widen([yes.value, no.value])
      const id = name('v')
      push(k.varStmt(id, a!.type, ...(outside ? [] : [b!])))
      push(k.ifStmt(cond, [...yes.statements, k.assign(id, a!)], outside ? [...no.statements, k.assign(id, b!)] : []))
      record(g, new Map(), k.ref(id, a!.type))
    }
    emitBlock(branches.top)
  }

  const emitRolled = ({ range, inside, carried }: Roll): void => {
    const copies = unrolled(range)
    const kept: { readonly v: LoopValue; readonly lanes: Lanes; readonly array: LocalArray }[] = []
    for (const v of carried) {
      for (const lanes of instances([...v.ranges].filter((r) => r !== range))) {
        const each = Array.from({ length: copies }, (_, i) => exprOf(v, new Map(lanes).set(range, i * widthOf(range))))
        const array = arrayOf(each[0]!.type, copies)
        for (const [i, e] of each.entries()) push(k.write(array, k.u32(i), e))
        kept.push({ v, lanes, array })
      }
    }
    const id = name('n')
    const counter = k.ref(id)
    const { copy, restore } = index.roll(range, counter, copies, widthOf(range))
    rolled.add(range)
    scopes.push({ statements: [], ranges: new Set([copy]), memo: new Map() })
    for (const { v, lanes, array } of kept) {
      const one = name('v')
      push(k.letStmt(one, k.read(array, counter)))
      record(v, lanes, k.ref(one, array.element))
    }
    emitRun(inside)
    const { statements } = scopes.pop()!
    push(k.forStmt(id, k.u32(0), k.u32(copies), 1, statements))
    rolled.delete(range)
    restore()
  }

  const around = { schedule, index, name, push, inScope, instances, exprOf, record, arrayOf }
  const stages = stageEmitter({ ...around, computeApart })
  const { workgroup } = schedule
  const crew =
    workgroup && !workgroup.tile
      ? crewOf(workgroup.threads, { name, push, inScope: (fill) => inScope([], fill), arrayOf })
      : undefined
  const packed = packedEmitter(around)
  const reductions = reduceEmitter({
    ...around,
    ...(crew ? { crew } : {}),
    stages,
    limitOf,
    taskNumber: () => taskNumber,
    emitItems: (items) => emitItems(items),
    reductions: own,
  })

  scopes.push({ statements: [], ranges: new Set(schedule.nest.grid), memo: new Map() })
  const place = bindGrid({ schedule, index, name, push, bindPlace: stages.bind, limitOf }, thread)
  taskNumber = place.task
  const { items } = schedule.nest.body
  if (place.isNeeded)
    push(
      k.ifStmt(
        place.isNeeded,
        inScope([], () => emitItems(items)),
      ),
    )
  else emitItems(items)
  return scopes[0]!.statements
}

/**
 * Whether operand `i` completes a pattern that drivers simplify as for real numbers: x·(y/x), (x·y)/x and (y - x) + x
 * to y. That is wrong for infinities, zeros and NaN, and removes roundings that were intended.
 */
const isFoldable = (v: Extract<LoopValue, { readonly kind: 'alu' }>, i: number): boolean => {
  const inner = v.args[i]!
  const other = v.args[1 - i]
  if (v.dtype !== 'f32' || other === undefined || inner.kind !== 'alu') return false
  if (v.op === 'mul') return inner.op === 'div' && inner.args[1] === other
  if (v.op === 'div') return i === 0 && inner.op === 'mul' && inner.args.includes(other)
  return v.op === 'add' && inner.op === 'sub' && inner.args[1] === other
}

/** The same value through a bitcast, which float simplification does not see through. */
const opaque = (e: KExpr): KExpr =>
  k.bitcast(k.min(k.bitcast(e, 'u32'), k.splat(k.u32(0xffffffff), e.type.width)), 'f32')

const compound = (
  op: Extract<LoopValue, { kind: 'alu' }>['op'],
  dtype: LoopValue['dtype'],
  args: readonly KExpr[],
): KExpr => {
  const [a, b, c] = args
  if (op === 'select') return k.select(a!, b!, c!)
  if (op === 'cast') return k.cast(a!, dtype)
  if (op === 'bitcast') return k.bitcast(a!, dtype)
  return b ? k.binary(op as never, a!, b) : k.unary(op as never, a!)
}

const reductionsOf = (cluster: Cluster): readonly ReduceValue[] => {
  const out: ReduceValue[] = []
  for (const v of valuesBelow(cluster.stores.map((s) => s.value))) if (v.kind === 'reduce') out.push(v)
  return out
}
