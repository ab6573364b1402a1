/** Layers and their initial parameters at type level: sizes that are known, biases that are there or not, tuples of layers. */
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'
import { type Equal, given, holds } from './expect.ts'

const key = given<T.Tensor>()
type F32<S extends readonly number[]> = T.Tensor<S, 'f32'>

const linear = nn.linearInit(key, 784, 128)
holds<Equal<typeof linear.weight, F32<readonly [128, 784]>>>()
holds<Equal<typeof linear.bias, F32<readonly [128]>>>()
const bare = nn.linearInit(key, 784, 128, { bias: false })
holds<Equal<keyof typeof bare, 'weight'>>()
const perhaps = nn.linearInit(key, 784, 128, { bias: given<boolean>() })
holds<Equal<typeof perhaps.bias, F32<readonly [128]> | undefined>>()
// @ts-expect-error: a misspelt option beside a right one
nn.linearInit(key, 784, 128, { bias: false, basis: true })

const conv = nn.conv2dInit(key, 3, 16, 5)
holds<Equal<typeof conv.weight, F32<readonly [16, 3, 5, 5]>>>()
const odd = nn.conv2dInit(key, 3, 16, [1, 7], { bias: false })
holds<Equal<typeof odd.weight, F32<readonly [16, 3, 1, 7]>>>()
const grouped = nn.conv1dInit(key, 4, 8, 3, { groups: 2 })
holds<Equal<typeof grouped.weight, F32<readonly [8, number, 3]>>>()
const transposed = nn.convTranspose3dInit(key, 4, 8, 3)
holds<Equal<typeof transposed.weight, F32<readonly [4, 8, 3, 3, 3]>>>()
const image = nn.conv2d(given<F32<readonly [2, 3, 28, 28]>>(), conv)
holds<Equal<typeof image, F32<readonly [2, 16, 24, 24]>>>()

holds<Equal<ReturnType<typeof nn.embeddingInit<50, 8>>, F32<readonly [50, 8]>>>()
const norm = nn.layerNormInit([4, 3], { bias: false })
holds<Equal<keyof typeof norm, 'weight'>>()
holds<Equal<typeof norm.weight, F32<readonly [4, 3]>>>()
const batch = nn.batchNormInit(6)
holds<Equal<typeof batch.params.weight, F32<readonly [6]>>>()
holds<Equal<typeof batch.running.runningVar, F32<readonly [6]>>>()

const both = nn.gruInit(key, 3, 4, { bidirectional: true })
const [forwards] = both[0]!
holds<Equal<typeof forwards.weightIh, F32<readonly number[]>>>()
const one = nn.lstmInit(key, 3, 4, { projection: 2 })
nn.lstm(given<T.Tensor>(), one)
nn.gru(given<T.Tensor>(), both)
// @ts-expect-error: gated recurrence has no projection
nn.gruInit(key, 3, 4, { projection: 2 })

// A table of initial weights of any recurrent network is called without telling them apart.
const starts = { rnn: nn.rnnInit, lstm: nn.lstmInit, gru: nn.gruInit }
const named: Readonly<Record<string, nn.RecurrentInit>> = starts
const plain: (key: random.Key, inputs: number, hidden: number) => readonly nn.CellStart[] = starts.lstm
const anyKind = given<keyof typeof starts>()
const layersOfAny = [starts[anyKind](key, 3, 4), starts[anyKind](key, 3, 4, { bidirectional: true })] as const
holds<Equal<(typeof layersOfAny)[0], readonly nn.CellStart[]>>()
holds<Equal<(typeof layersOfAny)[1], readonly (readonly [forwards: nn.CellStart, backwards: nn.CellStart])[]>>()

const x = given<F32<readonly [1, 3]>>()
// Options that are not there and those that are undefined are the same.
nn.lstm(given<F32<readonly [5, 1, 3]>>(), starts.lstm(key, 3, 4), { initial: undefined, lengths: undefined })
const unsaid = { reduction: undefined, axis: undefined, weight: undefined } as const
const scalarLoss = nn.crossEntropy(x, T.tensor([0]), unsaid)
holds<Equal<(typeof scalarLoss)['shape'], readonly []>>()

// The key of a layer's own draw is a key.
nn.layer(
  (k) => random.normal(random.splitList(k, 2)[0], [2]),
  (x, p) => T.add(x, p),
)
export const checkedTables: unknown = [named, plain]

const model = nn.sequential(
  nn.dense(784, 128),
  nn.relu,
  nn.softmax(),
  nn.dropoutLayer(),
  nn.sequential(nn.dense(128, 10, { bias: false }), nn.tanh),
  nn.layer(
    (k) => nn.conv2dInit(k, 1, 2, 3),
    (x, p) => nn.conv2d(x, p),
  ),
)
const params = model.init(key)
holds<Equal<(typeof params)['length'], 6>>()
holds<Equal<(typeof params)[0]['weight'], F32<readonly [128, 784]>>>()
holds<Equal<(typeof params)[1], null>>()
holds<Equal<(typeof params)[3], null>>()
holds<Equal<(typeof params)[4][1], null>>()
holds<Equal<keyof (typeof params)[4][0], 'weight'>>()
holds<Equal<(typeof params)[5]['weight'], F32<readonly [2, 1, 3, 3]>>>()

const gradient = T.grad((p: typeof params, x: T.Tensor) => T.sum(model.apply(p, x)))(params, given<T.Tensor>())
holds<Equal<(typeof gradient)[0]['bias'], F32<readonly [128]>>>()

const beside = nn.parallel(T.add, (x) => x, nn.dense(4, 4))
holds<Equal<ReturnType<typeof beside.init>[0], null>>()
holds<Equal<ReturnType<typeof beside.init>[1]['weight'], F32<readonly [4, 4]>>>()
// @ts-expect-error: what combines gives a tensor
nn.parallel((a, b) => [a, b], nn.relu, nn.tanh)

// @ts-expect-error: neither a layer nor a function
nn.sequential(nn.relu, linear)
// @ts-expect-error: parameters of another network
model.apply(nn.sequential(nn.relu).init(key), given<T.Tensor>())
nn.layer(
  // @ts-expect-error: parameters that the function does not take
  () => nn.layerNormInit(3),
  (x, p: nn.CellParams) => nn.rnnCell(x, x, p),
)

const encoder = nn.transformerEncoderBlockInit(key, 8, 16)
const kept = nn.transformerEncoderBlock(given<F32<readonly [2, 5, 8]>>(), encoder, { heads: 2, norm: nn.layerNorm })
holds<Equal<typeof kept, F32<readonly [2, 5, 8]>>>()
nn.transformerEncoderBlock(given<T.Tensor>(), encoder, { heads: 2, norm: nn.rmsNorm, activation: nn.gelu })
// @ts-expect-error: the block of a decoder has more parameters
nn.transformerDecoderBlock(given<T.Tensor>(), given<T.Tensor>(), encoder, { heads: 2 })

const turned = nn.rotary(given<F32<readonly [5, 8]>>(), { interleaved: true })
holds<Equal<typeof turned, F32<readonly [5, 8]>>>()
const waves = nn.sinusoidal(given<T.Tensor<readonly [5]>>(), 8)
holds<Equal<typeof waves, F32<readonly [5, 8]>>>()
const past = nn.residual(given<F32<readonly [5, 8]>>(), nn.relu)
holds<Equal<typeof past, F32<readonly [5, 8]>>>()
