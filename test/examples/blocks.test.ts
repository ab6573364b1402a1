/** The example about blocks of convolutional networks, in its quick form. */
import * as T from 'tensorloom'
import { expect, test } from 'vitest'
import { blocks } from '../../examples/04-blocks.ts'
import { contentOf } from '../../examples/pictures/chart.ts'

test('blocks: shapes as their papers have them, and a network of them learns', async () => {
  const device = await T.openDevice({ prefer: 'cpu', quiet: true })
  const steps: number[] = []
  const { measures, tables, pictures } = await blocks.run({
    device,
    quick: true,
    folder: '',
    progress: (done) => steps.push(done),
  })
  expect(steps).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
  // Ten digits: a guess is right once in ten times.
  expect(measures['VGG']).toBeGreaterThan(0.6)

  const conv = (ins: number, outs: number, size: number): number => ins * outs * size ** 2 + 2 * outs
  expect(tables![0]!.rows.map((row) => row.slice(0, 3))).toEqual([
    ['vgg(2, 16, 32)', '32 × 7 × 7', conv(16, 32, 3) + conv(32, 32, 3)],
    ['inception(16, 8)', '32 × 14 × 14', 4 * conv(16, 8, 1) + conv(8, 8, 3) + conv(8, 8, 5)],
    ['residual(16)', '16 × 14 × 14', 2 * conv(16, 16, 3)],
    ['dense(4, 16, 8)', '48 × 14 × 14', [16, 24, 32, 40].reduce((sum, ins) => sum + conv(ins, 8, 3), 0)],
  ])
  expect(Object.keys(pictures!)).toEqual(['loss.svg'])
  const svg = contentOf(pictures!['loss.svg']!)
  expect(svg).toContain('</svg>')
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
}, 240_000)
