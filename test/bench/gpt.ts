/** GPT training steps as the compile table measures them: tied head, learned positions, gelu (tanh), dense causal attention. */
import { spec } from '../../src/compile/compile.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import type { Params, Tree, Workload } from './program.ts'
import { trainState, trainStep } from './train.ts'

/** The sizes of a model; `tied` ones use the embedding for the logits too. */
interface Sizes {
  readonly blocks: number
  readonly channels: number
  readonly heads: number
  readonly positions: number
  readonly vocabulary: number
  readonly tied: boolean
}

interface GptParams {
  readonly tokens: Tensor
  readonly positions: Tensor
  readonly blocks: readonly Params[]
  readonly normw: Tensor
  readonly normb: Tensor
  readonly head?: Tensor
}

const blockSpecs = (c: number): Tree => ({
  ln1w: spec([c]),
  ln1b: spec([c]),
  qkvw: spec([3 * c, c]),
  qkvb: spec([3 * c]),
  projw: spec([c, c]),
  projb: spec([c]),
  ln2w: spec([c]),
  ln2b: spec([c]),
  upw: spec([4 * c, c]),
  upb: spec([4 * c]),
  downw: spec([c, 4 * c]),
  downb: spec([c]),
})

const gptSpecs = ({ blocks, channels, positions, vocabulary, tied }: Sizes): Tree => ({
  tokens: spec([vocabulary, channels]),
  positions: spec([positions, channels]),
  blocks: Array.from({ length: blocks }, () => blockSpecs(channels)),
  normw: spec([channels]),
  normb: spec([channels]),
  ...(tied ? {} : { head: spec([vocabulary, channels]) }),
})

/** Pre-norm: x + attention, then + gelu MLP of 4C; x is [T, C]. */
const block = (p: Params, x: Tensor, heads: number): Tensor => {
  const [positions, channels] = x.shape as readonly [number, number]
  const dense = (h: Tensor, name: string): Tensor =>
    nn.linear(h, { weight: p[`${name}w`] as never, bias: p[`${name}b`] as never })
  const norm = (h: Tensor, name: string): Tensor => nn.layerNorm(h, { weight: p[`${name}w`]!, bias: p[`${name}b`]! })
  const split = (h: Tensor): Tensor => T.permuteDims(T.reshape(h, [positions, heads, channels / heads]), [1, 0, 2])
  const [q, k, v] = T.split(dense(norm(x, 'ln1'), 'qkv'), channels, { axis: 1 }) as readonly Tensor[]
  const attended = nn.scaledDotProductAttention(split(q!), split(k!), split(v!), { causal: true })
  const y = T.add(x, dense(T.reshape(T.permuteDims(attended, [1, 0, 2]), [positions, channels]), 'proj'))
  return T.add(y, dense(nn.gelu(dense(norm(y, 'ln2'), 'up'), { approximate: 'tanh' }), 'down'))
}

/** Cross-entropy of the next token; `text` holds one more than the positions. */
const gptLoss =
  ({ heads, positions }: Sizes) =>
  (p: GptParams, text: Tensor): Tensor => {
    const [seen, next] = [T.slice(text, [[0, positions]]), T.slice(text, [[1, positions + 1]])]
    const x = T.add(nn.embedding(seen as never, p.tokens as never) as Tensor, p.positions)
    const last = p.blocks.reduce((h, b) => block(b, h, heads), x)
    const normed = nn.layerNorm(last, { weight: p.normw, bias: p.normb })
    const logits = nn.linear(normed, { weight: (p.head ?? p.tokens) as never })
    return nn.crossEntropy(logits, next as never)
  }

const gpt = (name: string, sizes: Sizes): Workload => ({
  name,
  f: trainStep<GptParams>(gptLoss(sizes) as never),
  specs: [trainState(gptSpecs(sizes)), spec([sizes.positions + 1], 'i32')],
  options: { donate: [0], name },
})

const gpt2 = { channels: 768, heads: 12, positions: 128, vocabulary: 50257, tied: true }

/** One text a step: a character model of six blocks, GPT-2 124M on 128 positions, and the same twice as deep. */
export const gptPrograms: readonly Workload[] = [
  gpt('gpt6', { blocks: 6, channels: 384, heads: 6, positions: 256, vocabulary: 65, tied: false }),
  gpt('gpt2_12', { blocks: 12, ...gpt2 }),
  gpt('gpt2_24', { blocks: 24, ...gpt2 }),
]
