/** What residual blocks begin with. */
import { raise } from '../lang/errors.ts'
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { demandKey, foldIn } from '../lang/tensor/random/keys.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { conv1dInit, conv2dInit, conv3dInit } from './conv-init.ts'
import { demandSizes } from './drawn.ts'
import { batchNormInit, type Scale } from './norm-init.ts'
import type { ResidualBlockRunning } from './residual.ts'
import type { PerAxis } from './windows.ts'

/** Options of `residualBlockInit`: the stride of the first convolution (1), and the kernel's sizes along each axis (3 by 3). */
export interface ResidualBlockInitOptions {
  readonly stride?: number | undefined
  readonly kernelSize?: readonly number[] | undefined
}

const residualBlockInitOptions: OptionNames<ResidualBlockInitOptions> = { stride: 'count', kernelSize: 'list' }

type Kernel = { readonly weight: Tensor<Tensor['shape'], 'f32'> }
type Channels = Scale<readonly [number]>

/** What a residual block begins with: what is learned, and apart from it what only training steps move. */
export interface ResidualBlockStart {
  readonly params: {
    readonly conv1: Kernel
    readonly bn1: Channels
    readonly conv2: Kernel
    readonly bn2: Channels
    readonly downsample?: { readonly conv: Kernel; readonly bn: Channels }
  }
  readonly running: ResidualBlockRunning
}

const drawn = [conv1dInit, conv2dInit, conv3dInit] as const

/**
 * What `residualBlock` begins with: convolutions of `kernelSize` (3 by 3; as many numbers as there are axes) without
 * biases, drawn as by `conv2dInit`, normalisations as by `batchNormInit`; a projection by a kernel of ones in size where the
 * `stride` or the channels change. UsageError for sizes that are none.
 * @example
 * const { params, running } = nn.residualBlockInit(random.key(0), 4, 8)
 * [params.conv1.weight.shape, params.downsample!.conv.weight.shape] // => [[8, 4, 3, 3], [8, 4, 1, 1]]
 * running.bn2.runningVar.shape // => [8]
 */
export const residualBlockInit = (
  key: Tensor,
  inputs: number,
  outputs: number,
  options: ResidualBlockInitOptions = {},
): ResidualBlockStart => {
  const name = 'nn.residualBlockInit'
  demandRecord(name, residualBlockInitOptions, options)
  demandSizes(name, { inputs, outputs })
  demandKey(name, key)
  const { stride = 1, kernelSize = [3, 3] } = options
  demandSizes(name, Object.fromEntries(kernelSize.map((size, axis) => [`kernel size ${axis}`, size])))
  const found = drawn[kernelSize.length - 1]
  if (!found)
    raise({
      tag: 'UsageError',
      message: `${name}: the kernel size has ${kernelSize.length} numbers, not 1 to 3`,
      hint: 'give one for each axis after the channels',
    })
  const draw = found as (
    key: Tensor,
    inputs: number,
    outputs: number,
    kernelSize: PerAxis,
    options: { readonly bias: false },
  ) => Kernel
  const conv = (place: number, from: number, kernel: readonly number[]): Kernel =>
    draw(foldIn(key, place), from, outputs, kernel, { bias: false })
  const { params: bn, running } = batchNormInit(outputs)
  const projects = stride !== 1 || inputs !== outputs
  const one = kernelSize.map(() => 1)
  return {
    params: {
      conv1: conv(0, inputs, kernelSize),
      bn1: bn,
      conv2: conv(1, outputs, kernelSize),
      bn2: bn,
      ...(projects ? { downsample: { conv: conv(2, inputs, one), bn } } : {}),
    },
    running: { bn1: running, bn2: running, ...(projects ? { downsample: { bn: running } } : {}) },
  }
}
