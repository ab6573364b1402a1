/** Programs, devices and results of runs, as they print themselves. */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'

const start = { w: T.ones([2, 2]), n: T.tensor(0) }
const step = (state: typeof start, x: T.Tensor) => ({
  state: { w: T.add(state.w, T.sum(x)), n: T.add(state.n, 1) },
  loss: T.mean(x),
  more: T.outer(x, T.tensor([1, 2], { dtype: 'f32' })),
})

const loaded = async () => {
  const device = await T.openDevice({ prefer: 'cpu', threads: 1, quiet: true })
  return T.compileOn(device, step, [start, T.spec([T.dim('rows', { max: 4 })])], { donate: [0] })
}

describe('results', () => {
  it('say where they are, and print their elements once these were read', async () => {
    const program = await loaded()
    const result = await program.run(start, [1, 2.5])
    const { state, loss, more } = result
    expect(String(state.w)).toBe('Result state.w: f32[2, 2], on cpu, 1 thread: await x.read() gives its elements')
    expect(inspect(loss)).toBe('Result loss: f32[], on its way to the host: await x.read() gives its elements')
    expect(inspect(result)).toBe(`{
  state: {
    w: Result(f32[2, 2], on cpu, 1 thread),
    n: Result(i32[], on cpu, 1 thread)
  },
  loss: Result(f32[], on its way to the host),
  more: Result(f32[2, 2], on its way to the host)
}`)
    expect([await loss.item(), Array.from(await more.read())]).toEqual([1.75, [1, 2, 2.5, 5]])
    expect(inspect(loss)).toBe('tensor(1.7500)')
    expect(`${more}`).toBe('tensor([[1.0000, 2.0000],\n        [2.5000, 5.0000]])')
    expect(inspect({ loss })).toBe('{ loss: tensor(1.7500) }')
    // What stays on the device has its elements there.
    await state.w.read()
    expect(inspect([state.w])).toBe('[ Result(f32[2, 2], on cpu, 1 thread) ]')
    await program.run(state, [1])
    expect(inspect(state)).toBe('{ w: Result(f32[2, 2], consumed), n: Result(i32[], consumed) }')
    expect(String(state.n)).toBe(
      'Result state.n: i32[], consumed: a run took it as a donated argument; its own result is in the place of it',
    )
  })

  it('print the same where they were put, evaluated or jitted', async () => {
    const x = T.tensor([1.5, 2])
    expect(String(await T.put(x))).toMatch(/^Result f32\[2\], on .*: await x\.read\(\) gives its elements$/)
    expect(inspect(await T.evaluate({ x }))).toBe('{ x: tensor([1.5000, 2.0000]) }')
    expect(inspect(await T.jit((y: T.Tensor) => T.mul(y, 2))(x))).toBe('tensor([3., 4.])')
  })

  it('have the keys they had, and are frozen', async () => {
    const { state, loss } = await (await loaded()).run(start, [1])
    for (const handle of [state.w, loss]) {
      expect(Object.keys(handle)).toEqual(['kind', 'path', 'shape', 'dtype', 'consumed', 'read', 'item'])
      expect(Object.isFrozen(handle)).toBe(true)
      await expect(handle.read()).resolves.toBeInstanceOf(Float32Array)
    }
    await expect(state.w.item()).rejects.toThrow('item: state.w is f32[2, 2], which is not one element')
  })
})

describe('programs and devices', () => {
  it('print in a few lines', async () => {
    const program = await loaded()
    const lines = [
      ': 1 kernel, 1 dispatch a run, ',
      '  takes [0].n i32[] donated, [0].w f32[2, 2] donated, [1] f32[rows]',
      '  gives loss f32[], more f32[rows, 2], state.n i32[] kept, state.w f32[2, 2] kept',
    ]
    for (const [x, head] of [
      [program, "Program 'step' on cpu, 1 thread"],
      [program.program, "Program 'step' for cpu"],
    ] as const) {
      const [first, ...rest] = inspect(x).split('\n')
      expect(first!.startsWith(`${head}${lines[0]}`), first).toBe(true)
      expect(first).toMatch(/ of memory$/)
      expect(rest).toEqual(lines.slice(1))
      expect(inspect([x])).toBe(`[ ${head} ]`)
    }
  })

  it('name so many arguments and count the others', () => {
    const many = Array.from({ length: 11 }, () => T.spec([1]))
    const program = T.orThrow(
      T.compile((xs: readonly T.Tensor[]) => ({ only: xs.reduce((a, b) => T.add(a, b)) }), [many]),
    )
    const names = Array.from({ length: 8 }, (_, i) => `[0][${i}] f32[1]`).join(', ')
    expect(String(program).split('\n').slice(1)).toEqual([`  takes ${names}, 3 more`, '  gives only f32[1]'])
    expect(String(T.orThrow(T.compile(() => T.ones([2]), [])))).toContain('\n  takes nothing\n  gives f32[2]')
  })

  it('say what is used, or that the device is lost', async () => {
    const device = await T.openDevice({ prefer: 'cpu', threads: 1, quiet: true })
    expect(inspect({ device })).toBe('{ device: Device(cpu, 1 thread; 0 B in use) }')
    device.destroy()
    expect(String(device)).toBe('Device(cpu, 1 thread; lost)')
    const { gpu, kind } = await T.openDevice({ prefer: 'software', quiet: true })
    expect(String(T.adoptDevice(gpu, kind, 'the canvas'))).toBe('Device(software adapter, the canvas; 0 B in use)')
  })
})
