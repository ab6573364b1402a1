/** The programs beside PyTorch's: no more than a fifth longer, said so in the table, and they learn. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { HostTensor } from '../../src/index.ts'

const folder = 'examples/beside-pytorch'
const guide = readFileSync('examples/README.md', 'utf8')

const read = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8')
/** Lines that are neither blank nor nothing but a comment; imports count. */
const codeOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => !/^\s*(#.*|\/\/.*|\/\*\*.*\*\/)?$/.test(line))
const code = (file: string): readonly string[] => codeOf(read(file))
/** Lines of a program of ours at the width that black gives PyTorch's. */
const linesAt88 = (file: string): number => {
  const given = ['format', '--line-width=88', `--stdin-file-path=${file}`]
  return codeOf(execFileSync('node_modules/.bin/biome', given, { input: read(file), encoding: 'utf8' })).length
}
const linesOf = (file: string): number => code(file).length
const charactersOf = (file: string): number => code(file).join('').replace(/\s/g, '').length

const programs = ['linear', 'mlp', 'lenet', 'lstm', 'gan'] as const

describe('lines', () => {
  test.each(programs)('%s is at most a fifth longer than in PyTorch', (name) => {
    const [theirs, ours, narrow] = [linesOf(`${name}.py`), linesOf(`${name}.ts`), linesAt88(`${name}.ts`)]
    expect(theirs).toBeGreaterThan(15)
    expect(ours).toBeLessThanOrEqual(1.2 * theirs)
    // At equal width the GAN, whose two networks are told apart by types, is a line longer than a fifth.
    expect(narrow).toBeLessThanOrEqual(Math.ceil(1.2 * theirs))
    const row = guide.split('\n').find((line) => line.includes(`(beside-pytorch/${name}.ts)`))
    const characters = [`${name}.py`, `${name}.ts`].map(charactersOf)
    expect(row).toContain(`| ${[theirs, ours, narrow, ...characters].join(' | ')} |`)
  })

  test('a CNN on MNIST takes no more than the 47 of PyTorch’s own example, a GPT of one’s own no more than 90', () => {
    expect(linesOf('lenet.ts')).toBeLessThanOrEqual(47)
    expect(linesOf('gpt.ts')).toBeLessThanOrEqual(90)
    expect(guide).toContain(`\`gpt.ts\` (${linesOf('gpt.ts')} lines)`)
  })

  test('neither side packs its lines', () => {
    for (const name of programs) {
      const python = read(`${name}.py`).split('\n')
      expect(python.filter((line) => line.length > 88 || line.includes(';'))).toEqual([])
    }
  })
})

/** What a program prints, in its short form, on the processor. */
const printed = async (name: string): Promise<readonly unknown[][]> => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    await import(`../../examples/beside-pytorch/${name}.ts`)
    return log.mock.calls
  } finally {
    log.mockRestore()
  }
}

/** The numbers after a word, in the order in which they were printed. */
const numbersAfter = (word: string, lines: readonly unknown[][]): readonly number[] =>
  lines.flatMap(([line]) => [...`${line}`.matchAll(new RegExp(`${word} ([\\d.]+)`, 'g'))].map(([, n]) => Number(n)))

describe('in their short form', () => {
  beforeAll(() => {
    vi.stubEnv('TENSORLOOM_DEVICE', 'cpu')
    process.argv.push('--quick')
  })

  test('the line is found', async () => {
    const lines = await printed('linear')
    expect(numbersAfter('loss', lines).at(-1)).toBeLessThan(2e-4)
    const { weight, bias } = lines.at(-1)![1] as { weight: Float32Array; bias: Float32Array }
    ;[2, -3.4].forEach((w, i) => {
      expect(weight[i]).toBeCloseTo(w, 1)
    })
    expect(bias[0]).toBeCloseTo(4.2, 1)
  })

  test.each(['mlp', 'lenet'])('digits are read: %s', async (name) => {
    const accuracy = numbersAfter('accuracy', await printed(name))
    expect(accuracy).toHaveLength(3)
    // Guessing reads 10 %.
    expect(accuracy[2]).toBeGreaterThan(0.7)
    expect(accuracy[2]).toBeGreaterThan(accuracy[0]!)
  })

  test('the LSTM guesses letters better every time, and writes', async () => {
    const lines = await printed('lstm')
    const [first, last] = numbersAfter('perplexity', lines)
    expect(last).toBeLessThan(first!)
    // That of the frequencies of letters is about 22.
    expect(last).toBeLessThan(17)
    expect(lines.at(-1)![0]).toHaveLength(200)
  })

  test('the generator finds the middle of the points and how far they spread', async () => {
    const found = (await printed('gan')).at(-1)![0] as Readonly<Record<'mean' | 'covariance', HostTensor>>
    const [mean, covariance] = [found.mean.data, found.covariance.data]
    // It begins around 0, hardly spread at all.
    expect(Math.hypot(mean[0]! - 1, mean[1]! - 2)).toBeLessThan(1)
    expect(covariance[0]! + covariance[3]!).toBeGreaterThan(0.4)
    expect(covariance[0]! + covariance[3]!).toBeLessThan(4)
  })

  test('the GPT learns, is saved, loaded, and writes on', async () => {
    const lines = await printed('gpt')
    const unseen = numbersAfter('unseen', lines)
    expect(unseen).toHaveLength(3)
    expect(unseen[2]).toBeLessThan(unseen[0]!)
    // Guessing among some sixty letters costs ln 60.
    expect(unseen[2]).toBeLessThan(3.3)
    expect([...`${lines.at(-1)![0]}`.split('|')[1]!]).toHaveLength(200)
  })
})
