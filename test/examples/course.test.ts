/** Chapters 2, 4, 7 and 8 in a form of seconds, and the report of the course. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { regression } from '../../examples/02-regression.ts'
import { mnist } from '../../examples/03-mnist/example.ts'
import { lenet } from '../../examples/04-lenet.ts'
import { resnet } from '../../examples/04-resnet.ts'
import { optimisersExample } from '../../examples/07-optimisers.ts'
import { asked, type Example } from '../../examples/course/example.ts'
import { type Ran, report } from '../../examples/course/report.ts'
import { course, runCourse } from '../../examples/course/run.ts'
import { showTable, tailsOf } from '../../examples/course/table.ts'
import { contentOf } from '../../examples/pictures/chart.ts'
import { sharedProcessor } from '../device.ts'

const out = mkdtempSync(join(tmpdir(), 'course-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

describe('a quick course', () => {
  const lines: string[] = []
  const broken: Example = { ...regression, name: '99-broken', run: () => Promise.reject(new Error('no such data')) }
  let ran: readonly Ran[] = []
  beforeAll(async () => {
    const some = [regression, optimisersExample, lenet, resnet, mnist, broken]
    ran = await runCourse(some, await sharedProcessor(), { quick: true, out }, (line) => lines.push(line))
  }, 300_000)
  const measured = (name: string): Readonly<Record<string, number>> =>
    ran.find((r) => r.example.name === name)!.found!.measures

  test('learns in every chapter', () => {
    const houses = measured('02-regression')
    expect(houses['r2']).toBeGreaterThan(0.7)
    expect(houses['apart']).toBeLessThan(1e-4)
    const degrees = ran[0]!.found!.tables![1]!.rows
    const unseen = degrees.map(([, , error]) => error as number)
    expect(unseen.at(-1)).toBeGreaterThan(1.3 * Math.min(...unseen))
    expect(unseen[0]).toBeGreaterThan(1.1 * Math.min(...unseen))
    const heights = measured('07-optimisers')
    expect(Object.keys(heights)).toHaveLength(8)
    for (const height of Object.values(heights)) expect(height).toBeLessThan(0.01)
    expect(measured('03-mnist/train')['accuracy']).toBeGreaterThan(0.9)
    expect(measured('04-lenet')['accuracy']).toBeGreaterThan(0.75)
    // Guessing costs ln 10.
    expect(measured('04-resnet')['loss']).toBeLessThan(1.5)
    expect(measured('04-resnet')['accuracy']).toBeGreaterThan(0.7)
  })

  test('draws pictures without holes', () => {
    for (const { example, found } of ran)
      for (const [file, picture] of Object.entries(found?.pictures ?? {})) {
        const content = contentOf(picture)
        expect(existsSync(join(out, example.name, file))).toBe(true)
        if (typeof content === 'string') expect(content).not.toMatch(/NaN|Infinity|undefined/)
        else expect([...content.subarray(1, 4)].map((c) => String.fromCharCode(c)).join('')).toBe('PNG')
      }
  })

  test('tells what failed, and goes on', () => {
    expect(lines).toHaveLength(6)
    expect(lines[5]).toMatch(/^99-broken .* no such data$/)
    const page = report('a device <1>', ran)
    expect(page).not.toContain('A quick run')
    expect(page).toContain('a device &#60;1&#62;')
    expect(page).toContain('<p class="failure">no such data</p>')
    expect(page.match(/<img /g)!.length).toBe(ran.flatMap((r) => Object.keys(r.found?.pictures ?? {})).length)
  })
})

test('examples are in the order of the course, and named as their files', () => {
  const names = course.map(({ name }) => name)
  expect(names).toEqual([...names].sort((a, b) => Number(a.slice(0, 2)) - Number(b.slice(0, 2))))
  for (const name of names)
    expect(readFileSync(`examples/${name}.ts`, 'utf8')).toContain(`npm run example examples/${name}.ts`)
  expect(asked(['--quick', '--device', 'cpu'])).toMatchObject({ quick: true, json: false, device: 'cpu' })
  expect(() => asked(['--device', 'gpu'])).toThrow('--device takes auto, hardware, cpu, software, not gpu')
})

test('what decimals lack is told, unless a unit follows them', () => {
  expect(tailsOf(['5.655', '5.47', '6', '-0.5', ''])).toEqual(['', '5', '.655', '55', '.655'])
  expect(tailsOf(['4.81 ± 0.97', '0.7'])).toEqual(['', ''])
  expect(tailsOf(['1.4e-6', '2.25'])).toEqual(['', ''])
  expect(tailsOf([])).toEqual([])
})

test('tables are aligned', () => {
  const rows = [
    ['a', 1.23456],
    ['longer', 12],
  ] as const
  expect(showTable({ title: 't', columns: ['what', 'x'], rows })).toBe(
    't\nwhat         x\n──────  ──────\na        1.235\nlonger  12',
  )
  const mixed = [
    ['a', 1, '95.1 %', 'x'],
    ['b', 10.25, '–', '12 of 3'],
    ['c', -1.5e-7, '7 %', ''],
  ] as const
  expect(showTable({ title: 'units and gaps', columns: ['', 'value', 'part', 'words'], rows: mixed })).toBe(
    `units and gaps
     value    part  words
─  ───────  ──────  ───────
a   1       95.1 %  x
b  10.25     –      12 of 3
c  -1.5e-7   7 %`,
  )
})
