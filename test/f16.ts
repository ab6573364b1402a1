/**
 * `npm run f16`: programs of f16 on a real adapter, against the interpreter. No adapter of Dawn in Node has `shader-f16`
 * here; Mesa's lavapipe has it in Deno (wgpu). Without such an adapter the command says so and ends well.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { portable } from '../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../passes/profile.ts'
import { typeOf } from '../src/lang/build.ts'
import { sizeOf } from '../src/lang/dim.ts'
import { allocate, type DType, type HostArray } from '../src/lang/dtype.ts'
import type { Graph } from '../src/lang/ir.ts'
import type { Value } from '../src/lang/primitive.ts'
import { roundTo } from '../src/lang/scalar-functions.ts'
import * as T from '../src/lang/tensor/index.ts'
import { trace } from '../src/lang/trace.ts'
import { nodeOf, type Tensor, tensorOf } from '../src/lang/types/tensor.ts'
import { softmax } from '../src/nn/softmax.ts'
import { arbGraph } from '../src/testing/arb-graph.ts'
import type { Sample } from '../src/testing/sample.ts'
import { difference, expectation } from '../src/testing/tolerance.ts'
import { type DriverEnv, runCasesInDeno, runInDeno } from './deno.ts'
import { planOf } from './differential.ts'

const profile: Profile = { ...portable, features: ['shader-f16'] }

/** Where Linux distributions describe their Vulkan drivers. */
const folders = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d']

/** The machine's own choice of drivers, then lavapipe alone where it is installed. */
const drivers = (): readonly DriverEnv[] => {
  const files = folders.filter(existsSync).flatMap((f) => readdirSync(f).map((name) => join(f, name)))
  const runtime = { XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? tmpdir() }
  const lavapipe = files.filter((f) => /lvp_icd[^/]*\.json$/.test(f))
  return [runtime, ...lavapipe.map((f) => ({ ...runtime, VK_ICD_FILENAMES: f, VK_DRIVER_FILES: f }))]
}

const ask = `
const adapter = await navigator.gpu?.requestAdapter().catch(() => null)
console.log(JSON.stringify(adapter ? [...adapter.features] : []))
Deno.exit(0)
`

/** The first driver whose adapter has f16, in Deno. */
const findDriver = async (): Promise<DriverEnv | undefined> => {
  const folder = mkdtempSync(join(tmpdir(), 'tensorloom-f16-'))
  try {
    writeFileSync(join(folder, 'ask.js'), ask)
    for (const driver of drivers()) {
      const features = await runInDeno(folder, 'ask.js', [], driver).catch(() => '[]')
      if ((JSON.parse(features) as readonly string[]).includes('shader-f16')) return driver
    }
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A tensor whose elements go through `low` … `high` in even steps. */
const ramp = (dtype: DType, shape: readonly number[], low = -2, high = 2): Value => {
  const [n, round] = [sizeOf(shape), roundTo(dtype)]
  const data = allocate(dtype, n)
  for (let i = 0; i < n; i++) data[i] = round(low + ((high - low) * i) / Math.max(1, n - 1))
  return { dtype, shape, data }
}

const program = (inputs: readonly Value[], f: (...xs: Tensor[]) => readonly Tensor[]): Sample => ({
  graph: trace((ns) => f(...ns.map((n) => tensorOf(n))).map(nodeOf), inputs),
  inputs,
})

const specials: Value = {
  dtype: 'f16',
  shape: [7],
  data: Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 65504, 0.5, -3),
}

const programs: Readonly<Record<string, Sample>> = {
  arithmetic: program([ramp('f16', [5, 7]), ramp('f16', [7], 1, 3)], (x, y) => [
    T.add(x, y),
    T.mul(x, y),
    T.div(x, y),
    T.maximum(x, y),
    T.where(T.less(x, 0), T.neg(x), x),
  ]),
  'elementary functions': program([ramp('f16', [33], 0.25, 3)], (x) => [
    T.exp(x),
    T.log(x),
    T.sin(x),
    T.tanh(x),
    T.sqrt(x),
    T.rsqrt(x),
    T.sigmoid(x),
    T.pow(x, 1.5),
  ]),
  'special values': program([specials], (x) => [T.isnan(x), T.isfinite(x), T.abs(x), T.relu(x)]),
  softmax: program([ramp('f16', [9, 31], -4, 4)], (x) => [softmax(x, { axis: 1 })]),
  'matmul that adds up in f32': program(
    // 4096 ones: a running sum in f16 stands still at 2048.
    [ramp('f16', [3, 4096], 1, 1), ramp('f16', [4096, 5], 1, 1)],
    (x, y) => [T.matmul(x, y)],
  ),
  'sums, means and variances that add up in f32': program(
    [ramp('f16', [5000], 1, 1), ramp('f16', [4, 300])],
    (x, y) => [
      T.sum(x),
      T.mean(x),
      T.variance(y, { axis: 1, correction: 1 }),
      T.logsumexp(y, { axis: 1 }),
      T.max(y, { axis: 0 }),
    ],
  ),
  casts: program(
    [ramp('f32', [21], -5, 5), ramp('i32', [21], -10, 10), ramp('bf16', [21]), ramp('i8', [21])],
    (...xs) => [
      ...xs.map((x) => T.cast(x, 'f16')),
      ...(['f32', 'i32', 'u32', 'bool', 'bf16', 'i8', 'u8'] as const).map((d) => T.cast(T.cast(xs[0]!, 'f16'), d)),
    ],
  ),
}

const outputsOf = (graph: Graph, arrays: readonly HostArray[]): readonly Value[] =>
  graph.outputs.map((n, i) => {
    const { shape, dtype } = typeOf(n)
    const data = allocate(dtype, sizeOf(shape))
    data.set(arrays[i]!)
    return { shape, dtype, data }
  })

/** Runs everything on `driver`; what is wrong, a line each. */
const failuresOn = async (driver: DriverEnv): Promise<readonly string[]> => {
  const drawn = fc.sample(
    arbGraph({ maxNodes: 15, dtypes: ['f16', 'f32', 'i32', 'bool'], without: ['while', 'cond'] }),
    { seed: 42, numRuns: 25 },
  )
  const all = [...Object.entries(programs), ...drawn.map((s, i) => [`random program ${i}`, s] as const)]
  const judged = all.flatMap(([name, sample]) => {
    const expected = expectation(sample)
    return 'discarded' in expected ? [] : [{ name, sample, expected }]
  })
  const cases = judged.map(({ sample: { graph, inputs } }) => ({
    plan: planOf(graph, profile).plan,
    inputs: inputs.map((v) => v.data),
  }))
  const { adapter, results } = await runCasesInDeno(cases, driver)
  console.log(`f16 in Deno on ${adapter}: ${judged.length} programs, ${all.length - judged.length} not judged`)
  return judged.flatMap(({ name, sample, expected }, i) => {
    const result = results[i]!
    const wrong =
      'error' in result ? result.error : difference(expected, outputsOf(sample.graph, result.outputs), sample.graph)
    return wrong === undefined ? [] : [`${name}: ${wrong}`]
  })
}

const driver = await findDriver()
if (driver === undefined) {
  console.log('f16: no adapter with shader-f16 in Deno, nothing was run')
  console.log('Debian has one for any machine: apt-get install mesa-vulkan-drivers (lavapipe)')
} else {
  const failures = await failuresOn(driver)
  for (const line of failures) console.log(line)
  console.log(failures.length === 0 ? 'all agree with the interpreter' : `${failures.length} disagree`)
  process.exitCode = failures.length === 0 ? 0 : 1
}
