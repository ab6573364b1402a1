/**
 * Runs a kernel on the CPU: f32 rounding at every operation, workgroup memory, barriers, and errors where a device would
 * be silent (indices out of range, barriers in non-uniform control flow). The kernel's tree becomes closures once; vectors
 * become one closure a lane. A `select` evaluates only the side it takes, so a masked load may point anywhere.
 */
import { invariant } from '../../src/lang/errors.ts'
import { flopsOf } from '../flops.ts'
import type { KExpr, Kernel, KStmt } from '../kernel.ts'
import { castValue, roundTo, wordBits, wordValue } from '../scalar-value.ts'
import { bindMemory, type Counters, type HostBinding, type Memory } from './memory.ts'
import { binaryFunction, threefryWord, unaryFunction } from './scalar.ts'
import { calledFunction, runText, textBytes } from './user.ts'

export { type Counters, type HostBinding, makeCounters } from './memory.ts'

/** One invocation: its variables by slot, its private arrays, its place. */
interface Invocation {
  readonly slots: Float64Array
  readonly privates: readonly Float64Array[]
  local: number
}

interface Group {
  grid: number
}

type Lane = (v: Invocation) => number
type Run = (v: Invocation) => void
/** Runs all invocations of a workgroup to the end of a statement list that holds barriers. */
type RunAll = (vs: readonly Invocation[]) => void

interface Scope {
  readonly kernel: Kernel
  readonly group: Group
  readonly memory: ReadonlyMap<string, Memory>
  readonly arrays: ReadonlyMap<string, (v: Invocation) => Float64Array>
  readonly slots: Map<string, number>
  slotCount: number
  readonly counters: Counters | undefined
}

/** Runs `workgroups` workgroups in order over the bindings, which are written in place; adds to `counters` where given. */
export const runKernel = (
  kernel: Kernel,
  workgroups: number,
  bindings: readonly HostBinding[],
  counters?: Counters,
): void => {
  invariant(
    bindings.length === kernel.bindings.length,
    `${kernel.name}: ${bindings.length} of ${kernel.bindings.length} bindings`,
  )
  const group: Group = { grid: 0 }
  const where = (): string => `workgroup ${group.grid} of ${kernel.name}`
  const memory = kernel.bindings.map((b, i) => bindMemory(b, bindings[i]!, counters !== undefined, where))
  if (kernel.text) {
    runText(kernel, kernel.text, memory)
    if (counters) counters.bytes += textBytes(kernel, kernel.text)
    return
  }
  const shared: Float64Array[] = []
  const arrays = new Map<string, (v: Invocation) => Float64Array>()
  const privateSizes: number[] = []
  for (const a of kernel.arrays) {
    const length = a.size * a.element.width
    if (a.space === 'workgroup') {
      const cells = new Float64Array(length)
      shared.push(cells)
      arrays.set(a.name, () => cells)
    } else {
      const i = privateSizes.push(length) - 1
      arrays.set(a.name, (v) => v.privates[i]!)
    }
  }
  const scope: Scope = {
    kernel,
    group,
    memory: new Map(memory.map((m) => [m.name, m])),
    arrays,
    slots: new Map(),
    slotCount: 0,
    counters,
  }
  const lockstep = hasBarrier(kernel.body)
  const runAll = lockstep ? compileLockstep(scope, kernel.body) : undefined
  const run = lockstep ? undefined : compileBlock(scope, kernel.body)
  const invocations = Array.from({ length: lockstep ? kernel.workgroupSize : 1 }, (_, local) => ({
    slots: new Float64Array(scope.slotCount),
    privates: privateSizes.map((n) => new Float64Array(n)),
    local,
  }))
  for (group.grid = 0; group.grid < workgroups; group.grid++) {
    for (const cells of shared) cells.fill(0)
    for (const m of memory) m.nextWorkgroup()
    if (runAll) {
      for (const v of invocations) for (const p of v.privates) p.fill(0)
      runAll(invocations)
    } else {
      const v = invocations[0]!
      for (v.local = 0; v.local < kernel.workgroupSize; v.local++) {
        for (const p of v.privates) p.fill(0)
        run!(v)
      }
    }
  }
  if (!counters) return
  memory.forEach((m, i) => {
    counters.bindings[i] = (counters.bindings[i] ?? 0) + m.touched()
    counters.bytes += m.touched()
  })
}

/** Whether a barrier is among the statements, at any depth. */
export const hasBarrier = (body: readonly KStmt[]): boolean =>
  body.some(
    (s) =>
      s.kind === 'barrier' ||
      (s.kind === 'for' && hasBarrier(s.body)) ||
      (s.kind === 'if' && (hasBarrier(s.then) || hasBarrier(s.else))),
  )

const slotOf = (c: Scope, name: string): number => {
  const slot = c.slots.get(name)
  invariant(slot !== undefined, `${c.kernel.name}: ${name} is used before it is defined`)
  return slot
}

const define = (c: Scope, name: string, width: number): number => {
  invariant(!c.slots.has(name), `${c.kernel.name}: ${name} is defined twice`)
  const slot = c.slotCount
  c.slots.set(name, slot)
  c.slotCount += width
  return slot
}

const memoryOf = (c: Scope, name: string): Memory => {
  const m = c.memory.get(name)
  invariant(m, `${c.kernel.name}: no binding ${name}`)
  return m
}

