/** Trees as users write them: generic, mutable, in interfaces and records, with absent parts; and what is wrong with some. */
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import { type Equal, given, holds } from './expect.ts'

const device = given<T.Device>()

async function fitted<P extends T.TensorTree>(params: P, loss: (p: P, x: T.Tensor) => T.Tensor) {
  const step = (s: { p: P }, x: T.Tensor) => ({ p: T.grad(loss)(s.p, x) })
  const program = await T.compileOn(device, step, [{ p: params }, T.spec([2])])
  const r = await program.run({ p: params }, [1, 2])
  return program.run(r, [1, 2])
}

/** The parameters themselves as state, an optimiser's aside, in one `let`. */
async function trained<P extends T.TensorTree>(params: P, loss: (p: P, x: T.Tensor) => T.Tensor): Promise<P> {
  const step = (p: P, n: T.Tensor, x: T.Tensor) => [T.grad(loss)(p, x), T.add(n, 1)] as const
  const program = T.orThrow(T.compile(step, [params, T.spec([], 'i32'), T.spec([2])], { donate: [0] }))
  const loaded = await T.toPromise(program.load(device))
  let p = params
  let [q, n] = await loaded.run(p, 0, [1, 2])
  ;[q, n] = await loaded.run(q, n, [1, 2])
  p = q
  const uploaded = await T.put(p, { device })
  ;[p] = await loaded.run(uploaded, await n.item(), Float32Array.of(1, 2))
  const evaluated = await T.jit(loss)(p, T.ones([2]))
  await T.read(p)
  return evaluated.data.length > 0 ? p : q
}

async function jitted<P extends T.TensorTree>(params: P) {
  const run = T.jit((s: { p: P; n: T.Tensor }) => s)
  const first = await run({ p: params, n: T.tensor(0) })
  return run(first)
}

type W = T.Tensor<readonly [2], 'f32'>
interface Block {
  weight: W
  bias?: W | undefined
}
interface Model {
  blocks: Block[]
  readonly fixed: readonly Block[]
  named: Record<string, Block>
  pair: [W, W]
  none: null
}
const model = given<Model>()
const lossOf = (m: Model, x: T.Tensor): T.Tensor => T.sum(T.mul(m.pair[0], T.mul(m.blocks[0]!.weight, x)))

const models = async () => [
  await fitted(model, lossOf),
  await trained(model, lossOf),
  await trained({ linear: nn.linearInit(given(), 2, 2) }, (p, x) => T.sum(nn.linear(x, p.linear))),
  await trained(model.blocks, (bs, x) => T.sum(T.mul(bs[0]!.weight, x))),
  await trained([model.pair[0]] as const, ([w], x) => T.sum(T.mul(w, x))),
]

const loops = async () => {
  const program = await T.compileOn(device, (m: Model) => m, [model])
  let m = model
  m = await program.run(m)
  const result = await program.run(m)
  m = result
  m = await program.run({ ...result, none: null, blocks: [{ weight: [1, 2] }, ...m.blocks] })
  // The same written out, where the type checker makes everything readonly.
  await T.compileOn(device, (m: Model) => m, [
    { blocks: [model.blocks[0]!], fixed: [], named: {}, pair: [T.ones([2]), T.spec([2])], none: null },
  ])
  const keys = given<readonly T.Tensor<readonly [2], 'u32'>[]>()
  const layers = keys.map((k) => nn.linearInit(k, 4, 4))
  const net = await T.compileOn(device, (ls: typeof layers, x: T.Tensor) => nn.linear(x, ls[0]!), [layers, T.spec([4])])
  await net.run(layers, new Float32Array(4))
  return {
    weight: await result.pair[0].read(),
    each: await Promise.all(result.blocks.map((b) => b.weight.read())),
    item: await result.pair[0].item(),
    all: await T.read(result),
    kinds: T.mapTree(result, (h) => h.kind),
    shapes: T.mapTree(model, (x) => x.shape),
  }
}
type Loops = Awaited<ReturnType<typeof loops>>
holds<Equal<Loops['weight'], Float32Array>>()
holds<Equal<Loops['each'], Float32Array[]>>()
holds<Equal<Loops['item'], number>>()
holds<Equal<Loops['all']['blocks'][number]['weight'], Float32Array>>()
holds<Equal<Loops['all']['blocks'][number]['bias'], Float32Array | undefined>>()
holds<Equal<Loops['all']['none'], null>>()
holds<Equal<Loops['kinds']['pair'][0], 'resident' | 'value'>>()

