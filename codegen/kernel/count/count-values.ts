/**
 * The values of a kernel's slice, compiled to closures over numbered slots. Affine expressions stay symbolic;
 * everything else is hoisted to the outermost block in which its operands are known, and equal expressions share a
 * slot.
 */
import { invariant } from '../../../src/lang/errors.ts'
import { laneTest, nativeMeaning } from '../interp/native-meaning.ts'
import { compiledFunction } from '../interp/run-function.ts'
import { threefryWord, unaryFunction } from '../interp/scalar-meaning.ts'
import { calledFunction } from '../interp/user-reference.ts'
import type { KExpr, KStmt } from '../kernel.ts'
import { expressionsOf, operandsOf } from '../parts.ts'
import { castValue, roundTo, wordBits, wordValue } from '../scalar-value.ts'
import { type Affine, affineKey, affineOf, evaluateAffine, type Num, slotAffine } from './count-affine.ts'
import { binaryOf, headOf } from './count-operations.ts'

/** What lane `lane` of element `element` of a binding holds, where an address depends on it. */
export type ValueAt = (binding: string, element: number, lane: number) => number

export type Run = () => void

/** A value computed once per execution of a block. */
interface Computed {
  readonly slot: number
  readonly run: Run
}

/** A block: the values it computes, then its actions. */
export interface Block {
  readonly computed: Computed[]
  readonly effects: Run[]
  readonly memo: Map<string, number>
}

/** The meaning of a name: an affine form, or a slot per lane, which assignments may change. */
type Name =
  | { readonly kind: 'sum'; readonly affine: Affine }
  | { readonly kind: 'slots'; readonly slots: readonly number[]; readonly changes: boolean }

/** What determines where an expression can be computed. */
interface Facts {
  /** The number of enclosing blocks it depends on; undefined where an assignment may change it. */
  readonly depth: number | undefined
  /** The counters and builtins it is a function of. */
  readonly of: ReadonlySet<number>
  /** Equal keys mean equal values. */
  readonly key: string
}

export interface Split {
  readonly first: Num
  readonly offsets: Int32Array
}

export interface ValueCompiler {
  readonly slots: Float64Array
  /** Begins a block inside the current one; `variable` takes a new value each time it runs. */
  readonly open: (variable?: number) => Block
  readonly close: () => void
  /** Runs a block that is closed. */
  readonly sequence: (block: Block) => Run
  /** A variable that a loop sets. */
  readonly define: (name: string) => number
  /** A `let`. With `symbolic`, an affine value is not computed here but substituted at each use. */
  readonly bind: (name: string, e: KExpr, symbolic: boolean) => void
  readonly assign: (s: Extract<KStmt, { readonly kind: 'var' | 'assign' }>) => void
  /** One lane of an expression. */
  readonly value: (e: KExpr, lane: number) => Num
  /** The affine form of an integer that no assignment changes. */
  readonly affine: (e: KExpr) => Affine | undefined
  /** Whether an expression is invariant in the current block. */
  readonly isOutside: (e: KExpr) => boolean
  /** Splits `a` into a loop-invariant base and one offset per value of the loop counter, if it has that form. */
  readonly split: (a: Affine, loop: Block, counter: number, values: Iterable<number>) => Split | undefined
}

/** The slots of the builtins. */
export const gridSlot = 0
export const localSlot = 1

