/**
 * Verification of a Plan: every place lies in its arena, every dispatch is one that WebGPU allows, and every read finds
 * the value it names. A static analysis of the plan alone; `makePlan` verifies every plan it returns.
 */

import { boundBytes, isInOneBuffer, overlaps, showPlace } from '../../passes/memory/place-bytes.ts'
import { largestBuffer, userThreads } from '../../passes/profile.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { byteSize } from '../../src/lang/dtype.ts'
import type { ArgumentError } from '../../src/lang/errors.ts'
import { elementBytes } from '../kernel/element-bytes.ts'
import { overText } from '../kernel/text-limits.ts'
import type { Place, Plan } from './plan.ts'
import { type Dispatch, type PlanFault, type PlanRule, type Report, showFault } from './plan-fault.ts'
import { everyStep } from './steps.ts'
import { checkFlow } from './verify-flow.ts'

/** All faults of `plan`, places first, then steps in order; none for a sound one. */
export const verifyPlan = (plan: Plan): readonly PlanFault[] => {
  const faults: PlanFault[] = []
  const report: Report = (rule, message, step, value) => {
    faults.push({ rule, message, ...(step === undefined ? {} : { step }), ...(value === undefined ? {} : { value }) })
  }
  checkSlots(plan, report)
  checkOrder(plan, report)
  for (const { kernel } of plan.kernels) {
    const over = overText(kernel)
    if (over) report('limit', `kernel ${kernel.name}: ${over.what}: ${over.needed} of ${over.limit}`)
  }
  everyStep(plan.steps).forEach((step, i) => {
    if (step.kind === 'dispatch') checkBindings(plan, step, (rule, message) => report(rule, message, i))
  })
  // Data flow is meaningless where places are wrong.
  if (faults.length === 0) checkFlow(plan, report)
  return faults
}

/** The error for an unsound plan from outside; undefined for a sound one. */
export const planError = (plan: Plan): ArgumentError | undefined => {
  const faults = verifyPlan(plan)
  if (faults.length === 0) return undefined
  const reason = `is no sound plan: ${faults.map(showFault).join('; ')}`
  return { tag: 'ArgumentError', path: 'plan', reason, hint: 'compile the program again' }
}

const checkPlace = (plan: Plan, p: Place, what: string, report: (message: string) => void): void => {
  const size = plan.arenas[p.arena]
  const whole = [p.offset, p.bytes].every((n) => Number.isSafeInteger(n) && n >= 0)
  if (size === undefined || !whole || p.offset + p.bytes > size)
    report(`${what} at ${showPlace(p)} is outside its arena of ${size ?? 'no'} bytes`)
  else if (p.offset % plan.profile.offsetAlignment !== 0)
    report(`${what} at ${showPlace(p)} is not aligned to ${plan.profile.offsetAlignment}`)
}

const checkSlots = (plan: Plan, report: Report): void => {
  const loaded = [
    ...plan.inputs.map((s) => ({
      what: `argument ${s.path}`,
      place: s.place,
      bytes: sizeOf(s.shape) * byteSize(s.dtype),
    })),
    ...plan.data.map((s, i) => ({ what: `constant ${i}`, place: s.place, bytes: s.values.length * byteSize(s.dtype) })),
  ]
  const results = plan.outputs.map((s) => ({
    what: `result ${s.path}`,
    place: s.place,
    bytes: sizeOf(s.shape) * byteSize(s.dtype),
  }))
  for (const { what, place, bytes } of [...loaded, ...results]) {
    checkPlace(plan, place, what, (message) => report('place', message))
    if (bytes > place.bytes) report('place', `${what} needs ${bytes} bytes and has ${place.bytes}`)
  }
  const byPlace = [...loaded].sort((a, b) => a.place.arena - b.place.arena || a.place.offset - b.place.offset)
  byPlace.forEach((slot, i) => {
    const next = byPlace[i + 1]
    if (next && overlaps(slot.place, next.place)) report('place', `${slot.what} and ${next.what} overlap`)
  })
  for (const { path, shape, dtype, place, inPlaceOf } of plan.outputs) {
    if (inPlaceOf === undefined) continue
    const input = plan.inputs[inPlaceOf]
    const same =
      input?.donated &&
      input.dtype === dtype &&
      `${input.shape}` === `${shape}` &&
      showPlace(input.place) === showPlace(place)
    if (!same) report('result', `result ${path} cannot take the place of argument ${input?.path ?? inPlaceOf}`)
  }
}

