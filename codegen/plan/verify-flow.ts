/**
 * Data-flow verification of a Plan: it is executed abstractly, on value numbers instead of values, and the loads and
 * stores of each kernel are compared with what its step declares. So no value is overwritten while it is live.
 */
import { covers, overlaps, showPlace } from '../../passes/memory/place-bytes.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { elementBytes } from '../kernel/element-bytes.ts'
import { accessOf, type KernelAccess, type MemoryAccess } from '../kernel/memory-access.ts'
import type { Place, PlacedValue, Plan } from './plan.ts'
import type { Dispatch, PlanRule, Report } from './plan-fault.ts'
import { kernelOf, unrolled } from './steps.ts'
import { createStretches } from './stretches.ts'

/**
 * The abstract memory: disjoint places, each holding (part of) one value; `value` is undefined where a step names none.
 */
interface Tenant {
  readonly place: Place
  readonly value: number | undefined
}

const withValue = (tenants: readonly Tenant[], value: number | undefined): readonly Tenant[] =>
  tenants.filter((t) => t.value === value)

/** Whether stretches in the order of their offsets cover all of `place` together. */
const coverTogether = (place: Place, stretches: readonly Tenant[]): boolean => {
  let at = place.offset
  for (const s of stretches) if (s.place.offset <= at) at = Math.max(at, s.place.offset + s.place.bytes)
  return at >= place.offset + place.bytes
}

/**
 * Reports reads of missing or wrong values, overwritten live values, and kernels that deviate from what their step
 * declares.
 */
export const checkFlow = (plan: Plan, report: Report): void => {
  const tenants = createStretches<Tenant>()
  const put = (place: Place, value: number | undefined): void => tenants.put({ place, value })
  // A value may lie in several stretches: a kernel may write a part of it.
  const holds = (place: Place, value: number | undefined): boolean => {
    const there = tenants.at(place)
    if (value === undefined) return there.length > 0
    return coverTogether(place, withValue(there, value))
  }
  const found = (place: Place): string => {
    const there = tenants.at(place)
    return there.length === 0
      ? 'nothing'
      : there.map((t) => (t.value === undefined ? 'a value' : `value ${t.value}`)).join(', ')
  }
  const fixed = createStretches<{ readonly place: Place; readonly what: string }>()
  for (const [i, s] of plan.data.entries()) fixed.put({ place: s.place, what: `constant ${i}` })
  for (const s of plan.inputs)
    if (!s.donated) fixed.put({ place: s.place, what: `argument ${s.path}, which was not given away,` })
  const overwrite = (place: Place, step: number): void => {
    for (const f of fixed.at(place)) report('overwritten', `${f.what} at ${showPlace(f.place)} is overwritten`, step)
  }
  for (const s of [...plan.data, ...plan.inputs]) put(s.place, s.value)
  // Two turns of a loop show what a turn finds of the one before.
  unrolled(plan.steps, 2).forEach((step, i) => {
    if (step.kind === 'copy') {
      const there = tenants.at(step.from)
      const from = there.find(({ value }) => coverTogether(step.from, withValue(there, value)))
      if (!from) report('stale', `a copy from ${showPlace(step.from)}, which holds ${found(step.from)}`, i)
      overwrite(step.to, i)
      put(step.to, from?.value)
      return
    }
    const access = accessOf(kernelOf(plan, step), step.workgroups)
    const placed = namedAccesses(plan, step, access.accesses)
    for (const { value, place } of placed.reads) {
      if (holds(place, value) || (step.inParts && placed.writes.some((w) => w.value === value))) continue
      const what = value === undefined ? 'something' : `value ${value}`
      report('stale', `reads ${what} at ${showPlace(place)}, which holds ${found(place)}`, i)
    }
    if (step.reads && step.writes)
      checkAccesses(plan, step, step.reads, step.writes, access, (rule, message, value) =>
        report(rule, message, i, value),
      )
    placed.writes.forEach((a, n) => {
      overwrite(a.place, i)
      if (placed.writes.some((b, m) => m < n && step.writes && overlaps(a.place, b.place)))
        report('place', `two results of one dispatch overlap at ${showPlace(a.place)}`, i)
      put(a.place, a.value)
    })
  })
  for (const { path, place, value, shape } of plan.outputs) {
    if (sizeOf(shape) === 0 || holds(place, value)) continue
    const what = value === undefined ? '' : `, value ${value},`
    report('result', `result ${path}${what} is not at ${showPlace(place)}: there is ${found(place)}`)
  }
}

