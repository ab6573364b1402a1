/**
 * `npm run accuracy`: the errors of every elementwise function on the adapter at hand: primitives, guarded and as WGSL's
 * builtin, and what is made of them; then those of every reduction, by layout and kind of terms.
 */
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { composedErrors, composedNames } from '../codegen/kernel/composed-errors.ts'
import { errorsOf, type Figures, type FunctionErrors, floatOps, tolerance } from '../codegen/kernel/errors-of.ts'
import { sharedDevice } from '../device.ts'
import { allLayouts, isKept, type ReductionErrors, reductionErrors, worstOf } from './reduction-accuracy.ts'
import { reductions } from './reductions.ts'

/** Whether a default form does what is promised: within the tolerance or the documented bound, every special value right. */
export const isMet = (r: FunctionErrors): boolean =>
  r.form === 'fast' || (r.maxRelative <= tolerance && r.wrongKind === 0 && r.specials)

/** The same for a function that is made of others, whose relative error may grow where its terms cancel. */
export const isClose = (r: Figures): boolean => r.wrongKind === 0 && r.outside === 0

const figure = (x: number): string => (x === 0 ? '0' : x >= 0.01 && x < 1e4 ? x.toFixed(2) : x.toExponential(1))

const line = (r: FunctionErrors): string =>
  [
    r.op.padEnd(8),
    r.form.padEnd(8),
    ...[r.maxUlp, r.meanUlp, r.maxAbsolute, r.meanAbsolute].map((x) => figure(x).padStart(9)),
    String(r.wrongKind).padStart(7),
    r.specials ? '  hold' : `  fail: ${r.specialFailures[0]}`,
    isMet(r) ? '' : '  OUTSIDE',
  ].join(' ')

const composedLine = (r: Figures): string =>
  [
    r.name.padEnd(12),
    'made',
    ...[r.maxUlp, r.meanUlp, r.maxAbsolute, r.meanAbsolute].map((x) => figure(x).padStart(9)),
    String(r.wrongKind).padStart(7),
    isClose(r) ? '' : `  OUTSIDE: ${r.worst}`,
  ].join(' ')

const heading = `${'op'.padEnd(8)} ${'form'.padEnd(8)} ${'max ulp'.padStart(9)} ${'mean ulp'.padStart(9)} ${'max abs'.padStart(9)} ${'mean abs'.padStart(9)} ${'wrong'.padStart(7)}   specials`

const reductionLine = (r: ReductionErrors): string =>
  [
    r.name.padEnd(12),
    r.layout.padEnd(7),
    r.terms.padEnd(12),
    figure(r.error).padStart(9),
    figure(r.limit).padStart(9),
    r.unit.padEnd(8),
    `[${r.shape.join(', ')}]`.padEnd(12),
    isKept(r) ? '' : `  OUTSIDE: ${r.worst}`,
  ]
    .join(' ')
    .trimEnd()

const reductionHeading = `${'reduction'.padEnd(12)} ${'of'.padEnd(7)} ${'terms'.padEnd(12)} ${'worst'.padStart(9)} ${'limit'.padStart(9)} ${'in'.padEnd(8)} at`

const main = async (): Promise<void> => {
  const command = new Command('accuracy')
    .description('measure every elementwise function and every reduction on f32 against Float64')
    .option('--json', 'one JSON document on stdout instead of a table')
    .option('--samples <n>', 'arguments a function, beside the special values', '98304')
    .option('--only <regex>', 'the functions and reductions whose names match')
    .parse()
  const { json, samples, only } = command.opts<{
    readonly json?: boolean
    readonly samples: string
    readonly only?: string
  }>()
  const { description, kind } = await sharedDevice()
  const isWanted = (name: string): boolean => only === undefined || new RegExp(only).test(name)
  const ops = floatOps.filter(isWanted)
  const count = Math.max(6, Math.floor(Number(samples) / 6) * 6)
  const functions = await errorsOf(count, ops)
  const composed = await composedErrors(count, composedNames.filter(isWanted))
  const reduced = await reductionErrors(
    allLayouts,
    reductions.filter((r) => isWanted(r.name)),
  )
  const failed = [
    ...functions.filter((r) => !isMet(r)),
    ...composed.filter((r) => !isClose(r)),
    ...reduced.filter((r) => !isKept(r)),
  ]
  const report = { adapter: description, kind, samples: count, tolerance, functions, composed, reductions: reduced }
  const text = json
    ? JSON.stringify(report, null, 2)
    : [
        `${description} (${kind}), ${count} arguments a function`,
        heading,
        ...functions.map(line),
        ...composed.map(composedLine),
        ...(reduced.length > 0 ? ['', reductionHeading, ...worstOf(reduced).map(reductionLine)] : []),
      ].join('\n')
  process.stdout.write(`${text}\n`, () => process.exit(failed.length > 0 ? 1 : 0))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
