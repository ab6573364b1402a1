/**
 * What a user sees who makes a mistake, as whole texts: which operation, which operands, which line of the source, and
 * the way out. In place of a file and a line the texts here hold that line itself.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import * as T from '../src/index.ts'
import type { Shape } from '../src/lang/dim.ts'
import { sharedDevice } from './device.ts'
import { mlpProgram, mlpStart } from './mlp-step.ts'

/** An error's text with the source lines it names in place of their numbers. */
const textOf = (text: string): string =>
  text.replace(/^ {2}at (\S+):(\d+):(\d+)$/gm, (_, file: string, line: string) => {
    expect(file).toMatch(/test\/errors\.test\.ts$/)
    return `  at: ${readFileSync(file, 'utf8').split('\n')[Number(line) - 1]!.trim()}`
  })

/** Shapes are not literal here: otherwise the editor refuses the mistakes before they can be made. */
const spec = (shape: readonly number[], dtype: T.DType = 'f32'): T.Spec<Shape, T.DType> => T.spec(shape, dtype)

/** The text of the error that compiling gives. */
const compiling = (
  f: (...xs: T.Tensor[]) => unknown,
  specs: readonly T.Spec[],
  options: T.CompileOptions = {},
): string => {
  const result = T.compile(f as never, specs, options)
  return E.isLeft(result) ? `${result.left.tag}: ${textOf(T.showError(result.left))}` : 'no error'
}

/** The text of the error that a promise rejects with. */
const rejection = async (p: Promise<unknown>): Promise<string> => {
  const e = await p.then(
    () => undefined,
    (x: unknown) => x,
  )
  return e instanceof T.TensorloomError ? `${e.error.tag}: ${textOf(e.message)}` : `no typed error: ${String(e)}`
}

const load = async (f: (...xs: T.Tensor[]) => unknown, specs: readonly unknown[]): Promise<T.Loaded> =>
  T.toPromise(T.orThrow(T.compile(f as never, specs)).load(await sharedDevice())) as Promise<T.Loaded>

describe('mistakes in a program', () => {
  const a = spec([3, 4])
  const cases: readonly (readonly [string, () => string, string])[] = [
    [
      'inner dimensions of matmul',
      () => compiling((x, y) => T.matmul(x!, y!), [a, spec([5, 6])]),
      `CheckError: T.matmul: inner dimensions 4 and 5 differ (axis 1 of the left, axis 0 of the right operand)
  operands: f32[3, 4] (argument [0]), f32[5, 6] (argument [1])
  at: () => compiling((x, y) => T.matmul(x!, y!), [a, spec([5, 6])]),
  hint: transpose an operand with T.matrixTranspose if its axes are in the other order`,
    ],
    [
      'shapes that do not broadcast',
      () => compiling((x, y) => T.add(x!, y!), [a, spec([3, 5])]),
      `CheckError: T.add: shapes [3, 4] and [3, 5] do not broadcast: they differ at axis 1 and neither size is 1
  operands: f32[3, 4] (argument [0]), f32[3, 5] (argument [1])
  at: () => compiling((x, y) => T.add(x!, y!), [a, spec([3, 5])]),
  hint: reshape with size-1 axes where an operand should be repeated`,
    ],
    [
      'a reshape to another number of elements',
      () => compiling((x) => T.reshape(x!, [5, 2]), [a]),
      `CheckError: T.reshape: [3, 4] with 12 elements does not reshape to [5, 2] with 10
  operands: f32[3, 4] (argument [0])
  at: () => compiling((x) => T.reshape(x!, [5, 2]), [a]),
  hint: the number of elements must stay the same; use -1 for a size to infer`,
    ],
    [
      'a mix of dtypes',
      () => compiling((x, y) => T.matmul(x!, y!), [a, spec([4, 3], 'i32')]),
      `CheckError: T.matmul: dtypes f32 and i32 differ
  operands: f32[3, 4] (argument [0]), i32[4, 3] (argument [1])
  at: () => compiling((x, y) => T.matmul(x!, y!), [a, spec([4, 3], 'i32')]),
  hint: cast one operand, e.g. T.cast(x, 'f32')`,
    ],
    [
      'an axis out of range',
      () => compiling((x) => T.sum(x!, { axis: 2 }), [a]),
      `CheckError: T.sum: axis 2 is out of range for rank 2
  operands: f32[3, 4] (argument [0])
  at: () => compiling((x) => T.sum(x!, { axis: 2 }), [a]),
  hint: axes go from -2 to 1`,
    ],
    [
      'tensors in arithmetic of JavaScript',
      () => compiling((x, y) => (x as unknown as number) + (y as unknown as number), [a, a]),
      `UsageError: a tensor (input f32[3, 4]) was used as a JavaScript number, string or condition
  at: () => compiling((x, y) => (x as unknown as number) + (y as unknown as number), [a, a]),
  hint: write T.add(a, b) for a + b, and T.where(condition, a, b) for a choice between tensors; T.evaluate(x) gives numbers`,
    ],
    [
      'tensors as text',
      () => compiling((x) => `${x as unknown as string}`, [a]),
      `UsageError: a tensor (input f32[3, 4]) was used as a JavaScript string
  at: () => compiling((x) => \`\${x as unknown as string}\`, [a]),
  hint: it has no values yet: String(await T.evaluate(x)) shows them, console.log(x) its shape`,
    ],
    [
      'a constant index out of range',
      () => compiling((x) => T.take(x!, T.tensor([0, 5], { dtype: 'i32' }), { axis: 0 }), [a]),
      `IndexError: T.take: index 5 at position [1] is out of range for an axis of size 3
  at: () => compiling((x) => T.take(x!, T.tensor([0, 5], { dtype: 'i32' }), { axis: 0 }), [a]),
  hint: indices of this axis go from -3 to 2`,
    ],
    [
      'a kernel with more arenas than bindings',
      () => compiling((x) => T.exp(x!), [a], { profile: { ...T.portable, storageBuffers: 1 } }),
      `LimitError: storage buffers of one kernel: needs 2, the target allows 1
  hint: compile for a profile with higher limits, or split the tensor; compile with { provenance: true } to see the line that makes it`,
    ],
  ]
  it.each(cases)('%s', (_, run, text) => {
    expect(run()).toBe(text)
  })

  it('reports two independent mistakes together, each with its line, and nothing for what stands on them', () => {
    const program = (x: T.Tensor, y: T.Tensor): readonly T.Tensor[] => {
      const product = T.matmul(x, y)
      const scaled = T.mul(T.exp(product), product)
      const flat = T.reshape(y, [7])
      return [T.add(scaled, 1), T.sum(flat)]
    }
    expect(compiling(program as never, [a, spec([5, 6])])).toBe(`CheckError: 2 errors
1. T.matmul: inner dimensions 4 and 5 differ (axis 1 of the left, axis 0 of the right operand)
  operands: f32[3, 4] (argument [0]), f32[5, 6] (argument [1])
  at: const product = T.matmul(x, y)
  hint: transpose an operand with T.matrixTranspose if its axes are in the other order
2. T.reshape: [5, 6] with 30 elements does not reshape to [7] with 7
  operands: f32[5, 6] (argument [1])
  at: const flat = T.reshape(y, [7])
  hint: the number of elements must stay the same; use -1 for a size to infer`)
  })

  it('a tensor as a condition', () => {
    const program = (x: T.Tensor, y: T.Tensor): T.Tensor => {
      const larger = x > y
      return larger ? x : y
    }
    expect(compiling(program as never, [a, a])).toMatch(/^UsageError: [\s\S]*\n {2}at: const larger = x > y\n/)
  })
})