const arrayOf = (c: Scope, name: string): ((v: Invocation) => Float64Array) => {
  const a = c.arrays.get(name)
  invariant(a, `${c.kernel.name}: no array ${name}`)
  return a
}

/** The offset of element `index` of an array, checked. */
const cell = (c: Scope, name: string, cells: Float64Array, index: number, width: number): number => {
  const at = index * width
  if (at >= cells.length)
    throw new Error(
      `tensorloom bug: ${name}[${index}] of ${cells.length / width} elements, workgroup ${c.group.grid} of ${c.kernel.name}`,
    )
  return at
}

/** One closure per lane. */
const lanes = (c: Scope, e: KExpr): readonly Lane[] => {
  const { scalar, width } = e.type
  const each = (f: (lane: number) => Lane): readonly Lane[] => Array.from({ length: width }, (_, i) => f(i))
  switch (e.kind) {
    case 'lit': {
      const x = roundTo(scalar, e.value)
      return [() => x]
    }
    case 'ref': {
      const slot = slotOf(c, e.name)
      return each((i) => (v) => v.slots[slot + i]!)
    }
    case 'builtin':
      return e.name === 'gridIndex' ? [() => c.group.grid] : [(v) => v.local]
    case 'unary': {
      const f = unaryFunction(e.op, e.a.type.scalar)
      const a = lanes(c, e.a)
      return each((i) => {
        const x = a[i]!
        return (v) => f(x(v))
      })
    }
    case 'binary': {
      const f = binaryFunction(e.op, e.a.type.scalar)
      const a = lanes(c, e.a)
      const b = lanes(c, e.b)
      return each((i) => {
        const x = a[i]!
        const y = b[i]!
        return (v) => f(x(v), y(v))
      })
    }
    case 'fma': {
      const [a, b, d] = [lanes(c, e.a), lanes(c, e.b), lanes(c, e.c)]
      return each((i) => {
        const [x, y, z] = [a[i]!, b[i]!, d[i]!]
        return (v) => roundTo(scalar, x(v) * y(v) + z(v))
      })
    }
    case 'select': {
      const [cond, a, b] = [lanes(c, e.cond), lanes(c, e.a), lanes(c, e.b)]
      return each((i) => {
        const [p, x, y] = [cond[i]!, a[i]!, b[i]!]
        return (v) => (p(v) !== 0 ? x(v) : y(v))
      })
    }
    case 'cast': {
      const from = e.a.type.scalar
      return lanes(c, e.a).map((x) => (v) => castValue(from, scalar, x(v)))
    }
    case 'bitcast': {
      const from = e.a.type.scalar
      return lanes(c, e.a).map((x) => (v) => wordValue(scalar, wordBits(from, x(v))))
    }
    case 'splat': {
      const x = lanes(c, e.a)[0]!
      return each(() => x)
    }
    case 'vec':
      return e.items.map((x) => lanes(c, x)[0]!)
    case 'lane':
      return [lanes(c, e.a)[e.lane]!]
    case 'load': {
      const m = memoryOf(c, e.binding)
      const index = lanes(c, e.index)[0]!
      if (!e.component) return each((i) => (v) => m.get(index(v), i))
      const component = lanes(c, e.component)[0]!
      return [(v) => m.get(index(v), component(v))]
    }
    case 'read': {
      const array = arrayOf(c, e.array)
      const index = lanes(c, e.index)[0]!
      return each((i) => (v) => {
        const cells = array(v)
        return cells[cell(c, e.array, cells, index(v), width) + i]!
      })
    }
    case 'call': {
      const f = calledFunction(e.callee)
      const args = e.args.map((x) => lanes(c, x)[0]!)
      return [(v) => f(args.map((x) => x(v)))]
    }
    case 'threefry': {
      const [k0, k1, c0, c1] = e.args.map((x) => lanes(c, x))
      return each((i) => (v) => threefryWord(e.word, k0![i]!(v), k1![i]!(v), c0![i]!(v), c1![i]!(v)))
    }
  }
}

/** All lanes evaluated before any is passed on: an assignment may read what it writes. */
const into = (values: readonly Lane[], put: (v: Invocation, lane: number, x: number) => void): Run => {
  const [first, ...rest] = values
  if (rest.length === 0) return (v) => put(v, 0, first!(v))
  const held = new Float64Array(values.length)
  return (v) => {
    for (let i = 0; i < values.length; i++) held[i] = values[i]!(v)
    for (let i = 0; i < values.length; i++) put(v, i, held[i]!)
  }
}

/** Adds the units of `es` at every execution, when somebody counts. */
const counted = (c: Scope, es: readonly KExpr[], run: Run): Run => {
  const { counters } = c
  const units = counters ? es.reduce((n, e) => n + flopsOf(e), 0) : 0
  if (!counters || units === 0) return run
  return (v) => {
    counters.flops += units
    run(v)
  }
}

const compileBlock = (c: Scope, body: readonly KStmt[]): Run => {
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

/** The one value all invocations agree on; a barrier below depends on it. */
const uniform = (c: Scope, x: Lane, vs: readonly Invocation[], what: string): number => {
  const first = x(vs[0]!)
  for (const v of vs)
    invariant(x(v) === first, `${c.kernel.name}: ${what} around a barrier differs between invocations`)
  return first
}

/** Statements without barriers run invocation by invocation, those with barriers statement by statement for all. */
const compileLockstep = (c: Scope, body: readonly KStmt[]): RunAll => {
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
