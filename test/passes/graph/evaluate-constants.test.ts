/** Constants that cost something are computed once: when they are first given to a run, when a program is planned. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { graphPipeline, runPipeline } from '../../../passes/pipeline.ts'
import * as T from '../../../src/index.ts'
import type { Graph, Node, Op } from '../../../src/lang/ir.ts'
import { topological } from '../../../src/lang/topological.ts'
import { traceTree } from '../../../src/lang/trace.ts'
import * as nn from '../../../src/nn/index.ts'
import * as random from '../../../src/random/index.ts'
import { sharedDevice, sharedProcessor } from '../../device.ts'

afterEach(() => vi.restoreAllMocks())

type X = T.Tensor
const key = random.key(7)

/** The operations of the last graph of a program: what a run computes. */
const opsOf = (f: (...xs: readonly X[]) => unknown, ...specs: readonly T.Spec[]): readonly Op[] => {
  const { graph } = traceTree(f as never, specs)
  const made = runPipeline(graphPipeline(), graph)
  if (made._tag === 'Left') throw new T.TensorloomError(made.left)
  return topological((made.right as Graph).outputs).map((n: Node) => n.op)
}

describe('constants that a program captures', () => {
  const line = T.spec([300])

  test('random weights are drawn once, also under a gradient and a batch', () => {
    const loss = (x: X): X => T.sum(T.square(nn.linear(x, nn.linearInit(key, 300, 20))))
    for (const f of [loss, T.grad(loss as never), (x: X) => T.vmap(loss)(T.stack([x, x]))] as ((x: X) => X)[]) {
      const ops = opsOf(f as never, line)
      expect(ops).not.toContain('threefry')
      expect(ops).toContain('data')
    }
  })

  test('the program is that of the same weights as numbers', () => {
    const { weight, bias } = nn.linearInit(key, 300, 20)
    const held = { weight: T.fromArray(T.reference(weight).data as Float32Array, [20, 300]), bias }
    const plan = (params: nn.LinearParams): T.Plan =>
      T.orThrow(T.compile((x: X) => nn.linear(x, params), [line], { cache: false })).plan
    expect(plan({ weight, bias }).prediction).toEqual(plan(held as never).prediction)
  })

  test.each<[string, (x: X) => X, Op, boolean]>([
    ['a table of sines', (x) => T.add(x, T.sin(T.arange(300))), 'sin', false],
    [
      'sorted numbers, from a few that are spread',
      (x) => T.add(x, T.broadcastTo(T.sort(T.arange(100)), [3, 100])),
      'sort',
      false,
    ],
    [
      'zeros and masks, which cost nothing',
      (x) => T.where(T.greater(T.arange(300), 7), x, T.zeros([300])),
      'data',
      false,
    ],
    [
      'what is large, which is left to the device',
      (x) => T.add(x, T.sum(random.normal(key, [3000, 3000]))),
      'threefry',
      true,
    ],
    ['what depends on the argument', (x) => T.add(x, T.sin(x)), 'sin', true],
    [
      'loops, which the interpreter is slow at',
      (x) => T.add(x, T.foriLoop(0, 9, (_, c) => T.sin(c), T.ones([300])) as X),
      'scan',
      true,
    ],
  ])('%s', (_, f, op, stays) => {
    const spec = f.toString().includes('[3, 100]') ? T.spec([3, 100]) : line
    expect(opsOf(f as never, spec).includes(op)).toBe(stays)
  })

  test('a program without arguments is left to the device', () => {
    expect(opsOf(() => random.normal(key, [100]))).toContain('threefry')
  })

  test('an index out of range is still an error', () => {
    const f = (x: X): X => T.add(x, T.take(random.normal(key, [100]), T.tensor([100])))
    expect(T.compile(f, [T.spec([1])])).toMatchObject({ _tag: 'Left', left: { tag: 'IndexError', index: 100 } })
  })

  test('both back ends give what the reference gives', async () => {
    const data = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i))
    const f = (x: X): readonly X[] => [
      nn.linear(x, nn.linearInit(key, 300, 20)),
      T.add(x, random.permutation(key, 300)),
      nn.dropout(x, key, { p: 0.25 }),
      T.mul(x, T.cast(random.normal(key, [300]), 'bf16')),
    ]
    const want = T.reference(f(T.fromArray(data, [300]))).map(({ data }) => Array.from(data, Number))
    for (const device of [await sharedDevice(), await sharedProcessor()]) {
      const program = await T.compileOn(device, f, [line])
      const got = await Promise.all((await program.run(data)).map((h) => h.read()))
      for (const [i, values] of got.entries())
        for (const [k, v] of values.entries()) expect(v).toBeCloseTo(want[i]![k]!, 4)
    }
  })
})

test('a constant that is given to runs is computed at the first', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const drawn = (): number => stderr.mock.calls.filter(([text]) => String(text).includes('drawn here')).length
  const xs = T.debug(random.normal(key, [64]), 'drawn here')
  const ys = { a: [T.debug(T.sin(T.arange(64)), 'drawn here')] }
  const f = (x: X, y: typeof ys): X => T.add(x, y.a[0]!)
  const program = await T.compileOn(await sharedDevice(), f as never, [xs, ys] as never)
  const first = await ((await program.run(...([xs, ys] as never))) as T.Output).read()
  for (let i = 0; i < 3; i++)
    expect(await ((await program.run(...([xs, ys] as never))) as T.Output).read()).toEqual(first)
  expect(drawn()).toBe(2)
  const jitted = T.jit((x: X) => T.neg(x))
  for (let i = 0; i < 3; i++) await jitted(xs)
  expect(drawn()).toBe(2)
  // What is asked for its value is shown each time.
  T.reference(xs)
  expect(drawn()).toBe(3)
})
