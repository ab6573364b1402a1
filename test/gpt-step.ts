/** A GPT of any size with a tied embedding, and its training step with Adam, as tests of large programs compile it. */

import * as T from '../src/index.ts'
import * as nn from '../src/nn/index.ts'
import { adam, type Optimiser, type OptimiserState } from '../src/optim/index.ts'
import { sampleOfCall } from '../src/testing/check-grad.ts'
import type { Sample } from '../src/testing/sample.ts'

export interface GptSize {
  readonly blocks: number
  readonly width: number
  readonly heads: number
  readonly vocabulary: number
  readonly positions: number
}

/** GPT-2 124M. */
export const gpt2: GptSize = { blocks: 12, width: 768, heads: 12, vocabulary: 50257, positions: 1024 }

type Tree = { readonly [name: string]: T.Tensor }
type Params = { readonly [name: string]: Tree }

/** Names and shapes of the parameters. */
const shapes = ({ blocks, width: c, vocabulary, positions }: GptSize): readonly (readonly [string, Tree])[] => {
  const spec = (...shape: readonly number[]): T.Tensor => T.spec(shape) as never
  const block: Tree = {
    n1w: spec(c),
    n1b: spec(c),
    qkvw: spec(3 * c, c),
    qkvb: spec(3 * c),
    projw: spec(c, c),
    projb: spec(c),
    n2w: spec(c),
    n2b: spec(c),
    upw: spec(4 * c, c),
    upb: spec(4 * c),
    downw: spec(c, 4 * c),
    downb: spec(c),
  }
  return [
    ['embed', { tokens: spec(vocabulary, c), positions: spec(positions, c) }],
    ...Array.from({ length: blocks }, (_, i) => [`block${i}`, block] as const),
    ['last', { nw: spec(c), nb: spec(c) }],
  ]
}

export const gptParams = (size: GptSize): Params => Object.fromEntries(shapes(size))

/** Mean cross-entropy of the next token; the head's weights are the embedding's. */
export const gptLoss =
  ({ blocks, width, heads }: GptSize) =>
  (p: Params, tokens: T.Tensor, targets: T.Tensor): T.Tensor => {
    const n = tokens.shape[0]!
    const dense = (h: T.Tensor, q: Tree, name: string): T.Tensor =>
      nn.linear(h, { weight: q[`${name}w`] as never, bias: q[`${name}b`] as never })
    const norm = (h: T.Tensor, q: Tree, name: string): T.Tensor =>
      nn.layerNorm(h, { weight: q[`${name}w`]!, bias: q[`${name}b`]! })
    const split = (h: T.Tensor): T.Tensor => T.permuteDims(T.reshape(h, [n, heads, width / heads]), [1, 0, 2])
    const { tokens: table, positions } = p['embed']!
    let x: T.Tensor = T.add(nn.embedding(tokens, table as never), T.slice(positions!, [[0, n]]))
    for (let i = 0; i < blocks; i++) {
      const q = p[`block${i}`]!
      const [a, b, c] = T.split(dense(norm(x, q, 'n1'), q, 'qkv'), width, { axis: 1 }) as readonly T.Tensor[]
      const attended = nn.scaledDotProductAttention(split(a!), split(b!), split(c!), { causal: true })
      x = T.add(x, dense(T.reshape(T.permuteDims(attended, [1, 0, 2]), [n, width]), q, 'proj'))
      x = T.add(x, dense(nn.gelu(dense(norm(x, q, 'n2'), q, 'up'), { approximate: 'tanh' }), q, 'down'))
    }
    const logits = T.matmul(norm(x, p['last']!, 'n'), T.matrixTranspose(table!))
    return nn.crossEntropy(logits, targets)
  }

const optimiser: Optimiser = adam(0.001)

interface State {
  readonly params: Params
  readonly opt: OptimiserState
}

/** Loss, all gradients, Adam; state in, state out. */
export const gptStep =
  (size: GptSize) =>
  ({ params, opt }: State, tokens: T.Tensor, targets: T.Tensor): { readonly state: State; readonly loss: T.Tensor } => {
    const [loss, grads] = T.valueAndGrad(gptLoss(size))(params, tokens, targets)
    const next = optimiser.update(params, grads, opt)
    return { state: { params: next.params, opt: next.state }, loss }
  }

/** The types of the arguments of `gptStep` for a text of `length` tokens. */
export const gptSpecs = (size: GptSize, length: number): readonly unknown[] => {
  const params = gptParams(size)
  const opt = { step: T.spec([], 'i32'), stages: [{ m: params, v: params }, []] }
  return [{ params, opt }, T.spec([length], 'i32'), T.spec([length], 'i32')]
}

/** The compiled step; its state is given away. */
export const gptProgram = (size: GptSize, length: number, options: T.CompileOptions = {}): T.Program =>
  T.orThrow(T.compile(gptStep(size) as never, gptSpecs(size, length), { donate: [0], name: 'gpt', ...options }))

/** A training step of a small GPT on `length` tokens with its arguments: numbers without a pattern, the same every time. */
export const gptSample = (size: GptSize, length: number): Sample => {
  let seed = 1
  const filled = (f: (x: number) => number): Params =>
    Object.fromEntries(
      Object.entries(gptParams(size)).map(([name, tree]) => {
        const tensors = Object.entries(tree).map(([key, { shape }]) => {
          const count = shape.reduce((n, d) => n * d, 1)
          const numbers = Float32Array.from({ length: count }, () => f(Math.sin(12.9898 * seed++) * 0.4))
          return [key, T.fromArray(numbers, shape)] as const
        })
        return [name, Object.fromEntries(tensors)] as const
      }),
    )
  const tokens = (by: number): T.Tensor =>
    T.tensor(
      Array.from({ length }, (_, i) => (i * by + 3) % size.vocabulary),
      { dtype: 'i32' },
    )
  const moments = { m: filled((x) => x / 8), v: filled(Math.abs) }
  const opt = { step: T.tensor(3, { dtype: 'i32' }), stages: [moments, []] } as unknown as OptimiserState
  return sampleOfCall('gptSample', gptStep(size), [{ params: filled((x) => x), opt }, tokens(29), tokens(31)])
}
