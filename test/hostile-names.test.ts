/** Names that users give, through every writer: what reads the output finds the same names, and nothing of them runs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { printDeclarations } from '../codegen/export/aot/declarations.ts'
import { emittedPlan } from '../codegen/export/aot/emitted.ts'
import { printModule } from '../codegen/export/aot/module.ts'
import { runtimeDeclarations } from '../codegen/export/aot/runtime-declarations.ts'
import { printKernel } from '../codegen/targets/wgsl/print-module.ts'
import { lineChart, svgOf } from '../examples/pictures/chart.ts'
import { checkNames } from '../src/cli/build-command.ts'
import { programFiles } from '../src/cli/program-files.ts'
import * as T from '../src/index.ts'
import { readSafetensors, type StoredTensor, writeSafetensors } from '../src/io/safetensors.ts'
import { build } from '../src/lang/build.ts'
import { parseGraph } from '../src/lang/parse.ts'
import { trace } from '../src/lang/trace.ts'
import { visible } from '../src/lang/visible-text.ts'
import { argumentLeaves } from '../src/runtime/tree-arguments.ts'
import { root, run, tensorloom } from './cli/command.ts'
import { sharedDevice } from './device.ts'

const attack = 'globalThis.attacked = true'

/** What has ended a line, a comment, a string, a template, a script or a folder somewhere. */
const names: readonly string[] = [
  `a\n${attack}\n//`,
  `a\r${attack}\r//`,
  `a\u2028${attack}\u2028//`,
  `a\u2029${attack}\u2029//`,
  `a\u0085${attack}`,
  `*/ ${attack} /*`,
  `\`;${attack};\``,
  `\n\`;${attack};\``,
  `\${${attack}}`,
  `\n\${${attack}}`,
  `';${attack};'`,
  `";${attack};"`,
  `\\";${attack};//`,
  '\\',
  '\\u0041',
  '</script><script>',
  '\n</script>',
  '<!--',
  ']]>',
  '&amp;<b>"\'',
  'nul\0byte',
  '\u001b[31mred',
  '\u202eright to left',
  'x'.repeat(5000),
  '__proto__',
  'constructor',
  'toString',
  'readonly',
  'new',
  '',
  ' ',
  '0',
  '-1',
  'a.b',
  'a[0]',
  '["a"]',
  'é',
  '👩‍🚀𝒳',
  'half \ud800',
  '\n\udc00 half',
  '../../escape',
  '/etc/escape',
  'C:\\escape',
  '..',
  '%2e%2e',
]

const record = <V>(value: (name: string) => V): Readonly<Record<string, V>> =>
  Object.fromEntries(names.map((name) => [name, value(name)]))

