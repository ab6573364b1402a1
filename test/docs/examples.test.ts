/** Every public export says what it is; every public value shows it in an example, and the examples are true. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TensorloomError } from '../../src/index.ts'
import { root, run } from '../cli/command.ts'
import {
  agrees,
  type Examiner,
  type Examples,
  folder,
  parts,
  promisesOf,
  writeExamples,
  writeProject,
} from './examples.ts'
import { entries, exportsOf, type PublicExport } from './exports.ts'

const show = (x: unknown): string =>
  JSON.stringify(x, (_, v: unknown) =>
    ArrayBuffer.isView(v) ? Array.from(v as Float32Array) : typeof v === 'number' && !Number.isFinite(v) ? `${v}` : v,
  )

/** What is wrong with an export's comment; nothing for one that is complete. */
const lacks = ({ name, kind, file, doc }: PublicExport): readonly string[] => {
  const { description, examples } = parts(doc)
  const wrong = (what: string): string => `${file}: ${name} ${what}`
  if (description === '') return [wrong('has no description')]
  if (kind === 'type') return []
  if (promisesOf(doc) === 0) return [wrong('has no @example that promises a value')]
  return examples.some((e) => new RegExp(`\\b${name}\\b`).test(e)) ? [] : [wrong('is not in its own example')]
}

const promised = entries()
const all = promised.filter(({ source }) => existsSync(source))
const exported = all.map((entry) => ({ entry, found: exportsOf(entry) }))
// What entries of before left behind would be checked too.
rmSync(folder, { recursive: true, force: true })
/** An export that several entries share is run with the first. */
const seen = new Set<string>()
const programs = exported.map(({ entry, found }) => {
  const own = found.filter(({ name, file, kind, doc }) => {
    const place = `${file} ${name}`
    if (kind === 'type' || promisesOf(doc) === 0 || seen.has(place)) return false
    seen.add(place)
    return true
  })
  return { entry, own, path: writeExamples(entry, own, all) }
})

const examiner = (failures: string[]): Examiner => ({
  is: (line, actual, expected) => {
    if (!agrees(actual, expected)) failures.push(`${line}\n    gave ${show(actual)}`)
  },
  throws: async (line, body, tag) => {
    const error = await Promise.resolve()
      .then(body)
      .then(
        () => undefined,
        (e: unknown) => e,
      )
    const got = error instanceof TensorloomError ? error.error.tag : error === undefined ? 'nothing' : String(error)
    if (got !== tag) failures.push(`${line}\n    threw ${got}`)
  },
})

it('every entry of the package has a source', () => {
  expect(promised.filter((entry) => !all.includes(entry)).map(({ specifier }) => specifier)).toEqual([])
})

describe.each(exported)('exports of $entry.specifier', ({ found }) => {
  it('are there', () => {
    expect(found.length).toBeGreaterThan(0)
  })

  it('have descriptions and examples', () => {
    expect(found.flatMap(lacks)).toEqual([])
  })
})

describe.each(programs)('examples of $entry.specifier', ({ path, own }) => {
  it('give what they promise', async () => {
    const { examples } = (await import(/* @vite-ignore */ path)) as { readonly examples: Examples }
    const failures: string[] = []
    for (const { name, file } of own) {
      const here: string[] = []
      try {
        await examples[name]!(examiner(here))
      } catch (e) {
        here.push(`threw ${e instanceof Error ? e.message : String(e)}`)
      }
      failures.push(...here.map((f) => `${file}: ${name}: ${f}`))
    }
    expect(failures).toEqual([])
  })
})

it('examples type-check', async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { code, stdout, stderr } = await run(process.execPath, [tsc, '-p', writeProject()], { cwd: root })
  // A compiler that says nothing and fails has checked nothing.
  expect(code === 0 || stdout !== '', stderr).toBe(true)
  // Of the whole program, only what stands in the examples is judged here.
  const mine = stdout.split('\n').filter((line) => line.startsWith(folder.slice(root.length + 1)))
  expect(mine).toEqual([])
})
