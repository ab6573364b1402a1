/** Pictures: pixels where they belong, files that other readers open, charts without holes. */
import { PNG } from 'pngjs'
import { describe, expect, test, vi } from 'vitest'
import { textReport } from '../../examples/course/example.ts'
import { contentOf, curve, lineChart, smoothed, svgOf } from '../../examples/pictures/chart.ts'
import { digitSheet } from '../../examples/pictures/digits.ts'
import { blank, encodePng, greyImage, grid, paste } from '../../examples/pictures/image.ts'
import { legend } from '../../examples/pictures/legend.ts'
import { progressBar } from '../../examples/pictures/progress.ts'
import { textChart } from '../../examples/pictures/text-chart.ts'

describe('images', () => {
  test('grey levels, enlarged', () => {
    const image = greyImage([0, 50, 100, 150, 200, 250], 3, 2, 2)
    expect([image.width, image.height]).toEqual([6, 4])
    const row = (y: number): number[] => Array.from({ length: 6 }, (_, x) => image.data[3 * (y * 6 + x)]!)
    expect([row(0), row(1), row(2), row(3)]).toEqual([
      [0, 0, 50, 50, 100, 100],
      [0, 0, 50, 50, 100, 100],
      [150, 150, 200, 200, 250, 250],
      [150, 150, 200, 200, 250, 250],
    ])
  })

  test('pasting cuts off what lies outside and leaves the ground as it was', () => {
    const ground = blank(3, 2, [0, 0, 0])
    const both = paste(ground, blank(2, 2, [9, 9, 9]), 2, 1)
    expect(Array.from({ length: 6 }, (_, p) => both.data[3 * p])).toEqual([0, 0, 0, 0, 0, 9])
    expect(ground.data.every((v) => v === 0)).toBe(true)
  })

  test('a grid of five in rows of two', () => {
    const sheet = grid(
      Array.from({ length: 5 }, () => blank(10, 20, [1, 2, 3])),
      2,
      4,
    )
    expect([sheet.width, sheet.height]).toEqual([2 * 14 + 4, 3 * 24 + 4])
    expect(grid([], 3, 4)).toMatchObject({ height: 4 })
  })

  test('PNG files give the pixels back', () => {
    const image = greyImage(
      Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
      4,
      3,
    )
    const read = PNG.sync.read(Buffer.from(encodePng(image)))
    expect([read.width, read.height]).toEqual([4, 3])
    expect(Array.from({ length: 12 }, (_, p) => read.data[4 * p])).toEqual(Array.from({ length: 12 }, (_, i) => 20 * i))
    expect(Array.from({ length: 12 }, (_, p) => read.data[4 * p + 3]).every((alpha) => alpha === 255)).toBe(true)
  })

  test('a sheet frames right answers green and wrong ones red', () => {
    const pixels = new Uint8Array(784)
    const sheet = digitSheet(
      [
        { pixels, label: 3, predicted: 3 },
        { pixels, label: 3, predicted: 8 },
      ],
      2,
    )
    const at = (x: number, y: number): readonly number[] => [
      ...sheet.data.subarray(3 * (y * sheet.width + x)).subarray(0, 3),
    ]
    expect(at(63, 4)).toEqual([46, 125, 80])
    expect(at(127, 4)).toEqual([200, 50, 47])
    expect(at(40, 40)).toEqual([255, 255, 255])
  })
})