const checkOrder = (plan: Plan, report: Report): void => {
  const dispatches = plan.steps.flatMap((s, i) => (s.kind === 'copy' ? [] : [i]))
  const [first, last] = [dispatches[0] ?? 0, dispatches[dispatches.length - 1] ?? -1]
  plan.steps.forEach((s, i) => {
    if (s.kind !== 'copy') return
    if (i > first && i < last) report('order', 'a copy between dispatches', i)
    for (const [what, p] of [
      ['a copy from', s.from],
      ['a copy to', s.to],
    ] as const)
      checkPlace(plan, p, what, (message) => report('place', message, i))
    if (s.from.bytes !== s.to.bytes) report('place', `a copy of ${s.from.bytes} bytes to ${s.to.bytes}`, i)
  })
}

const checkBindings = (plan: Plan, step: Dispatch, report: (rule: PlanRule, message: string) => void): void => {
  const { profile } = plan
  const kernel = plan.kernels[step.kernel]?.kernel
  if (!kernel) {
    report('binding', `there is no kernel ${step.kernel}`)
    return
  }
  const over = (what: string, needed: number, limit: number): void => {
    if (needed > limit) report('limit', `kernel ${kernel.name}: ${what}: ${needed} of ${limit}`)
  }
  over('storage buffers', step.bindings.length, profile.storageBuffers)
  over(
    'invocations of a workgroup',
    kernel.workgroupSize,
    kernel.text ? userThreads(profile) : profile.workgroupThreads,
  )
  over('workgroups', step.workgroups, profile.maxGridSide ** 2)
  const shared = kernel.arrays.filter((a) => a.space === 'workgroup')
  over(
    'bytes of workgroup memory',
    shared.reduce((n, a) => n + a.size * elementBytes(a.element), 0),
    profile.workgroupBytes,
  )
  if (step.bindings.length !== kernel.bindings.length)
    report(
      'binding',
      `kernel ${kernel.name} takes ${kernel.bindings.length} bindings, the step has ${step.bindings.length}`,
    )
  const given = step.words?.length ?? 0
  if (given !== (kernel.words ?? 0))
    report('binding', `kernel ${kernel.name} takes ${kernel.words ?? 0} words, the step has ${given}`)
  const count = Math.min(step.bindings.length, kernel.bindings.length)
  const buffer = largestBuffer(profile)
  step.bindings.slice(0, count).forEach((place, i) => {
    const { name, element } = kernel.bindings[i]!
    checkPlace(plan, place, `binding ${name}`, (message) => report('place', message))
    over(`bytes of binding ${name}`, boundBytes(place), profile.maxBindingBytes)
    if (!isInOneBuffer({ ...place, bytes: boundBytes(place) }, buffer))
      report('binding', `binding ${name} at ${showPlace(place)} lies across the end of a buffer of ${buffer} bytes`)
    const unit = elementBytes(element)
    if (place.bytes < unit || place.bytes % unit !== 0)
      report('binding', `binding ${name} of ${place.bytes} bytes is no whole number of elements of ${unit}`)
  })
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [step.bindings[j]!, step.bindings[i]!]
      if (a.arena !== b.arena) continue
      const [x, y] = [kernel.bindings[j]!, kernel.bindings[i]!]
      if (x.access !== y.access)
        report('binding', `arena ${a.arena} is bound ${x.access} by ${x.name} and ${y.access} by ${y.name}`)
      else if (x.access === 'read_write' && overlaps({ ...a, bytes: boundBytes(a) }, { ...b, bytes: boundBytes(b) }))
        report('binding', `${x.name} and ${y.name} are written and overlap in arena ${a.arena}`)
    }
  }
}
