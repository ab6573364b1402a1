/** Plans in a folder: the same to the last bit in another process, and never believed when something is wrong with them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { forgetPlans } from '../../src/compile/plan-cache.ts'
import { textOfPlan } from '../../src/compile/plan-text.ts'
import { version } from '../../src/compile/version.ts'
import * as T from '../../src/index.ts'
import { digestOfText } from '../../src/lang/digest.ts'
import { root, run } from '../cli/command.ts'
import { mlpSpecs, mlpStep } from '../mlp-step.ts'

const counter = vi.hoisted(() => ({ plans: 0 }))
vi.mock('../../codegen/plan/make-plan.ts', async (original) => {
  const real = await original<typeof import('../../codegen/plan/make-plan.ts')>()
  const makePlan: typeof real.makePlan = (...args) => {
    counter.plans++
    return real.makePlan(...args)
  }
  return { ...real, makePlan }
})

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-plans-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let folders = 0
const emptyFolder = (): string => join(folder, `f${folders++}`)

beforeEach(() => {
  forgetPlans()
  counter.plans = 0
})

type F = (...xs: never[]) => unknown
const compile = (f: F, specs: readonly unknown[] = [T.spec([4])], options: T.CompileOptions = {}): T.Program =>
  T.orThrow(T.compile(f as never, specs, { name: 'p', ...options })) as T.Program

const wave = (x: T.Tensor): T.Tensor => T.mul(T.sin(x), 2) as T.Tensor

/** A program with every kind of number in its plan, a loop, a large constant, donated state and hostile keys. */
const rich = (s: { readonly w: T.Tensor; readonly $: T.Tensor }, x: T.Tensor): unknown => {
  const table = T.fromArray(
    Float32Array.from({ length: 2000 }, (_, i) => (i === 5 ? Number.NaN : i === 6 ? -0 : Math.sin(i))),
    [2000],
  )
  const few = T.tensor([Number.POSITIVE_INFINITY, -0, Number.NaN, 1e-40], { dtype: 'f32' })
  const w = T.foriLoop(0, 3, (_, c: T.Tensor) => T.add(T.mul(c, 0.5), x) as T.Tensor, s.w)
  return {
    w,
    $: T.add(s.$, few),
    max: T.max(T.add(table, T.sum(x))),
    sorted: T.sort(x),
    c: T.maximum(x, Number.NEGATIVE_INFINITY),
  }
}
const richSpecs = [{ w: T.spec([4]), $: T.spec([4]) }, T.spec([4])]
const richOptions = { donate: [0], keep: ['c'] } as const

const entryIn = (at: string): string => {
  const files = readdirSync(at)
  expect(files).toHaveLength(1)
  return join(at, files[0]!)
}

/** An entry that says of itself that all is well. */
const signed = (head: Readonly<Record<string, unknown>>, key: string, plan: string): string =>
  `${JSON.stringify({ ...head, digest: digestOfText(`${key}\n${plan}`) })}\n${key}\n${plan}\n`

const quietly = async <R>(f: () => R | Promise<R>): Promise<readonly [R, string]> => {
  const said: string[] = []
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  try {
    return [await f(), said.join('')]
  } finally {
    spy.mockRestore()
  }
}

