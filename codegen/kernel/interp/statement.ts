/**
 * Compiles kernel statements to closures: per invocation where there is no barrier, in lockstep for the workgroup where
 * there is.
 */
import { invariant } from '../../../src/lang/errors.ts'
import { flopsOf } from '../flops.ts'
import type { KExpr, KStmt } from '../kernel.ts'
import { hasBarrier } from '../parts.ts'
import { lanes } from './expression.ts'
import { arrayOf, cell, define, type Invocation, type Lane, memoryOf, type Scope, slotOf } from './scope.ts'

type Run = (v: Invocation) => void
/** Runs all invocations of a workgroup through a statement list with barriers. */
type RunAll = (vs: readonly Invocation[]) => void

/** Evaluates all lanes before any is written: an assignment may read its own target. */
const into = (values: readonly Lane[], put: (v: Invocation, lane: number, x: number) => void): Run => {
  const [first, ...rest] = values
  if (rest.length === 0) return (v) => put(v, 0, first!(v))
  const held = new Float64Array(values.length)
  return (v) => {
    for (let i = 0; i < values.length; i++) held[i] = values[i]!(v)
    for (let i = 0; i < values.length; i++) put(v, i, held[i]!)
  }
}

/** Adds the units of `es` at every execution, when counters are given. */
const counted = (c: Scope, es: readonly KExpr[], run: Run): Run => {
  const { counters } = c
  const units = counters ? es.reduce((n, e) => n + flopsOf(e), 0) : 0
  if (!counters || units === 0) return run
  return (v) => {
    counters.flops += units
    run(v)
  }
}

export const compileBlock = (c: Scope, body: readonly KStmt[]): Run => {
  const steps = body.map((s) => compileStatement(c, s))
  if (steps.length === 1) return steps[0]!
  return (v) => {
    for (let i = 0; i < steps.length; i++) steps[i]!(v)
  }
}

const compileStatement = (c: Scope, s: KStmt): Run => {
  switch (s.kind) {
    case 'let':
    case 'var': {
      const init = s.kind === 'let' ? s.value : s.init
      const width = s.kind === 'let' ? s.value.type.width : s.type.width
      const values = init ? lanes(c, init) : Array.from({ length: width }, (): Lane => () => 0)
      const slot = define(c, s.name, width)
      return counted(
        c,
        init ? [init] : [],
        into(values, (v, i, x) => (v.slots[slot + i] = x)),
      )
    }
    case 'assign': {
      const slot = slotOf(c, s.name)
      return counted(
        c,
        [s.value],
        into(lanes(c, s.value), (v, i, x) => (v.slots[slot + i] = x)),
      )
    }
    case 'store': {
      const m = memoryOf(c, s.binding)
      const index = lanes(c, s.index)[0]!
      return counted(
        c,
        [s.value],
        into(lanes(c, s.value), (v, i, x) => m.set(index(v), i, x)),
      )
    }
    case 'write': {
      const array = arrayOf(c, s.array)
      const index = lanes(c, s.index)[0]!
      const { width } = s.value.type
      const put = (v: Invocation, i: number, x: number): void => {
        const cells = array(v)
        cells[cell(c, s.array, cells, index(v), width) + i] = x
      }
      return counted(c, [s.value], into(lanes(c, s.value), put))
    }
    case 'for': {
      const from = lanes(c, s.from)[0]!
      const to = lanes(c, s.to)[0]!
      const slot = define(c, s.name, 1)
      const body = compileBlock(c, s.body)
      const { step } = s
      return (v) => {
        for (let i = from(v); i < to(v); i += step) {
          v.slots[slot] = i
          body(v)
        }
      }
    }
    case 'if': {
      const cond = lanes(c, s.cond)[0]!
      const then = compileBlock(c, s.then)
      const otherwise = compileBlock(c, s.else)
      return counted(c, [s.cond], (v) => (cond(v) !== 0 ? then(v) : otherwise(v)))
    }
    case 'barrier':
      throw new Error('tensorloom bug: a barrier outside of lockstep')
  }
}

/** The value of an expression that must be uniform over the workgroup, as a barrier depends on it. */
const uniform = (c: Scope, x: Lane, vs: readonly Invocation[], what: string): number => {
  const first = x(vs[0]!)
  for (const v of vs)
    invariant(x(v) === first, `${c.kernel.name}: ${what} around a barrier differs between invocations`)
  return first
}

/** Statements without barriers run one invocation at a time; those with barriers run in lockstep. */
export const compileLockstep = (c: Scope, body: readonly KStmt[]): RunAll => {
  const steps: RunAll[] = []
  let segment: KStmt[] = []
  const flush = (): void => {
    if (segment.length === 0) return
    const run = compileBlock(c, segment)
    segment = []
    steps.push((vs) => {
      for (const v of vs) run(v)
    })
  }
  for (const s of body) {
    if (!hasBarrier([s])) {
      segment.push(s)
      continue
    }
    flush()
    if (s.kind === 'for') {
      const from = lanes(c, s.from)[0]!
      const to = lanes(c, s.to)[0]!
      const slot = define(c, s.name, 1)
      const inner = compileLockstep(c, s.body)
      steps.push((vs) => {
        for (
          let i = uniform(c, from, vs, 'the start of a loop');
          i < uniform(c, to, vs, 'the end of a loop');
          i += s.step
        ) {
          for (const v of vs) v.slots[slot] = i
          inner(vs)
        }
      })
    } else if (s.kind === 'if') {
      const cond = lanes(c, s.cond)[0]!
      const then = compileLockstep(c, s.then)
      const otherwise = compileLockstep(c, s.else)
      steps.push((vs) => (uniform(c, cond, vs, 'a condition') !== 0 ? then(vs) : otherwise(vs)))
    }
  }
  flush()
  return (vs) => {
    for (const step of steps) step(vs)
  }
}
