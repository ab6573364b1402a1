/** Compiles the one program it is told to, in a process of its own (plain Node, the built package): figures on stdout. */

import * as T from '../../../src/index.ts'
import { topological } from '../../../src/lang/topological.ts'
import type { CompileOutcome } from './figures.ts'
import { compilePrograms } from './programs.ts'

const [name, profileName] = process.argv.slice(2)
const program = compilePrograms.find((p) => p.name === name)!
const profile = T.profiles[profileName as keyof typeof T.profiles]

let trace = 0
let traced = 0
let planning = 0
const f = (...args: never[]): unknown => {
  const from = performance.now()
  const result = program.f(...args)
  traced = performance.now()
  trace = traced - from
  return result
}

/** Fusion is the first to look at the target once the function has been traced. */
const clocked = Object.defineProperties(
  {},
  Object.fromEntries(
    Object.entries(profile).map(([key, value]) => {
      const get = (): unknown => {
        if (planning === 0 && traced > 0) planning = performance.now()
        return value
      }
      return [key, { enumerable: true, get }]
    }),
  ),
) as T.Profile

const kilobyte = 1024
const cpuBefore = process.cpuUsage()
const start = performance.now()
const result = T.compile(f as never, program.specs as never, { ...program.options, profile: clocked })
const end = performance.now()
const { user, system } = process.cpuUsage(cpuBefore)
const total = end - start
const peakRss = process.resourceUsage().maxRSS * kilobyte

const outcome = (): CompileOutcome => {
  if (result._tag === 'Left') return { refused: T.showError(result.left).split('\n')[0]!, total, peakRss }
  const { plan, stages } = result.right as T.Program
  return {
    total,
    trace,
    passes: planning - traced,
    plan: end - planning,
    cpu: (user + system) / 1000,
    nodes: topological(stages[0]!.graph.outputs).length,
    dispatches: plan.prediction.dispatches,
    kernels: plan.kernels.length,
    wgslBytes: plan.kernels.reduce((sum, k) => sum + Buffer.byteLength(k.wgsl ?? ''), 0),
    peakRss,
  }
}
process.stdout.write(JSON.stringify(outcome()))
