/** TensorFlow.js's side of the bench: eager operations on its WebGPU or WebAssembly backend, its own Adam. */
import { type Host, type HostTree, mapHosts, parametersOf } from './arguments.ts'
import { type Kind, peer, provideNavigator } from './device.ts'
import type { Library, Session } from './library.ts'
import type { Tf, TfTensor } from './tfjs-api.ts'
import { asNhwc, forwardOf, lossOf } from './tfjs-programs.ts'

const tensorOf =
  (tf: Tf) =>
  ({ data, shape, dtype }: Host): TfTensor =>
    tf.tensor(data, shape, dtype === 'i32' ? 'int32' : 'float32')

const training = (tf: Tf, row: string, args: readonly HostTree[]): Session | undefined => {
  const loss = lossOf(tf, row)
  if (!loss) return undefined
  const tensor = tensorOf(tf)
  const params = Object.fromEntries(
    Object.entries(parametersOf(args)).map(([k, h]) => [k, tf.variable(tensor(asNhwc(row, k, h)), true, k)]),
  )
  const [x, y] = [tensor(asNhwc(row, 'x', args[1] as Host)), tensor(args[2] as Host)]
  const adam = tf.train.adam(0.001, 0.9, 0.999, 1e-8)
  return {
    call: async () => {
      const cost = adam.minimize(() => loss(params, x, y), true, Object.values(params))
      const [value] = Array.from(await cost.data())
      cost.dispose()
      return value
    },
    read: async () => [],
  }
}

const forward = (tf: Tf, kind: Kind, row: string, args: readonly HostTree[]): Session | undefined => {
  const f = forwardOf(tf, row)
  if (!f) return undefined
  const given = args.map((a) => mapHosts(a, tensorOf(tf)) as never)
  let last: TfTensor | undefined
  return {
    call: async () => {
      last?.dispose()
      last = tf.tidy(() => f(...given))
      // WebAssembly is done when it returns.
      if (kind === 'cpu') return undefined
      const backend = tf.backend()
      backend.ensureCommandEncoderReady()
      backend.endComputePassEncoder()
      backend.submitQueue()
      await backend.queue.onSubmittedWorkDone()
      return undefined
    },
    read: () => last!.data(),
  }
}

/** Opens TensorFlow.js on the adapter, or on its WebAssembly backend. */
export const openTfjs = async (kind: Kind, folder: string): Promise<Library> => {
  if (kind !== 'cpu') await provideNavigator(kind)
  const tf = peer(folder, '@tensorflow/tfjs') as Tf
  const name = kind === 'cpu' ? 'wasm' : 'webgpu'
  peer(folder, `@tensorflow/tfjs-backend-${name}`)
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js finds no ${name}`)
  await tf.ready()
  return { start: async (row, args) => training(tf, row, args) ?? forward(tf, kind, row, args) }
}