const folder = mkdtempSync(join(tmpdir(), 'tensorloom-names-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const untouched = (): void => expect((globalThis as { attacked?: unknown }).attacked).toBeUndefined()

/** A program whose tree keys are all of the names, called and labelled by `name`. */
const programOf = (name: string): T.Program =>
  T.orThrow(
    T.compile(
      ((xs: Readonly<Record<string, T.Tensor>>) => {
        const sum = T.checkNumerics(
          T.debug(
            Object.values(xs).reduce((a, b) => T.add(a, b) as T.Tensor),
            name,
          ),
          name,
        )
        return Object.fromEntries(names.map((key, i) => [key, T.add(sum, i)]))
      }) as never,
      [record(() => T.spec([2]))],
      { name, profile: { ...T.portable, name } },
    ),
  ) as T.Program

const everything = programOf(names.join(''))

describe('a path', () => {
  it('is one of each name, and one line', () => {
    const { paths } = T.flattenTree(
      record(() => T.ones([1])),
      T.isTensor,
    )
    expect(new Set(paths).size).toBe(names.length)
    for (const path of paths) expect(path).toBe(visible(path))
  })

  it('leads to the result that is kept, and nowhere else', () => {
    const { outputs } = everything.plan
    for (const { path } of outputs.slice(0, names.length)) {
      const kept = T.compile(() => record(() => T.ones([1])), [], { keep: [path] })
      expect([path, kept._tag]).toEqual([path, 'Right'])
    }
    for (const path of ['constructor', '__proto__', 'toString', 'list[0]'])
      expect(T.compile(() => ({ a: T.ones([1]) }), [], { keep: [path] })._tag).toBe('Left')
  })

  it('of an argument that is missing is not inherited', () => {
    const { plan } = T.orThrow(
      T.compile(((x: object) => Object.values(x)) as never, [record(() => T.spec([1]))] as never),
    )
    expect(() => argumentLeaves(plan, [{}])).toThrow('missing: the program takes a f32[1] here')
    const given = record(() => [1])
    expect(argumentLeaves(plan, [given])).toEqual(names.map(() => [1]))
  })
})

describe('an emitted module', () => {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'runtime.webgpu.js'), 'export const loader = (plan) => plan')

  it('has the names that were given, and runs none of them', async () => {
    for (const [i, name] of [...names, names.join('')].entries()) {
      const plan = { ...everything.plan, name, profile: { ...T.portable, name } }
      const text = printModule(emittedPlan(plan).plan, 'program.wasm')
      expect(text).not.toMatch(/<\/script|<!--|[\0\r\u2028\u2029]/)
      writeFileSync(join(folder, `m${i}.js`), text)
      const made = (await import(/* @vite-ignore */ pathToFileURL(join(folder, `m${i}.js`)).href)) as {
        plan: typeof plan
      }
      expect(Object.keys(made).sort()).toEqual(['load', 'plan'])
      expect([made.plan.name, made.plan.profile.name]).toEqual([name, name])
      if (i > 0) continue
      expect(made.plan.inputTree).toEqual(plan.inputTree)
      expect(made.plan.outputTree).toEqual(plan.outputTree)
      expect(Object.getPrototypeOf((made.plan.outputTree as { record: object }).record)).toBe(Object.prototype)
      expect(made.plan.outputs.map((o) => o.path)).toEqual(plan.outputs.map((o) => o.path))
      expect(made.plan.observations).toEqual(plan.observations)
      expect(Object.keys((made.plan.outputTree as { record: object }).record).sort()).toEqual([...names].sort())
    }
    untouched()
  })

  it('is one script to a compiler, and in a page', () => {
    const { code } = transformSync(printModule(emittedPlan(everything.plan).plan, 'program.wasm'), { minify: true })
    expect(code.match(/\bimport\b/g)).toHaveLength(1)
  })

  it('has declarations of the same names', async () => {
    const at = join(folder, 'types')
    const use = join(at, 'use.ts')
    mkdirSync(at)
    const files = programFiles('program', [everything.plan])
    for (const f of files) writeFileSync(join(at, f.path), f.bytes)
    writeFileSync(join(at, 'runtime.webgpu.d.ts'), runtimeDeclarations)
    const keys = names.map((n) => JSON.stringify(n)).join(' | ')
    writeFileSync(
      use,
      `import type { Arguments, Results } from './program.js'
       type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
       type Names = ${keys}
       export const args: Same<keyof Arguments[0], Names> = true
       export const results: Same<keyof Results, Names> = true\n`,
    )
    const options = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2022',
      types: [],
      lib: ['es2022', 'dom'],
    }
    writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }))
    writeFileSync(join(at, 'package.json'), '{"type":"module"}')
    const { stdout } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', at])
    expect(stdout).toBe('')
    expect(printDeclarations([emittedPlan(everything.plan).plan], 'runtime.js')).not.toMatch(/[\0\r\u2028\u2029]/)
  })
})

describe('file names', () => {
  it('stay in the folder', () => {
    const out = join(folder, 'out')
    for (const name of names) {
      try {
        checkNames([name])
      } catch (e) {
        expect((e as Error).message).toMatch(/^export .* cannot be the name of a file: give it another$/)
        continue
      }
      for (const f of programFiles(name, [everything.plan])) expect(relative(out, join(out, f.path))).toBe(f.path)
      expect(name).not.toMatch(/[./\\\0:%]/)
    }
    // Written in two ways, it would be one file in some folders.
    expect(() => checkNames(['é', 'e\u0301'])).toThrow('cannot be the name of a file')
  })
})

describe('safetensors', () => {
  it('give every name back', () => {
    const tensors = record((): StoredTensor => ({ dtype: 'f32', shape: [1], data: Float32Array.of(1) }))
    const metadata = record((name) => name)
    const back = readSafetensors(writeSafetensors(tensors, metadata))
    expect(Object.keys(back.tensors).sort()).toEqual([...names].sort())
    expect(Object.entries(back.metadata).sort()).toEqual(Object.entries(metadata).sort())
  })
})

