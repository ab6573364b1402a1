/** The examples about choices, classes and words, in their short form: they learn, and their pictures can be drawn. */
import * as T from 'tensorloom'
import { expect, test } from 'vitest'
import { classification } from '../../examples/02-classification.ts'
import { choices } from '../../examples/03-choices.ts'
import { sentiment } from '../../examples/06-sentiment.ts'
import { wordVectors } from '../../examples/06-word-vectors.ts'
import { words } from '../../examples/06-words.ts'
import type { Example } from '../../examples/course/example.ts'
import { contentOf } from '../../examples/pictures/chart.ts'

const found = async (example: Example, pictures: number) => {
  const device = await T.openDevice({ prefer: 'cpu', quiet: true })
  const findings = await example.run({ device, quick: true, folder: 'unused', progress: () => {} })
  const drawn = Object.values(findings.pictures ?? {})
  expect(drawn).toHaveLength(pictures)
  for (const picture of drawn) {
    const text = String(contentOf(picture))
    expect(text).toContain('<svg')
    expect(text).not.toContain('NaN')
  }
  for (const value of Object.values(findings.measures)) expect(value).not.toBeNaN()
  return findings
}

test('penguins are told apart, and better where the species is known', { timeout: 120_000 }, async () => {
  const { measures } = await found(classification, 2)
  expect(measures['accuracy']).toBeGreaterThan(0.88)
  expect(measures['auc']).toBeGreaterThan(measures['aucUntold']!)
  expect(measures['foldMean']).toBeGreaterThan(0.85)
  expect(measures['foldSpread']).toBeLessThan(0.1)
})

test('where weights start matters, and so does each remedy', { timeout: 120_000 }, async () => {
  const { measures, tables } = await found(choices, 4)
  expect(measures['weights: zeros']).toBeCloseTo(Math.LN10, 1)
  expect(measures['weights: too large']).toBeGreaterThan(Math.LN10)
  for (const start of ['weights: Xavier', 'weights: He']) expect(measures[start]).toBeLessThan(2)
  for (const remedy of ['dropout', 'weight decay', 'early stopping'])
    expect(measures[remedy]).toBeLessThan(measures['no remedy']!)
  expect(tables![0]!.rows.at(-1)![1]).toBeLessThan(40)
})

test('counted words tell a chapter, and the word before tells the next', { timeout: 120_000 }, async () => {
  const { measures, tables } = await found(words, 2)
  expect(measures['bigram']).toBeLessThan(0.8 * measures['unigram']!)
  expect(tables![0]!.rows[0]![1]).toContain('whales')
})

test('vectors learn which words stand together', { timeout: 120_000 }, async () => {
  const { measures } = await found(wordVectors, 1)
  expect(measures['loss']).toBeLessThan(0.8 * measures['ignorance']!)
})

test('praise is told from blame', { timeout: 120_000 }, async () => {
  const { measures } = await found(sentiment, 1)
  expect(measures['words']).toBeGreaterThan(0.75)
  expect(measures['vectors']).toBeGreaterThan(measures['words']!)
})
