/** Saving and loading trees: what comes back, by whatever it is asked for, and everything that does not fit at once. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest'
import * as T from '../../src/index.ts'
import { readSafetensors } from '../../src/io/safetensors.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'tensorloom-save-'))
afterAll(() => rm(folder, { recursive: true }))

const model = {
  layers: [
    { weight: T.tensor([[0.5, 1]]), bias: T.tensor([2.5]) },
    { weight: T.tensor([[-1.5]]), bias: undefined },
  ],
  norm: { 'odd key': T.cast(T.tensor([1, 0.5]), 'f16'), none: null },
  step: T.tensor(3),
  mask: T.tensor([true, false]),
}

describe('save and load', () => {
  it('give back a tree by tensors, specs and results of runs', async () => {
    const file = join(folder, 'model.safetensors')
    await T.save(file, model, { epoch: '3' })
    expect(await readdir(folder)).toEqual(['model.safetensors'])
    const want = T.reference(model)
    const fresh = { ...model, step: T.zeros([], { dtype: 'i32' }) }
    const loaded = await T.load(file, fresh)
    expectTypeOf(loaded).toEqualTypeOf<typeof model>()
    expect(T.reference(loaded)).toStrictEqual(want)
    expect(JSON.stringify(T.mapTree(loaded, (x) => x.dtype))).toBe(JSON.stringify(T.mapTree(model, (x) => x.dtype)))
    const specs = { step: T.spec([], 'i32'), mask: T.spec([2], 'bool') }
    const few = await T.load(await T.toSafetensors({ mask: model.mask, step: model.step }), specs)
    expectTypeOf(few.mask).toEqualTypeOf<T.Tensor<readonly [2], 'bool'>>()
    expect(T.reference(few.step).data).toEqual(Int32Array.of(3))
    // State of a loop: saved from handles, loaded in the place of handles.
    const handles = await T.put(model)
    const again = await T.load(await T.toSafetensors(handles), handles)
    expect(await again.step.item()).toBe(3)
    expect(await T.read(again)).toStrictEqual(await T.read(model))
  })

  it('name tensors as PyTorch does', async () => {
    const { tensors, metadata } = readSafetensors(await T.toSafetensors(model, { epoch: '3' }))
    expect(Object.keys(tensors).sort()).toEqual([
      'layers.0.bias',
      'layers.0.weight',
      'layers.1.weight',
      'mask',
      'norm.odd key',
      'step',
    ])
    expect(metadata).toEqual({ epoch: '3' })
    expect(Object.keys(readSafetensors(await T.toSafetensors(T.ones([1]))).tensors)).toEqual(['tensor'])
  })

  it('go well with any model', async () => {
    const stored = async <P extends T.TensorTree>(params: P): Promise<P> =>
      T.load(await T.toSafetensors(params), params)
    const linear = nn.linearInit(random.key(1), 3, 2)
    expect(T.reference(await stored(linear))).toStrictEqual(T.reference(linear))
  })

  it('say all that does not fit at once', async () => {
    const bytes = await T.toSafetensors({ a: T.ones([2]), b: [T.tensor(1), T.tensor(2)], more: T.ones([1]) })
    const like = { a: T.spec([3]), b: [T.spec([], 'i32'), T.spec([])], absent: T.spec([1]), toString: T.spec([2]) }
    await expect(T.load(bytes, like as never)).rejects.toThrow(
      [
        'safetensors: it does not fit the tree:',
        '    "a" is f32[2] in the file, f32[3] in the tree',
        '    "absent" is not in the file, the tree has f32[1]',
        '    "b.1" is i32[] in the file, f32[] in the tree',
        '    "toString" is not in the file, the tree has f32[2]',
        '    "more" is in the file alone: f32[1]',
      ].join('\n'),
    )
    await expect(T.toSafetensors({ 'a.b': T.ones([1]), a: { b: T.ones([1]) } })).rejects.toThrow(
      'a.b and ["a.b"] would both be called a.b',
    )
    await expect(T.load(join(folder, 'none.safetensors'), like as never)).rejects.toThrow(
      'none.safetensors: cannot be read',
    )
    // @ts-expect-error a number is no tensor
    await expect(T.toSafetensors(3)).rejects.toThrow('the tree itself is the number 3')
    await expect(T.save(join(folder, 'no', 'such', 'folder'), model)).rejects.toThrow('ENOENT')
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  it('any tree of any dtype, to the last bit', async () => {
    const leaf = fc
      .tuple(
        fc.constantFrom('f32', 'i32', 'u32', 'f16', 'bf16', 'i8', 'u8', 'bool'),
        fc.array(fc.integer({ min: 0, max: 1 })),
      )
      .map(([dtype, xs]) => T.cast(T.fromArray(Float32Array.from(xs), [xs.length]), dtype as T.DType))
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.constantFrom(null, undefined),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((k) => !/[.\d]/.test(k)),
          tie('tree'),
          { maxKeys: 3 },
        ),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(tree, async (t) => {
        fc.pre(t !== null && t !== undefined)
        const back = await T.load(await T.toSafetensors(t as T.TensorTree), t as T.TensorTree)
        expect(await T.read(back)).toStrictEqual(await T.read(t))
      }),
      { numRuns: 60, seed: 12 },
    )
  })
})

describe('a file that is none', () => {
  const refusal = async (f: () => Promise<unknown>): Promise<unknown> =>
    f().then(
      () => 'nothing',
      (e: unknown) => (e instanceof T.TensorloomError ? e.error : e),
    )
  it('is named, damaged, missing or in no folder', async () => {
    const file = join(folder, 'damaged.safetensors')
    await T.save(file, { w: T.ones([2]) })
    const whole = await readFile(file)
    for (const bytes of [whole.subarray(0, whole.length - 3), Buffer.from('hello'), Buffer.alloc(0)]) {
      await writeFile(file, bytes)
      expect(await refusal(() => T.load(file, { w: T.spec([2]) }))).toMatchObject({ tag: 'DataError', source: file })
    }
    const nowhere = join(folder, 'none', 'w.safetensors')
    expect(await refusal(() => T.load(nowhere, {}))).toMatchObject({ tag: 'DataError', source: nowhere })
    expect(await refusal(() => T.save(nowhere, { w: T.ones([1]) }))).toMatchObject({
      tag: 'DataError',
      source: nowhere,
    })
    expect(await refusal(() => T.load(3 as never, {}))).toMatchObject({ tag: 'UsageError' })
    expect(await refusal(() => T.load(undefined as never, {}))).toMatchObject({ tag: 'UsageError' })
  })
})
