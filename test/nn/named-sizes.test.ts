/** Layers over a length that is known when the program runs: one plan, every size as on the reference. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { sharedProcessor } from '../device.ts'
import { flat } from '../lang/tensor/run.ts'

const key = random.key(1)
const encoder = nn.transformerEncoderBlockInit(key, 4, 6, { heads: 2, keyHeads: 1 })
const decoder = nn.transformerDecoderBlockInit(random.key(2), 4, 6)
const gru = nn.gruInit(random.key(3), 4, 3, { bidirectional: true })

/** `x` `[N, L, 4]`, whose rows are so long. */
const f = (x: Tensor, lengths: Tensor): readonly Tensor[] => [
  nn.transformerEncoderBlock(x, encoder, { heads: 2, keyHeads: 1, causal: true, rotary: {}, normFirst: true }),
  nn.transformerDecoderBlock(T.narrow(x, 0, 1), T.narrow(x, 1, 1), decoder, { heads: 2 }),
  nn.scaledDotProductAttention(T.narrow(x, 0, 2, { axis: 1 }), x, x, { causal: true, offset: x.shape[1]! - 2 }),
  T.add(x, nn.sinusoidal(T.arange(x.shape[1]!), 4)) as Tensor,
  nn.gru(x, gru, { batchFirst: true, lengths })[0],
]

test('lengths from 2 to the bound', async () => {
  const specs = [T.spec([2, T.dim('length', { max: 9 }), 4]), T.spec([2], 'i32')] as never
  const program = await T.compileOn(await sharedProcessor(), f as never, specs)
  for (const length of [2, 5, 9]) {
    const x = random.normal(random.key(length), [2, length, 4])
    const lengths = [length - 1, length]
    const results = (await program.run(...([Float32Array.from(flat(x)), Int32Array.from(lengths)] as never))) as never
    for (const [i, want] of f(x, T.tensor(lengths)).entries()) {
      const got = (results as readonly T.Output[])[i]!
      const values = flat(want)
      expect(got.shape).toEqual(want.shape)
      Array.from((await got.read()) as Float32Array).forEach((v, k) => {
        expect(v).toBeCloseTo(values[k]!, 4)
      })
    }
  }
})
