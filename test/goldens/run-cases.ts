/** Runs op and derivative cases on a backend, several at a time where that is cheaper, and attributes every failure. */
import type { Value } from '../../src/lang/primitive.ts'
import { traceTree } from '../../src/lang/trace.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import type { Backend } from './backends.ts'
import { mapPooled } from './pool.ts'
import { type CaseProgram, programOf, skipReason, typesOfArguments } from './program.ts'
import { type AreaReport, emptyArea } from './report.ts'
import type { GoldenCase } from './schema.ts'
import { Unsupported } from './table.ts'

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e))

/** How cases are grouped into programs. */
export interface Grouping {
  /** Cases in one compiled program. */
  readonly size: number
}

/** Fails before any backend is asked: an op we do not have, a function that throws. */
const trial = (p: CaseProgram): unknown => {
  try {
    traceTree((...args: Tensor[]) => p.run(args), typesOfArguments(p))
    return undefined
  } catch (e) {
    return e
  }
}

/** The report of one area; reasons of failures go to `reasons`. */
export const runCases = async (
  cases: readonly GoldenCase[],
  backend: Backend,
  grouping: Grouping,
  reasons: Map<string, string>,
): Promise<AreaReport> => {
  const report = emptyArea()
  const fail = (id: string, why: string): void => {
    report.failed.push(id)
    reasons.set(id, why)
  }
  const judged = (p: CaseProgram, results: readonly Value[]): void => {
    const verdict = p.judge(results)
    if (verdict.kind === 'passed') report.passed++
    else if (verdict.kind === 'dropped') report.dropped.push({ id: p.id, reason: verdict.why })
    else fail(p.id, verdict.why)
  }
  const ready: CaseProgram[] = []
  for (const c of cases) {
    const program = programOf(c)
    const error = trial(program)
    const skip = skipReason(c)
    if (error instanceof Unsupported) {
      if (!report.unsupported.includes(error.op)) report.unsupported.push(error.op)
    } else if (skip !== undefined) report.skipped.push({ id: c.id, reason: skip })
    else if (error !== undefined) fail(c.id, messageOf(error))
    else ready.push(program)
  }
  const groups = [false, true].flatMap((subnormals) =>
    groupsOf(
      ready.filter((p) => p.subnormals === subnormals),
      grouping,
    ),
  )
  const outcomes = await mapPooled(groups, 2, (group) => outcomesOf(backend, group))
  for (const [g, group] of groups.entries())
    for (const [i, p] of group.entries()) {
      const outcome = outcomes[g]![i]!
      if (outcome instanceof Failure) fail(p.id, outcome.why)
      else judged(p, outcome)
    }
  return report
}

const groupsOf = (programs: readonly CaseProgram[], { size }: Grouping): readonly (readonly CaseProgram[])[] =>
  Array.from({ length: Math.ceil(programs.length / size) }, (_, i) => programs.slice(i * size, (i + 1) * size))

/** A program that did not run. */
class Failure {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

type Outcome = readonly Value[] | Failure

/** A group that does not run as one program is run case by case: only those at fault fail. */
const outcomesOf = async (backend: Backend, group: readonly CaseProgram[]): Promise<readonly Outcome[]> => {
  try {
    return await backend(group)
  } catch (e) {
    if (group.length === 1) return [new Failure(messageOf(e))]
    const alone: Outcome[] = []
    for (const p of group) alone.push(...(await outcomesOf(backend, [p])))
    return alone
  }
}
