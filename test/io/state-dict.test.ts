/** State dicts of PyTorch's names and layouts into our trees, and back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest'
import * as T from '../../src/index.ts'
import * as io from '../../src/io/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as random from '../../src/random/index.ts'

const root = mkdtempSync(join(tmpdir(), 'state-dict-'))
afterAll(() => rmSync(root, { recursive: true }))

const map: io.StateDictMap = {
  'model.layers.{i}.self_attn.in_proj_weight': 'blocks[{i}].attention.inProjWeight',
  'model.layers.{i}.ff.{...rest}': 'blocks[{i}].ff.{...rest}',
  'model.rnn.weight_ih_l{k}': 'rnn[{k}].weightIh',
  'model.head.weight': { to: 'head', permute: [1, 0] },
  'model.{...any}.num_batches_tracked': null,
}

const params = {
  blocks: [0, 1].map((i) => ({
    attention: { inProjWeight: T.full([3, 1], i) },
    ff: nn.linearInit(random.key(i), 2, 3),
  })),
  rnn: [{ weightIh: T.full([1], 5) }],
  head: T.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]),
}

describe('state dicts', () => {
  it('go there and back through a file', async () => {
    const named = io.toStateDict(params, map)
    expect(Object.keys(named).sort()).toEqual([
      'model.head.weight',
      'model.layers.0.ff.bias',
      'model.layers.0.ff.weight',
      'model.layers.0.self_attn.in_proj_weight',
      'model.layers.1.ff.bias',
      'model.layers.1.ff.weight',
      'model.layers.1.self_attn.in_proj_weight',
      'model.rnn.weight_ih_l0',
    ])
    expect(named['model.head.weight']!.shape).toEqual([3, 2])
    const file = join(root, 'model.safetensors')
    await T.save(file, named)
    const tensors = await io.openSafetensors(file).read()
    expect(tensors['model.head.weight']!.data).toEqual(Int32Array.of(1, 4, 2, 5, 3, 6))
    const back = await io.fromStateDict(tensors, map, params)
    expectTypeOf(back).toExtend<typeof params>()
    expect(T.reference(back)).toStrictEqual(T.reference(params))
    const specs = await io.fromStateDict({ 'a.w': T.ones([2]) }, { '{x}.w': 'p.{x}' }, { p: { a: T.spec([2]) } })
    expectTypeOf(specs.p.a).toEqualTypeOf<T.Tensor<readonly [2], 'f32'>>()
  })

  it('leave out what is of no use here, such as counters of 64 bits', async () => {
    const header = {
      'model.bn.num_batches_tracked': { dtype: 'I64', shape: [], data_offsets: [0, 8] },
      'model.rnn.weight_ih_l0': { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
    }
    const text = Buffer.from(JSON.stringify(header))
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(text.length))
    const path = join(root, 'torch.safetensors')
    writeFileSync(path, Buffer.concat([size, text, Buffer.alloc(8), Buffer.from(Float32Array.of(2.5).buffer)]))
    const file = io.openSafetensors(path)
    expect(Object.keys(file.tensors)).toEqual(['model.rnn.weight_ih_l0'])
    await expect(file.read(['model.bn.num_batches_tracked'])).rejects.toThrow('has dtype I64, not one of F32')
    const like = { rnn: [{ weightIh: T.spec([1]) }] }
    const { rnn } = await io.fromStateDict(await file.read(), map, like)
    expect(T.reference(rnn[0]!.weightIh).data).toEqual(Float32Array.of(2.5))
    const all = { ...(await file.read()), 'model.bn.num_batches_tracked': T.tensor(3) }
    expect((await io.fromStateDict(all, map, like)).rnn[0]!.weightIh.shape).toEqual([1])
  })

  it('places stand for one step, for one thing, and nothing else is a pattern', async () => {
    const like = { a: T.spec([]) }
    const one = (name: string, pattern: string): Promise<unknown> =>
      io.fromStateDict({ [name]: T.tensor(1, { dtype: 'f32' }) }, { [pattern]: 'a' }, like)
    await one('x.1.x.1', 'x.{i}.x.{i}')
    await one('(a+b)[0]', '(a+b)[{n}]')
    for (const [name, pattern] of [
      ['x.1.x.2', 'x.{i}.x.{i}'],
      ['a.b.c', 'a.{i}'],
      ['axb', 'a.b'],
    ] as const)
      await expect(one(name, pattern)).rejects.toThrow(`fromStateDict: no row of the map fits "${name}"`)
  })

  it('say all that does not fit', async () => {
    const tensors = { x: T.ones([2]), y: T.ones([3]) }
    await expect(io.fromStateDict(tensors, { x: 'w' }, { w: T.spec([2]) })).rejects.toThrow(
      'no row of the map fits "y"\n  hint: map a name to null to leave it out: { \'step\': null }',
    )
    await expect(io.fromStateDict(tensors, { '{n}': 'w' }, { w: T.spec([2]) })).rejects.toThrow(
      '"x" and "y" both go to w',
    )
    await expect(io.fromStateDict(tensors, { '{n}': '{n}' }, { x: T.spec([3]), z: T.spec([1]) })).rejects.toThrow(
      [
        'state dict: it does not fit the tree:',
        '    "x" is f32[2] in the file, f32[3] in the tree',
        '    "z" is not in the file, the tree has f32[1]',
        '    "y" is in the file alone: f32[3]',
      ].join('\n'),
    )
    expect(() => io.toStateDict({ w: T.ones([1]) }, { x: 'y' })).toThrow('toStateDict: no row of the map fits "w"')
    await expect(io.fromStateDict({ x: 3 as never }, { x: 'x' }, {})).rejects.toThrow(
      'fromStateDict: "x" is 3, not a tensor',
    )
  })

  it('lose nothing on the way there', () => {
    const tree = { a: [T.ones([2, 3]), T.zeros([2, 3])] }
    expect(() => io.toStateDict(tree, { w: 'a[{i}]' })).toThrow('toStateDict: "a.0" and "a.1" both go to w')
    expect(() => io.toStateDict(tree, { 'w.{j}': 'a[{i}]' })).toThrow(
      'toStateDict: nothing says what {j} of "w.{j}" is: "a.{i}" has no such place',
    )
    for (const target of [5, { to: 'a[{i}]', permute: [0, 0] }, { to: 'a[{i}]', permute: [1, 2] }, { to: 'a' }])
      expect(() => io.toStateDict(tree, { 'w.{i}': target as never })).toThrow('the row "w.{i}" goes to')
  })

  it('leave no place open on the way here', async () => {
    await expect(io.fromStateDict({ w: T.ones([1]) }, { w: 'a[{i}]' }, { a: [T.spec([1])] })).rejects.toThrow(
      'fromStateDict: nothing says what {i} of "a.{i}" is: "w" has no such place',
    )
  })
})
