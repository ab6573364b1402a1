/** What a run of the goldens says, per area, and how it is shown. */

/** The result of one area. */
export interface AreaReport {
  passed: number
  readonly failed: string[]
  /** torch names of the ops we do not have, each once. */
  readonly unsupported: string[]
  /** What cannot be asked of us. */
  readonly skipped: Named[]
  /** What the goldens' README lets one drop: quirks of torch that we do not share. */
  readonly dropped: Named[]
}

/** A case that counts neither way, and why. */
export interface Named {
  readonly id: string
  readonly reason: string
}

/** Everything, by area, and why each failed case failed. */
export interface Report {
  readonly areas: Readonly<Record<string, AreaReport>>
  readonly reasons: ReadonlyMap<string, string>
}

export const emptyArea = (): AreaReport => ({ passed: 0, failed: [], unsupported: [], skipped: [], dropped: [] })

/** Two files of one area together. */
export const merged = (a: AreaReport, b: AreaReport): AreaReport => ({
  passed: a.passed + b.passed,
  failed: [...a.failed, ...b.failed],
  unsupported: [...new Set([...a.unsupported, ...b.unsupported])],
  skipped: [...a.skipped, ...b.skipped],
  dropped: [...a.dropped, ...b.dropped],
})

/** The machine-readable form: areas alone. */
export const toJson = (r: Report): string => JSON.stringify(r.areas, null, 2)

/** A table for people, with the reason of every failure beneath. */
export const toTable = ({ areas, reasons }: Report): string => {
  const rows = Object.entries(areas).map(([area, r]) => [
    area,
    String(r.passed),
    String(r.failed.length),
    String(r.skipped.length),
    r.unsupported.join(' ') || '-',
  ])
  const all = [['area', 'passed', 'failed', 'skipped', 'unsupported'], ...rows]
  const widths = all[0]!.map((_, k) => Math.max(...all.map((row) => (k < 4 ? row[k]!.length : 0))))
  const lines = all.map((row) =>
    row.map((cell, k) => (k === 0 || k === 4 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!))).join('  '),
  )
  const failures = [...reasons].map(([id, why]) => `FAILED ${id}: ${why}`)
  const others = Object.values(areas).flatMap((r) => [
    ...r.skipped.map((s) => `skipped ${s.id}: ${s.reason}`),
    ...r.dropped.map((s) => `dropped ${s.id}: ${s.reason}`),
  ])
  return [...lines, ...failures, ...others].join('\n')
}
