/** jax-js's side of the bench: `jit` on its WebGPU or WebAssembly backend. */
import { type Host, type HostTree, mapHosts, parametersOf } from './arguments.ts'
import { type Kind, peer, provideNavigator } from './device.ts'
import type { Jax, JaxArray, JaxTree } from './jax-api.ts'
import { forwardOf, type Params, type Training, trainStepOf } from './jax-programs.ts'
import type { Library, Session } from './library.ts'

const arrayOf =
  ({ numpy }: Jax) =>
  ({ data, shape, dtype }: Host): JaxArray =>
    numpy.array(data, { shape, dtype: dtype === 'i32' ? numpy.int32 : numpy.float32 })

const training = (jax: Jax, row: string, args: readonly HostTree[]): Session | undefined => {
  const f = trainStepOf(jax, row)
  if (!f) return undefined
  const step = jax.jit(f as never) as unknown as typeof f
  const array = arrayOf(jax)
  const params = mapHosts(parametersOf(args), array) as Params
  const zeros = (): Params => Object.fromEntries(Object.entries(params).map(([k, p]) => [k, array(zerosLike(p.shape))]))
  let state: Training = { params, m: zeros(), v: zeros(), step: array(zerosLike([])) }
  const [x, y] = args.slice(1).map((a) => array(a as Host)) as [JaxArray, JaxArray]
  return {
    call: async () => {
      const next = step(state, x.ref, y.ref)
      state = next.state
      await jax.blockUntilReady(next)
      return (await next.loss.data())[0]
    },
    read: async () => [],
  }
}

const zerosLike = (shape: readonly number[]): Host => ({
  shape,
  dtype: 'f32',
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
})

const forward = (jax: Jax, row: string, args: readonly HostTree[]): Session | undefined => {
  const f = forwardOf(jax, row)
  if (!f) return undefined
  const jitted = jax.jit(f as never) as unknown as (...args: readonly JaxTree[]) => JaxArray
  const given = args.map((a) => mapHosts(a, arrayOf(jax)) as JaxTree)
  let last: JaxArray | undefined
  return {
    call: async () => {
      last?.dispose()
      last = jitted(...given.map((a) => jax.tree.ref(a)))
      await jax.blockUntilReady(last)
      return undefined
    },
    read: () => last!.ref.data(),
  }
}

/** Opens jax-js on the adapter, or on its WebAssembly backend. */
export const openJax = async (kind: Kind, folder: string): Promise<Library> => {
  if (kind !== 'cpu') await provideNavigator(kind)
  const jax = peer(folder, '@jax-js/jax') as Jax
  const name = kind === 'cpu' ? 'wasm' : 'webgpu'
  if (!(await jax.init(name)).includes(name)) throw new Error(`jax-js finds no ${name}`)
  jax.defaultDevice(name)
  return { start: async (row, args) => training(jax, row, args) ?? forward(jax, row, args) }
}
