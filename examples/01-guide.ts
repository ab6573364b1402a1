/** The snippets of `examples/README.md`, in its order: `npx tsx --conditions=tensorloom-source examples/01-guide.ts`. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as T from 'tensorloom'
import * as nn from 'tensorloom/nn'
import { adam } from 'tensorloom/optim'
import * as random from 'tensorloom/random'

// Four ways to a value
const length = (x: T.Tensor<readonly [2], 'f32'>) => T.sqrt(T.sum(T.square(x)))
const v = T.tensor([3, 4], { dtype: 'f32' })

console.log('interpreter', T.reference(length(v)).data)
console.log('device', (await T.evaluate(length(v))).data)
console.log('compiled when called', (await T.jit(length)(v)).data)

const device = await T.openDevice({ prefer: 'cpu', quiet: true })
const compiled = await T.compileOn(device, length, [T.spec([2])])
console.log('compiled ahead', await (await compiled.run([3, 4])).item())

// Data and state
const optimiser = adam(0.05)
const params = nn.linearInit(random.key(0), 4, 1)
const start = { params, optimiser: optimiser.init(params) }

const step = (s: typeof start, x: T.Tensor<readonly [8, 4], 'f32'>, y: T.Tensor<readonly [8, 1], 'f32'>) => {
  const loss = (p: typeof params) => nn.mseLoss(nn.linear(x, p), y)
  const [value, grads] = T.valueAndGrad(loss)(s.params)
  const next = optimiser.update(s.params, grads, s.optimiser)
  return { state: { params: next.params, optimiser: next.state }, loss: value }
}

const xs = Float32Array.from({ length: 8 * 4 }, (_, i) => Math.sin(i * i))
const ys = Float32Array.from({ length: 8 }, (_, i) => xs[4 * i]! - 2 * xs[4 * i + 1]!)

const train = await T.compileOn(device, step, [start, T.spec([8, 4]), T.spec([8, 1])], { donate: [0] })
let state = await T.put(start, { device })
for (let i = 0; i < 300; i++) ({ state } = await train.run(state, xs, ys))

const { weight, bias } = await T.read(state.params)
console.log(
  'weight',
  Array.from(weight, (w) => w.toFixed(2)),
  'bias',
  bias[0]!.toFixed(2),
)

// Any batch size
const rows = T.dim('rows', { max: 64 })
const predict = await T.compileOn(device, (p: typeof params, x: T.Tensor<readonly [number, 4]>) => nn.linear(x, p), [
  { weight: T.spec([1, 4]), bias: T.spec([1]) },
  T.spec([rows, 4]),
])
for (const n of [3, 8]) console.log(n, 'rows give', (await predict.run(state.params, xs.subarray(0, 4 * n))).shape)

// Saving
const file = join(mkdtempSync(join(tmpdir(), 'guide-')), 'state.safetensors')
await T.save(file, state)
const again = await T.load(file, start)
const { loss } = await train.run(again, xs, ys)
console.log('loss after loading is small:', (await loss.item()) < 1e-4)

// A loss that is NaN
const risky = (p: { w: T.Tensor<readonly [2], 'f32'> }) => ({ p: { w: T.sqrt(p.w) } })
const checked = await T.compileOn(device, risky, [{ w: T.spec([2]) }], { donate: [0], checkNumerics: true })
const before = await T.put({ w: T.tensor([4, -1], { dtype: 'f32' }) }, { device })
const refused = await checked.run(before).catch((e: Error) => e.message.split('\n')[0])
console.log(refused)
console.log('still there:', Array.from(await before.w.read()))