describe('in a folder', () => {
  it('a plan comes back to the last bit, and is the one that is stored', async () => {
    for (const [f, specs, options] of [
      [rich, richSpecs, richOptions],
      [mlpStep, mlpSpecs, { donate: [0] }],
    ] as const) {
      const cache = emptyFolder()
      const { plan } = compile(f as F, specs, { ...options, cache })
      counter.plans = 0
      forgetPlans()
      const [{ plan: back }, said] = await quietly(() => compile(f as F, specs, { ...options, cache }))
      expect([counter.plans, said]).toEqual([0, ''])
      expect(textOfPlan(back)).toBe(textOfPlan(plan))
      expect(back).toEqual(plan)
      expect(back.data.map((d) => Array.from(d.values))).toEqual(plan.data.map((d) => Array.from(d.values)))
      // What is found is what stands there.
      const [head, key, body] = readFileSync(entryIn(cache), 'utf8').split('\n')
      const marked = body!.replace(/"flops":\d+(?=,"peak)/, '"flops":12345')
      writeFileSync(entryIn(cache), signed(JSON.parse(head!), key!, marked))
      forgetPlans()
      expect(compile(f as F, specs, { ...options, cache }).plan.prediction.flops).toBe(12345)
      expect(counter.plans).toBe(0)
    }
  })

  it('another process finds it, and it runs there', async () => {
    const cache = emptyFolder()
    const script = join(folder, 'other.mts')
    writeFileSync(
      script,
      `import * as T from ${JSON.stringify(join(root, 'src/index.ts'))}
       import { textOfPlan } from ${JSON.stringify(join(root, 'src/compile/plan-text.ts'))}
       const g = (x) => T.div(T.exp(x), T.sum(T.exp(x)))
       const { plan, load } = T.orThrow(T.compile(g, [T.spec([4])], { name: 'p', cache: process.argv[2] }))
       const run = process.argv[3] === 'run'
       const out = run ? [...await (await (await T.toPromise(load(await T.openDevice({ quiet: true })))).run([0, 0, 0, 0])).read()] : []
       process.stdout.write(JSON.stringify([plan.prediction.flops, textOfPlan(plan), out]), () => process.exit(0))\n`,
    )
    const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href
    const other = (...args: readonly string[]) =>
      run(process.execPath, ['--conditions=tensorloom-source', '--import', tsx, script, cache, ...args])
    // Several at once write the same entry.
    const all = await Promise.all([other(), other(), other()])
    const [first] = all.map(({ stdout, stderr, code }) => {
      expect([code, stderr, stdout]).toEqual([0, '', all[0]!.stdout])
      return JSON.parse(stdout) as [number, string, number[]]
    })
    const here = compile((x: T.Tensor) => T.div(T.exp(x), T.sum(T.exp(x))), [T.spec([4])], { cache })
    expect([counter.plans, textOfPlan(here.plan)]).toEqual([0, first![1]])
    const [head, key, body] = readFileSync(entryIn(cache), 'utf8').split('\n')
    writeFileSync(
      entryIn(cache),
      signed(JSON.parse(head!), key!, body!.replace(/"flops":\d+(?=,"peak)/, '"flops":777')),
    )
    const { stdout, stderr } = await other('run')
    const [flops, , out] = JSON.parse(stdout) as [number, string, number[]]
    expect([flops, out, stderr]).toEqual([777, [0.25, 0.25, 0.25, 0.25], ''])
  })

  it('a plan that is in memory is written there too, once', () => {
    const cache = emptyFolder()
    compile(wave)
    compile(wave, undefined, { cache })
    const text = readFileSync(entryIn(cache), 'utf8')
    writeFileSync(entryIn(cache), 'left alone')
    compile(wave, undefined, { cache })
    expect(readFileSync(entryIn(cache), 'utf8')).toBe('left alone')
    expect([counter.plans, text.length > 100]).toEqual([1, true])
  })

  const cache = emptyFolder()
  const other = emptyFolder()
  const doctored: readonly (readonly [string, (text: string) => string, string])[] = [
    ['is empty', () => '', 'it is cut short'],
    ['is cut short', (text) => text.slice(0, -2), 'it is cut short'],
    ['is cut in the middle', (text) => text.slice(0, text.length >> 1), 'it is cut short'],
    ['is something else', () => 'one\ntwo\nthree\n', 'Unexpected token'],
    ['was changed in one place', (text) => text.replace('"workgroups":', '"workgroups": '), 'it was changed'],
    [
      'is of another version',
      (text) => text.replace(`"tensorloom":"${version}"`, '"tensorloom":"0.0.1"'),
      `it is of version 0.0.1, not ${version}`,
    ],
    ['is of another form', (text) => text.replace('"format":1', '"format":2'), 'it is of version'],
    ['is of another program', () => readFileSync(entryIn(other), 'utf8'), 'it is of another program'],
    [
      'has an unsound plan under a right digest',
      (text) => {
        const [head, key, plan] = text.split('\n')
        return signed(JSON.parse(head!), key!, plan!.replace(/"arenas":\[(\d+)/, '"arenas":[16'))
      },
      'its plan is not sound: (place)',
    ],
    [
      'has no plan under a right digest',
      (text) => {
        const [head, key] = text.split('\n')
        return signed(JSON.parse(head!), key!, '{"kernels":3}')
      },
      'Cannot destructure',
    ],
    [
      'lacks a constant',
      (text) => {
        const [head, key, plan] = text.split('\n')
        return signed(JSON.parse(head!), key!, plan!.replace(/"absent":"[0-9a-f]+"/, '"absent":"0"'))
      },
      'its constants are not those of the program',
    ],
  ]
  it.each(doctored)('an entry that %s is passed over with a note', async (_, doctor, reason) => {
    for (const at of [cache, other]) rmSync(at, { recursive: true, force: true })
    compile(wave, undefined, { cache: other })
    const { plan } = compile(rich as F, richSpecs, { ...richOptions, cache })
    const file = entryIn(cache)
    const right = readFileSync(file, 'utf8')
    writeFileSync(file, doctor(right))
    forgetPlans()
    counter.plans = 0
    const [again, said] = await quietly(() => compile(rich as F, richSpecs, { ...richOptions, cache }))
    expect(said).toMatch(/^tensorloom: .*\.plan is not used: [^\n]*\n$/)
    expect(said).toContain(reason)
    expect([counter.plans, textOfPlan(again.plan)]).toEqual([1, textOfPlan(plan)])
    // It was written anew.
    expect(readFileSync(file, 'utf8')).toBe(right)
  })

  it('what cannot be read or written is said, and the program is there', async () => {
    const at = emptyFolder()
    compile(wave, undefined, { cache: at })
    const file = entryIn(at)
    rmSync(file)
    mkdirSync(file)
    forgetPlans()
    const [made, said] = await quietly(() => compile(wave, undefined, { cache: at }))
    expect(made.plan.kernels).toHaveLength(1)
    expect(said).toMatch(/is not used: EISDIR.*\n.*cannot be written: /)
    expect(readdirSync(at)).toHaveLength(1)
    writeFileSync(join(folder, 'a-file'), '')
    forgetPlans()
    const [, second] = await quietly(() => compile(wave, undefined, { cache: join(folder, 'a-file') }))
    expect(second).toMatch(/cannot be written: /)
  })
})
