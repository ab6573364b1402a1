/** States of monoids in the variables of a kernel: begun, merged, and carried from level to level of a tree. */
import type { KernelDType } from '../../src/lang/dtype.ts'
import { type MonoidRow, radix } from '../../src/lang/monoids.ts'
import * as k from './build-kernel.ts'
import type { KExpr, KStmt } from './kernel.ts'
import { kernelArithmetic } from './kernel-arithmetic.ts'

/** The components of a state, or variables that hold them. */
export type State = readonly KExpr[]

/** States of elements of a dtype, four lanes of them with `width` 4. */
export interface Kind {
  readonly row: MonoidRow
  readonly dtype: KernelDType
  readonly width: 1 | 4
}

/** Variables of the levels of a tree, the lowest first. */
export interface Climb {
  readonly kind: Kind
  readonly levels: readonly State[]
}

export interface StateEmitter {
  /** New variables that hold the identity. */
  readonly begin: (kind: Kind) => State
  readonly identity: (kind: Kind) => State
  readonly reset: (kind: Kind, state: State) => void
  readonly assign: (state: State, next: State) => void
  /** A name for what is used more than once. */
  readonly hold: (e: KExpr) => KExpr
  /** Names for components that are used more than once in what follows. */
  readonly named: (state: State) => State
  /** The state of an element. */
  readonly lift: (kind: Kind, x: KExpr, position?: KExpr) => State
  readonly merge: (kind: Kind, first: State, second: State) => State
  readonly finish: (kind: Kind, state: State) => readonly KExpr[]
  /**
   * Where `number` is the last of `4^i·unit` that go into level i, that level goes into the next and begins anew. The first
   * level takes part from `unit`·4 on.
   */
  readonly carry: (climbs: readonly Climb[], number: KExpr, unit: number) => void
  /** All levels as one. */
  readonly total: (climb: Climb) => State
}

/** Emits through `push`; `inScope` gives the statements that are emitted meanwhile. */
export const stateEmitter = (
  name: (prefix: string) => string,
  push: (s: KStmt) => void,
  inScope: (fill: () => void) => readonly KStmt[],
): StateEmitter => {
  const a = kernelArithmetic((e) => {
    const id = name('v')
    push(k.letStmt(id, e))
    return k.ref(id, e.type)
  })
  const identity = ({ row, dtype, width }: Kind): State => {
    const components = row.components(dtype)
    return row.identity(dtype).map((value, i) => k.splat(k.lit(value, components[i]!), width))
  }
  const named: StateEmitter['named'] = (state) => (state.length > 1 ? state.map(a.hold) : state)
  const write = (state: State, next: State): void => {
    for (const [i, s] of state.entries()) if (s.kind === 'ref') push(k.assign(s.name, next[i]!))
  }
  // A component may be computed from the old value of another.
  const assign: StateEmitter['assign'] = (state, next) => write(state, named(next))
  const merge: StateEmitter['merge'] = ({ row, dtype }, first, second) => row.merge(a, first, second, dtype)
  const reset: StateEmitter['reset'] = (kind, state) => write(state, identity(kind))

  const carryFrom = (climbs: readonly Climb[], number: KExpr, unit: number, level: number): void => {
    const going = climbs.filter((c) => level + 1 < c.levels.length)
    if (going.length === 0) return
    const mask = k.u32(unit * radix ** (level + 1) - 1)
    const statements = inScope(() => {
      for (const { kind, levels } of going) {
        assign(levels[level + 1]!, merge(kind, levels[level + 1]!, levels[level]!))
        reset(kind, levels[level]!)
      }
      carryFrom(going, number, unit, level + 1)
    })
    push(k.ifStmt(k.eq(k.and(number, mask), mask), statements))
  }

  return {
    begin: (kind) =>
      identity(kind).map((init) => {
        const id = name('acc')
        push(k.varStmt(id, init.type, init))
        return k.ref(id, init.type)
      }),
    identity,
    hold: a.hold,
    reset,
    assign,
    named,
    lift: ({ row, dtype }, x, position) => row.lift(a, x, dtype, position),
    merge,
    finish: ({ row, dtype }, state) => row.finish(a, state, dtype),
    carry: (climbs, number, unit) => carryFrom(climbs, number, unit, 0),
    total: ({ kind, levels }) => levels.reduce((low, high) => merge(kind, high, named(low))),
  }
}
