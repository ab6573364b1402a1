/** What prints itself: in Node's inspect alone and inside of things, by String anywhere, and nothing else sees it. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import * as T from '../../../src/index.ts'
import { openSafetensors } from '../../../src/io/index.ts'
import { callText, printedCall } from '../../../src/lang/print/call-text.ts'
import { printing } from '../../../src/lang/print/printing.ts'
import * as nn from '../../../src/nn/index.ts'
import * as random from '../../../src/random/index.ts'

const square = T.tensor([
  [1, 2],
  [3, 4.5],
])
const text = 'tensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]])'

test('what waits for its tensor stands among layers as it was called', () => {
  expect(callText('nn.sequential', [T.reshape([-1, 400]), T.add(T.ones([2])), T.relu])).toBe(
    'nn.sequential(T.reshape([-1, 400]), T.add(a tensor), T.relu)',
  )
  expect(String(nn.sequential(T.flatten({ startAxis: 1 }), nn.maxPool2d({ kernelSize: 2 })))).toBe(
    'nn.sequential(\n  [0] T.flatten({ startAxis: 1 })\n  [1] nn.maxPool2d({ kernelSize: 2 })\n)',
  )
})

describe('values', () => {
  const value = T.reference(square)

  it('print as tensors in the console, by String and in templates', () => {
    expect(inspect(value)).toBe(text)
    expect(String(value)).toBe(text)
    expect(`${value}`).toBe(text)
    expect(inspect(value, { depth: 0 })).toBe(text)
  })

  it('have rows in a column of their own inside of records and lists', () => {
    const tree = T.reference({
      loss: T.tensor(0.1234),
      params: { weight: square, bias: T.zeros([2]), list: [T.ones([2, 1], { dtype: 'u32' })] },
    })
    expect(inspect(tree)).toBe(`{
  loss: tensor(0.1234),
  params: {
    weight: tensor(
      [[1.0000, 2.0000],
       [3.0000, 4.5000]]),
    bias: tensor([0., 0.]),
    list: [
      tensor(
        [[1],
         [1]],
        dtype=u32)
    ]
  }
}`)
    expect(inspect({ value }, { depth: null })).toBe(
      '{\n  value: tensor(\n    [[1.0000, 2.0000],\n     [3.0000, 4.5000]])\n}',
    )
  })

  it('have the three keys they had, for copies, comparisons and JSON', () => {
    expect(Object.keys(value)).toEqual(['shape', 'dtype', 'data'])
    expect(Reflect.ownKeys({ ...value })).toEqual(['shape', 'dtype', 'data'])
    expect(T.reference(T.tensor([1, 2]))).toStrictEqual({ shape: [2], dtype: 'i32', data: Int32Array.of(1, 2) })
    expect(JSON.stringify(T.reference(T.tensor(1)))).toBe('{"shape":[],"dtype":"i32","data":{"0":1}}')
    expect(structuredClone(value)).toEqual(value)
  })

  it('print where they come from a file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tensorloom-')), 'w.safetensors')
    await T.save(file, { w: square })
    expect(inspect(await openSafetensors(file).read())).toBe(
      '{\n  w: tensor(\n    [[1.0000, 2.0000],\n     [3.0000, 4.5000]])\n}',
    )
  })
})

test('a text knows whether it stands inside of something', () => {
  const x = printing((_, isPart) => (isPart ? 'part' : 'whole'))({})
  expect([inspect(x), inspect([x]), inspect({ x }, { depth: 0 }), String(x)]).toEqual([
    'whole',
    '[ part ]',
    '{ x: part }',
    'whole',
  ])
})

test('functions print themselves as records do', () => {
  const made = printedCall((x: number) => x + 1, 'above', 1)
  expect([inspect(made), String(made), callText('f', [made])]).toEqual(['above(1)', 'above(1)', 'f(above(1))'])
  expect([made(1), Object.keys(made)]).toEqual([2, []])
})

test('what is said last holds', () => {
  const inner = printedCall({ a: 1 }, 'inner')
  expect(inspect(printedCall(inner, 'outer', { ...inner }))).toBe('outer({ a: 1 })')
})

test('calls', () => {
  const anonymous = [() => 1][0]
  expect(callText('f', [1, undefined, {}, { a: undefined }])).toBe('f(1)')
  expect(callText('f', [undefined, 'a\nb', [1, null], anonymous])).toBe(
    "f(undefined, 'a\\u000ab', [1, null], a function)",
  )
  expect(callText('f', [{ a: true, b: { c: 1 } }, T.ones([1])])).toBe('f({ a: true, b: { c: 1 } }, a tensor)')
  expect(callText('f', [{ 'a.b': 1, "it's": {} }, 'a\\b'])).toBe("f({ 'a.b': 1, 'it\\'s': {} }, 'a\\\\b')")
})

test.each<readonly [string, unknown, string]>([
  ['an expression', T.mul(square, 2), 'Tensor(mul f32[2, 2])'],
  ['a key', random.key(3), 'Tensor(const u32[2])'],
  ['a spec', T.spec([64, 784]), "T.spec([64, 784], 'f32')"],
  ['a size', T.dim('batch', { max: 8 }), "T.dim('batch', { max: 8 })"],
  [
    'a spec with a size',
    T.spec([T.dim('batch', { max: 8, min: 1 }), 3], 'i32'),
    "T.spec([T.dim('batch', { max: 8, min: 1 }), 3], 'i32')",
  ],
  ['a layer', nn.dense(4, 3, { bias: false }), 'nn.dense(4, 3, { bias: false })'],
  ['dropout', nn.dropoutLayer(), 'nn.dropoutLayer()'],
  [
    'layers',
    nn.sequential(
      nn.dense(4, 3),
      nn.parallel(T.add, nn.dropoutLayer({ p: 0.2 })),
      (x) => T.neg(x),
      nn.layer(() => nn.layerNormInit(3), nn.layerNorm as never),
    ),
    `nn.sequential(
  [0] nn.dense(4, 3)
  [1] nn.parallel(
    [0] nn.dropoutLayer({ p: 0.2 })
  )
  [2] a function
  [3] nn.layer(a function, ${nn.layerNorm.name})
)`,
  ],
])('%s', (_, x, expected) => {
  expect(inspect(x)).toBe(expected)
})

test('a summary prints its table', () => {
  const made = nn.summary((x: T.Tensor) => T.neg(x), T.spec([2]))
  expect(inspect(made)).toBe(made.text)
})