describe('charts', () => {
  const options = { title: 'a < b & "c"', x: 'step', y: 'loss' }
  test('text is escaped, points are in order', () => {
    const svg = svgOf(
      lineChart(
        [
          {
            name: '<i>',
            points: [
              [0, 0],
              [1, 2],
              [2, 1],
            ],
          },
        ],
        options,
      ),
    )
    expect(svg).toContain('a &#60; b &#38; &#34;c&#34;')
    expect(svg).not.toContain('<i>')
    const xs = [...svg.matchAll(/[ML]([\d.]+),[\d.]+/g)].map(([, x]) => Number(x))
    expect(xs.slice(-3)).toEqual([...xs.slice(-3)].sort((a, b) => a - b))
  })

  test('a value that is no number breaks the line and spoils nothing', () => {
    const svg = svgOf(
      lineChart(
        [
          {
            name: 'x',
            points: [
              [0, 1],
              [1, Number.NaN],
              [2, 3],
              [3, Number.POSITIVE_INFINITY],
            ],
          },
        ],
        { ...options, log: true },
      ),
    )
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('years are no thousands', () => {
    const points = [
      [2000, 1],
      [2020, 2],
    ] as const
    expect(svgOf(lineChart([{ name: 'a', points }], options))).toContain('>2020<')
  })

  test('whole numbers have no ticks between them, others have', () => {
    const labels = (svg: string) => [...svg.matchAll(/text-anchor="middle">([^<]*)</g)].map(([, text]) => text)
    const five = [5, 4, 3, 2, 1]
    expect(labels(svgOf(lineChart([curve('a', five)], options))).slice(0, -1)).toEqual(['0', '1', '2', '3', '4'])
    expect(labels(svgOf(lineChart([curve('a', five, [0, 0.5, 1, 1.5, 2])], options)))).toContain('0.6')
  })

  test('where one unit is as long both ways, a circle is drawn as one', () => {
    const points = Array.from({ length: 40 }, (_, i) => [3 * Math.cos(i), 3 * Math.sin(i)] as const)
    const spans = (square: boolean): readonly number[] => {
      const svg = svgOf(lineChart([{ name: 'a', points, dots: true }], { ...options, square }))
      const spots = [...svg.matchAll(/M([\d.]+),([\d.]+)h0/g)].map(([, x, y]) => [Number(x), Number(y)] as const)
      return [0, 1].map((axis) => Math.max(...spots.map((s) => s[axis]!)) - Math.min(...spots.map((s) => s[axis]!)))
    }
    const [across, up] = spans(true)
    expect(Math.abs(across! - up!)).toBeLessThan(2)
    expect(spans(false)[0]).toBeGreaterThan(spans(false)[1]! + 50)
  })

  test('lines of a logarithmic axis that have no number are fainter', () => {
    const svg = svgOf(lineChart([curve('a', [1, 10, 100, 1000, 10_000])], { ...options, log: true }))
    const pairs = [...svg.matchAll(/stroke="(#f4f4f4|#e4e4e4)"\/><text[^>]*>([^<]*)</g)]
    expect(pairs.length).toBeGreaterThan(20)
    for (const [, grey, label] of pairs) expect(grey).toBe(label === '' ? '#f4f4f4' : '#e4e4e4')
    expect(new Set(pairs.map(([, grey]) => grey)).size).toBe(2)
  })

  test('names stand in as many lines as they need, within the width', () => {
    const names = ['plain', 'a much longer name', 'dropout', 'decay of weights', '<']
    const { svg, height } = legend(
      names.map((name) => ({ name })),
      10,
      100,
      300,
    )
    const places = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)">/g)].map(([, x, y]) => [Number(x), Number(y)])
    expect(places).toHaveLength(5)
    expect(new Set(places.map(([, y]) => y)).size).toBeGreaterThan(1)
    places.forEach(([x, y], i) => {
      expect(x! + 7 * names[i]!.length).toBeLessThanOrEqual(310)
      expect(y!).toBeLessThan(100 + height)
      const next = places[i + 1]
      // Its own letters, and the mark of the next.
      if (next?.[1] === y) expect(next![0]! - x!).toBeGreaterThan(7 * names[i]!.length + 22)
    })
    expect(svg).toContain('&#60;')
    expect(legend([], 10, 100, 300)).toEqual({ svg: '', height: 0 })
  })

  test('means of runs stand at their middle', () => {
    expect(smoothed([1, 3, 5, 7, 9], 2)).toEqual([
      [1, 2],
      [3, 6],
    ])
    expect(smoothed([1], 2)).toEqual([])
  })
})

describe('charts as text', () => {
  const options = { title: 'The loss falls', x: 'step', y: 'loss' }
  const ramp = curve('training', [0, 1, 2, 3, 4])

  test('one line is drawn between its axes', () => {
    const lines = textChart(lineChart([ramp], options)).split('\n')
    expect(lines.slice(0, 2)).toEqual(['The loss falls', 'loss over step'])
    // Up to the right, once in every row.
    const rows = lines.filter((l) => /[│┤]/.test(l)).map((l) => l.slice(l.search(/[│┤]/) + 1))
    expect(rows).toHaveLength(12)
    const starts = rows.map((r) => r.search(/\S/))
    expect(starts).toEqual([...starts].sort((a, b) => b - a))
    expect(lines.at(-1)!.trim().split(/\s+/)).toEqual(['0', '0.5', '1', '1.5', '2', '2.5', '3', '3.5', '4'])
  })

  test('several lines have marks of their own, and a legend', () => {
    const text = textChart(lineChart([ramp, curve('unseen', [4, 3, Number.NaN, 1, 0])], options))
    expect(text.split('\n').at(-1)).toBe('• training   × unseen')
    expect(text.match(/•/g)!.length).toBeGreaterThan(50)
    expect(text.match(/×/g)!.length).toBeGreaterThan(50)
    expect(text).not.toMatch(/NaN|undefined/)
  })

  test('a logarithmic axis says the values themselves', () => {
    const text = textChart(lineChart([curve('x', [1, 10, 100])], { ...options, log: true }))
    expect(text).toMatch(/^ *100┤/m)
    expect(text).toMatch(/^ *1┤/m)
  })

  test('each column shows the mean of its points', () => {
    const noisy = Array.from({ length: 6400 }, (_, i) => 5 + (i % 2 === 0 ? 4 : -4))
    const text = textChart(lineChart([curve('x', noisy), curve('y', [0, 10], [0, 6400])], options))
    const rows = text.split('\n').filter((row) => /[│┤].*•/.test(row))
    expect(rows.length).toBeLessThan(3)
  })

  test('dots and single points are no lines', () => {
    const dots = { ...ramp, dots: true }
    expect(textChart(lineChart([dots, curve('one', [1])], options))).toBe('')
  })

  test('reports hold tables, charts and texts', () => {
    const chart = lineChart([ramp], options)
    const captioned = { bytes: new Uint8Array(3), caption: 'three bytes' }
    const pictures = { 'loss.svg': chart, 'a.png': new Uint8Array(4), 'b.png': captioned }
    expect(textReport({ measures: { loss: 0.5 }, pictures, texts: { sampled: 'abc' } })).toBe(
      `${textChart(chart)}\n\nsampled:\nabc\n\nmeasures\nloss  0.5`,
    )
    expect(contentOf(chart)).toBe(svgOf(chart))
    expect(contentOf(captioned)).toBe(captioned.bytes)
  })
})

test('the progress bar says nothing where there is no terminal', () => {
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  const terminal = process.stderr.isTTY
  process.stderr.isTTY = false
  const bar = progressBar('learning')
  bar.show(1, 10, 'epoch 1')
  bar.show(10, 10, 'epoch 1')
  bar.done()
  process.stderr.isTTY = terminal
  expect(write).not.toHaveBeenCalled()
  write.mockRestore()
})