describe('arguments of a compiled program', () => {
  const pick = (p: { readonly x: T.Tensor }, i: T.Tensor): T.Tensor => T.take(p.x, i, { axis: 0 })
  const program = (): Promise<T.Loaded> => load(pick as never, [{ x: spec([3, 4]) }, spec([2], 'i32')])
  const x = new Float32Array(12)
  const i = Int32Array.of(0, 2)
  const cases: readonly (readonly [string, readonly unknown[], string])[] = [
    [
      'too few elements',
      [{ x: new Float32Array(11) }, i],
      'ArgumentError: argument [0].x: got 11 elements, f32[3, 4] has 12',
    ],
    [
      'another dtype',
      [{ x }, Float32Array.of(0, 1)],
      'ArgumentError: argument [1]: got Float32Array for i32[2]\n  hint: give Int32Array',
    ],
    ['a missing leaf', [{}, i], 'ArgumentError: argument [0].x: missing: the program takes a f32[3, 4] here'],
    ['an array for a record', [x, i], 'ArgumentError: argument [0]: no record: it must have x'],
    [
      'an index out of range, before anything is uploaded',
      [{ x }, Int32Array.of(0, 3)],
      'IndexError: T.take: index 3 at position [1] is out of range for an axis of size 3\n  at: const pick = (p: { readonly x: T.Tensor }, i: T.Tensor): T.Tensor => T.take(p.x, i, { axis: 0 })\n  hint: it is in argument [1]',
    ],
  ]
  it.each(cases)('%s', async (_, args, text) => {
    const loaded = await program()
    expect(await rejection(loaded.run(...(args as never[])))).toBe(text)
    // Nothing has changed: the program runs.
    const out = (await loaded.run({ x } as never, i as never)) as T.Output
    expect(await out.read()).toEqual(new Float32Array(8))
  })

  it('an index that the program computes: an error of the reference, the nearest element on a device', async () => {
    const far = (x: T.Tensor, i: T.Tensor): T.Tensor => T.take(x, T.add(i, 100), { axis: 0 })
    const loaded = await load(far as never, [spec([3]), spec([2], 'i32')])
    const out = (await loaded.run(Float32Array.of(1, 2, 3) as never, Int32Array.of(0, -200) as never)) as T.Output
    expect(Array.from(await out.read())).toEqual([3, 3])
    const reference = async (): Promise<unknown> =>
      T.reference(far(T.tensor([1, 2, 3]), T.add(T.tensor([0, 1], { dtype: 'i32' }), 0)))
    expect(await rejection(reference())).toMatch(
      /^IndexError: T\.take: index 100 at position \[0\] is out of range for an axis of size 3/,
    )
  })

  it('a result that went into an earlier run', async () => {
    const loaded = (await T.toPromise(mlpProgram().load(await sharedDevice()))) as T.Loaded
    const [state, ...batch] = mlpStart() as readonly never[]
    const first = (await loaded.run(state!, ...batch)) as {
      readonly state: { readonly params: { readonly w1: T.Output } }
    }
    await loaded.run(first.state as never, ...batch)
    expect(await rejection(loaded.run(first.state as never, ...batch))).toBe(
      `ConsumedHandle: [0].opt.stages[0].m.b1: this handle was donated to an earlier run and is consumed
  hint: state.opt.stages[0].m.b1 went into an earlier run; pass that run’s result`,
    )
    expect(await rejection(first.state.params.w1.read())).toBe(
      `ConsumedHandle: state.params.w1: this handle was donated to an earlier run and is consumed
  hint: read it before the run that takes it, or use that run’s result`,
    )
  })
})

