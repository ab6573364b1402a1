/** Convolutional training steps as the compile table measures them: ResNet-18 for small images, and a U-Net. */
import { spec } from '../../src/compile/compile.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import type { Tree, Workload } from './program.ts'
import { trainState, trainStep } from './train.ts'

/** A convolution without bias, and the scale and shift of the normalisation behind it. */
interface Layer {
  readonly conv: Tensor
  readonly weight: Tensor
  readonly bias: Tensor
}

const layerSpecs = (ins: number, outs: number, kernel: number): Tree => ({
  conv: spec([outs, ins, kernel, kernel]),
  weight: spec([outs]),
  bias: spec([outs]),
})

/** Convolution, then batch norm by the batch's own statistics. */
const layer = (x: Tensor, { conv, weight, bias }: Layer, stride = 1): Tensor =>
  nn.batchNorm(nn.conv2d(x, { weight: conv }, { stride, padding: conv.shape[2] === 3 ? 1 : 0 }), { weight, bias })

interface Residual {
  readonly first: Layer
  readonly second: Layer
  /** Where the size changes. */
  readonly short?: Layer
}

interface ResNetParams {
  readonly stem: Layer
  readonly blocks: readonly Residual[]
  readonly weight: Tensor
  readonly bias: Tensor
}

/** Channels of the eight residual blocks; the first of each pair but the first halves the image. */
const widths = [64, 64, 128, 128, 256, 256, 512, 512]

const resnetSpecs: Tree = {
  stem: layerSpecs(3, 64, 3),
  blocks: widths.map((outs, i): Tree => {
    const ins = widths[i - 1] ?? 64
    return {
      first: layerSpecs(ins, outs, 3),
      second: layerSpecs(outs, outs, 3),
      ...(ins === outs ? {} : { short: layerSpecs(ins, outs, 1) }),
    }
  }),
  weight: spec([10, 512]),
  bias: spec([10]),
}

/** He et al. 2016 as used for CIFAR: a 3×3 stem, no first pooling. */
const resnetLoss = (p: ResNetParams, x: Tensor, y: Tensor): Tensor => {
  const last = p.blocks.reduce(
    (h, { first, second, short }) => {
      const stride = short ? 2 : 1
      const inner = layer(T.relu(layer(h, first, stride)), second)
      return T.relu(T.add(inner, short ? layer(h, short, stride) : h))
    },
    T.relu(layer(x, p.stem)),
  )
  const logits = nn.linear(T.mean(last, { axis: [2, 3] }), { weight: p.weight as never, bias: p.bias as never })
  return nn.crossEntropy(logits, y as never)
}

/** Two convolutions with relu. */
type Pair = readonly [Layer, Layer]

interface UNetParams {
  readonly down: readonly Pair[]
  readonly bottom: Pair
  readonly up: readonly { readonly grow: { readonly weight: Tensor; readonly bias: Tensor }; readonly pair: Pair }[]
  readonly out: { readonly weight: Tensor; readonly bias: Tensor }
}

const pairSpecs = (ins: number, outs: number): Tree => [layerSpecs(ins, outs, 3), layerSpecs(outs, outs, 3)]

const unetSpecs: Tree = {
  down: [pairSpecs(3, 32), pairSpecs(32, 64)],
  bottom: pairSpecs(64, 128),
  up: [64, 32].map((c) => ({
    grow: { weight: spec([2 * c, c, 2, 2]), bias: spec([c]) },
    pair: pairSpecs(2 * c, c),
  })),
  out: { weight: spec([3, 32, 1, 1]), bias: spec([3]) },
}

const pairOf = (x: Tensor, [first, second]: Pair): Tensor => T.relu(layer(T.relu(layer(x, first)), second))

/** Ronneberger et al. 2015: two levels, transposed convolutions upwards, skips by concatenation. */
const unet = (p: UNetParams, x: Tensor): Tensor => {
  const skips: Tensor[] = []
  let h = x
  for (const pair of p.down) {
    const y = pairOf(h, pair)
    skips.push(y)
    h = nn.maxPool2d(y, { kernelSize: 2 })
  }
  h = pairOf(h, p.bottom)
  for (const { grow, pair } of p.up)
    h = pairOf(T.concat([skips.pop()!, nn.convTranspose2d(h, grow, { stride: 2 })], { axis: 1 }), pair)
  return nn.conv2d(h, p.out)
}

const unetLoss = (p: UNetParams, x: Tensor, y: Tensor): Tensor => nn.mseLoss(unet(p, x), y)

const training = (name: string, loss: unknown, params: Tree, ...batch: readonly Tree[]): Workload => ({
  name,
  f: trainStep(loss as never),
  specs: [trainState(params), ...batch],
  options: { donate: [0], name },
})

const images = (batch: number): Tree => spec([batch, 3, 32, 32])

/** ResNet-18 on 8 images of 32×32 with Adam; a U-Net of two levels on 4. */
export const visionPrograms: readonly Workload[] = [
  training('resnet18_step', resnetLoss, resnetSpecs, images(8), spec([8], 'i32')),
  training('unet_step', unetLoss, unetSpecs, images(4), images(4)),
]