interface Named {
  readonly value: number | undefined
  readonly place: Place
}

/** The reads and writes that a step declares; else the bindings that its kernel loads from and stores to. */
const namedAccesses = (
  plan: Plan,
  step: Dispatch,
  accesses: readonly MemoryAccess[],
): { readonly reads: readonly Named[]; readonly writes: readonly Named[] } => {
  const { bindings } = plan.kernels[step.kernel]!.kernel
  const of = (kind: MemoryAccess['kind']): readonly Named[] =>
    step.bindings
      .filter(
        (_, b) =>
          (kind === 'load' || bindings[b]!.access === 'read_write') &&
          accesses.some((a) => a.kind === kind && a.binding === b),
      )
      .map((place) => ({ place, value: undefined }))
  return { reads: step.reads ?? of('load'), writes: step.writes ?? of('store') }
}

/** Compares the kernel's loads and stores with the values that the step declares. */
const checkAccesses = (
  plan: Plan,
  step: Dispatch,
  reads: readonly PlacedValue[],
  writes: readonly PlacedValue[],
  { accesses, isReadInPlace }: KernelAccess,
  report: (rule: PlanRule, message: string, value?: number) => void,
): void => {
  const kernel = kernelOf(plan, step)
  // Emitted plans have no kernel bodies.
  if (kernel.body.length === 0) return
  const touched = (a: MemoryAccess): Place => {
    const place = step.bindings[a.binding]!
    if (!a.elements) return place
    const unit = elementBytes(kernel.bindings[a.binding]!.element)
    return {
      arena: place.arena,
      offset: place.offset + a.elements.low * unit,
      bytes: Math.max(0, a.elements.high - a.elements.low + 1) * unit,
    }
  }
  const reached = new Map(writes.map((w) => [w, { low: Number.POSITIVE_INFINITY, high: 0 }]))
  for (const a of accesses) {
    const at = touched(a)
    if (at.bytes === 0) continue
    const name = kernel.bindings[a.binding]!.name
    if (a.kind === 'store') {
      // For routines, index ranges are only as tight as interval analysis makes them.
      const target = writes.find((w) => covers(w.place, at) || (step.inParts && overlaps(w.place, at)))
      if (!target) {
        report('access', `kernel ${kernel.name} stores to ${name} at ${showPlace(at)}, which is no result of the step`)
        continue
      }
      const extent = reached.get(target)!
      reached.set(target, { low: Math.min(extent.low, at.offset), high: Math.max(extent.high, at.offset + at.bytes) })
      continue
    }
    // Index ranges are conservative: where no value contains the range, any value that overlaps it may be read.
    const inside = reads.filter((r) => covers(r.place, at))
    const candidates = inside.length > 0 ? inside : reads.filter((r) => overlaps(r.place, at))
    if (candidates.length === 0 && !(step.inParts && writes.some((w) => overlaps(w.place, at)))) {
      report(
        'access',
        `kernel ${kernel.name} loads from ${name} at ${showPlace(at)}, which is no value that the step reads`,
      )
      continue
    }
    const lost = candidates.filter((r) => writes.some((w) => overlaps(w.place, r.place)))
    if (lost.length === 0 || step.inParts || isReadInPlace(a)) continue
    for (const { value, place } of lost)
      report(
        'in place',
        `kernel ${kernel.name} overwrites value ${value} at ${showPlace(place)}, which it reads from ${name} elsewhere`,
        value,
      )
  }
  if (step.inParts) return
  for (const [w, extent] of reached) {
    const ends = w.place.offset + w.place.bytes
    if (extent.low !== w.place.offset || extent.high <= ends - 16 || extent.high > ends)
      report('access', `kernel ${kernel.name} does not write all of value ${w.value} at ${showPlace(w.place)}`)
  }
}
