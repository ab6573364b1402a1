/** The built package as its users have it: compiled by `npm run build`, imported by name, its command run by plain Node. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unpackSoftware } from '../src/runtime/gpu/software.ts'
import { root, run } from './cli/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-package-'))
const app = join(folder, 'app')
const built = join(folder, 'tensorloom')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Manifest {
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

/** `dist` and package.json in a folder of their own, dependencies linked, and an application that depends on it. */
beforeAll(async () => {
  mkdirSync(join(app, 'node_modules'), { recursive: true })
  mkdirSync(built)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { code, stdout } = await run(process.execPath, [
    tsc,
    '-p',
    join(root, 'tsconfig.build.json'),
    '--outDir',
    join(built, 'dist'),
  ])
  expect([code, stdout]).toEqual([0, ''])
  cpSync(join(root, 'package.json'), join(built, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(built, 'node_modules'))
  symlinkSync(built, join(app, 'node_modules/tensorloom'))
  writeFileSync(join(app, 'package.json'), '{"type":"module"}')
})

const node = (source: string, cwd: string) =>
  run(process.execPath, ['--input-type=module', '-e', source], {
    cwd,
    env: { VK_ICD_FILENAMES: unpackSoftware().env.VK_ICD_FILENAMES },
  })

const mostInstantiations = 100_000

const program = `
  import * as T from 'tensorloom'
  const predict = (w, x) => T.pipe(T.matmul(x, w), T.tanh)
  export const model = T.compile(predict, [T.spec([2, 3]), T.spec([4, 2])], { name: 'model' })
`
const inputs = `const [w, x] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(0.5, 0, 0, 0.25, -1, 1, 0.125, 0.125)]`
/** tanh of the products, by hand. */
const expected = [0.5, 1, 1.5, 1, 1.25, 1.5, 3, 3, 3, 0.625, 0.875, 1.125].map(Math.tanh)

const checkNear = (text: string): void => {
  const got = JSON.parse(text) as readonly number[]
  expect(got).toHaveLength(expected.length)
  got.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!)).toBeLessThan(1e-6)
  })
}

