/**
 * A tour of tensorloom in ten minutes: `npx tsx --conditions=tensorloom-source examples/00-tour.ts`.
 * What it prints stands in 00-tour.out.
 */
import { pathToFileURL } from 'node:url'
import * as T from 'tensorloom'
import { pipe } from 'tensorloom'
import * as random from 'tensorloom/random'

/** Takes the tour; `print` gets its lines. */
export const tour = async (print: (text: string) => void): Promise<void> => {
  const title = (text: string): void => print(`\n── ${text} ──`)
  // Tensors are expressions: nothing is computed until a value is asked for. `reference` asks the interpreter. Values print
  // themselves as PyTorch prints tensors, in console.log too.
  const show = (x: T.Tensor): void => print(String(T.reference(x)))

  title('Tensors out of nothing')
  const x = T.arange(42)
  show(x)
  print(`shape [${x.shape}], dtype ${x.dtype}`)
  show(T.reshape(x, [6, 7]))
  print(`[6, -1] gives [${T.reshape(x, [6, -1]).shape}], [-1, 7] gives [${T.reshape(x, [-1, 7]).shape}]`)
  show(
    T.tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  )
  show(T.zeros([2, 3, 4]))
  show(T.ones([2, 3, 4]))

  // Random numbers come from a key: the same key, the same numbers, on every machine. `split` makes new keys.
  const [k1, k2] = random.splitList(random.key(42), 2)
  show(random.normal(k1, [2, 3, 4]))

  title('Arithmetic, element by element')
  // JavaScript does not tell 3. from 3, so whole numbers become i32 unless we say otherwise.
  const a = T.tensor([3, 2], { dtype: 'f32' })
  const b = T.tensor([4, 1], { dtype: 'f32' })
  show(T.add(a, b))
  show(T.sub(a, b))
  show(T.mul(a, b))
  show(T.div(a, b))
  show(T.pow(a, 2))
  show(T.exp(a))
  show(T.log(T.exp(a)))

  // Every function also takes its data last, for `pipe`: this is (a - 1)² / 2.
  show(pipe(a, T.sub(1), T.square, T.div(2)))

  title('Joining')
  const [zeros, ones] = [T.zeros([2, 3, 4]), T.ones([2, 3, 4])]
  for (const axis of [0, 1, 2]) print(`along axis ${axis}: [${T.concat([zeros, ones], { axis }).shape}]`)
  show(T.concat([zeros, ones], { axis: 1 }))
  show(T.stack([a, b]))

  title('Logic')
  show(T.less(a, b))
  show(T.logicalOr(T.less(a, b), T.equal(a, 2)))
  show(T.where(T.greater(a, b), a, b))
  show(T.any(T.equal(x, 41)))
  show(T.all(T.less(x, 41)))

  title('Over axes')
  const m = T.reshape(T.arange(12), [3, 4])
  show(m)
  show(T.sum(m))
  show(T.sum(m, { axis: 0 }))
  show(T.mean(T.astype(m, 'f32'), { axis: 1, keepdims: true }))
  show(T.max(m, { axis: 1 }))
  show(T.argmax(m, { axis: 0 }))

  title('Parts')
  // Integers pick, 'start:stop:step' cuts, ':' keeps; negative numbers count from the end.
  show(T.at(m, 1))
  show(T.at(m, -1, -1))
  show(T.at(m, ':', 1))
  show(T.at(m, '0:2', '1:'))
  show(T.at(m, '::-1', '::2'))
  show(T.take(m, T.tensor([2, 0])))
  // No tensor is ever changed: `setAt` gives a new one.
  show(T.setAt(m, [':', 0], -1))

  title('Broadcasting')
  const column = T.reshape(T.arange(3), [3, 1])
  const row = T.reshape(T.arange(2), [1, 2])
  show(T.add(column, row))

  title('Linear algebra')
  const matrix = T.reshape(T.arange(6, { dtype: 'f32' }), [2, 3])
  const vector = T.tensor([1, 0, 2], { dtype: 'f32' })
  show(T.dot(vector, vector))
  show(T.matmul(matrix, vector))
  show(T.matrixTranspose(matrix))
  show(T.matmul(matrix, T.matrixTranspose(matrix)))
  show(T.vectorNorm(T.tensor([3, 4], { dtype: 'f32' })))
  show(T.vectorNorm(vector, { p: 1 }))
  show(T.outer(a, b))
  show(T.trace(T.eye(3)))
  show(T.einsum('ij,kj->ik', matrix, matrix))

  title('Mistakes')
  // Shapes are part of the types: an editor refuses T.matmul(matrix, matrix). Where sizes are known only at run time,
  // all mistakes of a program are told before anything runs, each with its line.
  const unknown: T.Tensor = T.matmul(matrix as T.Tensor, matrix)
  const checked = T.compile(() => unknown, [])
  if (checked._tag === 'Left') print(T.showError(checked.left).replace(/\n +at .*/, ''))

  title('Derivatives')
  const cubes = (v: T.Tensor<readonly [3], 'f32'>) => T.sum(T.pow(v, 3))
  show(T.grad(cubes)(vector))
  // Gradients are expressions like any other, so they have gradients too: 3v², then 6v.
  show(T.grad((v: T.Tensor<readonly [3], 'f32'>) => T.sum(T.grad(cubes)(v)))(vector))

  title('A compiled function')
  // The function runs once, on placeholders; what it builds is fused into kernels. No device is needed for that.
  const neuron = (v: T.Tensor<readonly [3], 'f32'>) => pipe(v, T.mul(2), T.sub(1), T.relu)
  const program = T.orThrow(T.compile(neuron, [T.spec([3])], { name: 'neuron' }))
  print(T.showGraph(program.stages[0]!.graph))
  print(`${program.plan.prediction.dispatches} kernel for three functions; this is what the GPU gets:`)
  print(program.plan.kernels[0]!.wgsl!.trimEnd())
  const loaded = await T.toPromise(program.load(await T.defaultDevice()))
  const result = await loaded.run([1, 0, 2])
  print(`and what it gives back: [${await result.read()}]`)

  title('Learning')
  // Points on y = 3x + 1 with some noise, and the line that fits them best, by gradient descent.
  const xs = random.uniform(k1, [100], { low: -1, high: 1 })
  const ys = pipe(xs, T.mul(3), T.add(1), T.add(random.normal(k2, [100], { std: 0.1 })))
  const start = { slope: T.zeros([]), offset: T.zeros([]) }
  const loss = (line: typeof start, x: typeof xs, y: typeof ys) =>
    pipe(x, T.mul(line.slope), T.add(line.offset), T.sub(y), T.square, T.mean)
  const descend = (line: typeof start, x: typeof xs, y: typeof ys) => {
    const gradient = T.grad(loss)(line, x, y)
    return {
      slope: T.sub(line.slope, T.mul(gradient.slope, 0.3)),
      offset: T.sub(line.offset, T.mul(gradient.offset, 0.3)),
    }
  }
  // The line is given away to each step, which puts the next one in its place: it stays on the device.
  const step = await T.compileOn(await T.defaultDevice(), descend, [start, xs, ys], { donate: [0] })
  let line = await step.run(start, xs, ys)
  for (let i = 1; i < 60; i++) line = await step.run(line, xs, ys)
  const [slope, offset] = [await line.slope.read(), await line.offset.read()]
  print(`y = ${slope[0]!.toFixed(2)} x + ${offset[0]!.toFixed(2)}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await tour(console.log)