const absent = async () => {
  const weight = given<T.Tensor<readonly [2, 3], 'f32'>>()
  const x = given<T.Tensor<readonly [5, 3], 'f32'>>()
  const params: nn.LinearParams<2, 3, 'f32'> = { weight, bias: undefined }
  const program = await T.compileOn(device, (p: nn.LinearParams<2, 3, 'f32'>) => nn.linear(x, p), [params], {
    keep: true,
  })
  // What is typed loosely goes through a pipe as it goes into a call.
  const loose = given<T.Tensor>()
  return [await program.run(params), nn.linear(loose, { weight }), T.pipe(loose, T.relu, nn.linear({ weight }))]
}

const dtypes = async () => {
  const f = (x: T.Tensor<readonly [3], 'i32'>) => ({ x, b: T.greater(x, 1), h: T.cast(x, 'f16'), u: T.cast(x, 'u8') })
  const r = await (await T.compileOn(device, f, [T.spec([3], 'i32')])).run([1, 2, 3])
  const all = await T.read(r)
  return { ints: (await r.x.read()).reduce((a, b) => a + b, 0), all }
}
type DTypes = Awaited<ReturnType<typeof dtypes>>
holds<Equal<DTypes['ints'], number>>()
holds<Equal<DTypes['all']['x'], Int32Array>>()
holds<Equal<DTypes['all']['b'], Uint8Array>>()
holds<Equal<DTypes['all']['h'], Float32Array>>()
holds<Equal<DTypes['all']['u'], Uint8Array>>()

const wrong = async () => {
  const step = (s: { w: W; n: T.Tensor<readonly [], 'i32'> }, x: W) => ({ w: T.add(s.w, x), n: s.n })
  // @ts-expect-error a spec of another shape
  await T.compileOn(device, step, [{ w: T.spec([3]), n: T.spec([], 'i32') }, T.spec([2])])
  // @ts-expect-error a spec of another dtype
  await T.compileOn(device, step, [{ w: T.spec([2]), n: T.spec([]) }, T.spec([2])])
  // @ts-expect-error a key is missing
  await T.compileOn(device, step, [{ w: T.spec([2]) }, T.spec([2])])
  // @ts-expect-error an argument is missing
  await T.compileOn(device, step, [{ w: T.spec([2]), n: T.spec([], 'i32') }])
  // @ts-expect-error a list where a record belongs
  await T.compileOn(device, step, [[T.spec([2]), T.spec([], 'i32')], T.spec([2])])
  const program = await T.compileOn(device, step, [{ w: T.spec([2]), n: T.spec([], 'i32') }, T.spec([2])])
  const r = await program.run({ w: [1, 2], n: 0 }, [1, 2])
  // @ts-expect-error a part of the state
  await program.run({ w: r.w }, [1, 2])
  // @ts-expect-error a surplus key
  await program.run({ w: [1, 2], n: 0, extra: [3] }, [1, 2])
  // @ts-expect-error an argument is missing
  await program.run(r)
  // @ts-expect-error a text is no tensor
  await program.run({ w: 'x', n: 0 }, [1, 2])
  // @ts-expect-error there is no such result
  r.loss
  const f = (): number => 1
  // @ts-expect-error a function is no tree of tensors
  await fitted(f, (_p, x) => x)
  // @ts-expect-error a typed array is no tree of tensors
  await fitted(new Float32Array(2), (_p, x) => x)
  // @ts-expect-error a number is no tree of tensors
  await fitted(3, (_p, x) => x)
  // @ts-expect-error nor is a text
  await fitted('w', (_p, x) => x)
  // @ts-expect-error a tensor that starts a loop has no elements to read yet
  T.ones([2]).read()
}

export const checked: unknown = [jitted, models, loops, absent, dtypes, wrong]
