/**
 * Plans by what they are made from, so that a program that was planned before is looked up: in memory, as much as the bounds
 * below allow, and in a folder where the caller names one. What is stored holds no graph, and no constant that the graph
 * holds already. An entry of a folder is used only where its version, key and digest are right and its plan is sound.
 */
import { textSizeOf } from '../../codegen/kernel/text-limits.ts'
import type { DataSlot, Plan } from '../../codegen/plan/plan.ts'
import { showFault } from '../../codegen/plan/plan-fault.ts'
import { verifyPlan } from '../../codegen/plan/verify-plan.ts'
import { graphsOf } from '../../passes/graph/inner-graphs.ts'
import { digestGraph, digestNumbers, digestOfText, digestText, payloadDigest } from '../lang/digest.ts'
import type { Graph, Payload } from '../lang/ir.ts'
import { createRecent } from '../lang/recent.ts'
import { topological } from '../lang/topological.ts'
import { say } from '../runtime/report-observations.ts'
import { hasText, readText, writeText } from '../runtime/text-files.ts'
import { type AbsentData, type LeanPlan, planOfText, textOfData, textOfPlan } from './plan-text.ts'
import { version } from './version.ts'

/** What a plan is made from: the graph as it was traced, and everything else as data. */
export interface PlanSource {
  readonly graph: Graph
  readonly rest: unknown
}

/** Plans in memory: so many, of so many bytes by a rough count. */
const [mostPlans, mostBytes] = [256, 64 * 2 ** 20]
/** Constants of more elements are left out of what is stored. */
const mostStored = 1024
/** Constants of more elements, all together, are not worth their digests unless a folder is named. */
const mostDigested = 2 ** 24

/** The form of an entry's text. */
const format = 1

/** Plans by their keys, bounded by bytes; each counts for its share of `mostPlans` at least. */
const entries = createRecent<string, LeanPlan>(mostBytes)

/** How many plans are in memory, and the bytes that they count for. */
export const cachedPlans = (): { readonly plans: number; readonly bytes: number } => ({
  plans: entries.size(),
  bytes: entries.weight(),
})

/** Forgets the plans in memory. */
export const forgetPlans = (): void => entries.clear()

/** The large constants of a graph, those of its inner graphs too. */
const payloadsOf = (graph: Graph): readonly Payload[] => {
  const found = new Set<Payload>()
  const seen = new Set<Graph>([graph])
  for (const g of seen)
    for (const n of topological(g.outputs)) {
      if (n.op === 'data') found.add(n.params.payload)
      for (const inner of graphsOf(n)) seen.add(inner)
    }
  return [...found]
}

/** A plan that programs share, frozen down to its last record: nobody changes it for the others. */
const frozen = <T extends object>(root: T): T => {
  const stack: object[] = [root]
  for (let x = stack.pop(); x; x = stack.pop()) {
    const isLong = Array.isArray(x) && x.length > mostStored && typeof x[0] === 'number'
    if (isLong || Object.isFrozen(x) || ArrayBuffer.isView(x)) continue
    Object.freeze(x)
    // What is worked out when somebody asks (the bytes that a plan moves) is not asked for.
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(x)))
      if (typeof value === 'object' && value !== null) stack.push(value)
  }
  return root
}

/** `plan` without the constants that `payloads` have. */
const lean = (plan: Plan, payloads: readonly Payload[]): LeanPlan => {
  if (!plan.data.some((d) => d.values.length > mostStored)) return plan
  const known = new Set(payloads.map((p) => digestText(payloadDigest(p))))
  const data = plan.data.map((slot): DataSlot | AbsentData => {
    if (slot.values.length <= mostStored) return slot
    const absent = digestText(digestNumbers(slot.values))
    const { values: _values, ...rest } = slot
    return known.has(absent) ? { ...rest, absent } : slot
  })
  return { ...plan, data }
}

/** The plan with its constants from `payloads`; undefined where one is missing. */
const whole = (stored: LeanPlan, payloads: readonly Payload[]): Plan | undefined => {
  if (!stored.data.some((d) => 'absent' in d)) return stored as Plan
  const known = new Map(payloads.map((p) => [digestText(payloadDigest(p)), p]))
  const data: DataSlot[] = []
  for (const slot of stored.data) {
    if (!('absent' in slot)) data.push(slot)
    else {
      const { absent, ...rest } = slot
      const payload = known.get(absent)
      if (!payload) return undefined
      data.push({ ...rest, values: payload.array })
    }
  }
  return { ...stored, data }
}

