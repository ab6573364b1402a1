/** Modules for the processor: where they run, that they have the same bits everywhere, what they refuse, what is built of what. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { build } from '../../src/cli/build-command.ts'
import { orThrow, type Program, toPromise } from '../../src/compile/compile.ts'
import { openDevice, type Preference } from '../../src/runtime/open-device.ts'
import { closeBrowser, runInBrowser, withThreads, withWasm } from '../browser.ts'
import { runInDeno } from '../deno.ts'
import { fixture, run, tensorloom } from './command.ts'
import * as mlp from './fixtures/mlp.ts'

interface Outcome {
  readonly losses: readonly number[]
  readonly predicted: Readonly<Record<string, readonly number[]>>
  readonly state: { readonly params: Readonly<Record<string, readonly number[]>>; readonly steps: readonly number[] }
  readonly errors: Readonly<Record<string, string>>
}

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-targets-'))
const out = join(folder, 'out')
afterAll(async () => {
  await closeBrowser()
  rmSync(folder, { recursive: true, force: true })
})

/** What the same programs give without being written out: 20 steps of training, and a prediction. */
const jit = async (prefer: Preference): Promise<Outcome> => {
  const { scenario } = (await import(fixture('scenario.js'))) as { scenario: (...p: unknown[]) => Promise<Outcome> }
  const device = await openDevice({ prefer, quiet: true })
  const load = (e: unknown): Promise<unknown> =>
    toPromise((orThrow(e as import('#fp/Either').Either<never, unknown>) as Program).load(device))
  return scenario(await load(mlp.train), await load(mlp.use))
}

/** `on` and `read` are the caller's; everything else is the same everywhere. */
const main = `
  import { load as loadTrain } from './train.js'
  import { load as loadUse } from './use.js'
  import { scenario } from './scenario.js'
  export const runModules = async (on, read) => {
    const train = await loadTrain(on, { weights: await read('train.safetensors') })
    const use = await loadUse(on, { weights: await read('use.safetensors') })
    return { target: train.target, ...(await scenario(train, use)) }
  }
  export const refusal = async (on, read) => {
    const { name, message } = await runModules(on, read).catch((e) => e)
    return [name, message]
  }`

const nodeScript = `
  import { readFileSync } from 'node:fs'
  import { runModules } from './main.js'
  const read = (name) => readFileSync(new URL(name, import.meta.url))
  console.log(JSON.stringify(await runModules(process.argv[2], read)))`

const page = `
  import { refusal, runModules } from './main.js'
  const read = async (name) => (await fetch('/' + name)).arrayBuffer()
  export const run = (on) => runModules(on, read)
  export const refused = (on) => refusal(on, read)`

const denoScript = `
  import { runModules } from './main.js'
  console.log(JSON.stringify(await runModules(Deno.args[0], (name) => Deno.readFile(name))))
  Deno.exit(0)`

const inNode = async (at: string, ...args: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await run(process.execPath, [join(at, 'node.mjs'), ...args], { cwd: at })
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

let expected: Outcome
beforeAll(async () => {
  expected = await jit('cpu')
  expect(await tensorloom(['build', fixture('mlp.ts'), '--out', out])).toMatchObject({ code: 0, stderr: '' })
  copyFileSync(fixture('scenario.js'), join(out, 'scenario.js'))
  const scripts = { 'main.js': main, 'node.mjs': nodeScript, 'page.js': page, 'deno.js': denoScript }
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(out, name), text)
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
})

