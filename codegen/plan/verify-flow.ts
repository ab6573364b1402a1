/**
 * Whether every read of a Plan finds the value it names: the plan is run on names of values instead of values, and each
 * kernel's loads and stores are compared with what its step says. So a value is never overwritten while it is needed.
 */
import { sizeOf } from '../../src/lang/dim.ts'
import { accessOf, type KernelAccess, type MemoryAccess } from '../kernel/memory-access.ts'
import type { Place, PlacedValue, Plan } from './plan.ts'
import { covers, type Dispatch, elementBytes, overlaps, type PlanRule, type Report, showPlace } from './plan-fault.ts'
import { unrolled } from './steps.ts'

/** What lies where: disjoint stretches, each part or all of one value. `value` is undefined where a step names none. */
interface Tenant {
  readonly place: Place
  readonly value: number | undefined
}

/** What is left of a tenant where another moves in: a kernel may write a tensor in parts. */
const around = ({ place: p, value }: Tenant, taken: Place): readonly Tenant[] => {
  const [before, after] = [taken.offset - p.offset, p.offset + p.bytes - taken.offset - taken.bytes]
  return [
    ...(before > 0 ? [{ place: { ...p, bytes: before }, value }] : []),
    ...(after > 0 ? [{ place: { ...p, offset: taken.offset + taken.bytes, bytes: after }, value }] : []),
  ]
}

/** Two stretches of which one begins where the other ends, as one. */
const union = (a: Place, b: Place): Place | undefined =>
  a.arena === b.arena && (a.offset + a.bytes === b.offset || b.offset + b.bytes === a.offset)
    ? { ...a, offset: Math.min(a.offset, b.offset), bytes: a.bytes + b.bytes }
    : undefined

/** Reports every read of a missing or wrong value, every overwritten one, and every kernel that does other than its step says. */
export const checkFlow = (plan: Plan, report: Report): void => {
  let tenants: readonly Tenant[] = []
  const put = (place: Place, value: number | undefined): void => {
    let whole = place
    const others: Tenant[] = []
    for (const t of tenants.flatMap((t) => (overlaps(t.place, place) ? around(t, place) : [t]))) {
      const joint = value !== undefined && t.value === value ? union(whole, t.place) : undefined
      if (joint) whole = joint
      else others.push(t)
    }
    tenants = [...others, { place: whole, value }]
  }
  const holds = (place: Place, value: number | undefined): boolean =>
    value === undefined
      ? tenants.some((t) => overlaps(t.place, place))
      : tenants.some((t) => t.value === value && covers(t.place, place))
  const found = (place: Place): string => {
    const there = tenants.filter((t) => overlaps(t.place, place))
    return there.length === 0
      ? 'nothing'
      : there.map((t) => (t.value === undefined ? 'a value' : `value ${t.value}`)).join(', ')
  }
  const fixed = [
    ...plan.data.map((s, i) => ({ place: s.place, what: `constant ${i}` })),
    ...plan.inputs
      .filter((s) => !s.donated)
      .map((s) => ({ place: s.place, what: `argument ${s.path}, which was not given away,` })),
  ]
  const overwrite = (place: Place, step: number): void => {
    for (const f of fixed)
      if (overlaps(f.place, place)) report('overwritten', `${f.what} at ${showPlace(f.place)} is overwritten`, step)
  }
  for (const s of [...plan.data, ...plan.inputs]) put(s.place, s.value)
  const kernels = new Map<string, KernelAccess>()
  // Two turns of a loop show what a turn finds of the one before.
  unrolled(plan.steps, 2).forEach((step, i) => {
    if (step.kind === 'copy') {
      const from = tenants.find((t) => covers(t.place, step.from))
      if (!from) report('stale', `a copy from ${showPlace(step.from)}, which holds ${found(step.from)}`, i)
      overwrite(step.to, i)
      put(step.to, from?.value)
      return
    }
    const key = `${step.kernel}:${step.workgroups}`
    const access = kernels.get(key) ?? accessOf(plan.kernels[step.kernel]!.kernel, step.workgroups)
    kernels.set(key, access)
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

/** What a step says it reads and writes; else the bindings it loads from and stores to. */
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

/** Compares the kernel's loads and stores with the values that the step names. */
const checkAccesses = (
  plan: Plan,
  step: Dispatch,
  reads: readonly PlacedValue[],
  writes: readonly PlacedValue[],
  { accesses, isReadInPlace }: KernelAccess,
  report: (rule: PlanRule, message: string, value?: number) => void,
): void => {
  const { kernel } = plan.kernels[step.kernel]!
  // Emitted plans leave the bodies of kernels out.
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
      // Bounds of a routine's indices are no tighter than intervals can tell.
      const target = writes.find((w) => covers(w.place, at) || (step.inParts && overlaps(w.place, at)))
      if (!target) {
        report('access', `kernel ${kernel.name} stores to ${name} at ${showPlace(at)}, which is no result of the step`)
        continue
      }
      const extent = reached.get(target)!
      reached.set(target, { low: Math.min(extent.low, at.offset), high: Math.max(extent.high, at.offset + at.bytes) })
      continue
    }
    // Bounds of an index are no smaller than what it reaches, often greater: then it is any value that they touch.
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
