/** The report of the course as people see it: on a phone, on a desktop, in the dark, on paper. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { classification } from '../../examples/02-classification.ts'
import { optimisersExample } from '../../examples/07-optimisers.ts'
import type { Example } from '../../examples/course/example.ts'
import { report } from '../../examples/course/report.ts'
import { runCourse } from '../../examples/course/run.ts'
import { encodePng, shaded } from '../../examples/pictures/image.ts'
import { closeBrowser, openPage } from '../browser.ts'
import { sharedProcessor } from '../device.ts'
import { lookAt, overflowing, printed } from './looks.ts'

const long = 'Call_me_Ishmael_'.repeat(20)

/** Has what makes pages too wide: a table of many columns, a large picture, a word without end. */
const wide: Example = {
  name: '06-wide',
  title: 'Of everything too much',
  run: async () => ({
    measures: {},
    tables: [
      {
        title: 'many columns',
        columns: Array.from({ length: 14 }, (_, i) => `column ${i}`),
        rows: [Array.from({ length: 14 }, (_, i) => 1e6 + i)],
      },
    ],
    pictures: {
      'large.png': {
        bytes: encodePng(
          shaded(
            Array.from({ length: 400 }, (_, i) => i % 21),
            20,
            60,
          ),
        ),
        caption: 'stripes & <more>',
      },
    },
    texts: { 'a long word': long },
  }),
}
const broken: Example = { ...wide, name: '08-broken', run: () => Promise.reject(new Error(`no ${long}`)) }

const out = mkdtempSync(join(tmpdir(), 'report-'))
let html: string
beforeAll(async () => {
  const examples = [classification, wide, optimisersExample, broken]
  const device = await sharedProcessor()
  const ran = await runCourse(examples, device, { quick: true, out }, () => {})
  html = report(device.description, ran, { when: new Date('2026-11-30T12:34:56Z'), quick: true })
}, 120_000)
afterAll(async () => {
  await closeBrowser()
  rmSync(out, { recursive: true, force: true })
})

const screens = [
  ['phone', 390, 'light'],
  ['phone in the dark', 390, 'dark'],
  ['desktop', 1280, 'light'],
] as const

test.each(screens)('on a %s everything fits and can be seen', async (name, width, colorScheme) => {
  const page = await openPage({ viewport: { width, height: 844 }, colorScheme })
  await page.setContent(html)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
  expect(await overflowing(page)).toEqual([])
  const pictures = await page.locator('img').evaluateAll((all) =>
    all.map((e) => {
      const img = e as HTMLImageElement
      const apart = img.clientWidth / img.clientHeight / (img.naturalWidth / img.naturalHeight)
      return { isLoaded: img.complete && img.naturalWidth > 0, width: img.clientWidth, apart }
    }),
  )
  expect(pictures.length).toBeGreaterThan(4)
  for (const p of pictures) {
    expect(p.isLoaded).toBe(true)
    expect(p.width).toBeGreaterThan(300)
    // As wide to as high as they were made.
    expect(p.apart).toBeCloseTo(1, 1)
  }
  const letters = await page.evaluate(() => Number.parseFloat(getComputedStyle(document.body).fontSize))
  expect(letters).toBeGreaterThanOrEqual(16)
  const look = await lookAt(page, `report-${name.replaceAll(' ', '-')}`)
  expect(look.colours).toBeGreaterThan(100)
  expect(look.inked).toBeGreaterThan(0.05)
  await page.close()
})

test('says on what, when and how long, and leads to every example by its chapter', async () => {
  const page = await openPage()
  await page.setContent(html)
  const facts = await page.locator('.facts').innerText()
  expect(facts).toContain((await sharedProcessor()).description)
  expect(facts).toContain('2026-11-30 12:34 UTC')
  expect(facts).toMatch(/^4 examples in [\d.]+ (s|min) on /)
  expect(await page.locator('h2').allInnerTexts()).toEqual([
    '2 Basics of machine learning',
    '6 Language',
    '7 Optimisation',
    '8 Generative adversarial networks',
  ])
  const links = page.locator('nav a')
  expect(await links.count()).toBe(8)
  for (const href of await links.evaluateAll((all) => all.map((a) => a.getAttribute('href')!)))
    expect(await page.locator(`[id="${href.slice(1)}"]`).count()).toBe(1)
  expect(await page.locator('nav li li span').allInnerTexts()).toEqual([
    ...Array.from({ length: 3 }, () => expect.stringMatching(/^[\d.]+ (s|min)$/)),
    'failed',
  ])
  await page.close()
})

test('pictures say what they show, below them or by their titles, and numbers stand with their points below each other', async () => {
  const page = await openPage()
  await page.setContent(html)
  expect(await page.locator('figcaption').allInnerTexts()).toEqual(['stripes & <more>'])
  const alts = await page.locator('img').evaluateAll((all) => all.map((e) => e.getAttribute('alt')))
  expect(alts.slice(0, 3)).toEqual([
    'Logistic regression on penguins',
    'ROC: how many males are found, at what price',
    'stripes & <more>',
  ])
  expect(alts.some((alt) => alt === '' || /\.(svg|png)$/.test(alt!))).toBe(false)
  // Where the text of a number has its point, from the left of the page.
  const points = await page.evaluate(() =>
    Array.from(document.querySelectorAll('table[aria-label^="what speaks"] td.number'), (e) => {
      const range = document.createRange()
      const at = e.firstChild!.textContent!.indexOf('.')
      range.setStart(e.firstChild!, at)
      range.setEnd(e.firstChild!, at + 1)
      return Math.round(range.getBoundingClientRect().left)
    }),
  )
  expect(points.length).toBeGreaterThan(5)
  expect(new Set(points).size).toBe(1)
  await page.close()
})

test('says that a quick run is one', async () => {
  const page = await openPage()
  await page.setContent(html)
  expect(await page.locator('.note').innerText()).toMatch(/^A quick run: /)
  await page.close()
})

test('is printed in black on white, and no table or picture is cut', async () => {
  // A4 without its margins, in pixels of CSS.
  const page = await openPage({ viewport: { width: 673, height: 1000 }, colorScheme: 'dark' })
  await page.setContent(html)
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  const [ink, ground] = await page.evaluate(() => {
    const { color, backgroundColor } = getComputedStyle(document.body)
    return [color, backgroundColor]
  })
  expect([ink, ground]).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)'])
  expect(await overflowing(page)).toEqual([])
  await lookAt(page, 'report-paper')
  const { sheets } = await printed(page, 'report')
  expect(sheets).toBeGreaterThan(2)
  expect(sheets).toBeLessThan(12)
  await page.close()
})
