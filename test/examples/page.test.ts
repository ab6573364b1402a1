/** Chapter 9 in headless Chromium: a page that learns digits and reads those one draws, on the processor and on SwiftShader. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { PreviewServer } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundlePage, servePage } from '../../examples/09-page/serve.ts'
import { closeBrowser, openPage } from '../browser.ts'
import { root, tensorloom } from '../cli/command.ts'
import { lookAt, overflowing } from './looks.ts'

const out = mkdtempSync(join(tmpdir(), 'page-'))
let server: PreviewServer
beforeAll(async () => {
  const programs = join(root, 'examples/09-page/programs.ts')
  expect(await tensorloom(['build', programs, '--out', join(out, 'programs')])).toMatchObject({ code: 0, stderr: '' })
  await bundlePage(out)
  server = await servePage(out, { port: 0 })
}, 300_000)
afterAll(async () => {
  await closeBrowser()
  await server?.close()
  rmSync(out, { recursive: true, force: true })
})

const address = (query: string): string => `${server.resolvedUrls!.local[0]}${query}`
const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText()
const number = async (page: Page, id: string): Promise<number> => Number.parseFloat(await text(page, id))
const shares = async (page: Page): Promise<readonly number[]> =>
  (await page.locator('.share').allInnerTexts()).map((t) => Number.parseFloat(t))

/** Waits until a number on the page is at least `least`; fails at once where the page says that something went wrong. */
const reaches = async (page: Page, id: string, least: number): Promise<void> => {
  const check = ([id, least]: readonly [string, number]): boolean =>
    !document.getElementById('error')!.hidden || Number.parseFloat(document.getElementById(id)!.textContent!) >= least
  await page.waitForFunction(check, [id, least] as const, { timeout: 120_000 })
  expect(await page.locator('#error').textContent()).toBe('')
}

type Point = readonly [x: number, y: number]

/** Draws a line through points given in parts of the paper's width, by the mouse. */
const draw = async (page: Page, points: readonly Point[]): Promise<void> => {
  await page.locator('#pad').scrollIntoViewIfNeeded()
  const box = (await page.locator('#pad').boundingBox())!
  const move = ([x, y]: Point) => page.mouse.move(box.x + x * box.width, box.y + y * box.height)
  await move(points[0]!)
  await page.mouse.down()
  for (const point of points) await move(point)
  await page.mouse.up()
}

const line = (from: Point, to: Point, count = 12): readonly Point[] =>
  Array.from({ length: count }, (_, i) => {
    const part = i / (count - 1)
    return [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])]
  })
const oval: readonly Point[] = Array.from({ length: 24 }, (_, i) => {
  const turn = (2 * Math.PI * i) / 23
  return [0.5 + 0.2 * Math.sin(turn), 0.5 - 0.3 * Math.cos(turn)]
})
const strokes = { 0: oval, 1: line([0.53, 0.2], [0.47, 0.8]) } as const

/** Clears the paper, draws, and waits until the page reads the digit. */
const drawAndRead = async (page: Page, digit: 0 | 1): Promise<void> => {
  await page.locator('#clear').click()
  await page.waitForFunction(() => document.getElementById('answer')!.textContent!.startsWith('Draw'))
  await draw(page, strokes[digit])
  await page.waitForFunction((d) => document.getElementById('answer')!.textContent!.includes(` ${d}`), digit)
  const read = await shares(page)
  expect(read).toHaveLength(10)
  expect(read[digit]).toBeGreaterThan(50)
  expect(Math.abs(read.reduce((a, b) => a + b, 0) - 100)).toBeLessThanOrEqual(5)
  const heights = await page.locator('.fill').evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height))
  expect(heights.indexOf(Math.max(...heights))).toBe(digit)
}

/** From now on the page notes how long each move of the pen waits to be heard. */
const noteWaits = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const waits: number[] = []
    Object.assign(globalThis, { waits })
    document.getElementById('pad')!.addEventListener('pointermove', (e) => waits.push(performance.now() - e.timeStamp))
  })

const cases = [
  ['cpu', 'the processor, '],
  ['webgpu', 'WebGPU, google swiftshader'],
] as const