export const valueCompiler = (body: readonly KStmt[], valueAt: ValueAt): ValueCompiler => {
  const slots = new Float64Array(2 + slotsIn(body))
  let slotCount = 2
  const names = new Map<string, Name>()
  const blocks: Block[] = []
  const depths: number[] = [0, 1]
  const bases: ReadonlySet<number>[] = [new Set([gridSlot]), new Set([localSlot])]
  const facts = new WeakMap<KExpr, Facts>()

  const allocate = (depth: number, of?: ReadonlySet<number>): number => {
    const slot = slotCount++
    depths[slot] = depth
    bases[slot] = of ?? new Set([slot])
    return slot
  }

  const builtin = (e: Extract<KExpr, { readonly kind: 'builtin' }>): number =>
    e.name === 'gridIndex' ? gridSlot : localSlot

  const nameOf = (name: string): Name => {
    const found = names.get(name)
    invariant(found, `${name} is used before it is defined`)
    return found
  }

  const affine = (e: KExpr): Affine | undefined =>
    affineOf(e, (leaf) => {
      if (leaf.kind === 'builtin') return slotAffine(builtin(leaf))
      if (leaf.kind === 'ref') {
        const n = nameOf(leaf.name)
        return n.kind === 'sum' ? n.affine : n.changes ? undefined : slotAffine(n.slots[0]!)
      }
      const slot = slotFor(leaf, 0)
      return slot === undefined ? undefined : slotAffine(slot)
    })

  const factsOf = (e: KExpr): Facts => {
    const seen = facts.get(e)
    if (seen) return seen
    const made = makeFacts(e)
    facts.set(e, made)
    return made
  }

  const ofSlots = (used: Iterable<number>, key: string): Facts => {
    const of = new Set<number>()
    let depth = 0
    for (const s of used) {
      depth = Math.max(depth, depths[s]!)
      for (const b of bases[s]!) of.add(b)
    }
    return { depth, of, key }
  }

  const makeFacts = (e: KExpr): Facts => {
    if (e.kind === 'ref') {
      const n = nameOf(e.name)
      if (n.kind === 'sum') return ofSlots(n.affine.terms.keys(), affineKey(n.affine))
      return n.changes ? { depth: undefined, of: new Set(), key: '' } : ofSlots(n.slots, `#${n.slots.join()}`)
    }
    if (e.kind === 'builtin') return ofSlots([builtin(e)], `#${builtin(e)}`)
    const of = new Set<number>()
    let depth: number | undefined = 0
    const keys: string[] = []
    for (const o of operandsOf(e)) {
      const f = factsOf(o)
      depth = depth === undefined || f.depth === undefined ? undefined : Math.max(depth, f.depth)
      for (const b of f.of) of.add(b)
      keys.push(f.key)
    }
    return { depth, of, key: `${headOf(e)}:${e.type.scalar}${e.type.width}(${keys.join()})` }
  }

  /** The slot of a lane, computed in the outermost block possible; undefined where an assignment may change it. */
  const slotFor = (e: KExpr, lane: number): number | undefined => {
    const { depth, of, key } = factsOf(e)
    if (depth === undefined) return undefined
    const block = blocks[depth]!
    const full = `${key}@${lane}`
    const seen = block.memo.get(full)
    if (seen !== undefined) return seen
    const compute = raw(e, lane)
    const slot = allocate(depth, of)
    block.memo.set(full, slot)
    block.computed.push({ slot, run: () => (slots[slot] = compute()) })
    return slot
  }

  const value = (e: KExpr, lane: number): Num => {
    if (e.kind === 'lit' || e.kind === 'ref' || e.kind === 'builtin') return raw(e, lane)
    if (e.type.scalar === 'u32') {
      const a = affine(e)
      if (a) return evaluateAffine(a, slots)
    }
    const slot = slotFor(e, lane)
    return slot === undefined ? raw(e, lane) : () => slots[slot]!
  }

  const raw = (e: KExpr, lane: number): Num => {
    const { scalar } = e.type
    switch (e.kind) {
      case 'lit': {
        const x = roundTo(scalar, e.value)
        return () => x
      }
      case 'ref': {
        const n = nameOf(e.name)
        if (n.kind === 'sum') {
          const sum = evaluateAffine(n.affine, slots)
          return scalar === 'i32' ? () => sum() | 0 : sum
        }
        const slot = n.slots[n.slots.length === 1 ? 0 : lane]!
        return () => slots[slot]!
      }
      case 'builtin': {
        const slot = builtin(e)
        return () => slots[slot]!
      }
      case 'word':
        return invariant(false, `word ${e.index} has no value: withWords gives it one`) as never
      case 'unary': {
        const f = unaryFunction(e.op, e.a.type.scalar)
        const x = value(e.a, lane)
        return () => f(x())
      }
      case 'binary':
        return binaryOf(e, value(e.a, lane), value(e.b, lane))
      case 'select': {
        const [cond, a, b] = [value(e.cond, lane), value(e.a, lane), value(e.b, lane)]
        return () => (cond() !== 0 ? a() : b())
      }
      case 'cast': {
        const from = e.a.type.scalar
        const x = value(e.a, lane)
        return from === scalar ? x : () => castValue(from, scalar, x())
      }
      case 'bitcast': {
        const from = e.a.type.scalar
        const x = value(e.a, lane)
        return () => wordValue(scalar, wordBits(from, x()))
      }
      case 'splat':
        return value(e.a, 0)
      case 'vec':
        return value(e.items[lane]!, 0)
      case 'lane':
        return value(e.a, e.lane)
      case 'load': {
        const index = value(e.index, 0)
        if (!e.component) return () => valueAt(e.binding, index(), lane)
        const component = value(e.component, 0)
        return () => valueAt(e.binding, index(), component())
      }
      case 'read':
        return invariant(false, 'a local array in a slice') as never
      case 'call': {
        const f = calledFunction(e.callee)
        const args = e.args.map((x) => value(x, 0))
        return () => f(args.map((x) => x()))
      }
      case 'threefry': {
        const [k0, k1, c0, c1] = e.args.map((x) => value(x, lane))
        return () => threefryWord(e.word, k0!(), k1!(), c0!(), c1!())
      }
      case 'native': {
        if (e.op === 'any' || e.op === 'all') {
          const f = laneTest[e.op]
          const xs = lanesOf(e.args[0]!.type.width).map((l) => value(e.args[0]!, l))
          return () => f(xs.map((x) => x()))
        }
        const f = nativeMeaning[e.op]
        const [x, y] = e.args.map((a) => value(a, lane))
        return y ? () => f(x!(), y()) : () => f(x!(), 0)
      }
      case 'apply': {
        const f = compiledFunction(e.callee)
        const args = e.args.flatMap((a) => lanesOf(a.type.width).map((l) => value(a, l)))
        return () => f(args.map((x) => x()))[e.result]![lane]!
      }
    }
  }

  const put = (to: readonly number[], values: readonly Num[]): Run => {
    const held = new Float64Array(values.length)
    return () => {
      for (let i = 0; i < values.length; i++) held[i] = values[i]!()
      for (let i = 0; i < values.length; i++) slots[to[i]!] = held[i]!
    }
  }

  const lanesOf = (width: number): readonly number[] => Array.from({ length: width }, (_, i) => i)
  const current = (): Block => blocks[blocks.length - 1]!

  return {
    slots,
    open: (variable) => {
      if (variable !== undefined) depths[variable] = blocks.length
      const block: Block = { computed: [], effects: [], memo: new Map() }
      blocks.push(block)
      return block
    },
    close: () => {
      blocks.pop()
    },
    sequence: ({ computed, effects }) => {
      const runs = [...computed.map((c) => c.run), ...effects]
      if (runs.length === 1) return runs[0]!
      return () => {
        for (let i = 0; i < runs.length; i++) runs[i]!()
      }
    },
    define: (name) => {
      const slot = allocate(blocks.length)
      names.set(name, { kind: 'slots', slots: [slot], changes: false })
      return slot
    },
    bind: (name, e, symbolic) => {
      const sum = affine(e)
      if (sum && (symbolic || sum.terms.size < 2)) {
        names.set(name, { kind: 'sum', affine: sum })
        return
      }
      if (sum) {
        const { depth, of } = ofSlots(sum.terms.keys(), '')
        const block = blocks[depth!]!
        const key = affineKey(sum)
        const slot = block.memo.get(key) ?? allocate(depth!, of)
        if (!block.memo.has(key)) {
          const compute = evaluateAffine(sum, slots)
          block.computed.push({ slot, run: () => (slots[slot] = compute()) })
          block.memo.set(key, slot)
        }
        names.set(name, { kind: 'sum', affine: slotAffine(slot) })
        return
      }
      const lanes = lanesOf(e.type.width)
      const own = lanes.map((l) => slotFor(e, l))
      if (own.every((s) => s !== undefined)) {
        names.set(name, { kind: 'slots', slots: own, changes: false })
        return
      }
      const made = lanes.map(() => allocate(blocks.length - 1))
      current().effects.push(
        put(
          made,
          lanes.map((l) => value(e, l)),
        ),
      )
      names.set(name, { kind: 'slots', slots: made, changes: true })
    },
    assign: (s) => {
      const e = s.kind === 'var' ? s.init : s.value
      const lanes = lanesOf(s.kind === 'var' ? s.type.width : s.value.type.width)
      const values = lanes.map((l): Num => (e ? value(e, l) : () => 0))
      if (s.kind === 'var') {
        const made = lanes.map(() => allocate(blocks.length - 1))
        names.set(s.name, { kind: 'slots', slots: made, changes: true })
      }
      const n = nameOf(s.name)
      if (n.kind === 'slots') current().effects.push(put(n.slots, values))
    },
    value,
    affine,
    isOutside: (e) => {
      const { depth } = factsOf(e)
      return depth !== undefined && depth < blocks.length - 1
    },
    split: (a, loop, counter, values) => {
      const depth = depths[counter]!
      const outside = new Map<number, number>()
      const inside = new Map<number, number>()
      for (const [slot, c] of a.terms) {
        const isInside = depths[slot]! >= depth
        if (isInside && ![...bases[slot]!].every((b) => b === counter)) return undefined
        ;(isInside ? inside : outside).set(slot, c)
      }
      // Constants, such as an element at a fixed index, depend on no loop but may be part of the offsets.
      const steps = [...blocks[0]!.computed, ...loop.computed].filter((c) =>
        [...bases[c.slot]!].every((b) => b === counter),
      )
      const offset = evaluateAffine({ constant: a.constant, terms: inside }, slots)
      const offsets = Int32Array.from(values, (i) => {
        slots[counter] = i
        for (const s of steps) s.run()
        return offset()
      })
      return { first: evaluateAffine({ constant: 0, terms: outside }, slots), offsets: distinct(offsets) }
    },
  }
}

const distinct = (xs: Int32Array): Int32Array => {
  const set = new Set(xs)
  return set.size === xs.length ? xs : Int32Array.from(set)
}

/** An upper bound on the number of slots: one per lane of each expression and name. */
const slotsIn = (body: readonly KStmt[]): number => {
  const count = (e: KExpr): number => operandsOf(e).reduce((n, o) => n + count(o), 2 * e.type.width)
  return body.reduce((n, s) => {
    const own = expressionsOf(s).reduce((m, e) => m + count(e), 8)
    if (s.kind === 'for') return n + own + slotsIn(s.body)
    return n + own + (s.kind === 'if' ? slotsIn(s.then) + slotsIn(s.else) : 0)
  }, 0)
}
