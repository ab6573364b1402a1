/** Runs functions of the Kernel IR on the CPU; each is compiled once for a target's instructions. */
import type { KFunction } from '../kernel.ts'
import { lanes } from './expression.ts'
import { type NativeMeaning, nativeMeaning } from './native-meaning.ts'
import { type CompiledFunction, define, type Invocation, type Scope } from './scope.ts'
import { compileBlock } from './statement.ts'

const compiled = new WeakMap<NativeMeaning, WeakMap<KFunction, CompiledFunction>>()

/** The function as a closure; it is not entered again before it returns, as functions do not call themselves. */
export const compiledFunction = (f: KFunction, native: NativeMeaning = nativeMeaning): CompiledFunction => {
  const all = compiled.get(native) ?? new WeakMap<KFunction, CompiledFunction>()
  compiled.set(native, all)
  const known = all.get(f) ?? compile(f, native)
  all.set(f, known)
  return known
}

const compile = (f: KFunction, native: NativeMeaning): CompiledFunction => {
  const scope: Scope = {
    kernel: f,
    functionOf: (callee) => compiledFunction(callee, native),
    native,
    group: { grid: 0 },
    memory: new Map(),
    arrays: new Map(),
    slots: new Map(),
    slotCount: 0,
    counters: undefined,
  }
  // Parameters take the first slots, in order.
  for (const p of f.params) define(scope, p.name, p.type.width)
  const run = compileBlock(scope, f.body)
  const results = f.results.map((r) => lanes(scope, r))
  const invocation: Invocation = { slots: new Float64Array(scope.slotCount), privates: [], local: 0 }
  return (args) => {
    invocation.slots.set(args)
    run(invocation)
    return results.map((r) => r.map((lane) => lane(invocation)))
  }
}
