/** Bodies of routines, statement by statement. */
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { type StateEmitter, stateEmitter } from '../kernel/states.ts'
import type { Tensors } from './dispatch.ts'

/** Statements under construction, with states of monoids among them. */
export interface Builder {
  readonly t: Tensors
  readonly states: StateEmitter
  readonly push: (s: KStmt) => void
  /** A loop over [from, to). */
  readonly loop: (from: KExpr, to: KExpr, body: (i: KExpr) => void) => void
  /** What happens only where a condition holds. */
  readonly when: (condition: KExpr, body: () => void) => void
}

/** The statements that `fill` makes. */
export const buildStatements = (t: Tensors, fill: (b: Builder) => void): readonly KStmt[] => {
  const stack: KStmt[][] = [[]]
  const push = (s: KStmt): void => void stack[stack.length - 1]!.push(s)
  const inScope = (body: () => void): readonly KStmt[] => {
    stack.push([])
    body()
    return stack.pop()!
  }
  const loop: Builder['loop'] = (from, to, body) => {
    const counter = k.ref(t.name('step'))
    const statements = inScope(() => body(counter))
    if (counter.kind === 'ref') push(k.forStmt(counter.name, from, to, 1, statements))
  }
  const when: Builder['when'] = (condition, body) => push(k.ifStmt(condition, inScope(body)))
  fill({ t, states: stateEmitter(t.name, push, inScope), push, loop, when })
  return stack[0]!
}
