/** The golden files in the test suite: every op case and derivative on both backends, trajectories on the interpreter and a sample on the device. */
import { describe, expect, it } from 'vitest'
import { backends } from './backends.ts'
import { close } from './compare.ts'
import type { AreaReport } from './report.ts'
import { defaultFolder, groupSizes } from './run.ts'
import { runCases } from './run-cases.ts'
import { runTrajectories } from './run-trajectories.ts'
import { type GoldenCase, type GoldenModel, readGoldens } from './schema.ts'

const files = readGoldens(defaultFolder)

const casesOf = (area: string): readonly GoldenCase[] =>
  files.flatMap((f) => (f.area === area && f.kind === 'cases' ? f.cases : []))
const models = files.flatMap((f) => (f.kind === 'trajectories' ? f.models : []))

const areas = [...new Set(files.flatMap((f) => (f.kind === 'cases' ? [f.area] : [])))]

/** Nothing failed, nothing is missing; only what needs int64 is skipped, only sign(NaN) and silu(-inf) are dropped. */
const expectGreen = (report: AreaReport, reasons: ReadonlyMap<string, string>): void => {
  expect(Object.fromEntries(reasons)).toEqual({})
  expect(report).toMatchObject({ failed: [], unsupported: [] })
  for (const { id, reason } of report.skipped) expect(reason, id).toMatch(/int64/)
  for (const { id, reason } of report.dropped) expect(reason, id).toMatch(/quirk of torch 1.13 .*(sign|silu)/)
}

describe.each(['reference', 'webgpu', 'cpu'] as const)('goldens on %s', (backend) => {
  it.each(areas)('%s', async (area) => {
    const cases = casesOf(area)
    expect(cases.length).toBeGreaterThan(0)
    const reasons = new Map<string, string>()
    const report = await runCases(cases, backends[backend], { size: groupSizes[backend] }, reasons)
    expectGreen(report, reasons)
    expect(report.passed + report.skipped.length + report.dropped.length).toBe(cases.length)
    expect(report.skipped.length + report.dropped.length).toBeLessThan(cases.length / 50 + 1)
  })
})

/** Every optimiser and schedule on the two smallest models, and one run of every other model. */
const sample: readonly GoldenModel[] = models.map((m, i) =>
  ['linear_regression', 'mlp'].includes(m.model) ? m : { ...m, runs: [m.runs[i % m.runs.length]!] },
)

describe('training trajectories', () => {
  it('follow PyTorch on the interpreter', async () => {
    const reasons = new Map<string, string>()
    const report = await runTrajectories(models, 'reference', reasons)
    expectGreen(report, reasons)
    expect(report.passed).toBe(models.reduce((n, m) => n + m.runs.length, 0))
  })
  it('follow PyTorch on the device', { timeout: 600_000 }, async () => {
    const reasons = new Map<string, string>()
    const report = await runTrajectories(sample, 'webgpu', reasons)
    expectGreen(report, reasons)
    expect(report.passed).toBe(sample.reduce((n, m) => n + m.runs.length, 0))
  })
})

describe('training trajectories on the processor', () => {
  it('follow PyTorch', { timeout: 600_000 }, async () => {
    const reasons = new Map<string, string>()
    const report = await runTrajectories(models, 'cpu', reasons)
    expectGreen(report, reasons)
    expect(report.passed).toBe(models.reduce((n, m) => n + m.runs.length, 0))
  })
})

describe('comparison', () => {
  const loose = { tol: { rtol: 1e-3, atol: 1e-3 } }
  const exact = { tol: { rtol: 0, atol: 0 } }
  it.each([
    { got: 1.0019, want: 1, options: loose, same: true },
    { got: 1.0021, want: 1, options: loose, same: false },
    { got: Number.NaN, want: Number.NaN, options: exact, same: true },
    { got: 0, want: Number.NaN, options: loose, same: false },
    { got: Number.NaN, want: 0, options: loose, same: false },
    { got: Number.POSITIVE_INFINITY, want: Number.NEGATIVE_INFINITY, options: loose, same: false },
    { got: 3e38, want: Number.POSITIVE_INFINITY, options: loose, same: false },
    { got: Number.POSITIVE_INFINITY, want: 3e38, options: loose, same: false },
    { got: Math.fround(0.1), want: 0.1, options: exact, same: true },
    { got: 0, want: -0, options: exact, same: true },
    { got: 0, want: -0, options: { ...exact, signedZero: true }, same: false },
    { got: -0, want: -0, options: { ...exact, signedZero: true }, same: true },
  ])('$got as $want: $same', ({ got, want, options, same }) => {
    expect(close(got, want, options, true)).toBe(same)
  })

  it('sees every wrong value of a case', async () => {
    const cases = casesOf('elementwise')
      .filter((c) => c.outputs[0]!.dtype === 'float32' && c.outputs[0]!.data.length > 0)
      .map((c) => ({
        ...c,
        outputs: c.outputs.map((o) => ({ ...o, data: o.data.map((x) => Number(x) * 1.01 + 0.1) })),
      }))
    const report = await runCases(cases, backends.reference, { size: 1 }, new Map())
    expect(report.passed).toBe(0)
  })
})