describe('a training step and its use, on the processor', () => {
  it('have the bits of the JIT in plain Node, and need nothing of the GPU’s', async () => {
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    for (const f of readdirSync(out)) if (!f.includes('webgpu')) copyFileSync(join(out, f), join(alone, f))
    expect(await inNode(alone)).toEqual({ target: 'cpu', ...expected })
  })

  it('agree with the GPU', async () => {
    const gpu = await jit('software')
    expect(expected.losses[19]!).toBeLessThan(expected.losses[0]! / 2)
    expect([expected.errors, expected.state.steps]).toEqual([gpu.errors, gpu.state.steps])
    gpu.losses.forEach((x, i) => void expect(expected.losses[i]!).toBeCloseTo(x, 5))
    for (const [name, values] of Object.entries(gpu.state.params))
      values.forEach((x, i) => void expect(expected.state.params[name]![i]!).toBeCloseTo(x, 4))
  })

  it('have the same bits in Chromium, which picks the processor by itself where the GPU is software', async () => {
    expect(await runInBrowser(out, 'page.js', 'run', undefined, withWasm)).toEqual({ target: 'cpu', ...expected })
  })

  it('say what a page must allow where it forbids WebAssembly', async () => {
    const [name, message] = (await runInBrowser(out, 'page.js', 'refused', 'cpu')) as readonly string[]
    expect(name).toBe('UnsupportedFeature')
    expect(message).toMatch(
      /^the device lacks compiling WebAssembly \(CompileError[\s\S]*must allow 'wasm-unsafe-eval'$/,
    )
  })

  it('have the same bits in Deno', async () => {
    expect(JSON.parse(await runInDeno(out, 'deno.js', ['cpu']))).toEqual({ target: 'cpu', ...expected })
  })
})

describe('the file of WebAssembly', () => {
  it('may be given, compiled or by a function, and is refused where it is none, cut short or of another build', async () => {
    const script = `
      import { readFileSync } from 'node:fs'
      import { load } from './train.js'
      const [weights, wasm, other] = ['train.safetensors', 'train.wasm', 'use.wasm'].map((f) => readFileSync(f))
      const given = [wasm, new Uint8Array(wasm).buffer, await WebAssembly.compile(wasm), async () => wasm,
        wasm.subarray(0, 200), other, new Uint8Array(9), 7, () => 'text']
      const wrong = await Promise.all([0, 1.5, 65].map((threads) => load('cpu', { weights, threads }).catch((e) => e.message)))
      const told = await Promise.all(given.map((wasm) => load('cpu', { weights, wasm, threads: 1 }).then((l) => l.target, (e) => e.message)))
      console.log(JSON.stringify([...told, ...wrong].map((t) => t.split('\\n')[0])))`
    writeFileSync(join(out, 'given.mjs'), script)
    const { stdout, stderr } = await run(process.execPath, ['given.mjs'], { cwd: out })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual([
      ...['cpu', 'cpu', 'cpu', 'cpu'],
      expect.stringMatching(/^argument wasm: CompileError/),
      'argument wasm: it is that of another build',
      expect.stringMatching(/^argument wasm: CompileError.*magic/),
      'argument wasm: got number',
      'argument wasm: got string',
      ...['load: threads is 0', 'load: threads is 1.5', 'load: threads is 65'],
    ])
  })

  it('is missed by its address', async () => {
    const at = join(folder, 'without')
    mkdirSync(at)
    for (const f of readdirSync(out))
      if (/^(use|runtime)/.test(f) && f !== 'use.wasm') copyFileSync(join(out, f), join(at, f))
    const script = `
      import { readFileSync } from 'node:fs'
      import { load } from './use.js'
      load('cpu', { weights: readFileSync('use.safetensors') }).catch((e) => console.log(e.message))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: at })
    expect(stdout).toMatch(
      /^argument wasm: file:.*without\/use\.wasm cannot be read \(Error: ENOENT[\s\S]*give the bytes/,
    )
  })
})

describe('threads', () => {
  const threaded = join(folder, 'threaded')
  // Several runs: who starts threads has measured the work first.
  const shared = `
    import { load } from './products.js'
    export const counted = async (holder, threads) => {
      let started = 0
      const { Worker } = holder
      holder.Worker = class extends Worker { constructor(...args) { super(...args); started++ } }
      const program = await load('cpu', { threads })
      const x = Float32Array.from({ length: 256 * 256 }, (_, i) => Math.sin(i * 12.9898) / 8)
      let sum = 0
      for (let i = 0; i < 12; i++) {
        const words = new Uint32Array((await (await program.run(x)).read()).buffer)
        sum = words.reduce((a, w) => (Math.imul(a, 31) + w) >>> 0, sum)
      }
      return [sum, started]
    }`
  const node = `
    import worker from 'node:worker_threads'
    import { counted } from './shared.js'
    const args = typeof Deno === 'undefined' ? process.argv.slice(2) : Deno.args
    console.log(JSON.stringify(await counted(worker, Number(args[0]))))`
  const page = `
    import { counted } from './shared.js'
    export const run = (threads) => counted(globalThis, threads)`

  beforeAll(async () => {
    await tensorloom(['build', fixture('products.ts'), '--out', threaded, '--target', 'cpu'])
    const scripts = { 'shared.js': shared, 'node.mjs': node, 'page.js': page, 'package.json': '{"type":"module"}' }
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(threaded, name), text)
  })

  it('leave results where they are, and those of the run before', async () => {
    const script = `
      import { load } from './kept.js'
      const program = await load()
      const runs = []
      for (const x of [[1, 2, 3, 4, 5], [0, -1, 7, 2, 2]]) runs.push(await program.run(x))
      const read = async ({ twice, last }) => [twice.kind, [...(await twice.read())], [...(await last.read())]]
      console.log(JSON.stringify(await Promise.all(runs.map(read))))`
    writeFileSync(join(threaded, 'kept.mjs'), script)
    const { stdout } = await run(process.execPath, ['kept.mjs'], { cwd: threaded })
    expect(JSON.parse(stdout)).toEqual([
      ['resident', [2, 4, 6, 8, 10], [1, 5, 14, 30, 55]],
      ['resident', [0, -2, 14, 4, 4], [0, 1, 50, 54, 58]],
    ])
  })

  it('have the same bits as one, in Node, which ends by itself, in Deno, and in a page that is isolated', async () => {
    const [sum, none] = (await inNode(threaded, '1')) as readonly [number, number]
    expect(none).toBe(0)
    expect(await inNode(threaded, '3')).toEqual([sum, 2])
    expect(JSON.parse(await runInDeno(threaded, 'node.mjs', ['2']))).toEqual([sum, 1])
    expect(await runInBrowser(threaded, 'page.js', 'run', 2, withThreads)).toEqual([sum, 1])
    expect(await runInBrowser(threaded, 'page.js', 'run', 2, withWasm)).toEqual([sum, 0])
  })
})

describe('--target', () => {
  const filesOf = (at: string): readonly string[] =>
    readdirSync(at)
      .filter((f) => !/^runtime\.[A-Z0-9]{8}\.js$/.test(f))
      .sort()

  it.each([
    ['webgpu', ['d.ts', 'js', 'safetensors'], 'cpu', /this module has no WebAssembly[\s\S]*--target webgpu,cpu/],
    ['cpu', ['d.ts', 'js', 'safetensors', 'wasm'], 'webgpu', /this module has no WGSL[\s\S]*--target webgpu,cpu/],
  ] as const)('%s gives one module a program, and one runtime', async (target, endings, other, message) => {
    const at = join(folder, target)
    const { code, stderr } = await tensorloom(['build', fixture('mlp.ts'), '--out', at, '--target', target])
    expect([code, stderr]).toEqual([0, ''])
    expect(filesOf(at)).toEqual([
      `runtime.${target}.d.ts`,
      `runtime.${target}.js`,
      ...(target === 'cpu' ? ['runtime.worker.js'] : []),
      ...['train', 'use'].flatMap((name) => endings.map((e) => `${name}.${e}`)),
    ])
    for (const f of ['main.js', 'node.mjs', 'scenario.js', 'package.json']) copyFileSync(join(out, f), join(at, f))
    const refused = await run(process.execPath, [join(at, 'node.mjs'), other], { cwd: at })
    expect(refused.stderr).toMatch(message)
    if (target === 'cpu') expect(await inNode(at)).toEqual({ target, ...expected })
  })

  it('gives WebGPU alone where there is WGSL of the user’s own, with a note, beside programs for both', async () => {
    const at = join(folder, 'own')
    const { code, stderr } = await tensorloom(['build', fixture('mixed.ts'), '--out', at])
    expect([code, stderr]).toEqual([0, 'tensorloom: program has WGSL of your own in it: written for WebGPU alone\n'])
    const written = filesOf(at)
    expect(written.filter((f) => f.startsWith('program'))).toEqual(['program.d.ts', 'program.js'])
    expect(written).toContain('use.wasm')
    expect(readFileSync(join(at, 'program.js'), 'utf8')).toContain("from './runtime.webgpu.js'")
    const refused = await tensorloom(['build', fixture('user-code.ts'), '--out', at, '--target', 'cpu'])
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'tensorloom: program has WGSL of your own in it, so it is written for WebGPU alone: build it with --target webgpu\n',
    ])
  })

  it.each([
    [{ target: 'gpu' }, "no target is named 'gpu'; there are webgpu, cpu"],
    [{ target: '' }, "no target is named ''; there are webgpu, cpu"],
    [{ target: 'cpu', profile: 'hardware' }, 'profile hardware is for webgpu, which is not among the targets: cpu'],
  ])('refuses %j', async (options, message) => {
    const refused = build(fixture('mlp.ts'), { out: join(folder, 'never'), ...options })
    await expect(refused).rejects.toMatchObject({ message, code: 2 })
  })
})