describe('derivatives', () => {
  it('a captured value that equals the argument is a constant all the same', () => {
    const x = T.tensor(3, { dtype: 'f32' })
    const gradient = T.grad((w: T.Tensor) => T.mul(w, x))(x)
    expect(T.reference(gradient).data).toEqual(Float32Array.of(3))
    // And so again one level up: d/dv (d/dw w·v·x) at v = x.
    const second = T.grad((v: T.Tensor) => T.grad((w: T.Tensor) => T.mul(T.mul(w, v), x))(x) as T.Tensor)(x)
    expect(T.reference(second as T.Tensor).data).toEqual(Float32Array.of(3))
  })

  it('of integers', () => {
    const n = T.tensor(3, { dtype: 'i32' })
    expect(() => T.grad((w: T.Tensor) => w)(n as T.Tensor)).toThrow(
      `grad: argument 0 is i32[], and i32 tensors have no derivative
  hint: pass it as an argument that argnums does not name, or cast it to f32 before differentiating`,
    )
  })
})

describe('devices', () => {
  it('none', async () => {
    expect(await rejection(T.openDevice({ provider: async () => null }))).toBe(
      `NoAdapter: no WebGPU adapter: WebGPU has none to offer
  hint: a browser with WebGPU, or in Node: npm i webgpu, with @sparticuz/chromium where there is no GPU driver`,
    )
  })

  interface Result {
    readonly state: unknown
    readonly loss: T.Output
  }
  const isOutput = (v: unknown): v is T.Output => typeof v === 'object' && v !== null && 'read' in v && 'kind' in v
  /** The state as host arrays, in its tree. */
  const save = async (state: unknown): Promise<unknown> => {
    const { leaves, shape } = T.flattenTree<T.Output>(state, isOutput)
    return T.unflattenTree(shape, await Promise.all(leaves.map((o) => o.read())))
  }

  it('lost in the middle of a loop: the program is loaded again and goes on as if nothing had happened', async () => {
    const [start, ...batch] = mlpStart() as readonly never[]
    const step = async (on: T.Loaded, state: unknown): Promise<Result> =>
      (await on.run(state as never, ...batch)) as unknown as Result
    const program = mlpProgram()

    const steady = (await T.toPromise(program.load(await sharedDevice()))) as T.Loaded
    const expected: number[] = []
    for (let i = 0, state: unknown = start; i < 6; i++) {
      const result = await step(steady, state)
      state = result.state
      expected.push((await result.loss.read())[0]!)
    }

    const device = await T.openDevice({ quiet: true })
    const loaded = (await T.toPromise(program.load(device))) as T.Loaded
    const losses: number[] = []
    let state: unknown = start
    for (let i = 0; i < 3; i++) {
      const result = await step(loaded, state)
      state = result.state
      losses.push((await result.loss.read())[0]!)
    }
    const saved = await save(state)
    const ahead = await step(loaded, state)
    device.destroy()
    expect(await rejection(step(loaded, ahead.state))).toBe(
      `DeviceLost: device lost: destroyed: by a call of destroy
  hint: open a device again and call reload on the program; give it host copies of the state`,
    )
    expect(await rejection(ahead.loss.read())).toMatch(/^DeviceLost: /)

    const fresh = await T.openDevice({ quiet: true })
    const again = (await T.toPromise(loaded.reload(fresh))) as T.Loaded
    expect(await rejection(step(again, ahead.state))).toMatch(/^DeviceLost: /)
    state = saved
    for (let i = 3; i < 6; i++) {
      const result = await step(again, state)
      state = result.state
      losses.push((await result.loss.read())[0]!)
    }
    expect(losses).toEqual(expected)
    expect(expected[5]).toBeLessThan(expected[0]!)
    fresh.destroy()
  })
})
