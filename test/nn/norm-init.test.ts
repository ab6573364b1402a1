/** Initial parameters of normalisations change nothing of what is normalised; running statistics start apart from them. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { flat } from '../lang/tensor/run.ts'

const x = random.normal(random.key(0), [2, 4, 3])

test('a normalisation by them is one without', () => {
  expect(flat(nn.layerNorm(x, nn.layerNormInit([4, 3])))).toEqual(flat(nn.layerNorm(x, {}, { rank: 2 })))
  expect(flat(nn.layerNorm(x, nn.layerNormInit(3, { bias: false })))).toEqual(flat(nn.layerNorm(x)))
  expect(flat(nn.rmsNorm(x, nn.rmsNormInit(3)))).toEqual(flat(nn.rmsNorm(x)))
  expect(flat(nn.groupNorm(x, nn.groupNormInit(4), { groups: 2 }))).toEqual(flat(nn.groupNorm(x, {}, { groups: 2 })))
  expect(flat(nn.instanceNorm(x, nn.instanceNormInit(4)))).toEqual(flat(nn.instanceNorm(x)))
  const { params, running } = nn.batchNormInit(4)
  expect(flat(nn.batchNorm(x, params))).toEqual(flat(nn.batchNorm(x)))
  expect(flat(nn.batchNorm(x, { ...params, ...running }, { eps: 0 }))).toEqual(flat(x))
})

test('shapes are known, options are heard', () => {
  const shape: readonly [4, 3] = nn.layerNormInit([4, 3]).weight.shape
  expect(shape).toEqual([4, 3])
  expect(Object.keys(nn.layerNormInit(3, { bias: false }))).toEqual(['weight'])
  expect(nn.layerNormInit([]).bias.shape).toEqual([])
  expect(nn.batchNormInit(0).running.runningVar.shape).toEqual([0])
})

test.each([
  [() => nn.layerNormInit([4, -3]), 'nn.layerNormInit: size 1 is -3, not a whole number of at least 0'],
  [() => nn.rmsNormInit(1.5), 'nn.rmsNormInit: features is 1.5'],
  [() => nn.groupNormInit(-1), 'nn.groupNormInit: channels is -1'],
  [() => nn.instanceNormInit('4' as never), "nn.instanceNormInit: channels is '4'"],
  [() => nn.batchNormInit(T.ones([2]) as never), 'nn.batchNormInit: channels is a tensor'],
])('mistake %# is named', (f, message) => {
  expect(f).toThrow(message)
})