test.each(cases)('learns on %s while one draws', async (device, name) => {
  const page = await openPage({ viewport: { width: 390, height: 844 } })
  const complaints: string[] = []
  page.on('console', (m) => void (['error', 'warning'].includes(m.type()) && complaints.push(m.text())))
  page.on('pageerror', (e) => complaints.push(String(e)))
  await page.goto(address(`?device=${device}`))
  await reaches(page, 'accuracy', 0)
  expect(await page.locator('[role=status]').innerText()).toContain(`Learning on ${name}`)
  // Guessing costs ln 10 = 2.30, and is right once in ten.
  expect(await number(page, 'loss')).toBeLessThan(1.5)
  expect(await number(page, 'accuracy')).toBeGreaterThan(60)

  await noteWaits(page)
  const before = await number(page, 'step')
  await drawAndRead(page, 1)
  await drawAndRead(page, 0)
  await reaches(page, 'step', before + 1)
  const waits = await page.evaluate(() => (globalThis as unknown as { waits: number[] }).waits)
  const median = [...waits].sort((a, b) => a - b)[Math.floor(waits.length / 2)]!
  console.info(`${device}: ${waits.length} moves of the pen were heard after ${median.toFixed(0)} ms (median)`)
  expect(waits.length).toBeGreaterThan(20)
  expect(median).toBeLessThan(200)

  await page.getByRole('button', { name: 'Pause' }).click()
  await page.waitForFunction(() => document.getElementById('doing')!.textContent === 'Resting')
  const phone = await lookAt(page, `page-${device}-phone`)
  expect(phone.width).toBe(390)
  expect(phone.colours).toBeGreaterThan(50)
  expect(phone.inked).toBeGreaterThan(0.2)
  expect(await overflowing(page)).toEqual([])
  await page.setViewportSize({ width: 1280, height: 900 })
  const desktop = await lookAt(page, `page-${device}-desktop`)
  expect(desktop.colours).toBeGreaterThan(50)
  expect(desktop.height).toBeLessThan(phone.height)
  expect(complaints).toEqual([])
  await page.close()
})

test('what is not there is not found; threads are allowed, scripts of others are not', async () => {
  const [page, missing] = await Promise.all(['', 'programs/nothing.js'].map((path) => fetch(address(path))))
  expect([page!.status, missing!.status]).toEqual([200, 404])
  expect(page!.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
  expect(page!.headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval';")
})

describe('the buttons', () => {
  let page: Page
  beforeAll(async () => {
    page = await openPage({
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
      hasTouch: true,
      isMobile: true,
    })
    await page.goto(address('?device=cpu'))
    await reaches(page, 'step', 400)
  })
  afterAll(() => page.close())

  test('pause by keyboard; what is drawn is read all the same, and a test digit needs no pen', async () => {
    await page.locator('#pause').focus()
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.getElementById('pause')!.textContent === 'Learn on')
    // The step that was under way ends.
    await page.waitForTimeout(200)
    const resting = await number(page, 'step')
    await drawAndRead(page, 1)
    await page.locator('#example').focus()
    await page.keyboard.press('Space')
    await page.waitForFunction(() => !document.getElementById('answer')!.textContent!.startsWith('Draw'))
    expect(await number(page, 'step')).toBe(resting)
    await lookAt(page, 'page-dark-phone')
  })

  test('learn on, and start over', async () => {
    const resting = await number(page, 'step')
    await page.locator('#pause').tap()
    await reaches(page, 'step', resting + 1)
    await page.locator('#pause').tap()
    // The first steps may pass between two looks at the page; none passes between its changes.
    await page.evaluate(() => {
      const step = document.getElementById('step')!
      const seen = globalThis as { startedOver?: boolean }
      const look = (): void => {
        if (Number.parseFloat(step.textContent!) < 40) seen.startedOver = true
      }
      new MutationObserver(look).observe(step, { childList: true, characterData: true, subtree: true })
    })
    await page.locator('#again').tap()
    await page.waitForFunction(() => (globalThis as { startedOver?: boolean }).startedOver === true)
    await reaches(page, 'accuracy', 60)
  })

  test('have names, and everything fits', async () => {
    const names = await page.locator('button').allInnerTexts()
    expect(names).toEqual(['Clear', 'A test digit', 'Pause', 'Start over'])
    const sizes = await page.locator('button').evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height))
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(44)
    expect(await overflowing(page)).toEqual([])
  })
})

test.each([
  ['a device that there is not', '?device=tpu', undefined, '?device=tpu: it can be webgpu or cpu'],
  ['digits that are missing', '?device=cpu', '**/digits/*', 'The digits cannot be loaded'],
  ['programs that are missing', '', '**/programs/*', 'programs/train.js'],
])('says what is wrong in words: %s', async (_, query, missing, message) => {
  const page = await openPage()
  if (missing !== undefined) await page.route(missing, (route) => route.fulfill({ status: 404, body: '' }))
  await page.goto(address(query))
  const alert = page.getByRole('alert')
  await alert.waitFor()
  expect(await alert.innerText()).toContain(message)
  expect(await text(page, 'doing')).toBe('Stopped')
  await page.close()
})