describe('the text of a graph', () => {
  it('keeps labels, a node a line, and is read back', () => {
    for (const name of names) {
      const observed = trace(
        ([x]) => [build.observe([x!], { kind: 'print', label: name })],
        [{ shape: [2], dtype: 'f32' }],
      )
      const text = T.showGraph(observed)
      expect(text.split(/[\n\r\u2028\u2029\u0085]/)).toHaveLength(4)
      const read = T.orThrow(parseGraph(text) as never) as { outputs: { params: unknown }[] }
      expect(read.outputs[0]!.params).toEqual({ kind: 'print', label: name })
    }
  })
})

describe('WGSL', () => {
  it('compiles whatever a kernel is called', async () => {
    const { gpu } = await sharedDevice()
    const { kernel } = everything.plan.kernels[0]!
    for (const name of names) {
      const code = printKernel({ ...kernel, name })
      const info = await gpu.createShaderModule({ code }).getCompilationInfo()
      expect([name, info.messages.filter((m) => m.type === 'error').map((m) => m.message)]).toEqual([name, []])
    }
  })
})

describe('what is printed while a program runs', () => {
  it('is labelled on one line', () => {
    const said: string[] = []
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
    try {
      for (const name of names) T.reference(T.debug(T.ones([1]), name))
    } finally {
      spy.mockRestore()
    }
    expect(said.map((text) => text.split('\n')[0])).toEqual(names.map((name) => `${visible(name)}: f32[1]`))
    for (const name of names) {
      const wrong = T.checkNumerics(T.div(T.ones([1]), 0), name)
      expect(() => T.reference(wrong)).toThrow(`T.checkNumerics: ${visible(name)}, f32[1], holds 1 infinity`)
    }
  })
})

describe('a chart', () => {
  it('is well-formed XML that shows the names', () => {
    for (const name of names) {
      const svg = svgOf(
        lineChart(
          [
            {
              name,
              // No tick is a name: those are numbers between these.
              points: [
                [5.5, 11],
                [6.5, 12],
              ],
              colour: `red" onload="${name}`,
            },
          ],
          { title: name, x: name, y: name },
        ),
      )
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has none of these
      expect(svg).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/u)
      const open: string[] = []
      const rest = svg.replace(
        /<(\/?)([a-z]+)((?:\s+[\w-:]+="[^"<]*")*)\s*(\/?)>/g,
        (_, end, tag, _attributes, alone) => {
          if (end) expect(open.pop()).toBe(tag)
          else if (!alone) open.push(tag)
          return ''
        },
      )
      expect(open).toEqual([])
      expect(rest.replace(/&(#\d+|amp|lt|gt|quot);/g, '')).not.toMatch(/[<&]/)
      const shown = name.replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
      expect(svg.split(`>${shown}</text>`)).toHaveLength(5)
    }
  })
})

describe('the command line', () => {
  it('explains programs under any name, on lines of its own', async () => {
    const exported = names.filter((name) => !/\p{Cs}/u.test(name))
    const file = join(folder, 'named.ts')
    const labels = JSON.stringify(exported.slice(0, 12))
    writeFileSync(
      file,
      `import * as T from ${JSON.stringify(join(root, 'src/index.ts'))}
       const labels = ${labels}
       const program = T.compile((x) => labels.reduce((y, l) => T.debug(T.exp(y), l), x), [T.spec([2])], { name: labels.join('') })
       export { ${exported.map((name) => `program as ${JSON.stringify(name)}`).join(', ')} }\n`,
    )
    const [json, text, missing] = await Promise.all([
      tensorloom(['explain', file, '--json']),
      tensorloom(['explain', file]),
      tensorloom(['explain', file, '--export', 'nothing']),
    ])
    expect(json.stderr).toBe('')
    const { programs } = JSON.parse(json.stdout) as { programs: { name: string }[] }
    expect(programs.map((p) => p.name)).toEqual([...exported].sort())
    const lines = text.stdout.split('\n')
    for (const line of lines) expect(line).toBe(visible(line))
    for (const name of exported)
      expect(lines.some((l) => l.startsWith(`${visible(name)} for the portable profile`))).toBe(true)
    expect(missing.stderr).toBe(`${visible(missing.stderr.trimEnd())}\n`)
  })
})