/** Bytes of a plan, roughly: a character of WGSL is about 16 bytes of Kernel IR, a statement a kilobyte. */
const bytesOf = ({ kernels, steps, data, inputs, outputs }: LeanPlan): number =>
  kernels.reduce((n, { kernel, wgsl }) => n + (wgsl ? 16 * wgsl.length : 1024 * textSizeOf(kernel).statements), 0) +
  data.reduce((n, d) => n + ('values' in d ? 8 * d.values.length : 64), 0) +
  512 * (steps.length + inputs.length + outputs.length)

const keep = (key: string, plan: LeanPlan): void => {
  const bytes = Math.max(mostBytes / mostPlans, bytesOf(plan) + 2 * key.length)
  if (bytes <= mostBytes / 4) entries.set(key, plan, bytes)
}

const fileOf = (key: string): string => `${digestOfText(key)}.plan`

/** An entry: what it is, the key, the plan, a line each. */
const entryText = (key: string, plan: LeanPlan): string => {
  const body = `${key}\n${textOfPlan(plan)}`
  return `${JSON.stringify({ tensorloom: version, format, digest: digestOfText(body) })}\n${body}\n`
}

/** The plan of an entry. Throws an Error that says why it is not used. */
const planOfEntry = (text: string, key: string, payloads: readonly Payload[]): Plan => {
  const [head = '', itsKey = '', body = '', end] = text.split('\n')
  const wrong = (reason: string): never => {
    throw new Error(reason)
  }
  if (end !== '') wrong('it is cut short')
  const said = JSON.parse(head) as Readonly<Record<string, unknown>>
  if (said['tensorloom'] !== version || said['format'] !== format)
    wrong(`it is of version ${String(said['tensorloom'])}, not ${version}`)
  if (itsKey !== key) wrong('it is of another program')
  if (said['digest'] !== digestOfText(`${itsKey}\n${body}`)) wrong('it was changed')
  const plan = whole(planOfText(body), payloads) ?? wrong('its constants are not those of the program')
  const [fault] = verifyPlan(plan)
  return fault ? wrong(`its plan is not sound: ${showFault(fault)}`) : plan
}

const note = (folder: string, name: string, what: string, e: unknown): void =>
  say(`tensorloom: ${folder}/${name} ${what}: ${e instanceof Error ? e.message : String(e)}`)

const fromFolder = (folder: string, key: string, payloads: readonly Payload[]): Plan | undefined => {
  try {
    const text = readText(folder, fileOf(key))
    return text === undefined ? undefined : planOfEntry(text, key, payloads)
  } catch (e) {
    note(folder, fileOf(key), 'is not used', e)
    return undefined
  }
}

const toFolder = (folder: string, key: string, plan: LeanPlan): void => {
  try {
    writeText(folder, fileOf(key), entryText(key, plan))
  } catch (e) {
    note(folder, fileOf(key), 'cannot be written', e)
  }
}

/**
 * The plan of `source`: one that was made before, called `name` now, or what `make` makes. `remember` is for plans that are
 * made; what it gets is frozen.
 */
export const recall = (
  { graph, rest }: PlanSource,
  name: string,
  folder: string | undefined,
): { readonly plan: Plan | undefined; readonly remember: (plan: Plan) => Plan } => {
  const payloads = payloadsOf(graph)
  const elements = payloads.reduce((n, p) => n + p.array.length, 0)
  if (elements > mostDigested && folder === undefined) return { plan: undefined, remember: (plan) => plan }
  const key = textOfData({ graph: digestGraph(graph), rest })
  const known = entries.get(key)
  const inMemory = known && whole(known, payloads)
  const found = inMemory ?? (folder === undefined ? undefined : fromFolder(folder, key, payloads))
  if (found) {
    const stored = inMemory ? known : frozen(lean(found, payloads))
    keep(key, stored)
    if (inMemory && folder !== undefined && !hasText(folder, fileOf(key))) toFolder(folder, key, stored)
    return { plan: found.name === name ? frozen(found) : frozen({ ...found, name }), remember: (plan) => plan }
  }
  const remember = (plan: Plan): Plan => {
    const stored = lean(frozen(plan), payloads)
    keep(key, stored)
    if (folder !== undefined) toFolder(folder, key, stored)
    return plan
  }
  return { plan: undefined, remember }
}
