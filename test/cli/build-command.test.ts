/** `tensorloom build` writes modules that run in Node, Chromium and Deno as the JIT does, and refuses what it cannot do. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuiltPlan } from '../../src/cli/build-command.ts'
import { bundleRuntime } from '../../src/cli/bundle-runtime.ts'
import { orThrow, type Program, toPromise } from '../../src/compile/compile.ts'
import { unpackSoftware } from '../../src/runtime/gpu/software.ts'
import { openDevice } from '../../src/runtime/open-device.ts'
import { closeBrowser, runInBrowser } from '../browser.ts'
import { runInDeno } from '../deno.ts'
import { fixture, root, run, tensorloom } from './command.ts'
import * as mlp from './fixtures/mlp.ts'

interface Outcome {
  readonly losses: readonly number[]
  readonly predicted: Readonly<Record<string, readonly number[]>>
  readonly state: { readonly params: Readonly<Record<string, readonly number[]>>; readonly steps: readonly number[] }
  readonly errors: Readonly<Record<string, string>>
}

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-build-'))
const out = join(folder, 'out')
afterAll(async () => {
  await closeBrowser()
  rmSync(folder, { recursive: true, force: true })
})

/** What the same programs give without being written out, on the software adapter that all platforms here have. */
const jit = async (): Promise<Outcome> => {
  const { scenario } = (await import(fixture('scenario.js'))) as { scenario: (...p: unknown[]) => Promise<Outcome> }
  const device = await openDevice({ prefer: 'software', quiet: true })
  const load = (e: unknown): Promise<unknown> => toPromise(orThrow(e as never as typeof right).load(device))
  const right = undefined as never as import('#fp/Either').Either<never, Program>
  return scenario(await load(mlp.train), await load(mlp.use))
}

let expected: Outcome
beforeAll(async () => {
  expected = await jit()
  const built = await tensorloom(['build', fixture('mlp.ts'), '--out', out])
  expect(built).toMatchObject({ code: 0, stderr: '' })
  copyFileSync(fixture('scenario.js'), join(out, 'scenario.js'))
})

describe('the JIT outcome that modules are compared with', () => {
  it('has learned, and counted', () => {
    expect(expected.losses[19]!).toBeLessThan(expected.losses[0]! / 2)
    expect(expected.state.steps).toEqual([20])
    expect(expected.predicted['label']!.every((k) => k >= 0 && k < 4)).toBe(true)
    expect(expected.errors).toEqual({ again: 'ConsumedHandle', short: 'ArgumentError', missing: 'ArgumentError' })
  })
})

/** What the chunks that runtimes share are called: by what is in them. */
const chunk = /^runtime\.[A-Z0-9]{8}\.js$/

