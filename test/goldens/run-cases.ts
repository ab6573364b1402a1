/** Runs op and derivative cases on a backend, several at a time where that is cheaper, and attributes every failure. */
import type { Value } from '../../src/lang/primitive.ts'
import { traceTree } from '../../src/lang/trace.ts'
import type { Tensor } from '../../src/lang/types.ts'
import type { Backend } from './backends.ts'
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
    else if (verdict.kind === 'skipped') report.skipped.push({ id: p.id, reason: verdict.why })
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
  for (let i = 0; i < ready.length; i += grouping.size) {
    const group = ready.slice(i, i + grouping.size)
    const together = await attempt(backend, group)
    if (together instanceof Failure && group.length > 1) {
      for (const p of group) {
        const alone = await attempt(backend, [p])
        if (alone instanceof Failure) fail(p.id, alone.why)
        else judged(p, alone[0]!)
      }
    } else if (together instanceof Failure) fail(group[0]!.id, together.why)
    else for (const [k, p] of group.entries()) judged(p, together[k]!)
  }
  return report
}

/** A program that did not run. */
class Failure {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

const attempt = async (
  backend: Backend,
  programs: readonly CaseProgram[],
): Promise<readonly (readonly Value[])[] | Failure> => {
  try {
    return await backend(programs)
  } catch (e) {
    return new Failure(messageOf(e))
  }
}
