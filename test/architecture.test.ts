/** The rules that hold the folders together, checked on the sources themselves: who may import whom, and what may not occur. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** The order of import: a file may import from its own group and from those before it. */
const order: readonly (readonly [string, RegExp])[] = [
  ['src/lang', /^src\/lang\//],
  ['passes', /^passes\//],
  ['codegen', /^codegen\//],
  ['src/runtime', /^src\/runtime\//],
  ['src/compile', /^src\/compile\//],
  ['src/{nn,optim,random,data,io,train,testing,cli,vite}', /^src\/(nn|optim|random|data|io|train|testing|cli|vite)\//],
  ['src/index.ts', /^src\/index\.ts$/],
  ['test, examples', /^(test|examples)\//],
]
/**
 * The order of the rooms inside those folders, for what is needed when the program runs. Types may look ahead: the shape of
 * what a later room makes is written down where it is made.
 */
const rooms: readonly (readonly [string, RegExp])[] = [
  ['src/lang/{.,ops,types}', /^src\/lang\/(ops\/|types\/|[^/]+$)/],
  ['src/lang/tensor', /^src\/lang\/tensor\//],
  ['src/lang/print', /^src\/lang\/print\//],
  [
    'passes/{pass,profile,op-prices,rewrite,verify-graph}.ts',
    /^passes\/(pass|profile|op-prices|rewrite|verify-graph)\.ts$/,
  ],
  ['passes/graph/rules', /^passes\/graph\/rules\//],
  ['passes/graph', /^passes\/graph\/[^/]+$/],
  ['passes/graph/sizes', /^passes\/graph\/sizes\//],
  ['passes/pipeline.ts', /^passes\/pipeline\.ts$/],
  ['passes/transform', /^passes\/transform\//],
  ['passes/loop/ir', /^passes\/loop\/ir\//],
  ['passes/loop/from-graph', /^passes\/loop\/from-graph\//],
  ['passes/loop/schedule', /^passes\/loop\/schedule\//],
  ['passes/loop/fuse', /^passes\/loop\/fuse\//],
  ['passes/memory', /^passes\/memory\//],
  ['codegen/kernel', /^codegen\/kernel\//],
  ['codegen/targets', /^codegen\/targets\//],
  ['codegen/lower', /^codegen\/lower\//],
  ['codegen/routines', /^codegen\/routines\//],
  ['codegen/plan', /^codegen\/plan\//],
  ['codegen/export', /^codegen\/export\//],
]
/** Models know the language and its transformations, not how they are compiled. */
const languageOnly = /^src\/(nn|optim|random)(\/|\.ts$)/

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && /\.(ts|mts)$/.test(e.name))
    .map((e) => relative(root, join(e.parentPath, e.name)))
    .filter((f) => !/(^|\/)(node_modules|dist|out)\//.test(f))

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')

interface Import {
  readonly from: string
  /** As written. */
  readonly specifier: string
  /** The file it names, for relative ones. */
  readonly to: string | undefined
  /** Gone at run time. */
  readonly typeOnly: boolean
}

const statement = /\b(import|export)\s+(type\s+)?([^'"`;]*?\bfrom\s*)?['"]([^'"]+)['"]/g
const dynamic = /\bimport\(\s*(?:\/\*.*?\*\/\s*)?['"]([^'"]+)['"]\s*\)/g

const importsOf = (file: string, text: string): readonly Import[] => {
  const make = (specifier: string, typeOnly: boolean): Import => ({
    from: file,
    specifier,
    typeOnly,
    to: specifier.startsWith('.') ? relative(root, resolve(root, dirname(file), specifier)) : undefined,
  })
  const code = withoutComments(text)
  const found = [...code.matchAll(statement)]
    // `export const x = 'y'` is no import: what has no `from` must be a bare `import 'y'`.
    .filter((m) => m[3] !== undefined || m[1] === 'import')
    .map((m) => {
      const names = /\{([^}]*)\}/
        .exec(m[3] ?? '')?.[1]
        ?.split(',')
        .map((n) => n.trim())
        .filter((n) => n !== '')
      const hasDefault = /^[\w*]/.test((m[3] ?? '').trim())
      const allTypes =
        names !== undefined && names.length > 0 && !hasDefault && names.every((n) => n.startsWith('type '))
      return make(m[4]!, m[2] !== undefined || allTypes)
    })
  return [...found, ...[...code.matchAll(dynamic)].map((m) => make(m[1]!, false))]
}

const folders = ['src', 'passes', 'codegen', 'test', 'examples']
const files = folders.flatMap(filesBelow)
const texts = new Map(files.map((f) => [f, readFileSync(join(root, f), 'utf8')]))
/** This file holds imports as text. */
const imports = files.filter((f) => f !== 'test/architecture.test.ts').flatMap((f) => importsOf(f, texts.get(f)!))
const productFiles = files.filter((f) => !/^(test|examples)\//.test(f))
const rankOf = (file: string): number => order.findIndex(([, pattern]) => pattern.test(file))
const roomOf = (file: string): number => rooms.findIndex(([, pattern]) => pattern.test(file))

/** Sentences about imports that break a rule. */
const violations = (rule: string, isBad: (i: Import & { readonly to: string }) => boolean): readonly string[] =>
  imports
    .filter((i): i is Import & { readonly to: string } => i.to !== undefined && isBad(i as never))
    .map((i) => `${i.from} imports ${i.to}: ${rule}`)

describe('the parser of imports', () => {
  it('sees every form, and tells types from values', () => {
    const text = `
      import { a, type B } from './a.ts'
      import type { C } from './c.ts'
      import { type D, type E } from './d.ts'
      import f, { type G } from './f.ts'
      import * as h from './h.ts'
      import './i.ts'
      export { j } from './j.ts'
      export * from './k.ts'
      export type { L } from './l.ts'
      import {
        m,
      } from './m.ts'
      // import { x } from './comment.ts'
      /* export { x } from './block.ts' */
      export const y = 'not an import'
      const z = await import('./z.ts')
      import { pipe } from '#fp/function'
    `
    const found = importsOf('src/lang/x.ts', text)
    expect(found.map((i) => [i.specifier, i.typeOnly])).toEqual([
      ['./a.ts', false],
      ['./c.ts', true],
      ['./d.ts', true],
      ['./f.ts', false],
      ['./h.ts', false],
      ['./i.ts', false],
      ['./j.ts', false],
      ['./k.ts', false],
      ['./l.ts', true],
      ['./m.ts', false],
      ['#fp/function', false],
      ['./z.ts', false],
    ])
    expect(found[0]!.to).toBe('src/lang/a.ts')
  })

  it('finds the sources', () => {
    expect(productFiles.length).toBeGreaterThan(150)
    expect(imports.length).toBeGreaterThan(1000)
  })
})

describe('imports', () => {
  it('every file has its place in the order', () => {
    expect(files.filter((f) => rankOf(f) < 0)).toEqual([])
  })

  it('every relative import names a file that is there', () => {
    expect(
      imports
        .filter((i) => i.to !== undefined && /\.ts$/.test(i.to) && !texts.has(i.to))
        .map((i) => `${i.from}: ${i.specifier}`),
    ).toEqual([])
  })

  it('go to the left only', () => {
    const rule = order.map(([name]) => name).join(' < ')
    expect(violations(rule, (i) => rankOf(i.to) > rankOf(i.from))).toEqual([])
  })

  it('between the rooms of src/lang, passes and codegen go to the left only', () => {
    const rule = rooms.map(([name]) => name).join(' < ')
    const unplaced = productFiles.filter((f) => /^(src\/lang|passes|codegen)\//.test(f) && roomOf(f) < 0)
    expect(unplaced).toEqual([])
    const ahead = (i: Import & { readonly to: string }): boolean =>
      !i.typeOnly && roomOf(i.from) >= 0 && roomOf(i.to) > roomOf(i.from)
    expect(violations(rule, ahead)).toEqual([])
  })

  it('nn, optim and random import src/lang and passes/transform alone', () => {
    const rule = 'models must not know how they are compiled'
    const own = (f: string): string | undefined => languageOnly.exec(f)?.[1]
    expect(
      violations(
        rule,
        (i) => languageOnly.test(i.from) && !/^(src\/lang|passes\/transform)\//.test(i.to) && own(i.to) !== own(i.from),
      ),
    ).toEqual([])
  })

  it('kernels, lowering, routines and plans know no target', () => {
    const rule = 'a target prints what they make'
    expect(
      violations(
        rule,
        (i) => /^codegen\/(kernel|lower|routines|plan)\//.test(i.from) && i.to.startsWith('codegen/targets/'),
      ),
    ).toEqual([])
  })

  it('codegen never imports the runtime', () => {
    expect(
      violations('a Plan is data', (i) => i.from.startsWith('codegen/') && i.to.startsWith('src/runtime/')),
    ).toEqual([])
  })

  it('what back ends share knows none of them; only what opens and counts devices knows all', () => {
    const shared = /^src\/runtime\/(?!(index|open-device|count-calls)\.ts$)[^/]+$/
    const other = (i: Import & { readonly to: string }): boolean =>
      (shared.test(i.from) && /^src\/runtime\/(gpu|cpu)\//.test(i.to) && !i.typeOnly) ||
      (i.from.startsWith('src/runtime/gpu/') && i.to.startsWith('src/runtime/cpu/')) ||
      (i.from.startsWith('src/runtime/cpu/') && i.to.startsWith('src/runtime/gpu/'))
    expect(violations('an emitted module carries one back end', other)).toEqual([])
  })

  it('fp-ts is imported as #fp/Module', () => {
    expect(imports.filter((i) => /^fp-ts(\/|$)/.test(i.specifier)).map((i) => `${i.from}: ${i.specifier}`)).toEqual([])
  })

  it('the language, the passes and code generation depend on fp-ts alone', () => {
    const inside = /^(src\/lang|passes|codegen)\//
    const foreign = imports.filter((i) => inside.test(i.from) && i.to === undefined && !i.specifier.startsWith('#fp/'))
    expect(foreign.map((i) => `${i.from}: ${i.specifier}`)).toEqual([])
  })

  it('are without cycles', () => {
    const next = new Map<string, string[]>()
    for (const { from, to, typeOnly } of imports)
      if (to !== undefined && !typeOnly) next.set(from, [...(next.get(from) ?? []), to])
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      const at = path.indexOf(file)
      if (at >= 0) cycles.push([...path.slice(at), file].join(' → '))
      if (at >= 0 || done.has(file)) return
      for (const to of next.get(file) ?? []) visit(to, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })
})

/** Spellings of size arithmetic that belong into `src/lang/dim.ts`, and what stands there instead. */
const sizeArithmetic: readonly (readonly [instead: string, RegExp])[] = [
  ['ceilDiv, alignUp, ceilLog2, ceilSqrt or stepCount', /\bMath\.ceil\(/],
  ['floorDiv or alignDown', /\bMath\.floor\((?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)*\))*? \/ /],
  ['sizeOf, sizeAlong, pointsOf or productOf', /\.reduce\(\((\w+), [^)]*\) => \1 \* [^;]*, 1\)|\.reduce\(dimMul\b/],
  ['dimMul', /\*= [^;\n]*(\bshape\b|\.size\b|\bsizes\[)|\bshape\[[^\]]+\]!? \* |\* [\w.!]*\bshape\[/],
]

describe('sources', () => {
  const matching = (among: readonly string[], pattern: RegExp): readonly string[] =>
    among
      .filter((f) => pattern.test(withoutComments(texts.get(f)!)))
      .map((f) => `${f}: ${pattern.exec(withoutComments(texts.get(f)!))![0]}`)

  it('passes never name a backend', () => {
    expect(
      matching(
        files.filter((f) => f.startsWith('passes/')),
        /wgsl|gpu|vulkan|\bmetal\b|dawn|wasm|onnx/i,
      ),
    ).toEqual([])
  })

  it('only src/runtime/gpu touches a GPU device', () => {
    // Emitted modules and their declarations say in words where they look for WebGPU.
    const inWords = ['src/cli/standalone/gpu-of-place.ts', 'codegen/export/aot/declarations.ts']
    const others = productFiles.filter((f) => !f.startsWith('src/runtime/gpu/') && !inWords.includes(f))
    const touch =
      /\bnavigator\.gpu|\.(requestAdapter|requestDevice|createBuffer|createShaderModule|createComputePipeline(Async)?|createBindGroup(Layout)?|createCommandEncoder|queue)\b/
    expect(matching(others, touch)).toEqual([])
  })

  it('only src/runtime/cpu instantiates WebAssembly', () => {
    const others = productFiles.filter((f) => !f.startsWith('src/runtime/cpu/'))
    expect(matching(others, /\bnew WebAssembly\b|\bWebAssembly\.(instantiate|compile|validate)/)).toEqual([])
  })

  it('only data, io, cli and the runtime touch the host system', () => {
    const rule = /^src\/(data|io|cli|vite|runtime)(\/|\.ts$)/
    const bad = imports.filter(
      (i) => i.specifier.startsWith('node:') && !rule.test(i.from) && productFiles.includes(i.from),
    )
    expect(bad.map((i) => `${i.from}: ${i.specifier}`)).toEqual([])
  })

  it('the language, the passes and code generation leave arithmetic on sizes to src/lang/dim.ts', () => {
    const among = files.filter((f) => /^(src\/lang|passes|codegen)\//.test(f) && f !== 'src/lang/dim.ts')
    const found = sizeArithmetic.flatMap(([instead, pattern]) =>
      matching(among, pattern).map((hit) => `${hit} → ${instead}`),
    )
    expect(found).toEqual([])
  })

  it.each([
    ['Math.ceil(n / 4)', 0],
    ['Math.floor((a.p * w + f(x)) / a.by)', 1],
    ['shape.reduce((n, d) => n * d, 1)', 2],
    ['ranges.reduce((n, r) => n * r.size, 1)', 2],
    ['shape.reduce(dimMul, 1)', 2],
    ['stride *= range.size', 3],
    ['[shape[0]! * n1, 2]', 3],
    ['inner * x.shape[axis]!', 3],
  ])('sees the arithmetic of `%s`', (text, row) => {
    expect(sizeArithmetic.map(([, pattern]) => pattern.test(text)).indexOf(true)).toBe(row)
  })

  it.each(['Math.floor(at)', 'position.reduce((sum, p) => sum + p * strides[0]!, 0)', 'strides.map((s) => s * 2)'])(
    'sees none in `%s`',
    (text) => {
      expect(sizeArithmetic.filter(([, pattern]) => pattern.test(text))).toEqual([])
    },
  )

  it('no file is called utils', () => {
    expect(files.filter((f) => /(^|\/)(utils?|helpers?|misc|common)(\/|\.)/i.test(f))).toEqual([])
  })

  it('no file is longer than 400 lines', () => {
    const lengths = files.map((f) => [f, texts.get(f)!.trimEnd().split('\n').length] as const)
    const long = lengths.filter(([, n]) => n > 250).sort((a, b) => b[1] - a[1])
    if (long.length > 0) console.info(`over 250 lines: ${long.map(([f, n]) => `${f} ${n}`).join(', ')}`)
    expect(long.filter(([, n]) => n > 400)).toEqual([])
  })

  it('every file says in its first line what it is', () => {
    expect(productFiles.filter((f) => !/^(#!.*\n)?\/\*\*/.test(texts.get(f)!))).toEqual([])
  })

  it('options may be undefined: leaving one out and giving nothing are the same under exactOptionalPropertyTypes too', () => {
    const records = /^(?:export )?interface (\w+Options)\b[^\n]*\{\n([\s\S]*?)\n\}/gm
    const strict = productFiles
      .filter((file) => /^(src|passes)\//.test(file))
      .flatMap((file) =>
        [...texts.get(file)!.matchAll(records)].flatMap(([, name, body]) =>
          body!
            .split(/\n(?= {2}readonly )/)
            .filter((member) => /^ {2}readonly \w+\?:/.test(member) && !/\bundefined\b/.test(member))
            .map((member) => `${file}: ${name}: ${member.trim()}`),
        ),
      )
    expect(strict).toEqual([])
  })

  it('the type checker is not switched off', () => {
    expect(productFiles.filter((f) => /@ts-(ignore|nocheck|expect-error)/.test(texts.get(f)!))).toEqual([])
  })
})