describe('the files', () => {
  it('are a module a program and target, its types, weights and WebAssembly, and runtimes', () => {
    const program = (name: string): readonly string[] =>
      ['cpu.js', 'd.ts', 'js', 'safetensors', 'wasm', 'webgpu.js'].map((e) => `${name}.${e}`)
    expect(
      readdirSync(out)
        .filter((f) => f !== 'scenario.js' && !chunk.test(f))
        .sort(),
    ).toEqual([
      ...['cpu.js', 'd.ts', 'js', 'webgpu.js', 'worker.js'].map((e) => `runtime.${e}`),
      ...program('train'),
      ...program('use'),
    ])
  })

  it('are the same bytes each time', async () => {
    const again = join(folder, 'again')
    expect((await tensorloom(['build', fixture('mlp.ts'), '--out', again])).code).toBe(0)
    for (const f of readdirSync(again))
      expect([f, readFileSync(join(again, f))]).toEqual([f, readFileSync(join(out, f))])
  })

  it.each([
    ['webgpu', 15_000],
    ['cpu', 15_850],
  ] as const)('hold a runtime of little text, for %s alone', async (target, most) => {
    const texts = new Map((await bundleRuntime([target], false)).map((t) => [t.file, t.text]))
    // What is imported where there are several threads is not counted.
    const imported = (file: string): readonly string[] => [
      file,
      ...[...texts.get(file)!.matchAll(/\bfrom"\.\/(.*?)"/g)].flatMap((m) => imported(m[1]!)),
    ]
    const files = [...new Set(imported(`runtime.${target}.js`))]
    const bytes = files.reduce((sum, f) => sum + gzipSync(texts.get(f)!, { level: 9 }).length, 0)
    expect(bytes).toBeLessThan(most)
    if (target === 'webgpu') expect([...texts.keys()]).toEqual(files)
  })

  it('hold no compiler, nothing of Node but reading a file, nothing a strict policy forbids', () => {
    for (const f of readdirSync(out).filter((f) => f.endsWith('.js') && f !== 'scenario.js')) {
      const text = readFileSync(join(out, f), 'utf8')
        .replace(/import\('\.\/(train|use)\.(webgpu|cpu)\.js'\)/g, '')
        .replace(/new URL\('\.\/(train|use)\.wasm', import\.meta\.url\)/g, '')
        .replace('process.getBuiltinModule("node:fs").readFileSync', '')
        .replace(/import\("\.\/runtime\.[A-Z0-9]{8}\.js"\)/g, '')
        .replaceAll('new URL("./runtime.worker.js",import.meta.url)', '')
        .replace(/"node:(os|worker_threads)"|'node:worker_threads'/g, '')
        .replace("'wasm-unsafe-eval'", '')
      for (const word of [
        /\beval\b/,
        /new Function/,
        /\bimport\s*\(/,
        /node:/,
        /\brequire\b/,
        /sparticuz|dlopen/,
        /import\.meta/,
        /^await /m,
      ])
        expect([f, word, word.test(text)]).toEqual([f, word, false])
      const imports = [...text.matchAll(/\bfrom\s*["'](.*?)["']/g)].map((m) => m[1]!)
      if (f.startsWith('runtime')) expect(imports.filter((i) => !chunk.test(i.slice(2)))).toEqual([])
      else expect(imports).toEqual([`./runtime.${f.split('.').slice(1).join('.')}`])
    }
  })
})

describe('a module runs as the JIT does', () => {
  /** `gpu` and `read` are the platform's; everything else is the same everywhere. */
  const main = `
    import { load as loadTrain } from './train.js'
    import { load as loadUse } from './use.js'
    import { scenario } from './scenario.js'
    export const runModules = async (gpu, read) => {
      const weights = await read('train.safetensors')
      const tag = (e) => e?.error?.tag ?? String(e)
      const [nowhere, none, foreign, broken] = await Promise.all([
        loadTrain({}, { weights }).catch(tag),
        loadTrain(gpu).catch(tag),
        loadTrain(gpu, { weights: new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125]) }).catch(tag),
        loadTrain(gpu, { weights: new Uint8Array(weights).subarray(0, 100) }).catch(tag),
      ])
      const train = await loadTrain(gpu, { weights })
      const use = await loadUse(gpu, { weights: await read('use.safetensors') })
      return { ...(await scenario(train, use)), refused: { nowhere, none, foreign, broken }, shared: train.device === use.device }
    }`
  const check = (outcome: unknown): void => {
    expect(outcome).toEqual({
      ...expected,
      refused: { nowhere: 'UsageError', none: 'ArgumentError', foreign: 'ArgumentError', broken: 'DataError' },
      shared: true,
    })
  }

  beforeAll(() => writeFileSync(join(out, 'main.js'), main))

  it('in plain Node, on a device with the default limits that the caller opened', async () => {
    // .mjs and no package: nothing but the emitted files, Node itself, and the caller's own npm webgpu.
    writeFileSync(join(out, 'package.json'), '{"type":"module"}')
    const script = `
      import { createRequire } from 'node:module'
      import { readFileSync } from 'node:fs'
      import { runModules } from './main.js'
      const { create } = createRequire(${JSON.stringify(join(root, 'package.json'))})('webgpu')
      const gpu = create([])
      const device = await (await gpu.requestAdapter()).requestDevice()
      console.log(JSON.stringify(await runModules(device, (name) => readFileSync(new URL(name, import.meta.url)))))
    `
    writeFileSync(join(out, 'node.mjs'), script)
    const { code, stdout, stderr } = await run(process.execPath, [join(out, 'node.mjs')], {
      cwd: out,
      env: unpackSoftware().env,
    })
    expect([code, stderr]).toEqual([0, ''])
    check(JSON.parse(stdout))
  })

  it('in Node without WebGPU it says what to do', async () => {
    const source = `import { load } from './use.js'; load('webgpu').catch((e) => console.log(e.name, e.message))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], { cwd: out })
    // The weights are looked at first.
    expect(stdout).toMatch(/^ArgumentError argument weights: missing/)
    const weights = `import { readFileSync } from 'node:fs'; ${source.replace("'webgpu')", "'webgpu', { weights: readFileSync('use.safetensors') })")}`
    const second = await run(process.execPath, ['--input-type=module', '-e', weights], { cwd: out })
    expect(second.stdout).toMatch(/^NoAdapter no WebGPU adapter: navigator.gpu is not there/)
  })

  it('in headless Chromium, under a policy without eval', async () => {
    writeFileSync(
      join(out, 'page.js'),
      `import { runModules } from './main.js'
       export const run = () => runModules(navigator.gpu, async (name) => (await fetch('/' + name)).arrayBuffer())`,
    )
    check(await runInBrowser(out, 'page.js', 'run'))
  })

  it('in Deno, on wgpu and naga', async () => {
    writeFileSync(
      join(out, 'deno.js'),
      `import { runModules } from './main.js'
       console.log(JSON.stringify(await runModules(navigator.gpu, (name) => Deno.readFile(name))))
       Deno.exit(0)`,
    )
    check(JSON.parse(await runInDeno(out, 'deno.js')))
  })
})

describe('the declarations', () => {
  it('let right calls through and refuse wrong ones', async () => {
    const user = `
      import { load as loadTrain } from './train.js'
      import { load as loadUse } from './use.js'
      const weights = new Uint8Array(8)
      const params = { w1: new Float32Array(128), b1: new Float32Array(16), w2: new Float32Array(64), b2: [1, 2, 3, 4] }
      export const main = async (given: GPUDevice): Promise<Float32Array> => {
        const train = await loadTrain(given, { weights })
        const use = await loadUse(undefined, { weights: weights.buffer })
        const { state, loss } = await train.run({ params, steps: 0 }, new Float32Array(256), new Float32Array(128))
        const more = await train.run(state, new Float32Array(256), new Float32Array(128))
        const { label, sure } = await use.run(state.params, new Float32Array(256))
        const onCpu = await loadUse('cpu', { weights, wasm: () => WebAssembly.compile(weights) })
        const somewhere = await loadTrain('webgpu', { weights })
        const device: GPUDevice | undefined = somewhere.device
        if (onCpu.target === 'cpu') onCpu.device satisfies undefined
        else onCpu.device satisfies GPUDevice
        // @ts-expect-error nothing is called that
        await loadUse('gpu', { weights })
        const labels: Int32Array = await label.read()
        const flags: Uint8Array = await sure.read()
        const sizes: readonly [8, 16] = more.state.params.w1.shape
        // @ts-expect-error weights are needed
        await loadTrain(given)
        // @ts-expect-error a leaf is missing
        await use.run({ w1: params.w1 }, new Float32Array(256))
        // @ts-expect-error integers for floats
        await use.run(params, new Int32Array(256))
        // @ts-expect-error a handle of another shape
        await use.run({ ...params, b2: state.params.b1 }, new Float32Array(256))
        // @ts-expect-error a number is no vector
        await use.run({ ...params, b1: 3 }, new Float32Array(256))
        // @ts-expect-error a result on its way to the host is no argument
        await use.run({ ...params, b1: loss }, new Float32Array(256))
        // @ts-expect-error there is no such result
        more.accuracy
        return loss.read()
      }`
    const typed = join(folder, 'typed')
    mkdirSync(typed)
    for (const f of ['train.d.ts', 'use.d.ts', 'runtime.d.ts']) copyFileSync(join(out, f), join(typed, f))
    writeFileSync(join(typed, 'user.ts'), user)
    const options = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2023',
      types: [],
    }
    writeFileSync(join(typed, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['.'] }))
    writeFileSync(join(typed, 'package.json'), '{"type":"module"}')
    const { code, stdout } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', typed])
    expect([code, stdout]).toEqual([0, ''])
  })
})

describe('the command', () => {
  it('plans for the profile it is given', async () => {
    const other = join(folder, 'hardware')
    const { stdout } = await tensorloom(['build', fixture('mlp.ts'), '--out', other, '--profile', 'hardware', '--json'])
    const { programs, files } = JSON.parse(stdout) as {
      programs: readonly { readonly name: string; readonly plans: readonly BuiltPlan[] }[]
      files: readonly { readonly file: string; readonly bytes: number }[]
    }
    expect(programs.map((p) => [p.name, p.plans.map((q) => [q.target, q.profile])])).toEqual([
      ['train', [['webgpu', 'hardware']]],
      ['use', [['webgpu', 'hardware']]],
    ])
    for (const f of files) expect(readFileSync(join(other, f.file)).length).toBe(f.bytes)
    expect(readFileSync(join(other, 'use.js'), 'utf8')).toContain('for the hardware profile')
  })

  it('takes plain JavaScript, a program without its Either, and a default export', async () => {
    const file = join(folder, 'plain.mjs')
    const compileUrl = JSON.stringify(join(root, 'src/compile/compile.ts'))
    writeFileSync(
      file,
      `import { compile, orThrow, spec } from ${compileUrl}\nexport default orThrow(compile((x) => x, [spec([2])]))\n`,
    )
    const { code, stdout } = await tensorloom(['build', file, '--out', join(folder, 'plain')])
    expect(code).toBe(0)
    expect(stdout).toMatch(/default\.js/)
  })

  it.each<[string, string, RegExp]>([
    [
      'a program with a mistake',
      'wrong.ts',
      /wrong\.ts: product does not compile\nT\.matmul: inner dimensions 3 and 4 differ[\s\S]*wrong\.ts:\d+/,
    ],
    ['a file without programs', 'scenario.js', /exports no program: export the result of compile/],
    ['a file that is not there', 'nothing.ts', /nothing\.ts: there is no such file/],
  ])('fails on %s', async (_, file, message) => {
    const { code, stdout, stderr } = await tensorloom(['build', fixture(file), '--out', join(folder, 'never')])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
  })

  it('refuses names that would overwrite each other', async () => {
    const file = join(folder, 'names.mjs')
    const compileUrl = JSON.stringify(join(root, 'src/compile/compile.ts'))
    writeFileSync(
      file,
      `import { compile, spec } from ${compileUrl}\nexport const runtime = compile((x) => x, [spec([2])])\n`,
    )
    const { code, stderr } = await tensorloom(['build', file, '--out', join(folder, 'never')])
    expect([code, stderr]).toEqual([
      1,
      'tensorloom: export runtime would be written over the shared runtime: give it another name\n',
    ])
  })
})
