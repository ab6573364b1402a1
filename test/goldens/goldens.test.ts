/** The golden files in the test suite: every op case and derivative on both backends, trajectories on the interpreter and a sample on the device. */
import { describe, expect, it } from 'vitest'
import { type BackendName, backends } from './backends.ts'
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

/** What is not built yet, area by area; anything else that is missing is a regression. */
// biome-ignore format: a line an area reads better
const absent: Readonly<Record<string, readonly string[]>> = {
  elementwise: [],
  reductions: ['cumsum', 'cumprod', 'cummax', 'logcumsumexp', 'sort', 'argsort', 'topk'],
  movement: ['scatter'],
  creation: [],
  numerics: ['cumsum', 'cumprod', 'sort', 'cosine_similarity'],
  linalg: [],
  nn: [
    'adaptive_avg_pool1d', 'adaptive_avg_pool2d', 'adaptive_max_pool2d', 'lp_pool2d', 'interpolate', 'pixel_shuffle', 'im2col',
    'embedding_bag', 'multi_head_attention', 'rnn_cell', 'lstm_cell', 'gru_cell', 'rnn', 'lstm', 'gru',
  ],
  losses: [
    'hinge_embedding_loss', 'margin_ranking_loss', 'multi_margin_loss', 'soft_margin_loss', 'kl_div', 'hinge_loss',
    'cosine_similarity', 'cosine_embedding_loss', 'triplet_margin_loss', 'poisson_nll_loss', 'gaussian_nll_loss',
  ],
  derivatives: ['cumsum'],
}

/** Cases that cannot be asked, with the reason the runner must give. */
const skips: Readonly<Record<BackendName, Readonly<Record<string, RegExp>>>> = {
  reference: {
    'numerics/sign/0': /quirk/,
  },
  webgpu: {
    'numerics/sign/0': /quirk/,
    'numerics/mul/1': /subnormals/,
    'numerics/add/1': /subnormals/,
  },
}

const expectGreen = (report: AreaReport, reasons: ReadonlyMap<string, string>, backend: BackendName): void => {
  expect(Object.fromEntries(reasons)).toEqual({})
  expect(report.failed).toEqual([])
  for (const { id, reason } of report.skipped) expect(reason, id).toMatch(skips[backend][id] ?? /int64/)
}

describe.each(['reference', 'webgpu'] as const)('goldens on %s', (backend) => {
  it.each(Object.entries(absent))('%s', async (area, missing) => {
    const cases = casesOf(area)
    expect(cases.length).toBeGreaterThan(0)
    const reasons = new Map<string, string>()
    const report = await runCases(cases, backends[backend], { size: groupSizes[backend] }, reasons)
    expectGreen(report, reasons, backend)
    expect(missing).toEqual(expect.arrayContaining(report.unsupported))
    expect(report.passed).toBeGreaterThan(cases.length / 2)
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
    expectGreen(report, reasons, 'reference')
    expect(report.unsupported).toEqual([])
    expect(report.passed).toBe(models.reduce((n, m) => n + m.runs.length, 0))
  })
  it('follow PyTorch on the device', { timeout: 600_000 }, async () => {
    const reasons = new Map<string, string>()
    const report = await runTrajectories(sample, 'webgpu', reasons)
    expectGreen(report, reasons, 'webgpu')
    expect(report.passed).toBe(sample.reduce((n, m) => n + m.runs.length, 0))
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
