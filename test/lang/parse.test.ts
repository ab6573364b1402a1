/** The text form of graphs is read back as written, and mistakes in it are told by line. */
import { describe, expect, test } from 'vitest'
import { isRight } from '#fp/Either'
import { digestGraph } from '../../src/lang/digest.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Graph } from '../../src/lang/ir.ts'
import { parseGraph } from '../../src/lang/parse.ts'
import { showGraph } from '../../src/lang/print/graph-text.ts'
import * as T from '../../src/lang/tensor/index.ts'
import { traceTree } from '../../src/lang/trace.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'

const spec = (shape: readonly number[], dtype = 'f32') => ({ shape, dtype })
const graphOf = (f: (...xs: never[]) => unknown, ...specs: readonly unknown[]): Graph => traceTree(f, specs).graph

const parsed = (text: string): Graph => {
  const g = parseGraph(text)
  if (isRight(g)) return g.right
  throw new Error(g.left.message)
}

const graphs: readonly (readonly [string, Graph])[] = [
  [
    'a layer',
    graphOf(
      (x: Tensor, w: Tensor, b: Tensor) => T.relu(T.add(T.matmul(x, w), b) as Tensor),
      spec([2, 3]),
      spec([3, 4]),
      spec([4]),
    ),
  ],
  [
    'odd constants',
    graphOf(
      (x: Tensor) => T.add(x, T.tensor([Number.NaN, Number.POSITIVE_INFINITY, -0, Number.NEGATIVE_INFINITY, 1e-40])),
      spec([5]),
    ),
  ],
  [
    'a large constant',
    graphOf(
      (x: Tensor) =>
        T.add(
          x,
          T.fromArray(
            Array.from({ length: 70 }, (_, i) => i / 7),
            [70],
          ),
        ),
      spec([70]),
    ),
  ],
  [
    'several outputs',
    graphOf((x: Tensor) => [T.maxWithIndex(x, { axis: 0 }), T.meanVariance(x), T.max(x), x], spec([3, 2])),
  ],
  ['random numbers', graphOf((k: Tensor) => random.normal(k, [3]), spec([2], 'u32'))],
  [
    'a convolution',
    graphOf(
      (x: Tensor, w: Tensor) => nn.conv2d(x, { weight: w }, { stride: 2, padding: 1 }),
      spec([1, 2, 5, 5]),
      spec([3, 2, 3, 3]),
    ),
  ],
  ['no outputs', graphOf(() => [], spec([1]))],
]

describe('text form', () => {
  test('reads as a program', () => {
    const g = graphOf((x: Tensor, b: Tensor) => T.add(x, b), spec([2, 3]), spec([3]))
    expect(showGraph(g)).toBe(
      [
        'graph(%0: f32[2, 3], %1: f32[3]) {',
        '  %2 = broadcast(%1) {shape: [2, 3], axes: [0]}: f32[2, 3]',
        '  %3 = add(%0, %2): f32[2, 3]',
        '  return %3',
        '}',
      ].join('\n'),
    )
  })

  test.each(graphs)('%s is read back as written', (_, g) => {
    const text = showGraph(g)
    const back = parsed(text)
    expect(showGraph(back)).toBe(text)
    expect(digestGraph(back)).toBe(digestGraph(g))
  })

  test('what is read back computes the same', () => {
    const [, g] = graphs[0]!
    const inputs = g.inputs.map(({ params: { shape, dtype } }) => {
      const size = shape.reduce((a, b) => a * b, 1)
      return { shape, dtype, data: Float64Array.from({ length: size }, (_, i) => Math.sin(i + 1)) }
    })
    expect(evaluate(parsed(showGraph(g)), inputs)).toEqual(evaluate(g, inputs))
  })

  test('elided constants are short', () => {
    expect(showGraph(graphs[2]![1], { elide: true })).toContain('payload: <70 values>')
  })

  test.each([
    ['', 'line 1: the text is empty'],
    ['graph(%0: f32[2]) {\n  return %1\n}', 'line 2: %1 is not defined above'],
    ['graph(%0: f64[2]) {\n  return %0\n}', "line 1: 'f64' is not a dtype"],
    ['graph(%0: f32[2]) {\n  %1 = sine(%0): f32[2]\n  return %1\n}', "line 2: there is no operation 'sine'"],
    ['graph(%0: f32[2]) {\n  %1 = sin(%0): f32[3]\n  return %1\n}', 'line 2: sin gives f32[2] here'],
    ['graph(%0: f32[2], %1: f32[3]) {\n  %2 = add(%0, %1): f32[3]\n  return %2\n}', 'line 2: add: '],
    ['graph(%0: f32[2]) {\n  %0 = sin(%0): f32[2]\n  return %0\n}', 'line 2: %0 is defined twice'],
    ['graph(%0: f32[2]) {\n', "there is no 'return'"],
    ['graph(%0: f32[2]) {\n  return %0\n}\nmore', 'line 4: unexpected text'],
  ])('%j is refused', (text, message) => {
    const g = parseGraph(text)
    expect(isRight(g) ? 'read' : g.left.message).toContain(message)
  })
})
