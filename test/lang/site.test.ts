/** The user's own line in a stack trace, wherever the user's files are. */
import { expect, test } from 'vitest'
import { captureSite, siteIn } from '../../src/lang/site.ts'

/** The root of this package, as its own frames in stack traces name it. */
const ours = import.meta.url.replace(/test\/lang\/.*$/, '')
const stackOf = (...frames: readonly string[]): string => ['Error', ...frames.map((f) => `    at ${f}`)].join('\n')

test('passes over our own frames, those of Node and of libraries', () => {
  const stack = stackOf(
    `sum (${ours}src/lang/tensor/reduce.ts:1:2)`,
    `linear (${ours}src/nn/linear.ts:1:2)`,
    `run (${ours}passes/graph/check.ts:1:2)`,
    'run (node:internal/modules/run:1:2)',
    'map (file:///home/u/node_modules/other/index.js:1:2)',
    'async model (file:///home/u/model.ts:7:9)',
    'main (file:///home/u/main.ts:1:2)',
  )
  expect(siteIn(stack)).toEqual({ file: '/home/u/model.ts', line: 7, column: 9 })
})

test.each(['src/nn', 'src/lang', 'passes', 'codegen'])('a user may have a folder %s', (folder) => {
  const site = { file: `/home/u/${folder}/model.ts`, line: 7, column: 9 }
  expect(siteIn(stackOf(`file:///home/u/${folder}/model.ts:7:9`))).toEqual(site)
  expect(siteIn(stackOf(`f (/home/u/${folder}/model.ts:7:9)`))).toEqual(site)
})

test('names paths as people write them', () => {
  expect(siteIn(stackOf('f (file:///home/u/my%20models/k%C3%BChn.ts:7:9)'))).toMatchObject({
    file: '/home/u/my models/kühn.ts',
  })
})

test('finds nothing where there is none', () => {
  expect(siteIn('Error: no stack')).toBeUndefined()
})

test('captures this line', () => {
  expect(captureSite()).toMatchObject({ file: expect.stringMatching(/test\/lang\/site\.test\.ts$/) })
})
