/** The digits example, shortened: it learns, says what it measured, and draws pictures that can be opened. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inputs, readDigits, targets } from '../../examples/03-mnist/digits.ts'
import { requestOf } from '../../examples/03-mnist/request.ts'
import { type Outcome, run } from '../../examples/03-mnist/run.ts'
import { measuresOf, picturesOf } from '../../examples/03-mnist/train.ts'
import { contentOf } from '../../examples/pictures/chart.ts'
import { build } from '../../src/cli/build-command.ts'
import { sliceRows } from '../../src/data/index.ts'
import { sharedDevice } from '../device.ts'

describe('a short run', () => {
  let outcome: Outcome
  const steps: [epoch: number, done: number, total: number][] = []
  beforeAll(async () => {
    const onStep = (epoch: number, done: number, total: number): number => steps.push([epoch, done, total])
    outcome = await run({ epochs: 1, seed: 42, trainingDigits: 5_120, testDigits: 1_000, onStep })
  }, 300_000)

  describe('80 batches', () => {
    test('read 85 % of the test digits', () => {
      const measures = measuresOf(outcome)
      expect(measures).toMatchObject({ trainingDigits: 5_120, testDigits: 1_000, steps: 80 })
      expect(measures.accuracy).toHaveLength(1)
      // Guessing reads 10 %.
      expect(measures.accuracy[0]).toBeGreaterThan(0.85)
      expect(measures.loss).toBeLessThan(0.7)
      expect(() => JSON.parse(JSON.stringify(measures))).not.toThrow()
    })

    test('begin at the loss of a guess and go down', () => {
      const { losses } = outcome.epochs[0]!
      expect(losses[0]).toBeGreaterThan(Math.log(10) - 0.2)
      expect(losses[0]).toBeLessThan(Math.log(10) + 0.2)
      expect(Math.max(...losses.slice(-20))).toBeLessThan(1)
    })

    test('accuracy is that of the guesses, labels those of the file', async () => {
      const { guesses, accuracy } = outcome.epochs[0]!
      const { labels } = await readDigits('t10k', 1_000)
      expect(guesses.map((g) => g.label)).toEqual([...labels.data])
      expect(guesses.filter((g) => g.predicted === g.label).length / 1_000).toBe(accuracy)
    })

    test('are reported one by one', () => {
      expect(steps).toEqual(Array.from({ length: 80 }, (_, i) => [0, i + 1, 80]))
    })
  })

  describe('pictures', () => {
    test('sheets are PNG files of 12 digits a row', () => {
      const pictures = picturesOf(outcome)
      const sheet = PNG.sync.read(Buffer.from(contentOf(pictures['digits.png']!) as Uint8Array))
      expect([sheet.width, sheet.height]).toEqual([12 * 64 + 4, 8 * 64 + 4])
      // The first digit of the test file is a seven: paper at its centre left, ink in its stroke.
      expect(sheet.data.subarray(0, 3)).toEqual(Buffer.of(255, 255, 255))
      const misread = outcome.epochs[0]!.guesses.filter((g) => g.predicted !== g.label).length
      const mistakes = PNG.sync.read(Buffer.from(contentOf(pictures['mistakes.png']!) as Uint8Array))
      expect(mistakes.height).toBe(Math.ceil(Math.min(96, misread) / 12) * 64 + 4)
    })

    test('the curve has a point a batch', () => {
      const svg = String(contentOf(picturesOf(outcome)['loss.svg']!))
      expect(svg).toMatch(/^<svg [^>]*viewBox/)
      expect(svg).not.toMatch(/NaN|undefined|Infinity/)
      const curve = /<path d="(M[^"]*)" fill="none" stroke="#c3d4ea"/.exec(svg)![1]!
      expect(curve.match(/[ML]/g)).toHaveLength(80)
    })
  })
})

test('pixels have mean 0 and deviation 1 over the training digits', async () => {
  const { images } = await readDigits('train')
  const x = inputs(images)
  let [sum, squares] = [0, 0]
  for (const v of x) {
    sum += v
    squares += v * v
  }
  expect(sum / x.length).toBeCloseTo(0, 3)
  expect(squares / x.length).toBeCloseTo(1, 3)
})

describe('the command line', () => {
  test.each([
    [[], { settings: { epochs: 3, seed: 42 }, json: false, out: join('out', 'mnist') }],
    [['--quick'], { settings: { epochs: 1, seed: 42, trainingDigits: 32_000 } }],
    [['--quick', '--epochs', '2', '--seed', '7', '--json'], { settings: { epochs: 2, seed: 7 }, json: true }],
    [['--device', 'software'], { settings: { device: 'software' } }],
  ])('%j', (args, request) => expect(requestOf(args)).toMatchObject(request))

  test.each([[['--epochs', 'many']], [['--seed', '-1']], [['--fast']], [['--device', 'tpu']]])('refuses %j', (args) => {
    expect(() => requestOf(args)).toThrow(
      /whole number|--device takes auto, hardware, cpu, software, not tpu|Unknown option|ambiguous/,
    )
  })
})

describe('the programs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mnist-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  interface Emitted {
    readonly load: (gpu: GPUDevice) => Promise<{ readonly run: (...args: unknown[]) => Promise<unknown> }>
  }
  const emitted = (name: string): Promise<Emitted> =>
    import(/* @vite-ignore */ pathToFileURL(join(folder, `${name}.js`)).href) as Promise<Emitted>

  test('are written as modules that learn a batch by heart without a compiler', async () => {
    const { programs } = await build('examples/03-mnist/programs.ts', { out: folder })
    expect(programs.map((p) => p.name)).toEqual(['predict', 'start', 'train'])
    const { gpu } = await sharedDevice()
    const [predict, start, train] = await Promise.all(programs.map(async ({ name }) => (await emitted(name)).load(gpu)))
    const { images, labels } = await readDigits('train', 64)
    let state = await start!.run(Uint32Array.of(0, 42))
    const losses: number[] = []
    for (let i = 0; i < 15; i++) {
      const result = (await train!.run(state, inputs(images), targets(labels))) as LearnedResult
      losses.push((await result.loss.read())[0]!)
      state = result.next
    }
    expect(losses[0]).toBeCloseTo(Math.log(10), 0)
    expect(losses.at(-1)).toBeLessThan(0.1 * losses[0]!)
    const { params } = state as LearnedResult['next']
    const read = async (i: number): Promise<number> => {
      const answer = (await predict!.run(params, inputs(sliceRows(images, i, i + 1)))) as Readable
      return (await answer.read())[0]!
    }
    const answers = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(read))
    expect(answers).toEqual([...labels.data.subarray(0, 8)])
  }, 300_000)
})

interface Readable {
  readonly read: () => Promise<ArrayLike<number>>
}
interface LearnedResult {
  readonly loss: Readable
  readonly next: { readonly params: unknown }
}
