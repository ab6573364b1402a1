/** Looks at pages as people do: by their pictures. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { PNG } from 'pngjs'

/** What a picture of a page shows. */
export interface Look {
  readonly width: number
  readonly height: number
  /** How many colours there are: a page that shows nothing has one. */
  readonly colours: number
  /** The part of the picture that has another colour than its corner. */
  readonly inked: number
}

const lookOf = (png: Uint8Array): Look => {
  const { width, height, data } = PNG.sync.read(Buffer.from(png))
  const words = new Uint32Array(data.buffer, data.byteOffset, width * height)
  const inked = words.reduce((n, word) => n + Number(word !== words[0]), 0) / words.length
  return { width, height, colours: new Set(words).size, inked }
}

/** TENSORLOOM_LOOKS names a folder to keep the pictures in, to be looked at by eye. */
const keep = async (name: string, bytes: Uint8Array): Promise<void> => {
  const folder = process.env['TENSORLOOM_LOOKS']
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), bytes)
}

/** A picture of the whole page at the size that it has now. */
export const lookAt = async (page: Page, name: string): Promise<Look> => {
  const png = await page.screenshot({ fullPage: true })
  await keep(`${name}.png`, png)
  return lookOf(png)
}

/** The page as it is printed on A4: the bytes of a PDF, and how many sheets it has. */
export const printed = async (page: Page, name: string): Promise<{ readonly sheets: number }> => {
  const pdf = await page.pdf({ format: 'A4', margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' } })
  await keep(`${name}.pdf`, pdf)
  return { sheets: pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0 }
}

/**
 * What reaches over the right edge of the page, as text. Elements inside of one that scrolls by itself are its own affair.
 */
export const overflowing = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const scrolls = (e: Element | null): boolean =>
      e !== null && (['auto', 'scroll'].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement))
    return Array.from(document.body.querySelectorAll('*'))
      .filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
      .map((e) => `${e.tagName} ${e.id} ${e.textContent?.slice(0, 40)}`)
  })