describe('the built package', () => {
  it('has every file that package.json promises', () => {
    for (const entry of Object.values(manifest.exports)) {
      const files = typeof entry === 'string' ? [entry] : [entry.types, entry.default]
      for (const file of files) expect([file, readFileSync(join(built, file), 'utf8').length > 0]).toEqual([file, true])
    }
    expect(readFileSync(join(built, manifest.bin['tensorloom']!), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  it('is imported by every name, by itself and by an application, in plain Node', async () => {
    const names = Object.keys(manifest.exports).filter((k) => k !== './package.json')
    const source = names
      .map((k) => `console.log(Object.keys(await import('tensorloom${k.slice(1)}')).length > 0)`)
      .join('\n')
    for (const cwd of [built, app]) {
      const { code, stdout, stderr } = await node(source, cwd)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toBe('true\n'.repeat(names.length))
    }
  })

  it('keeps fp-ts behind #fp: no other spelling is left in dist', () => {
    const js = readdirSync(join(built, 'dist'), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.js'))
    expect(js.length).toBeGreaterThan(100)
    for (const f of js) {
      const specifiers = [...readFileSync(join(built, 'dist', f), 'utf8').matchAll(/\bfrom\s+'([^']+)'/g)].map(
        (m) => m[1]!,
      )
      const odd = specifiers.filter((s) => s.startsWith('fp-ts') || s.endsWith('.ts'))
      expect([f, odd]).toEqual([f, []])
    }
  })

  it('compiles and runs a program', async () => {
    const source = `${program}
      ${inputs}
      const device = await T.openDevice({ quiet: true })
      const loaded = await T.toPromise(T.orThrow(model).load(device))
      console.log(JSON.stringify(Array.from(await (await loaded.run(w, x)).read())))`
    const { code, stdout, stderr } = await node(source, app)
    expect([code, stderr]).toEqual([0, ''])
    checkNear(stdout)
  })

  it('needs fp-ts and webgpu alone, and the command says what else it needs', async () => {
    const bare = join(folder, 'bare')
    mkdirSync(join(bare, 'node_modules'), { recursive: true })
    for (const name of ['fp-ts', 'webgpu'])
      symlinkSync(join(root, 'node_modules', name), join(bare, 'node_modules', name))
    symlinkSync(join(built, 'dist'), join(bare, 'dist'))
    cpSync(join(root, 'package.json'), join(bare, 'package.json'))
    const stay = ['--preserve-symlinks', '--preserve-symlinks-main']
    const source = `${program}; console.log(T.orThrow(model).plan.prediction.dispatches)`
    const used = await run(process.execPath, [...stay, '--input-type=module', '-e', source], { cwd: bare })
    expect([used.code, used.stdout, used.stderr]).toEqual([0, '1\n', ''])
    // Libraries that read formats are asked for when they are needed, by name.
    const formats = `import * as data from 'tensorloom/data'
      import * as io from 'tensorloom/io'
      const bytes = Uint8Array.of(0x50, 0x4b)
      const tasks = [data.parseCsvTask('a'), io.parseNpzTask(bytes), io.parsePngTask(bytes), data.loadTokenizerTask({})]
      const found = [data.parseCsv('a'), ...(await Promise.all(tasks.map((task) => task())))]
      console.log(found.map(({ left }) => left.tag + ' ' + left.hint).join(', '))`
    const asked = await run(process.execPath, [...stay, '--input-type=module', '-e', formats], { cwd: bare })
    const missing = ['papaparse', 'papaparse', 'fflate', 'pngjs', '@huggingface/tokenizers']
    expect([asked.code, asked.stdout, asked.stderr]).toEqual([
      0,
      `${missing.map((name) => `DataError npm install ${name}`).join(', ')}\n`,
      '',
    ])
    const command = await run(process.execPath, [...stay, join(bare, manifest.bin['tensorloom']!), '--help'], {
      cwd: bare,
    })
    expect([command.code, command.stdout]).toEqual([1, ''])
    expect(command.stderr).toBe(
      'tensorloom: the command line needs commander, which is not installed\n  hint: npm i -D commander esbuild tsx\n',
    )
    expect(Object.keys(manifest.dependencies)).toEqual(['fp-ts', 'webgpu'])
  })

  it('builds an application’s TypeScript with its command, in plain Node, and the module runs', async () => {
    writeFileSync(join(app, 'model.ts'), program.replace('(w, x)', '(w: T.Tensor, x: T.Tensor)'))
    const bin = join(built, manifest.bin['tensorloom']!)
    const done = await run(process.execPath, [bin, 'build', 'model.ts', '--out', 'out'], { cwd: app })
    expect([done.code, done.stderr]).toEqual([0, ''])
    const source = `${inputs}
      import { createRequire } from 'node:module'
      import { load } from './out/model.js'
      const { create } = createRequire(${JSON.stringify(join(root, 'package.json'))})('webgpu')
      const model = await load(create([]))
      // Nobody but the runtime holds on to what \`create\` gave.
      globalThis.gc()
      await new Promise((done) => setTimeout(done, 20))
      globalThis.gc()
      console.log(JSON.stringify(Array.from(await (await model.run(w, x)).read())))`
    const script = join(app, 'use.mjs')
    writeFileSync(script, source)
    const args = ['--expose-gc', script]
    const { code, stdout, stderr } = await run(process.execPath, args, { cwd: app, env: unpackSoftware().env })
    expect([code, stderr]).toEqual([0, ''])
    checkNear(stdout)
  })
})

describe('its declarations', () => {
  /** Compiles files of the application strictly, our declarations among them; what the type checker says. */
  const checkWith = async (
    compiler: 'typescript' | 'typescript-5',
    files: Readonly<Record<string, string>>,
    ...options: readonly string[]
  ): Promise<string> => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text)
    const tsc = join(root, 'node_modules', compiler, 'bin/tsc')
    // The older one takes no empty list of types, and finds none here.
    const own = compiler === 'typescript' ? ['--ignoreConfig', '--types', ''] : []
    const flags = [...own, ...'--strict --module nodenext --target es2023'.split(' ')]
    const { stdout } = await run(process.execPath, [tsc, ...flags, ...options, ...Object.keys(files)], { cwd: app })
    return stdout
  }
  const check = (files: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<string> =>
    checkWith('typescript', files, ...options)
  const declared = ['--declaration', '--outDir', 'declared']
  const entries = Object.entries(manifest.exports).flatMap(([path, e]) =>
    typeof e === 'string' || path === './runtime' ? [] : [`tensorloom${path.slice(1)}`],
  )

  it.each(entries)('of %s need no library and no names that cannot be had', async (entry) => {
    const { stdout } = await node(`console.log(Object.keys(await import('${entry}')).join())`, app)
    const names = stdout.trim().split(',')
    const exported = names.map((n) => `export const my_${n} = all.${n}`)
    // Training is three functions.
    expect(names.length).toBeGreaterThan(entry === 'tensorloom/train' ? 2 : 5)
    const text = [`import * as all from '${entry}'`, ...exported].join('\n')
    expect(await check({ 'every.ts': text }, '--lib', 'ES2023', ...declared)).toBe('')
  })

  /** What is made of our functions, exported. */
  const made = `
      import * as T from 'tensorloom'
      import * as nn from 'tensorloom/nn'
      import * as optim from 'tensorloom/optim'
      import * as random from 'tensorloom/random'
      export const double = T.mul(2)
      export const sum = T.sum({ axis: 1 })
      export const at = T.at(0, '1:2')
      export const gelu = nn.gelu()
      export const params = nn.linearInit(random.key(0), 4, 3)
      export const layer = nn.linear(params)
      export const conv = nn.conv2d({ weight: T.zeros([6, 3, 3, 3]) }, { padding: 1 })
      export const pool = nn.maxPool2d({ kernelSize: 2 })
      export const start = { params, optimiser: optim.adam(0.1).init(params) }
      export const loss = (p: typeof params, x: T.Tensor) => T.mean(T.square(nn.linear(x, p)))
      export const grads = T.valueAndGrad(loss)
      export const step = (s: typeof start, x: T.Tensor<readonly [8, 4]>) => ({ s, l: loss(s.params, x) })
      export const compiled = T.compile(step, [start, T.spec([8, 4])])
      export const program = async () => T.compileOn(await T.defaultDevice(), step, [start, T.spec([8, 4])])
      export const results = async () => (await program()).run(start, new Float32Array(32))
      export const elements = async () => T.read(await results())
      export const handles = async () => T.put(start)
      export const shapes = T.mapTree(start, (x) => x.shape)
      export const mapped = T.vmap(loss)
      export const jitted = T.jit(step)
      export const dropped = nn.dropout(random.key(1))
      export const kernels = nn.conv2dInit(random.key(0), 3, 16, 5, { groups: 1 })
      export const cells = nn.gruInit(random.key(0), 3, 4, { bidirectional: true })
      export const block = nn.transformerEncoderBlockInit(random.key(0), 8, 16)
      export const norm = nn.layerNormInit(8)
      export const model = nn.sequential(nn.dense(8, 4), nn.relu, nn.dropoutLayer(), nn.layer(() => norm, nn.layerNorm))
      export const inside = model.init(random.key(0))
      export const turn = nn.rotary()`

  it('check beside the DOM library, and what is made of functions can be exported', async () => {
    expect(await check({ 'made.ts': made }, '--lib', 'ES2023,DOM', ...declared)).toBe('')
  })

  it('check under TypeScript 5.9 too, without the DOM library', async () => {
    const all = entries.map((entry, i) => `export * as all${i} from '${entry}'`).join('\n')
    expect(await checkWith('typescript-5', { 'made.ts': made, 'all.ts': all }, '--lib', 'ES2023', ...declared)).toBe('')
  })

  it('cost little: 500 lines of other shapes each', async () => {
    const block = (i: number): readonly string[] => {
      const [a, b, c] = [16 + i, 32 + 2 * i, 8 + i]
      return [
        `const x${i} = T.zeros([${a}, ${b}])`,
        `const p${i} = { w: T.zeros([${b}, ${c}]), b: T.zeros([${c}]) }`,
        `const h${i} = T.relu(T.add(T.matmul(x${i}, p${i}.w), p${i}.b))`,
        `const c${i} = T.concat([h${i}, T.zeros([${i + 3}, ${c}])])`,
        `const s${i} = T.at(c${i}, '0:${a}', ':')`,
        `const m${i} = T.mean(s${i}, { axis: 1, keepdims: true })`,
        `const l${i} = (p: typeof p${i}, x: typeof x${i}) => T.sum(T.pipe(x, T.matmul(p.w), T.add(p.b), nn.softmax()))`,
        `const g${i} = T.valueAndGrad(l${i})(p${i}, x${i})`,
        i % 5 === 0
          ? `const v${i} = nn.conv2d(T.zeros([2, 3, ${a}, ${b}]), { weight: T.zeros([${c}, 3, 3, 3]) }, { padding: 1 })`
          : `const v${i} = T.reshape(x${i}, [${b}, ${a}])`,
        `export const r${i} = [T.stack([m${i}, m${i}]), g${i}[1].w, v${i}]`,
      ]
    }
    const imports = ["import * as T from 'tensorloom'", "import * as nn from 'tensorloom/nn'"]
    const lines = [...imports, ...Array.from({ length: 50 }, (_, i) => block(i)).flat()]
    const said = await check({ 'long.ts': lines.join('\n') }, '--noEmit', '--skipLibCheck', '--extendedDiagnostics')
    expect(said).not.toContain('error')
    // Seconds depend on the machine; these do not.
    expect(Number(/Instantiations:\s+(\d+)/.exec(said)![1])).toBeLessThan(mostInstantiations)
  })
})
