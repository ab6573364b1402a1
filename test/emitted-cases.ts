/**
 * Plans with inputs as a folder that any JavaScript with WebGPU can run: one emitted module a plan, the shared runtime, and
 * `run-cases.js`, which gives results as text. `browser.ts` and `deno.ts` run such folders.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plan } from '../codegen/plan/plan.ts'
import { programFiles, runtimeFiles } from '../src/cli/program-files.ts'
import type { HostArray } from '../src/lang/dtype.ts'

/** A plan and one flat host array a leaf of its inputs. */
export interface Case {
  readonly plan: Plan
  readonly inputs: readonly HostArray[]
  /** How often it runs after the first time, and which results (by number) take the places of which arguments then. */
  readonly again?: { readonly times: number; readonly feed: readonly (readonly [result: number, argument: number])[] }
}

/** One host array a leaf of the outputs, or what was thrown: one refused plan must not hide the others. */
export type CaseResult = { readonly outputs: readonly HostArray[] } | { readonly error: string }

/** The results of one run of a folder, and what ran it. */
export interface CaseReport {
  readonly adapter: string
  readonly results: readonly CaseResult[]
}

interface Encoded {
  readonly type: string
  readonly base64: string
}

/** What `run-cases.js` writes as JSON. */
export interface EncodedReport {
  readonly adapter: string
  readonly results: readonly ({ readonly outputs: readonly Encoded[] } | { readonly error: string })[]
}

const arrays = { Float32Array, Int32Array, Uint32Array, Int8Array, Uint8Array } as const

/** Inputs as the emitted program takes them: Float64 arrays of the interpreter become f32. */
const encode = (data: HostArray): Encoded => {
  const host = data instanceof Float64Array ? Float32Array.from(data) : data
  return {
    type: host[Symbol.toStringTag],
    base64: Buffer.from(host.buffer, host.byteOffset, host.byteLength).toString('base64'),
  }
}

const decode = ({ type, base64 }: Encoded): HostArray => {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'))
  return new arrays[type as keyof typeof arrays](bytes.buffer)
}

/** The results that a run's JSON stands for. */
export const decodeReport = ({ adapter, results }: EncodedReport): CaseReport => ({
  adapter,
  results: results.map((r) => ('error' in r ? r : { outputs: r.outputs.map(decode) })),
})

/** Runs where there is no compiler, no type and no Node: plain JavaScript, as a user's page would be. */
const runCases = `
const arrays = { Float32Array, Int32Array, Uint32Array, Int8Array, Uint8Array }
const decode = ({ type, base64 }) => new arrays[type](Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer)
const encode = (array) => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  let text = ''
  for (const b of bytes) text += String.fromCharCode(b)
  return { type: array[Symbol.toStringTag], base64: btoa(text) }
}
const grow = (tree, leaves) =>
  typeof tree === 'number' ? leaves[tree]
  : 'list' in tree ? tree.list.map((t) => grow(t, leaves))
  : Object.fromEntries(Object.entries(tree.record).map(([k, t]) => [k, grow(t, leaves)]))
const pick = (tree, value, leaves) => {
  if (typeof tree === 'number') leaves[tree] = value
  else if ('list' in tree) tree.list.forEach((t, i) => pick(t, value[i], leaves))
  else for (const [k, t] of Object.entries(tree.record)) pick(t, value[k], leaves)
  return leaves
}

/** \`read\` gives the bytes of a file beside this one. */
export const runAll = async (gpu, read) => {
  const adapter = await gpu?.requestAdapter()
  if (!adapter) throw new Error('no WebGPU adapter')
  const { vendor, architecture, description } = adapter.info
  const cases = JSON.parse(new TextDecoder().decode(await read('cases.json')))
  const reports = []
  for (const [i, { inputs, weights, again }] of cases.entries()) {
    try {
      const { load, plan } = await import('./case' + i + '.js')
      const options = weights ? { weights: await read('case' + i + '.safetensors') } : {}
      const program = await load(gpu, options)
      const given = inputs.map(decode)
      let results = pick(plan.outputTree, await program.run(...grow(plan.inputTree, given)), [])
      for (let turn = 0; turn < (again?.times ?? 0); turn++) {
        for (const [from, to] of again.feed) given[to] = results[from]
        results = pick(plan.outputTree, await program.run(...grow(plan.inputTree, given)), [])
      }
      const outputs = await Promise.all(results.map((o) => o.read()))
      reports.push({ outputs: outputs.map(encode) })
    } catch (e) {
      reports.push({ error: String(e?.stack ?? e) })
    }
  }
  return { adapter: [vendor, architecture, description].filter(Boolean).join(' '), results: reports }
}
`

/** Writes the folder of `cases`, with `start` as its `start.js`. */
export const writeCases = async (folder: string, cases: readonly Case[], start: string): Promise<void> => {
  const put = (name: string, bytes: Uint8Array | string): void => {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
  for (const { path, bytes } of await runtimeFiles(['webgpu'], false)) put(path, bytes)
  const index = cases.map(({ plan, inputs, again }, i) => {
    const files = programFiles(`case${i}`, [plan])
    for (const { path, bytes } of files) put(path, bytes)
    return { inputs: inputs.map(encode), weights: files.some((f) => f.path.endsWith('.safetensors')), again }
  })
  put('cases.json', JSON.stringify(index))
  put('run-cases.js', runCases)
  put('start.js', start)
}
